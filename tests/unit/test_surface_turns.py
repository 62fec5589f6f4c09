"""A rig's turns of its limbs: only their twist counts, whatever pose the rig rests in, and nothing flips."""
import dataclasses

import numpy as np
import pytest

from engine.conditions.character import Character, frame_maps
from engine.conditions.limbs import SEEN
from engine.conditions.retarget import retargeted
from engine.conditions.surface import drawing
from engine.conditions.surface import template as templates
from engine.conditions.surface.avatar import Avatar
from engine.conditions.surface.figures import mirrored, without_gaps
from engine.conditions.surface.template import Limb, Tag
from engine.conditions.surface.turning import least_turn, rotation_of, turn_about, unit
from engine.contract.skeleton import TURNED_LIMBS
from tests.unit import surface_person as person

TEMPLATE = templates.load()
FLIPPED = np.diag([-1.0, 1.0, 1.0])


def an_avatar():
    """The template as it is, red in front and blue behind."""
    faces = TEMPLATE.faces[TEMPLATE.tags[TEMPLATE.faces[:, 0]] <= Tag.HAND]
    atlas = np.zeros((8, 64, 3), np.float32)
    atlas[:, :32, 0], atlas[:, 32:, 2] = 1, 1
    uv = np.full((len(faces), 3, 2), 4.0)
    uv[..., 0] = 32 + 30 * np.sign(TEMPLATE.normals[faces][..., 2])
    return Avatar(displacement=np.zeros(len(TEMPLATE.points)), faces=faces, atlas=atlas, uv=uv,
                  source=np.zeros(len(faces), int), head_scale=1.0, height_px=250.0, light=np.zeros(5),
                  light_mean=0.0, invented=(), hem=None)


def figure(turns=None, hands=False, joints=None):
    return dataclasses.replace(person.figure(joints or person.joints(), hands=hands), turns=turns or {})


def points(figure):
    """(V, 3) person units."""
    placed = drawing.place(an_avatar(), figure, 1.0, turns=figure.turns)
    return placed.space.from_pixels(placed.places)


def way(limb):
    start, end = TURNED_LIMBS[limb]
    return unit(TEMPLATE.joints[end] - TEMPLATE.joints[start])


def twist(limb, degrees):
    return {limb: turn_about(way(limb), np.radians([degrees]))}


def share(maps, limb):
    """The share of a limb that shows the person's front."""
    seen = (maps.part == limb) & (maps.coverage == 1)
    assert seen.sum() > 60
    return float(maps.colour[seen, 0].mean())


def test_a_turned_forearm_takes_its_picture_round():
    character = Character(an_avatar(), (), 1.0, None, None)
    shown = {degrees: frame_maps(character, figure(twist("left_forearm", degrees)), person.SIZE)
             for degrees in (0, 90, 180, -90)}
    still = frame_maps(character, figure(), person.SIZE)
    assert share(still, Limb.LEFT_HAND) > 0.5
    np.testing.assert_allclose(shown[0].colour, still.colour, atol=0.02)
    fronts = {degrees: share(maps, Limb.LEFT_HAND) for degrees, maps in shown.items()}
    assert fronts[180] < fronts[0] - 0.5
    assert abs(share(shown[90], Limb.LEFT_FOREARM) - share(still, Limb.LEFT_FOREARM)) > 0.1
    for maps in shown.values():
        np.testing.assert_array_equal(maps.colour[:, :120], still.colour[:, :120])  # the right side


def test_the_hand_goes_with_the_forearm_where_it_is_not_known():
    hand = TEMPLATE.weights[:, TEMPLATE.bones.index("hand_l")] > 0.99
    turn = twist("left_forearm", 150)
    still, moved = points(figure())[hand], points(figure(turn))[hand]
    wrist = person.joints()["left_wrist"]
    np.testing.assert_allclose(moved - wrist, (still - wrist) @ turn["left_forearm"].T, atol=2e-3)


def test_a_palm_that_is_known_tells_more_than_the_bone():
    np.testing.assert_allclose(points(figure(twist("left_forearm", 60), hands=True)), points(figure(hands=True)),
                               atol=1e-6)


@pytest.mark.parametrize("limb", ["left_forearm", "right_forearm", "left_thigh", "right_shin", "left_upper_arm"])
def test_nothing_flips_while_a_limb_turns_all_round(limb):
    start = before = points(figure(twist(limb, 0)))
    for degrees in range(10, 361, 10):
        now = points(figure(twist(limb, degrees)))
        assert np.isfinite(now).all()
        assert np.linalg.norm(now - before, axis=1).max() < 0.05, degrees
        before = now
    np.testing.assert_allclose(before, start, atol=1e-6)
    assert np.linalg.norm(points(figure(twist(limb, 90))) - start, axis=1).max() > 0.04


