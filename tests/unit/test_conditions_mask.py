"""The shape-agnostic mask follows the paper's formula at all its edges, and limb volumes are wide enough for
clothes."""
import cv2
import numpy as np
import pytest

from engine.conditions.environment import environment
from engine.conditions.mask import (
    bounding_box,
    grown,
    limb_volume_depth,
    limb_volumes,
    random_shape_agnostic,
    region_of,
    shape_agnostic,
    shape_agnostic_at_inference,
    volume_box,
)
from engine.conditions.region_rule import PAPER, RegionRule
from tests.unit.walker import HEIGHT_PX, SITTING, SIZE, figure, hand_at


def blob(seed=0, size=(60, 50)):
    rng = np.random.default_rng(seed)
    mask = np.zeros(size, np.float32)
    for _ in range(4):
        y, x = rng.integers(5, size[0] - 5), rng.integers(5, size[1] - 5)
        cv2.circle(mask, (int(x), int(y)), int(rng.integers(1, 9)), 1.0, -1)
    return mask


def test_an_engine_says_how_its_region_is_made():
    mask = blob()
    assert np.array_equal(region_of(mask, PAPER), shape_agnostic_at_inference(mask))
    assert np.array_equal(region_of(mask, RegionRule("exact", grow=0.06)), grown(mask, 3))
    whole = region_of(mask, RegionRule("exact", block=16))
    padded = np.pad(mask, ((0, 4), (0, 14)))                         # 60 x 50 pixels: the last blocks are cut off
    touched = padded.reshape(4, 16, 4, 16).max(axis=(1, 3)).repeat(16, axis=0).repeat(16, axis=1)
    assert whole.dtype == np.float32 and np.array_equal(whole, touched[:60, :50])


def test_what_is_not_known_is_the_hole():
    plate, region = np.full((2, 2, 3), 0.8, np.float32), np.array([[[1.0], [0.0]], [[1.0], [0.0]]], np.float32)
    known = np.array([[[1.0], [0.0]], [[0.0], [0.0]]], np.float32)
    assert environment(plate, region, known)[..., 0].tolist() == [[plate[0, 0, 0]] * 2, [0, plate[0, 0, 0]]]
    assert environment(plate, region, known, 0.5)[1, 0].tolist() == [0.5] * 3


def by_formula(mask, k_h, k_w):
    """The formula of paper 3.2, written out block by block."""
    rows, columns = np.nonzero(mask)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    h, w = bottom - top, right - left
    result = np.zeros_like(mask)
    for i in range(k_h):
        for j in range(k_w):
            block = np.s_[top + i * h // k_h:top + (i + 1) * h // k_h, left + j * w // k_w:left + (j + 1) * w // k_w]
            result[block] = mask[block].max()
    return result


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [(1, 1), (2, 3), (7, 5)])
def test_follows_the_formula_and_contains_the_character(seed, k):
    mask = blob(seed)
    kept = mask.copy()
    region = shape_agnostic(mask, *k)
    assert np.array_equal(region, by_formula(mask, *k))
    assert (region >= mask).all() and np.array_equal(mask, kept)


def test_a_grid_worked_by_hand():
    """M_c in a box of 4 x 6 at row 1, column 2; k_h = 2, k_w = 3 make blocks of 2 x 2,
    of which three hold the character."""
    mask = np.array([[0, 0, 0, 0, 0, 0, 0, 0, 0],
                     [0, 0, 1, 0, 0, 0, 0, 0, 0],
                     [0, 0, 0, 1, 0, 0, 0, 0, 0],
                     [0, 0, 0, 0, 0, 0, 0, 0, 0],
                     [0, 0, 0, 0, 1, 0, 0, 1, 0]], np.uint8)
    assert shape_agnostic(mask, 2, 3).astype(int).tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 1, 1, 1, 1, 0]]


