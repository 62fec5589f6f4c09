"""Grain is measured as it was made and made as it was measured; the layers over the plate give the picture back."""

import numpy as np
import pytest

from engine.conditions.crop import Crop
from engine.layers.compose import blank, canvas_of, compose
from engine.layers.grain import Grain, measure_grain

SIZE = (160, 120)


def over(plate, layers):
    """The sequencer's formula: plate times shadow, then the character over it."""
    most = np.iinfo(layers.character.dtype).max
    character, shadow = layers.character / most, layers.shadow / most
    return character[..., :3] * character[..., 3:] + plate * shadow * (1 - character[..., 3:])


@pytest.mark.parametrize("sigma", [0.0, 2 / 255, 6 / 255])
def test_grain_is_measured(sigma):
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.2, 0.8, 160, dtype=np.float32)[None, :, None].repeat(120, 0).repeat(3, 2)
    ramp[:, 80:] *= 0.7
    noisy = np.round((ramp + rng.normal(0, sigma, ramp.shape)) * 255).astype(np.float32) / np.float32(255)
    assert measure_grain(noisy) == pytest.approx(np.full(3, sigma), abs=0.4 / 255)


def test_grain_of_clipped_and_tiny_plates_is_none():
    assert not measure_grain(np.ones((64, 64, 3), np.float32)).any() \
        and not measure_grain(np.zeros((4, 4, 3), np.float32)).any()


def test_grain_is_white_and_every_frame_has_its_own():
    grain = Grain(5)
    first, second = grain.of(1, (900, 300)), grain.of(2, (900, 300))
    assert first.shape == (300, 900, 3) and abs(first.std() - 1) < 0.01 and abs(first.mean()) < 0.01
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.01
    assert np.array_equal(first, Grain(5).of(1, (900, 300))) and not np.array_equal(first, Grain(6).of(1, (900, 300)))


@pytest.mark.parametrize("crop", [Crop((80.0, 60.0), 0.5, (96, 96)), Crop((70.3, 50.7), 1.0, (96, 96)),
                                  Crop((20.0, 100.0), 1.7, (64, 96))])
def test_layers_over_the_plate_give_the_generated_picture(crop):
    height, width = crop.shape[1], crop.shape[0]
    plate_colour, figure_colour = np.float32([0.2, 0.4, 0.6]), np.float32([0.9, 0.3, 0.1])
    y, x = np.mgrid[:height, :width]
    matte = np.clip(20 - np.hypot(x - width / 2, y - height / 2), 0, 4)[..., None] / np.float32(4)
    lit = np.where(np.hypot(x - width / 2, y - height / 2 - 15) < 15, 0.6, 1.0)[..., None].astype(np.float32)
    plate = np.broadcast_to(plate_colour, (height, width, 3))
    decoded = np.concatenate([matte * figure_colour + (1 - matte) * plate * lit, matte, lit],
                             axis=-1).astype(np.float32)
    layers = compose(decoded, plate=plate, region=np.ones((height, width, 1), np.float32),
                     clean_plate=True, shadow=True, canvas=canvas_of(SIZE, 16, crop))
    picture = over(np.broadcast_to(plate_colour, (SIZE[1], SIZE[0], 3)), layers)
    centre = int(crop.centre[1]), int(crop.centre[0])
    assert layers.character[centre][:3] / 65535 == pytest.approx(figure_colour, abs=0.02)
    assert picture[centre] == pytest.approx(figure_colour, abs=0.02)
    covered = layers.character[..., 3] > 0
    colours = layers.character[covered][:, :3] / 65535
    assert np.abs(colours - figure_colour).max() < 0.06  # unmixed: no plate in the soft edge
    below = centre[0] + int(24 * crop.step)
    if below < SIZE[1]:
        assert picture[below, centre[1]] == pytest.approx(0.6 * plate_colour, abs=0.03)