def test_what_is_left_of_a_rigs_bone_rolls_is_not_seen():
    """test_gather_turns limits the errors in pose.json of a rig with random rolls: 1e-4 in turns and 2e-3 pixels in
    joints."""
    rng = np.random.default_rng(0)
    turns = twist("left_forearm", 70) | twist("right_thigh", 20)
    usual = figure(turns, joints=person.joints(("left", "elbow", (0, 1, 0), 40)))
    other = dataclasses.replace(
        usual, body=usual.body + rng.uniform(-2e-3, 2e-3, (20, 4)) * (1, 1, 1, 0),
        turns={limb: turn @ turn_about(np.array([0.6, 0, 0.8]), np.array([1e-4])) for limb, turn in turns.items()})
    one, two = (frame_maps(Character(an_avatar(), (), 1.0, None, None), of, person.SIZE) for of in (usual, other))
    assert (np.abs(one.colour - two.colour).max(axis=2) > 0.1).sum() < 0.01 * (one.coverage > 0).sum()
    assert np.abs(one.coverage - two.coverage).mean() < 1e-3


def resting(upper, fore):
    """The turns of a rig whose arms point in these directions (left, down, back; mirrored for the right arm) at rest.
    The rig has moved from there to the template's own pose: upper arms swing, then elbows bend."""
    turns = {}
    for side, x in (("left", 1), ("right", -1)):
        upper_way, fore_way = (unit(np.array(v, float) * (x, 1, 1)) for v in (upper, fore))
        swing = least_turn(way(f"{side}_upper_arm"), upper_way)
        bend = least_turn(swing @ way(f"{side}_forearm"), fore_way)
        turns[f"{side}_upper_arm"], turns[f"{side}_forearm"] = swing.T, (bend @ swing).T
    return turns


@pytest.mark.parametrize("upper, fore", [((1, 0, 0), (1, 0, 0)), ((0, 1, 0), (0, 1, 0)), ((1, -0.1, 0), (1, 0, -0.2))])
def test_the_pose_that_a_rig_rests_in_does_not_matter(upper, fore):
    np.testing.assert_allclose(points(figure(resting(upper, fore))), points(figure()), atol=2e-3)


def test_a_t_poses_palms_look_down_and_its_elbows_bend_forwards():
    """The result of the swing from the template's half raised and bent arms to a T pose."""
    turns = resting((1, 0, 0), (1, 0, 0))
    knuckles = unit(TEMPLATE.joints["left_index_1"] - TEMPLATE.joints["left_little_1"])
    assert (turns["left_forearm"].T @ knuckles)[2] < -0.95
    elbow = TEMPLATE.rest["upperarm_l_1"].rotation[:, 0]
    assert (turns["left_upper_arm"].T @ elbow)[1] < -0.95


def test_only_the_twist_of_a_turn_is_taken():
    """The joints say where limbs point, even if a turn says something else."""
    swing = turn_about(np.array([0, 0, 1.0]), np.radians([30]))
    whole = points(figure({"left_upper_arm": swing, "left_forearm": swing}))
    np.testing.assert_allclose(whole, points(figure()), atol=0.06)
    for turn in (turn_about(unit(np.cross(way("left_thigh"), (0, 0, 1))), np.radians([180])), -FLIPPED):
        assert np.isfinite(points(figure(dict.fromkeys(TURNED_LIMBS, turn)))).all()


def test_a_mirrored_figure_takes_its_turns_to_the_other_side():
    turns = twist("left_thigh", 50) | twist("right_forearm", -70) | twist("left_upper_arm", 20)
    joints = person.joints(("left", "hip", (1, 0, 0), -40), ("right", "elbow", (0, 1, 0), -30))
    other = {name: at * (-1, 1, 1) for name, at in joints.items()}
    reflected = {limb: FLIPPED @ turn @ FLIPPED for limb, turn in turns.items()}
    found = points(mirrored(figure(reflected, joints=other)))
    wanted = (points(figure(turns, joints=joints)) * (-1, 1, 1))[TEMPLATE.mirror]
    seam = TEMPLATE.points[:, 0] == 0                               # their weights lean a little to one side
    np.testing.assert_allclose(found[~seam], wanted[~seam], atol=2e-3)
    assert np.abs(found - points(mirrored(figure(joints=other)))).max() > 0.04


def test_a_turn_that_some_frames_lack_is_left_out_in_all():
    told = twist("left_thigh", 50) | twist("left_shin", 50)
    clip = [figure(told), None, figure(twist("left_thigh", 60)), figure(told)]
    found = without_gaps(clip)
    assert [of and set(of.turns) for of in found] == [{"left_thigh"}, None, {"left_thigh"}, {"left_thigh"}]
    np.testing.assert_array_equal(found[2].turns["left_thigh"], clip[2].turns["left_thigh"])


def test_a_retargeted_figure_keeps_its_turns():
    shot = [figure(twist("left_thigh", 50))] * 3
    joints = np.column_stack([shot[0].body[:, :2] * (1, 0.8), np.full(20, SEEN + 0.5)])
    found = retargeted(shot, joints, shot[0].height_px * 0.8, strength=1.0, fps=24)
    assert not np.allclose(found[1].body, shot[1].body) and found[1].turns is shot[1].turns


def test_quaternions_are_the_rotations_they_say():
    for axis in unit(np.random.default_rng(0).normal(size=(8, 3))):
        told = [np.cos(0.7), *(np.sin(0.7) * axis)]
        np.testing.assert_allclose(rotation_of(told), turn_about(axis, np.array([1.4])), atol=1e-12)
