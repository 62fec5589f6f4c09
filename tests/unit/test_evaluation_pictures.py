"""Measures on pictures: hand-worked cases, equal pictures, empty regions."""
import math

import numpy as np
import pytest

from lab.evaluation.body_parts import part_differences
from lab.evaluation.composite import inpainted, lay_over
from lab.evaluation.motion import STILL, flicker_ratio
from lab.evaluation.pictures import ROUNDING, greatest_difference, overlap, psnr_over, psnr_relit, ssim
from lab.evaluation.pose_score import found_joints, pose_error
from lab.evaluation.regions import BAND_PX, RESAMPLED_PX, grown, regions_from

EVERYWHERE = np.ones((4, 6), bool)
NOWHERE = np.zeros((4, 6), bool)
BEST = -10 * math.log10(ROUNDING)


def flat(value, shape=(4, 6, 3)):
    return np.full(shape, value, np.float32)


def test_psnr_of_a_tenth_everywhere_is_20_db():
    assert psnr_over([(flat(0.5), flat(0.6), EVERYWHERE)]) == pytest.approx(20.0, abs=1e-4)


def test_psnr_does_not_overflow_as_bytes_would():
    """Black against white is 0 dB; with the uint8 subtraction that is common in the field, it would be 48
    (docs/method.md, "Scores")."""
    assert psnr_over([(flat(0), flat(1), EVERYWHERE)]) == pytest.approx(0.0)


def test_psnr_sees_its_region_only():
    made, left = flat(0.5), EVERYWHERE.copy()
    made[:, 3:] = 1.0
    left[:, 3:] = False
    assert psnr_over([(made, flat(0.5), left)]) == pytest.approx(BEST)
    assert psnr_over([(made, flat(0.5), ~left)]) == pytest.approx(-10 * math.log10(0.25))


def test_psnr_of_a_clip_pools_the_errors_of_its_frames_and_passes_over_empty_ones():
    frames = [(flat(0.5), flat(0.6), EVERYWHERE), (flat(0.5), flat(0.5), EVERYWHERE), (flat(0), flat(1), NOWHERE)]
    assert psnr_over(frames) == pytest.approx(-10 * math.log10(0.01 / 2), abs=1e-4)


def test_equal_pictures_score_what_eight_bits_can_tell_and_nothing_measured_is_nan():
    assert psnr_over([(flat(0.3), flat(0.3), EVERYWHERE)]) == pytest.approx(58.92, abs=0.01)
    assert math.isnan(psnr_over([(flat(0), flat(1), NOWHERE)]))


def test_relit_forgives_a_light_of_the_clip_and_nothing_else():
    rng = np.random.default_rng(0)
    true = rng.random((2, 4, 6, 3))
    other = true * (0.5, 0.8, 1.2) + (0.1, 0.0, -0.1)
    assert psnr_relit(zip(other, true, [EVERYWHERE] * 2, strict=True)) == pytest.approx(BEST)
    wrong = other.copy()
    wrong[1] += 0.2      # one of the frames has another light
    assert psnr_over(zip(wrong, true, [EVERYWHERE] * 2, strict=True)) < psnr_relit(zip(wrong, true, [EVERYWHERE] * 2,
                                                                                       strict=True)) < 30
    assert math.isnan(psnr_relit([(true[0], true[0], NOWHERE)]))


def test_greatest_difference_is_in_eight_bit_steps_and_local():
    made = flat(0.5)
    made[2, 3, 1] += 3 / 255
    where = EVERYWHERE.copy()
    assert greatest_difference(made, flat(0.5), where) == pytest.approx(3, abs=1e-4)
    where[2, 3] = False
    assert greatest_difference(made, flat(0.5), where) == 0
    assert greatest_difference(made, flat(0.5), NOWHERE) == 0


def test_overlap_pools_frames():
    half = EVERYWHERE.copy()
    half[:, 3:] = False
    assert overlap([(half, EVERYWHERE)]) == 0.5
    assert overlap([(half, EVERYWHERE), (NOWHERE, EVERYWHERE)]) == 0.25
    assert overlap([(NOWHERE, NOWHERE), (half, half)]) == 1
    assert math.isnan(overlap([(NOWHERE, NOWHERE)]))


def test_ssim_of_flat_pictures_is_the_luminance_term():
    where = np.ones((16, 16), bool)
    a, b = flat(0.2, (16, 16, 3)), flat(0.6, (16, 16, 3))
    assert ssim(a, a, where) == pytest.approx(1.0)
    assert ssim(a, b, where) == pytest.approx((2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4), abs=1e-5)
    assert math.isnan(ssim(a, b, np.zeros((16, 16), bool)))


