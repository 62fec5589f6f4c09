"""Exposure, warmth and strength of the light, compared with values worked out by hand."""
import numpy as np
import pytest

from engine.contract import jobs
from engine.layers import srgb
from engine.layers.look import Look

COLOURS = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32) * 0.6


def luma(colour):
    return srgb.linear(colour) @ np.float32([0.2126, 0.7152, 0.0722])


def test_nothing_changed_is_the_same_picture():
    assert Look().graded(COLOURS) is COLOURS and Look.of(jobs.Settings()) == Look()


@pytest.mark.parametrize("stops", [-2, -0.5, 1])
def test_exposure_is_in_stops_of_linear_light(stops):
    found = Look(exposure=stops).graded(COLOURS)
    assert np.allclose(srgb.linear(found), np.minimum(srgb.linear(COLOURS) * 2.0 ** stops, 1), atol=1e-5)


@pytest.mark.parametrize("warmth", [-1, 0.4, 1])
def test_warmth_turns_white_and_keeps_its_brightness(warmth):
    white = np.full((1, 1, 3), 0.5, np.float32)
    found = Look(warmth=warmth).graded(white)
    assert luma(found) == pytest.approx(luma(white), rel=1e-4)
    assert np.sign(found[0, 0, 0] - found[0, 0, 2]) == np.sign(warmth)


def test_srgb_and_back():
    ramp = np.linspace(0, 1, 1001, dtype=np.float32)
    assert np.abs(srgb.encoded(srgb.linear(ramp)) - ramp).max() < 1e-5
    assert srgb.linear(np.float32(0.5)) == pytest.approx(0.21404, abs=1e-4)
