"""The difference matte: a character and a shadow painted over a known background are told apart from it; a patch whose
background is not the plate has no matte."""
import numpy as np

from engine.layers.difference_matte import split

HIGH, WIDE = 160, 128


def scene(noise=0.004, seed=1):
    rng = np.random.default_rng(seed)
    plate = np.clip(rng.uniform(0.35, 0.8, (10, 8, 3)).repeat(16, axis=0).repeat(16, axis=1), 0, 1)
    region = np.zeros((HIGH, WIDE))
    region[16:144, 32:96] = 1.0
    patch = plate + rng.normal(0, noise, plate.shape)
    return plate.astype(np.float32), patch.astype(np.float32), region.astype(np.float32)


def person():
    rows, columns = np.indices((HIGH, WIDE))
    return ((rows - 70) / 45.0) ** 2 + ((columns - 60) / 16.0) ** 2 < 1


def test_the_character_is_told_from_the_plate():
    plate, patch, region = scene()
    who = person()
    patch[who] = (0.1, 0.15, 0.3)
    found = split(patch, plate, region, who.astype(np.float32))
    assert found.matte[who].mean() > 0.98 and found.matte[~who].mean() < 0.03
    assert not found.matte[region < 0.5].any()


def test_what_hangs_beyond_the_expected_mask_is_found_too():
    plate, patch, region = scene()
    who = person()
    patch[who] = (0.1, 0.15, 0.3)
    patch[60:80, 80:92] = (0.9, 0.1, 0.1)      # a sleeve that the body surface does not have
    found = split(patch, plate, region, who.astype(np.float32))
    assert found.matte[63:77, 83:89].min() > 0.95


def test_a_character_with_a_hole_of_the_backgrounds_colour_is_whole_inside():
    plate, patch, region = scene()
    who = person()
    patch[who] = (0.1, 0.15, 0.3)
    patch[60:80, 54:66] = plate[60:80, 54:66]
    found = split(patch, plate, region, who.astype(np.float32))
    assert found.matte[65:75, 57:63].min() > 0.9


def test_a_grey_darkening_is_a_shadow_and_no_character():
    plate, patch, region = scene()
    who = person()
    patch[who] = (0.1, 0.15, 0.3)
    patch[122:138, 40:90] *= 0.7
    found = split(patch, plate, region, who.astype(np.float32))
    assert np.allclose(found.shadow[126:134, 46:84], 0.7, atol=0.04)
    assert found.matte[126:134, 46:84].max() < 0.05 and found.shadow[who].min() == 1.0


def test_a_coloured_darkening_is_no_shadow():
    plate, patch, region = scene()
    patch[122:138, 40:90] *= (0.9, 0.6, 0.6)
    found = split(patch, plate, region, person() * 0.0)
    assert found.shadow[126:134, 46:84].min() > 0.98 and found.matte[126:134, 46:84].min() > 0.9


def test_a_background_that_was_not_copied_has_no_matte():
    plate, patch, region = scene(noise=0.15)
    assert split(patch, plate, region, person().astype(np.float32)) is None
    assert split(patch, plate, np.ones_like(region), person().astype(np.float32)) is None, "no ring to measure in"