def test_one_block_is_the_box_and_blocks_of_a_pixel_are_the_mask():
    mask = blob()
    left, top, right, bottom = bounding_box(mask > 0)
    box = np.zeros_like(mask)
    box[top:bottom, left:right] = 1
    assert np.array_equal(shape_agnostic(mask, 0, -3), box)
    assert np.array_equal(shape_agnostic(mask, 10_000, 10_000), mask)


def test_an_empty_mask_gives_an_empty_region():
    empty = np.zeros((20, 30), np.uint8)
    for region in (shape_agnostic(empty, 3, 3), shape_agnostic_at_inference(empty),
                   random_shape_agnostic(empty, np.random.default_rng(0))):
        assert region.shape == (20, 30) and region.dtype == np.float32 and not region.any()


def test_the_last_row_and_column_count():
    mask = np.zeros((23, 17), bool)
    mask[0, 0] = mask[-1, -1] = True
    region = shape_agnostic(mask, 4, 4)
    assert region[-1, -1] == 1 and region[0, 0] == 1 and region[0, -1] == 0
    speck = np.zeros((20, 20), bool)
    speck[19, 19] = True
    assert shape_agnostic_at_inference(speck).sum() == 1


def test_several_characters_have_a_box_each():
    mask = np.zeros((40, 100), np.float32)
    mask[5:35, 5:25] = mask[5:35, 75:95] = 1
    region = shape_agnostic(mask, 1, 1, boxes=[(5, 5, 25, 35), (75, 5, 95, 35)])
    assert np.array_equal(region, mask)
    assert shape_agnostic(mask, 1, 1)[20, 50] == 1
    assert np.array_equal(shape_agnostic_at_inference(mask, boxes=[(5, 5, 25, 35), (75, 5, 95, 35)]), mask)


