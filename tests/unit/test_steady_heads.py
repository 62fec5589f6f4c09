"""The light on the surface goes on evenly from a window to the next."""
import numpy as np
import pytest

from engine.conditions.surface_inputs import CHANNELS as MAPS
from engine.conditions.surface_inputs import KNOWN_LIGHT, NORMAL
from engine.engines.compact.denoise.steady import joined, parted, steadied
from engine.layers import heads
from engine.layers.heads import Heads

RNG = np.random.default_rng(0)
LATENTS = RNG.random((3, 8, 6, 12)).astype(np.float32)
HEADS = RNG.random((3, 4, 3, heads.CHANNELS)).astype(np.float32)
SIDE = 128


def test_joined_arrays_come_apart_to_the_same_bits():
    latents, said = parted(joined(LATENTS, HEADS), 12)
    assert np.array_equal(latents, LATENTS) and np.array_equal(said, HEADS)
    assert joined(LATENTS, None) is LATENTS
    assert parted(LATENTS, 12) == (LATENTS, None)


def window(brighter=1.0, turned=0.0, known=0.0):
    """What `steadied` is given of a grey surface over the whole crop: the second window paints it so much brighter, and
    its light turns so much more with the normal."""
    painted = np.full((2, SIDE, SIDE, 5), 0.4, np.float32)
    painted[..., 3:] = 1
    painted[1, ..., :3] *= brighter
    warps = np.ones((2, SIDE, SIDE, 4), np.float32)
    warps[..., :3] = 0.4
    maps = np.zeros((2, SIDE, SIDE, MAPS), np.float32)
    maps[..., NORMAL], maps[..., KNOWN_LIGHT] = (0, 0, -1), known
    made = np.zeros((4, SIDE // 8, SIDE // 8, heads.CHANNELS), np.float32)
    made[..., 3] = turned       # z
    return made, np.zeros(made.shape[1:], np.float32), painted, warps, maps


@pytest.mark.parametrize("given, jump", [
    (dict(brighter=1.2), np.log(1.2)), (dict(brighter=1.2, known=0.5), 0.5 * np.log(1.2)),
    (dict(turned=0.2), -heads.MOST_LIGHT * np.tanh(0.2)), ({}, 0)])
def test_a_window_s_light_begins_where_the_one_before_ended(given, jump):
    made, *rest = window(**given)
    steady = steadied(made, *rest)
    middle = [Heads.of(one).light[8, 8] for one in steady]
    assert middle == pytest.approx(-jump * np.array([1, 0.75, 0.5, 0.25]), abs=0.01)
    assert np.array_equal(steady[..., 1:], made[..., 1:]) and steady.dtype == np.float32


def test_nothing_is_added_where_there_is_no_surface():
    made, told, painted, warps, maps = window(brighter=2.0)
    warps[:, :, SIDE // 4:] = 0
    light = Heads.of(steadied(made, told, painted, warps, maps)[0]).light
    assert np.abs(light[:, -1]).max() < 0.05 and light[8, 0] < -0.3
