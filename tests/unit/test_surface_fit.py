"""From a matte to girth and outline: the matte's edge is found, holes are closed, and the least-squares problem is
solved."""
import cv2
import numpy as np
import pytest

from engine.conditions.mask import limb_volumes
from engine.conditions.surface import fit, light, matte
from engine.conditions.surface.stance import NOTHING, stand
from engine.conditions.surface.template import Limb, Tag
from tests.unit import dressed
from tests.unit.dressed import TEMPLATE, overlap


@pytest.mark.parametrize("girth", [-0.015, 0.03])
def test_the_outline_comes_to_lie_on_the_matte(girth):
    _, wanted, _, pose, _ = dressed.drawn(dressed.painted(), girth=girth)
    before = stand(pose, np.zeros(len(TEMPLATE.points))).hit >= 0
    found = fit.fitted(pose, wanted)
    after = stand(pose, found).hit >= 0
    assert overlap(before, wanted > 0.5) < 0.93 < 0.955 < overlap(after, wanted > 0.5)
    assert np.median(found[TEMPLATE.tags == Tag.BODY]) == pytest.approx(girth, abs=0.012)
    assert np.abs(found[TEMPLATE.tags == Tag.HAND]).max() < 0.01


def test_the_head_reaches_as_far_as_its_hair():
    """A bob stands off the head below the ears, and ends at once."""
    _, wanted, _, pose, stance = dressed.drawn(dressed.painted())
    head = (stance.limbs == Limb.HEAD).astype(np.uint8)
    rows = np.flatnonzero(head.any(axis=1))
    reach = 2 * round(0.04 * pose.metre) + 1
    bob = cv2.dilate(head, np.ones((1, reach), np.uint8))
    bob[:round(np.quantile(rows, 0.45))] = bob[round(np.quantile(rows, 0.7)):] = 0
    wanted = np.maximum(wanted, bob)
    after = stand(pose, fit.fitted(pose, wanted)).limbs == Limb.HEAD
    beside = (bob > 0) & (head == 0)
    assert after[beside].mean() > 0.45


def test_the_jaw_is_not_drawn_down_to_the_neck():
    """Below the chin, the outline is the neck's, wherever the head ends."""
    _, wanted, _, pose, _ = dressed.drawn(dressed.painted())
    joints, points = TEMPLATE.joints, TEMPLATE.points
    jaw = ((TEMPLATE.tags == Tag.HEAD) & (TEMPLATE.normals[:, 1] > 0.7) & (points[:, 2] < joints["left_ear"][2] - 0.03)
           & (points[:, 1] > joints["nose"][1]))
    assert jaw.sum() > 15 and fit.fitted(pose, wanted)[jaw].max() < 0.008


def test_a_matte_of_somebody_else_moves_nothing_too_far():
    _, wanted, _, pose, _ = dressed.drawn(dressed.painted())
    found = fit.fitted(pose, np.ones_like(wanted))
    assert np.isfinite(found).all() and found.min() >= -0.0351 and found.max() <= 0.2501


def test_spread_is_the_least_squares_solution():
    rng = np.random.default_rng(2)
    values, certain = rng.normal(size=len(TEMPLATE.points)), rng.random(len(TEMPLATE.points))
    x = fit.spread(TEMPLATE, values, certain, stiff=0.25, back=0.002, even=0.5)
    i, j = TEMPLATE.edges.T
    slope = certain * (x - values) + 0.002 * x
    np.add.at(slope, i, 0.25 * (x[i] - x[j]))
    np.add.at(slope, j, 0.25 * (x[j] - x[i]))
    apart = x - x[TEMPLATE.mirror]
    slope += 0.5 * (apart - np.bincount(TEMPLATE.mirror, apart, len(x)))
    assert np.abs(slope).max() < 1e-4


def test_a_coarse_matte_finds_the_edge_of_the_picture():
    picture, wanted, *_ = dressed.drawn(dressed.painted())
    picture = np.clip(picture + np.random.default_rng(0).normal(0, 0.02, picture.shape), 0, 1).astype(np.float32)
    coarse = np.roll(cv2.GaussianBlur(wanted, (0, 0), 3), (4, 3), (0, 1))
    found = matte.refined(picture, coarse)
    assert overlap(coarse > 0.5, wanted > 0.5) < 0.8 < 0.94 < overlap(found > 0.5, wanted > 0.5)
    nothing = np.zeros_like(wanted)
    assert matte.refined(picture, nothing).max() == 0


def test_joints_and_colours_find_a_matte_where_no_model_does():
    picture, wanted, figure, *_ = dressed.drawn(dressed.painted())
    picture = np.clip(picture + np.random.default_rng(0).normal(0, 0.02, picture.shape), 0, 1).astype(np.float32)

    def volumes(share):
        return [limb_volumes(figure.body * (share, share, 1, 1), (None, None), figure.height_px * share,
                             [round(side * share) for side in picture.shape[1::-1]], room) for room in (0.0, 1.5)]
    inside, around = (overlap(one > 0.5, wanted > 0.5) for one in volumes(1.0))
    assert max(inside, around) < 0.85 < 0.95 < overlap(matte.of_joints(picture, volumes) > 0.5, wanted > 0.5)
    large = cv2.resize(picture, None, fx=3, fy=3)
    assert matte.of_joints(large, lambda share: volumes(share * 3)).shape == large.shape[:2]


def test_holes_in_the_body_close_and_gaps_beside_it_stay():
    limbs = np.full((60, 60), NOTHING, np.uint8)
    limbs[10:50, 10:30] = 0
    given = np.zeros((60, 60), np.float32)
    given[8:52, 8:52] = 1
    given[20:26, 15:22] = given[20:40, 36:44] = 0
    closed = matte.without_holes(given, limbs, NOTHING)
    assert (closed[20:26, 15:22] == 1).all() and (closed[22:38, 38:42] == 0).all() and closed[0, 0] == 0


def test_the_references_light_is_found_and_taken_out():
    plain, _, _, _, stance = dressed.drawn(np.full((len(TEMPLATE.points), 3), 0.4))
    normals = stance.across(stance.normals)
    lit = np.clip(plain * np.exp(0.5 * normals[..., :1]), 0, 1)
    sure = cv2.erode((stance.hit >= 0).astype(np.uint8), np.ones((3, 3))) > 0
    flat, found, _ = light.without_light(lit, stance, sure)
    assert found[0] == pytest.approx(0.5, abs=0.12) and np.abs(found[1:]).max() < 0.12
    assert flat[sure].std() < 0.4 * lit[sure].std()
    assert light.without_light(lit, stance, np.zeros_like(sure))[0] is lit
