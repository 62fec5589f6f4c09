"""Structured depth: perspective along limbs, one range per shot, exactly on the skeleton."""
import numpy as np

from engine.conditions.depth import FLOOR, limb_depth, near_and_far, normalise_depth
from engine.conditions.pose import draw_skeleton
from engine.contract.skeleton import BODY_INDEX
from tests.unit.walker import HEIGHT_PX, REACHING, SIZE, figure, hand_at


def one_arm(near, far):
    body = np.zeros((20, 4))
    body[BODY_INDEX["left_elbow"]] = (20, 100, near, 1)
    body[BODY_INDEX["left_wrist"]] = (220, 100, far, 1)
    return body


def test_lies_where_the_skeleton_lies():
    body, hands = figure(REACHING), (hand_at(226, 64), None)
    near, far = near_and_far([(body, hands)])
    depth = limb_depth(body, hands, SIZE, HEIGHT_PX, near=near, far=far)
    drawn = draw_skeleton(body, hands, SIZE, HEIGHT_PX).max(axis=2) > 0
    assert depth.shape == (256, 256, 1) and depth.dtype == np.float32
    assert np.mean((depth[..., 0] > 0) != drawn) < 0.001
    assert depth[depth > 0].min() >= FLOOR - 1e-6 and depth.max() <= 1.0


def test_inverse_depth_is_linear_on_screen():
    depth = limb_depth(one_arm(2.0, 6.0), None, SIZE, HEIGHT_PX, near=2.0, far=6.0)[100, :, 0]
    for part in (0.25, 0.5, 0.75):
        metres = 1 / ((1 - part) / 2.0 + part / 6.0)
        assert np.isclose(depth[int(20 + 200 * part)], normalise_depth(metres, 2.0, 6.0), atol=0.005)


def test_near_is_one_and_far_is_the_floor():
    assert np.allclose(normalise_depth(np.array([2.0, 4.0, 6.0]), 2.0, 6.0), [1.0, (1 + FLOOR) / 2, FLOOR])
    assert normalise_depth(np.array([3.0]), 3.0, 3.0) == 1.0


def test_the_range_is_the_shots_and_leaves_out_what_is_unseen():
    unseen = figure({"nose": (1, 1, 0.5)})
    unseen[BODY_INDEX["nose"], 3] = 0.0
    shot = [(unseen, None), (figure(REACHING), (hand_at(9, 9, 3.0), None))]
    assert near_and_far(shot) == (3.0, 4.0)
    assert near_and_far([]) == (1.0, 1.0)


def test_the_nearer_limb_hides_the_farther_one():
    body = one_arm(3.0, 3.0)
    body[BODY_INDEX["right_elbow"]] = (120, 40, 5, 1)
    body[BODY_INDEX["right_wrist"]] = (120, 160, 5, 1)
    depth = limb_depth(body, None, SIZE, HEIGHT_PX, near=3.0, far=5.0)
    assert depth[100, 120, 0] == 1.0 and np.isclose(depth[60, 120, 0], FLOOR)


def test_unknown_depths_still_mark_the_skeleton():
    body = figure()
    body[:, 2] = 0.0
    depth = limb_depth(body, None, SIZE, HEIGHT_PX, near=1.0, far=1.0)
    assert set(np.unique(depth)) == {0.0, 1.0}