def test_ssim_falls_with_noise_and_with_blur():
    rng = np.random.default_rng(1)
    true = rng.random((32, 32, 3)).astype(np.float32)
    where = np.ones((32, 32), bool)
    little, much = (np.clip(true + rng.normal(0, s, true.shape), 0, 1) for s in (0.02, 0.3))
    assert 1 > ssim(little, true, where) > 0.9 > ssim(much, true, where)
    assert ssim(np.full_like(true, true.mean()), true, where) < 0.1


def test_a_steady_fade_does_not_flicker_and_a_flash_does():
    fade = np.stack([flat(0.1 * k) for k in range(6)])
    inside = np.repeat(EVERYWHERE[None], 6, axis=0)
    assert flicker_ratio(fade, fade, inside) == pytest.approx(1.0)
    flash = fade.copy()
    flash[3] += 0.1
    # second differences 0.1, 0.2 and 0.1 in three of the four middle frames, of a truth that has none
    assert flicker_ratio(flash, fade, inside) == pytest.approx((0.4 / 4 + STILL) / STILL, rel=1e-4)


def test_flicker_counts_only_pixels_that_stay_inside():
    true = np.stack([flat(0.5)] * 3)
    made = true.copy()
    made[1, :, 3:] = 1.0
    inside = np.repeat(EVERYWHERE[None], 3, axis=0)
    inside[2, :, 3:] = False
    assert flicker_ratio(made, true, inside) == pytest.approx(1.0)
    assert math.isnan(flicker_ratio(made, true, np.zeros_like(inside)))
    assert math.isnan(flicker_ratio(made[:2], true[:2], inside[:2]))


def test_pose_error_is_over_joints_that_both_show():
    true, made = np.zeros((20, 3)), np.zeros((20, 3))
    true[:3, 2] = made[1:4, 2] = 1
    made[1, :2], made[2, :2], made[0, :2] = (3, 4), (0, 1), (500, 0)
    assert pose_error(made, true) == pytest.approx((5 + 1) / 2)
    assert math.isnan(pose_error(None, true)) and math.isnan(pose_error(made, np.zeros((20, 3))))


def test_nobody_is_found_in_an_empty_picture():
    assert found_joints(flat(0.5, (64, 64, 3))) is None


def test_part_differences_name_the_part_that_differs():
    joints = np.ones((20, 3))
    joints[:, :2] = np.random.default_rng(0).uniform(5, 59, (20, 2))
    picture, where = flat(0.5, (64, 64, 3)), np.ones((64, 64), bool)
    assert max(part_differences(picture, picture, where, joints, 100).values()) == 0
    assert part_differences(picture, picture, np.zeros((64, 64), bool), joints, 100) == {}
    brighter = part_differences(np.clip(picture + 0.2, 0, 1), picture, where, joints, 100)
    assert min(brighter.values()) > 10


def test_layers_over_a_plate_by_hand():
    plate, character, shadow = flat(0.8, (1, 2, 3)), np.zeros((1, 2, 4), np.float32), flat(1.0, (1, 2, 3))
    character[0, 0] = (1.0, 0.0, 0.0, 0.25)
    shadow[0] = 0.5
    made = lay_over(plate, character, shadow)
    assert made[0, 0] == pytest.approx([0.25 + 0.3, 0.3, 0.3], abs=0.5 / 255 + 1e-6)
    assert lay_over(plate, character)[0, 1] == pytest.approx(np.full(3, 0.8), abs=1e-6)


def test_inpainting_changes_the_region_only():
    rng = np.random.default_rng(2)
    plate = (np.rint(rng.random((24, 24, 3)) * 255) / 255).astype(np.float32)
    plate[8:16, 8:16] = 0
    plate[:8] = plate[16:] = 1.0
    region = np.zeros((24, 24), bool)
    region[8:16, 8:16] = True
    made = inpainted(plate, region)
    assert greatest_difference(made, plate, ~region) == pytest.approx(0, abs=1e-4)
    assert made[region].mean() > 0.3


def test_regions_on_a_grid():
    region, matte, shade = np.zeros((60, 60), bool), np.zeros((60, 60)), np.ones((60, 60))
    region[20:40, 20:40] = True
    matte[25:35, 25:35], matte[24] = 1.0, 0.0
    shade[30:50, 20:40] = 0.5
    r = regions_from(region, matte=matte, shade=shade, contact=region)
    assert r.character.sum() == 100
    assert r.band[30, 40 + BAND_PX - 1] and not r.band[30, 40 + BAND_PX] and not r.band[30, 30] and r.band[22, 22]
    assert r.shadow[45, 30] and not r.shadow[30, 30] and not r.shadow[10, 30]
    assert not r.outside[30, 40 + RESAMPLED_PX - 1] and r.outside[30, 40 + RESAMPLED_PX]


def test_nothing_grows_to_nothing():
    assert not grown(np.zeros((5, 5), bool), 3).any()
