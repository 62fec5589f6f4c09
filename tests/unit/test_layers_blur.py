"""The plate's blur is measured correctly on edges of known softness, and applied to a layer that is too sharp."""

import cv2
import numpy as np
import pytest

from engine.layers.blur import measure_blur, missing_blur, softened


def room(sigma, grain=0.0, seed=0):
    """Boxes of many colours on grey, blurred by sigma, with grain on top."""
    rng = np.random.default_rng(seed)
    picture = np.full((240, 320, 3), 0.45, np.float32)
    for _box in range(14):
        x, y = rng.integers(0, 280), rng.integers(0, 200)
        w, h = rng.integers(20, 70, 2)
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), rng.random(3).tolist(), -1)
    blurred = cv2.GaussianBlur(picture, (0, 0), sigma) if sigma else picture
    return np.clip(blurred + rng.normal(0, grain, picture.shape), 0, 1).astype(np.float32)


@pytest.mark.parametrize("grain", [0.0, 0.01])
@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_known_blur_is_measured(sigma, grain):
    assert measure_blur(room(sigma, grain)) == pytest.approx(sigma, rel=0.25)


def test_sharp_is_less_than_a_pixel():
    assert measure_blur(room(0)) < 0.8


@pytest.mark.parametrize("picture", [np.full((60, 80, 3), 0.5, np.float32), np.zeros((4, 4, 3), np.float32),
                                     np.random.default_rng(0).normal(0.5, 0.01, (60, 80, 3)).astype(np.float32)])
def test_without_edges_there_is_no_blur(picture):
    assert measure_blur(picture) == 0.0


def test_only_where_it_is_wanted():
    both = np.concatenate([room(0, seed=1), room(3, seed=2)], axis=1)
    right = np.zeros(both.shape[:2], bool)
    right[:, 330:] = True
    assert measure_blur(both, right) == pytest.approx(3, rel=0.25) and measure_blur(both) < 1.2


def test_a_layer_is_made_as_soft_as_the_plate():
    plate, layer = measure_blur(room(3.0)), measure_blur(room(1.2, seed=5))
    soft = softened(room(1.2, seed=5), missing_blur(plate, layer))
    assert measure_blur(soft) == pytest.approx(3.0, rel=0.25)


def test_a_layer_that_is_soft_enough_stays_to_the_bit():
    layer = room(2.0)
    assert missing_blur(1.0, 2.0) == 0.0 and softened(layer, 0.0) is layer
