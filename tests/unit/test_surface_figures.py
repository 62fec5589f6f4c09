"""A clip's figures: gaps are closed without jumps, faces fade, and rigs may have left and right exchanged."""
import dataclasses

import numpy as np
import pytest

from engine.conditions.surface import template as templates
from engine.conditions.surface.figures import is_mirrored, mirrored, without_gaps
from engine.contract.skeleton import BODY, BODY_INDEX
from tests.unit import surface_person as person

TEMPLATE = templates.load()


def walk(count=24):
    """A person turns and comes nearer while an arm is raised."""
    poses = [person.turned(person.joints(("left", "shoulder", (0, 0, 1), -3.0 * i)), 4.0 * i) for i in range(count)]
    return [person.figure(at, distance=5 - 0.05 * i) for i, at in enumerate(poses)]


def without(figure, *names):
    body = figure.body.copy()
    body[[BODY_INDEX[name] for name in names]] = 0
    return dataclasses.replace(figure, body=body)


def test_a_joint_that_is_missing_for_some_frames_goes_on_between_them():
    whole = walk()
    lost = [without(figure, "left_wrist", "right_knee") if 8 <= i < 14 else figure for i, figure in enumerate(whole)]
    for figure, true in zip(without_gaps(lost), whole, strict=True):
        np.testing.assert_allclose(figure.body[:, :2], true.body[:, :2], atol=4.0)
        np.testing.assert_allclose(figure.body[:, 2], true.body[:, 2], atol=0.08)


def test_a_joint_stays_with_the_person_before_it_is_first_seen():
    whole = walk()
    found = without_gaps([without(figure, "left_toe") if i < 4 else figure for i, figure in enumerate(whole)])
    assert np.abs(found[0].body[:, :2] - whole[0].body[:, :2]).max() < 12


def test_frames_without_a_person_or_without_hips_are_left_alone():
    clip = walk(5)
    clip[2], clip[3] = None, without(clip[3], "left_hip", "left_knee")
    found = without_gaps(clip)
    assert found[2] is None and found[3] is clip[3]
    assert without_gaps([None, None]) == (None, None) and without_gaps([]) == ()


def test_what_is_whole_is_not_changed():
    for figure, found in zip(walk(3), without_gaps(walk(3)), strict=True):
        np.testing.assert_array_equal(figure.body, found.body)
        np.testing.assert_array_equal(figure.hands[0], found.hands[0])


def test_a_face_that_turns_away_fades():
    clip = [figure if i < 10 else without(figure, "nose", "left_eye") for i, figure in enumerate(walk())]
    trust = [figure.body[BODY_INDEX["nose"], 3] for figure in without_gaps(clip)]
    assert trust[:10] == [1.0] * 10 and trust[14:] == [0.0] * 10
    assert trust[10:14] == sorted(trust[10:14], reverse=True) and 0.5 > trust[10] > 0.3


def test_short_gaps_of_hands_are_closed_and_long_ones_are_not():
    clip = walk(30)
    lost = list(clip)
    for i in (*range(4, 9), *range(12, 28)):
        lost[i] = dataclasses.replace(clip[i], hands=(None, clip[i].hands[1]))
    found = without_gaps(lost)
    np.testing.assert_allclose(found[6].hands[0][:, :2], clip[6].hands[0][:, :2], atol=3.0)
    assert found[20].hands[0] is None and found[20].hands[1] is not None


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("degrees", [0, 50, 180])
def test_a_mirrored_rig_is_known_by_where_its_feet_and_nose_point(flat, degrees):
    def seen(at):
        figure = person.figure(at)
        body = figure.body.copy()
        if 90 < degrees < 270:
            body[[i for i, name in enumerate(BODY) if name == "nose"]] = 0
        body[:, 2] *= not flat
        return dataclasses.replace(figure, body=body)
    at = person.turned(person.joints(), degrees)
    other = person.turned({name: place * (-1, 1, 1) for name, place in person.joints().items()}, degrees)
    assert not is_mirrored([seen(at)], TEMPLATE)
    assert is_mirrored([seen(other), None], TEMPLATE)
    assert not is_mirrored([mirrored(seen(other))], TEMPLATE)
    swapped, kept = mirrored(seen(other)).body, seen(other).body
    np.testing.assert_array_equal(swapped[BODY_INDEX["left_ear"]], kept[BODY_INDEX["right_ear"]])