def test_nothing_outside_region_and_crop():
    crop = Crop((80.0, 60.0), 0.5, (96, 96))
    decoded = np.full((96, 96, 5), 0.5, np.float32)
    region = np.zeros((96, 96, 1), np.float32)
    region[30:60, 30:60] = 1
    layers = compose(decoded, plate=decoded[..., :3], region=region, clean_plate=True, shadow=True,
                     canvas=canvas_of(SIZE, 8, crop))
    alpha = layers.character[..., 3]
    rows, columns = np.nonzero(alpha)
    assert rows.min() >= 50 and rows.max() < 67 and columns.min() >= 70 and columns.max() < 87
    outside = np.ones((120, 160), bool)
    outside[36:84, 56:104] = False
    assert (layers.shadow[outside] == 255).all() and not layers.character[outside].any()
    assert layers.shadow[60, 80, 0] < 140 and layers.shadow[36, 80, 0] > 240


def test_a_rest_of_matte_and_shadow_is_no_haze():
    decoded = np.zeros((96, 96, 5), np.float32)
    decoded[..., 3], decoded[..., 4] = 0.03, 0.98
    layers = compose(decoded, plate=decoded[..., :3], region=np.ones((96, 96, 1), np.float32),
                     clean_plate=True, shadow=True, canvas=canvas_of(SIZE, 8, Crop((80.0, 60.0), 1.0, (96, 96))))
    assert not layers.character[..., 3].any() and (layers.shadow == 255).all()


def test_a_patch_covers_the_performer_and_fades_inwards():
    decoded = np.zeros((96, 96, 5), np.float32)
    decoded[..., :3] = 0.7
    region = np.zeros((96, 96, 1), np.float32)
    region[20:80, 20:80] = 1
    layers = compose(decoded, plate=decoded[..., :3], region=region, clean_plate=False, shadow=True,
                     canvas=canvas_of((96, 96), 8, Crop((48.0, 48.0), 1.0, (96, 96))))
    alpha = layers.character[..., 3]
    assert alpha[48, 48] == 255 and 0 < alpha[48, 21] < 255 and not alpha[:18].any() and (layers.shadow == 255).all()


def test_a_region_without_an_edge_does_not_fade():
    """Nothing is divided until it is infinite: numpy would warn."""
    decoded = np.full((96, 96, 5), 0.7, np.float32)
    with np.errstate(all="raise"):
        layers = compose(decoded, plate=decoded[..., :3], region=np.ones((96, 96, 1), np.float32), clean_plate=False,
                         shadow=True, canvas=canvas_of((96, 96), 8, Crop((48.0, 48.0), 1.0, (96, 96))), fade=0.5)
    assert (layers.character[..., 3] == 255).all()


def test_holdout_shadow_switch_and_a_crop_beside_the_picture():
    decoded = np.ones((96, 96, 5), np.float32)
    decoded[..., 4] = 0.2
    holdout = np.zeros((120, 160), np.float32)
    holdout[60:] = 1
    told = dict(plate=decoded[..., :3], region=np.ones((96, 96, 1), np.float32), clean_plate=True, shadow=False)
    layers = compose(decoded, canvas=canvas_of(SIZE, 8, Crop((80.0, 60.0), 1.0, (96, 96))), holdout=holdout, **told)
    assert layers.character[40, 80, 3] == 255 and not layers.character[60:, :, 3].any() and (layers.shadow == 255).all()
    beside = compose(decoded, canvas=canvas_of(SIZE, 8, Crop((-300.0, 60.0), 1.0, (96, 96))), **told)
    assert np.array_equal(beside.character, blank(SIZE, 8).character)


def test_a_matte_that_knows_what_lies_in_front_is_not_thinned_twice():
    """The networks learn the visible matte: where an object's edge crosses the character, the matte already has this
    edge."""
    decoded = np.ones((96, 96, 5), np.float32)
    decoded[..., 3] = np.linspace(1, 0, 96, dtype=np.float32)
    holdout = 1 - decoded[..., 3]
    layers = compose(decoded, plate=decoded[..., :3], region=np.ones((96, 96, 1), np.float32),
                     clean_plate=True, shadow=False,
                     canvas=canvas_of((96, 96), 16, Crop((48.0, 48.0), 1.0, (96, 96))), holdout=holdout)
    assert layers.character[48, :, 3] / 65535 == pytest.approx(decoded[48, :, 3], abs=0.05)
    half = compose(np.ones_like(decoded), plate=decoded[..., :3], region=np.ones((96, 96, 1), np.float32),
                   clean_plate=True,
                   shadow=False, canvas=canvas_of((96, 96), 16, Crop((48.0, 48.0), 1.0, (96, 96))), holdout=holdout)
    assert half.character[48, :, 3] / 65535 == pytest.approx(1 - holdout[48], abs=0.01)