def test_at_inference_patches_are_about_ten_pixels():
    mask = limb_volumes(figure(), None, HEIGHT_PX, SIZE, 0) > 0.5
    region = shape_agnostic_at_inference(mask)
    left, top, right, bottom = bounding_box(mask)
    assert np.array_equal(region, by_formula(mask.astype(np.float32), (bottom - top) // 10, (right - left) // 10))
    assert 1.05 < region.sum() / mask.sum() < 1.5


def test_training_draws_from_box_to_outline_and_equal_seeds_draw_equally():
    mask = limb_volumes(figure(), None, HEIGHT_PX, SIZE) > 0.5
    rng = np.random.default_rng(4)
    areas = [random_shape_agnostic(mask, rng).sum() / mask.sum() for _ in range(60)]
    inference = shape_agnostic_at_inference(mask).sum() / mask.sum()
    assert min(areas) >= 1.0 and min(areas) < inference < max(areas)
    assert 15 < sum(np.isclose(area, inference) for area in areas) < 45
    again = [random_shape_agnostic(mask, np.random.default_rng(9)) for _ in range(2)]
    assert np.array_equal(*again)


def test_a_knee_long_skirt_and_long_hair_lie_inside():
    volumes = limb_volumes(figure(), None, HEIGHT_PX, SIZE) > 0.5
    clothes = np.zeros(SIZE[::-1], np.uint8)
    cv2.fillConvexPoly(clothes, np.array([(108, 122), (148, 122), (160, 178), (96, 178)]), 1)
    hair = np.zeros(SIZE[::-1], np.uint8)
    cv2.fillConvexPoly(hair, np.array([(112, 30), (144, 30), (148, 98), (108, 98)]), 1)
    assert volumes[clothes > 0].mean() == 1.0 and volumes[hair > 0].mean() == 1.0
    assert (limb_volumes(figure(), None, HEIGHT_PX, SIZE, 0) > 0.5)[clothes > 0].mean() < 0.8


def test_the_lap_of_a_sitting_skirt_is_inside_and_volumes_grow_with_clothing():
    assert limb_volumes(figure(SITTING), None, HEIGHT_PX, SIZE)[150, 128] == 1.0
    areas = [limb_volumes(figure(), None, HEIGHT_PX, SIZE, clothing).sum() for clothing in (0, 0.5, 1.0, 2.0)]
    assert areas == sorted(areas) and areas[0] < 0.75 * areas[2]


def test_nearer_limbs_are_thicker_and_hands_are_covered():
    near = {name: (*xy, 2.0) for name, xy in (("left_elbow", (190, 72)), ("left_wrist", (226, 64)))}
    far = {name: (x, y, 6.0) for name, (x, y, _) in near.items()}
    thick, thin = (limb_volumes(figure(c), None, HEIGHT_PX, SIZE)[:, 200:].sum() for c in (near, far))
    assert thick > 1.5 * thin
    hand = hand_at(230, 200)
    volumes = limb_volumes(figure(), (hand, None), HEIGHT_PX, SIZE)
    assert all(volumes[int(y), int(x)] > 0.5 for x, y in hand[:, :2])


def test_volume_depth_is_the_nearest_limbs():
    crossing = {"right_elbow": (128, 95, 2.0), "right_wrist": (150, 95, 2.0)}
    depth = limb_volume_depth(figure(crossing), None, HEIGHT_PX, SIZE)
    assert np.isclose(depth[95, 140], 2.0) and np.isinf(depth[5, 5]) and np.isclose(depth[200, 111], 4.0)


def test_the_box_holds_the_volumes():
    left, top, right, bottom = volume_box(figure(), None, HEIGHT_PX)
    drawn = bounding_box(limb_volumes(figure(), None, HEIGHT_PX, SIZE) > 0.5)
    assert np.allclose((left, top, right, bottom), drawn, atol=1.5)
    assert volume_box(np.zeros((20, 4)), None, HEIGHT_PX) is None


@pytest.mark.parametrize("wild", [(np.nan, 1, 1, 1), (1e12, -1e12, 3, 1), (-1e7, 100, 1e-12, 1)])
def test_wild_joints_give_finite_volumes(wild):
    body = figure()
    body[7] = wild
    assert np.isfinite(limb_volumes(body, None, HEIGHT_PX, SIZE)).all()
    assert limb_volumes(body, None, 1e9, SIZE).shape == SIZE[::-1]


def by_distance(mask, pixels):
    """Grown or shrunk pixel by pixel. Grown: a pixel is on if a pixel of the mask lies within `pixels`. Shrunk: it is
    on if no pixel outside the mask does."""
    y, x = np.mgrid[:mask.shape[0], :mask.shape[1]]
    wanted = mask > 0 if pixels > 0 else mask == 0
    near = np.zeros(mask.shape, bool)
    for row, column in zip(*np.nonzero(wanted), strict=True):
        near |= (y - row) ** 2 + (x - column) ** 2 <= pixels ** 2
    return (near if pixels > 0 else ~near).astype(np.float32)


@pytest.mark.parametrize("pixels", [1, 2, 7, -1, -3])
def test_grown_by_so_many_pixels_all_around(pixels):
    mask = blob(3)
    mask[:9, :9] = 1                                                       # it continues beyond the picture's corner
    changed = grown(mask, pixels)
    assert changed.dtype == np.float32 and np.array_equal(changed, by_distance(mask, pixels))
    assert np.array_equal(grown(mask, 0.4), mask) and (pixels > 0 or changed[0, 0] == 1)


def test_grown_by_the_most_a_job_may_ask_for_takes_no_longer():
    """A disc of 20,001 pixels would take hours; then this test would exceed its time limit."""
    mask = limb_volumes(figure(), None, HEIGHT_PX, (1920, 1080)) > 0.5
    mask = mask.astype(np.float32)
    assert grown(mask, 10_000).all() and not grown(mask, -10_000).any()
    for uniform in (np.zeros((20, 30), np.float32), np.ones((20, 30), np.float32)):
        assert np.array_equal(grown(uniform, 10_000), uniform) and np.array_equal(grown(uniform, -10_000), uniform)
