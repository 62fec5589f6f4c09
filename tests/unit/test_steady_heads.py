"""What the net says of the surface goes on evenly from a window to the next."""
import numpy as np

from engine.engines.compact.denoise.steady import joined, parted, steadied

RNG = np.random.default_rng(0)
LATENTS = RNG.random((3, 8, 6, 12)).astype(np.float32)
HEADS = RNG.random((3, 4, 3, 21)).astype(np.float32)


def test_joined_arrays_come_apart_to_the_same_bits():
    latents, heads = parted(joined(LATENTS, HEADS), 12)
    assert np.array_equal(latents, LATENTS) and np.array_equal(heads, HEADS)
    assert joined(LATENTS, None) is LATENTS and parted(LATENTS, 12) == (LATENTS, None) and parted(None, 12) == (None, None)


def test_a_window_goes_on_from_what_was_said_before():
    """The net says 1 of two finished frames and of five new ones; before, it said 3 of the last finished one."""
    said, told = np.ones((7, 4, 3, 21), np.float32), np.full((2, 4, 3, 21), 3, np.float32)
    steady = steadied(said, told)
    assert np.array_equal(steady[:2], told)
    assert np.allclose(steady[1:, 0, 0, 0], 1 + 2 * np.linspace(1, 0, 7)[:-1])
    assert steadied(said, None) is said and steadied(None, told) is None
