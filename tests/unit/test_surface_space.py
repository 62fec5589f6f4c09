"""A figure's joints in pixels and depth -> person units and back, for any camera and scene units, also with joints
missing."""
import dataclasses

import numpy as np
import pytest

from engine.conditions.poses import Figure
from engine.conditions.surface import template as templates
from engine.conditions.surface.bones import NEEDED
from engine.conditions.surface.space import Space, depth_factor
from engine.contract.skeleton import BODY, BODY_INDEX
from tests.unit import surface_person as person

TEMPLATE = templates.load()


def changed(figure, **joints):
    """A figure with some joints elsewhere, (x, y, depth, confidence) by name; None removes a joint."""
    body = figure.body.copy()
    for name, place in joints.items():
        body[BODY_INDEX[name]] = (0, 0, 0, 0) if place is None else place
    return dataclasses.replace(figure, body=body)


@pytest.mark.parametrize("units", [1.0, 0.01, 100.0])
def test_joints_come_back_in_metres_where_the_focal_length_is_known(units):
    at = person.turned(person.joints(("left", "shoulder", (0, 0, 1), -60)), 40)
    space = Space.of(person.figure(at, units=units), TEMPLATE, focal=person.FOCAL)
    for name in (*NEEDED, "nose", "left_index_2"):
        np.testing.assert_allclose(space.joints[name], at[name], atol=2e-3)


def test_pixels_come_back():
    figure = person.figure(person.turned(person.joints(), 70))
    space = Space.of(figure, TEMPLATE, 1.0)
    back = space.to_pixels(np.stack([space.joints[name] for name in BODY]))
    np.testing.assert_allclose(back, figure.body[:, :3], atol=1e-6)
    assert space.px_per_metre == pytest.approx(person.FOCAL / person.DISTANCE)


def test_the_worth_of_depth_is_found_where_the_focal_length_is_not_known():
    """In these scenes a unit is not a metre: limbs would seem to shrink whenever they point at the camera."""
    poses = [person.turned(person.joints(("left", "shoulder", (0, 0, 1), a), ("right", "hip", (1, 0, 0), a)), b)
             for a, b in ((-60, 0), (-20, 50), (20, 100), (60, 150))]
    figures = [person.figure(at, units=1 / 1.25) for at in poses]
    assert depth_factor(figures, TEMPLATE) == pytest.approx(1.25, rel=0.06)
    assert depth_factor([], TEMPLATE) == 1.0


@pytest.mark.parametrize("name", ["left_hip", "right_hip", "left_shoulder", "right_shoulder"])
def test_without_hips_or_shoulders_there_is_no_space(name):
    assert Space.of(changed(person.figure(person.joints()), **{name: None}), TEMPLATE, 1.0) is None


def test_a_height_of_nothing_gives_no_space():
    assert Space.of(dataclasses.replace(person.figure(person.joints()), height_px=0.0), TEMPLATE, 1.0) is None


@pytest.mark.parametrize("name, far", [
    ("left_knee", 0.06), ("right_elbow", 0.06), ("neck", 0.03), ("left_toe", 0.05), ("right_ankle", 0.05)])
def test_a_missing_joint_is_completed_near_its_place(name, far):
    figure = changed(person.figure(person.turned(person.joints(), 30)), **{name: None})
    whole = Space.of(person.figure(person.turned(person.joints(), 30)), TEMPLATE, 1.0)
    assert np.linalg.norm(Space.of(figure, TEMPLATE, 1.0).joints[name] - whole.joints[name]) < far


def test_unseen_face_points_are_left_out_and_hidden_limbs_are_not():
    figure = person.figure(person.joints())
    body = figure.body.copy()
    body[:, 3] = np.isin(BODY, ("left_hip", "right_hip", "left_shoulder", "right_shoulder", "neck"))
    joints = Space.of(dataclasses.replace(figure, body=body), TEMPLATE, 1.0).joints
    assert "nose" not in joints and "left_ear" not in joints
    np.testing.assert_allclose(joints["left_knee"], Space.of(figure, TEMPLATE, 1.0).joints["left_knee"])


def test_a_joint_behind_the_camera_is_one_that_is_missing():
    figure = person.figure(person.joints(), distance=1.0)
    behind = Space.of(changed(figure, left_wrist=(900, -4000, -0.3, 1)), TEMPLATE, 1.0)
    missing = Space.of(changed(figure, left_wrist=None), TEMPLATE, 1.0)
    np.testing.assert_allclose(behind.joints["left_wrist"], missing.joints["left_wrist"])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_flat_figure_from_the_side_turns_to_where_face_and_feet_point(sign):
    """Its hips and shoulders coincide in the picture; the nearer side is the one that faces the camera."""
    figure = person.figure(person.turned(person.joints(), 90 * sign), hands=False)
    body = figure.body.copy()
    body[:, 2] = 0
    joints = Space.of(Figure(body, (None, None), figure.height_px), TEMPLATE).joints
    true, found = (at["left_hip"][2] - at["right_hip"][2] for at in (person.turned(person.joints(), 90 * sign), joints))
    assert found == pytest.approx(true, rel=0.2) and abs(true) > 0.1


def test_nothing_is_nearer_than_the_camera():
    space = Space.of(person.figure(person.joints()), TEMPLATE, 1.0)
    places = space.to_pixels(np.array([[0.5, 0.5, -100.0], [0, 0, -4.0], [0, 0, 0]]))
    assert np.isfinite(places).all() and places[:, 2].min() == pytest.approx(space.nearest)