@pytest.mark.parametrize("centre, dark, light", [
    ((80.0, 72.0), [(119, 80)], [(24, 80), (72, 32), (72, 127)]),
    ((48.0, 48.0), [(0, 48), (48, 0)], [(95, 48), (48, 95)]),
    ((130.0, 20.0), [(0, 130), (20, 159)], [(67, 130), (20, 82)])])
def test_a_shadow_fades_where_the_crop_ends_but_not_where_the_picture_does(centre, dark, light):
    decoded = np.ones((96, 96, 5), np.float32)
    decoded[..., 4] = 0.4
    layers = compose(decoded, plate=decoded[..., :3], region=np.ones((96, 96, 1), np.float32),
                     clean_plate=True, shadow=True, canvas=canvas_of(SIZE, 8, Crop(centre, 1.0, (96, 96))))
    assert all(layers.shadow[place][0] < 110 for place in dark) and all(layers.shadow[place][0] > 240
                                                                        for place in light)


def test_grain_lies_on_the_character_only():
    decoded = np.full((96, 96, 5), 0.5, np.float32)
    decoded[:48, :, 3], decoded[48:, :, 3] = 0, 1
    canvas = canvas_of(SIZE, 8, Crop((80.0, 60.0), 1.0, (96, 96)))
    told = dict(plate=np.full((96, 96, 3), 0.5, np.float32), region=np.ones((96, 96, 1), np.float32), clean_plate=True,
                shadow=True, canvas=canvas)
    grain = 0.05 * Grain(1).of(1, (96, 96))
    plain, grained = (compose(decoded, grain=g, **told).character for g in (None, grain))
    assert np.array_equal(plain[..., 3], grained[..., 3])
    assert np.std(grained[70:100, 40:120, :3] / 255.0) == pytest.approx(0.05, rel=0.1)
    assert np.array_equal(plain[:50], grained[:50])


def test_a_patch_over_a_known_background_is_the_character_over_that():
    """A performer in grey stands in the plate, and what he covers is known to be green: no grey remains, and no shadow
    outside."""
    size, crop = (96, 96), Crop((48.0, 48.0), 1.0, (96, 96))
    green, red, grey = np.float32([0.1, 0.6, 0.2]), np.float32([0.9, 0.1, 0.1]), np.float32([0.5, 0.5, 0.5])
    region = np.zeros((96, 96, 1), np.float32)
    region[20:76, 20:76] = 1
    matte = np.zeros((96, 96, 1), np.float32)
    matte[30:60, 40:56] = 1
    lit = np.ones((96, 96, 1), np.float32)
    lit[60:96, 40:56] = 0.5
    behind = np.broadcast_to(green, (96, 96, 3)).astype(np.float32)
    plate = np.where(region > 0, behind, grey)
    blurred = plate + np.float32(0.05)                                # networks don't reproduce the plate exactly
    decoded = np.concatenate([matte * red + (1 - matte) * blurred * lit, matte, lit], axis=-1).astype(np.float32)
    told = dict(plate=plate, region=region, clean_plate=False, shadow=True,
                canvas=canvas_of(size, 16, crop), behind=behind)
    layers = compose(decoded, **told)
    picture = over(np.broadcast_to(grey, (96, 96, 3)), layers)
    assert picture[45, 48] == pytest.approx(red, abs=0.06) and picture[10, 10] == pytest.approx(grey, abs=1e-3)
    assert picture[50, 30] == pytest.approx(green, abs=0.002), "beside the character lies the clean plate itself"
    assert picture[66, 48] == pytest.approx(0.5 * green, abs=0.03), "with the character's shadow on it"
    assert (layers.shadow == 65535).all() and picture[85, 48] == pytest.approx(grey, abs=1e-3)
    held = np.zeros((96, 96), np.float32)
    held[:, :48] = 1
    assert not compose(decoded, holdout=held, **told).character[:, :48, 3].any()
