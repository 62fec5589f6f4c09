"""Joints -> bones -> the moved surface: exact if the person is the template, without flips in poses that bodies can
take, and always finite."""
import numpy as np
import pytest

from engine.conditions.surface import bones, skinning
from engine.conditions.surface import template as templates
from engine.conditions.surface.template import Limb
from engine.conditions.surface.turning import frame, least_turn, similarity, turn_about, unit
from engine.contract.skeleton import BODY
from tests.unit import surface_person as person

TEMPLATE = templates.load()


def surface(joints, **more):
    posed = bones.pose_bones(joints, TEMPLATE, **more)
    moves = skinning.transforms(TEMPLATE.rest, posed, TEMPLATE.bones)
    return skinning.skinned(TEMPLATE.points, TEMPLATE.normals, TEMPLATE.weights, moves)


def test_the_rest_pose_moves_nothing():
    points, normals = surface(TEMPLATE.joints)
    np.testing.assert_allclose(points, TEMPLATE.points, atol=1e-3)
    np.testing.assert_allclose(normals, TEMPLATE.normals, atol=5e-3)


@pytest.mark.parametrize("axis, degrees", [((0, 1, 0), 90), ((0, 1, 0), 180), ((1, 0, 0), 120), ((0.6, 0, 0.8), -75)])
def test_the_whole_person_turns_as_one(axis, degrees):
    turn = turn_about(np.array(axis, float), np.radians([degrees]))
    points, normals = surface({name: turn @ at for name, at in TEMPLATE.joints.items()})
    np.testing.assert_allclose(points, TEMPLATE.points @ turn.T, atol=2e-3)
    np.testing.assert_allclose(normals, TEMPLATE.normals @ turn.T, atol=1e-2)


def test_a_bent_elbow_moves_the_forearm_and_hand_rigidly():
    rest, bent = person.joints(), person.joints(("left", "elbow", (1, 0, 0), -60))
    still, moved = surface(rest)[0], surface(bent)[0]
    hand = TEMPLATE.weights[:, TEMPLATE.bones.index("hand_l")] > 0.99
    turn, size = similarity(still[hand], moved[hand], np.ones(hand.sum()))
    assert size == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(turn, turn_about(np.array([1.0, 0, 0]), np.radians([-60])), atol=0.06)
    other = TEMPLATE.limbs == Limb.RIGHT_HAND
    np.testing.assert_allclose(moved[other], still[other], atol=1e-4)


def test_longer_limbs_grow_along_and_not_in_girth():
    joints = person.joints()
    more = (joints["left_ankle"] - joints["left_knee"]) * 0.3
    longer = joints | {name: joints[name] + more for name in ("left_ankle", "left_toe")}
    still, moved = surface(joints)[0], surface(longer)[0]
    shin = TEMPLATE.weights[:, TEMPLATE.bones.index("calf_l")] > 0.99
    axis = (joints["left_ankle"] - joints["left_knee"]) / np.linalg.norm(joints["left_ankle"] - joints["left_knee"])
    assert np.ptp(moved[shin] @ axis) == pytest.approx(1.3 * np.ptp(still[shin] @ axis), rel=0.02)
    girth = [np.linalg.norm(points[shin] - np.outer(points[shin] @ axis, axis), axis=1) for points in (still, moved)]
    np.testing.assert_allclose(girth[1], girth[0], atol=5e-3)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("joint, axis, through", [
    ("shoulder", (0, 0, 1), 150), ("shoulder", (1, 0, 0), -170), ("hip", (1, 0, 0), -120), ("elbow", (1, 0, 0), -140),
    ("wrist", (0.55, 0.65, -0.52), 400)])
def test_nothing_flips_while_a_limb_goes_through_its_range(side, joint, axis, through):
    """The surface moves at most a few times as far as the joints, even if a wrist turns by more than half a turn."""
    sign = -1 if side == "right" and axis[2] else 1
    before = None
    for degrees in np.arange(0, abs(through), 4.0):
        about = (axis[0], axis[1] * sign, axis[2] * sign)
        joints = person.joints((side, joint, about, np.sign(through) * degrees))
        points = surface(joints)[0]
        assert np.isfinite(points).all()
        if before is not None:
            assert np.linalg.norm(points - before, axis=1).max() < 0.14, degrees
        before = points


def test_a_knee_or_elbow_that_noise_bends_the_wrong_way_turns_nothing_over():
    for turns in ((("left", "knee", (1, 0, 0), -25),), (("left", "elbow", (1, 0, 0), 35),)):
        points, _ = surface(person.joints(*turns))
        still, _ = surface(person.joints())
        upper = TEMPLATE.limbs == (Limb.LEFT_THIGH if turns[0][1] == "knee" else Limb.LEFT_UPPER_ARM)
        assert np.linalg.norm(points - still, axis=1)[upper].max() < 0.1


def test_legs_may_cross():
    before = None
    for degrees in np.arange(0, 40, 2.0):
        points = surface(person.joints(("left", "hip", (0, 0, 1), degrees), ("right", "hip", (0, 0, 1), -degrees)))[0]
        if before is not None:
            assert np.linalg.norm(points - before, axis=1).max() < 0.05
        before = points


def test_the_head_follows_the_face_and_else_the_chest():
    joints = person.joints()
    turn = turn_about(np.array([0, 1.0, 0]), np.radians([40]))
    face = {name: joints["headbone"] + turn @ (joints[name] - joints["headbone"]) for name in bones.FACE}
    rotation = bones.pose_bones(joints | face, TEMPLATE)["head"].rotation
    assert np.degrees(np.arctan2(rotation[0, 2], rotation[0, 0])) == pytest.approx(40, abs=6)
    unseen = {name: at for name, at in joints.items() if name not in bones.FACE}
    np.testing.assert_allclose(bones.pose_bones(unseen, TEMPLATE)["head"].rotation, np.eye(3), atol=0.01)


def test_a_face_point_of_little_confidence_turns_the_head_little():
    joints = person.joints()
    joints["nose"] = joints["nose"] + (0.2, 0, 0)
    turned = [bones.pose_bones(joints, TEMPLATE, confidence={"nose": c})["head"].rotation[0, 2]
              for c in (1.0, 0.2, 0.0)]
    assert abs(turned[0]) > 1.5 * abs(turned[1]) > 0.05 and abs(turned[2]) < 0.01


def test_hands_go_on_from_the_forearm_where_they_are_not_known():
    rest = person.joints()
    hinge = np.cross(rest["left_wrist"] - rest["left_elbow"], rest["left_elbow"] - rest["left_shoulder"])
    joints = person.joints(("left", "elbow", -hinge / np.linalg.norm(hinge), 60))
    body = {name: joints[name] for name in (*BODY, "headbone")}
    np.testing.assert_allclose(surface(body)[0], surface(joints)[0], atol=0.03)


def test_a_rig_that_tells_its_bones_turns_is_believed():
    quarter = turn_about(TEMPLATE.rest["thigh_l_1"].rotation[:, 1], np.array([np.pi / 3]))
    told = bones.pose_bones(person.joints(), TEMPLATE, turns={"left_thigh": quarter})
    np.testing.assert_allclose(told["thigh_l_1"].rotation, quarter @ TEMPLATE.rest["thigh_l_1"].rotation, atol=1e-6)
    np.testing.assert_allclose(told["thigh_r_1"].rotation, TEMPLATE.rest["thigh_r_1"].rotation, atol=1e-3)


@pytest.mark.parametrize("seed", range(12))
def test_no_vertex_is_ever_not_a_number(seed):
    rng = np.random.default_rng(seed)
    joints = {name: at * (1, 1, seed % 2) for name, at in person.joints().items()}
    if seed < 4:                                                    # all joints in one place, or in a line
        joints = {name: at * 0 if seed < 2 else at * (0, 1, 0) for name, at in joints.items()}
    elif seed < 8:
        for name in rng.choice(sorted(joints), 12):
            joints[name] = joints[rng.choice(sorted(joints))]
    else:
        joints = {name: at + rng.normal(0, 0.3, 3) for name, at in joints.items()}
    points, normals = surface(joints)
    assert np.isfinite(points).all() and np.isfinite(normals).all() and np.abs(points).max() < 30


def test_turns_are_turns():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 50, 3))
    for turn in (frame(a, b), frame(a, a), frame(a * 0, b), least_turn(unit(a), unit(b))):
        np.testing.assert_allclose(turn @ turn.transpose(0, 2, 1), np.broadcast_to(np.eye(3), turn.shape), atol=1e-9)
        np.testing.assert_allclose(np.linalg.det(turn), 1, atol=1e-9)
    x = np.array([[0.6, 0.8, 0.0]])
    np.testing.assert_allclose((least_turn(x, -x) @ x[..., None])[..., 0], -x, atol=1e-6)
