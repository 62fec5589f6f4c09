"""The plate's grain: measured on the plate, and made again for the character that lies over it."""

import functools
from collections.abc import Sequence

import cv2
import numpy as np

_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_GAIN = 6.0              # standard deviation of that kernel's response to white noise with deviation 1
_MEDIAN_TO_SIGMA = 1 / 0.6745
_LEAST = 0.4 / 255       # anything lower is rounding to 8 bits, not grain (ours)
_MOST = 12 / 255         # anything higher is texture (ours)
_TILE = 512


def measure_grain(plate: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32 0..1 sRGB -> (3,) standard deviation of its finest noise; 0 if there is none.

    Immerkaer 1996, "Fast noise variance estimation", with a median instead of the mean, so that edges do not count
    (ours). Clipped blacks and whites are left out, because they have no grain.
    """
    if min(plate.shape[:2]) < 8:
        return np.zeros(3, np.float32)
    answer = np.abs(cv2.filter2D(plate, cv2.CV_32F, _LAPLACIAN))[1:-1, 1:-1]
    open_range = ((plate > 0.02) & (plate < 0.98))[1:-1, 1:-1]
    sigma = np.zeros(3, np.float32)
    for channel in range(3):
        values = answer[..., channel][open_range[..., channel]]
        if values.size > 64:
            sigma[channel] = np.median(values) * _MEDIAN_TO_SIGMA / _GAIN
    return np.where(sigma < _LEAST, 0.0, np.minimum(sigma, _MOST)).astype(np.float32)


class Grain:
    """White grain of a shot: one tile made from the seed, moved to another place in every frame. Every run of a job
    gives the same grain."""

    def __init__(self, seed: int):
        self._seed = seed
        generator = np.random.Philox(key=np.array([seed, 0], np.uint64))
        words = generator.random_raw(_TILE * _TILE * 3).reshape(_TILE, _TILE, 3)
        # The sum of four 16-bit numbers is close enough to a normal one, and does not depend on any library's method.
        parts = functools.reduce(np.add, (((words >> np.uint64(16 * k)) & np.uint64(0xFFFF)).astype(np.float32)
                                          for k in range(4)))
        self._tile = (parts / np.float32(65535) - 2) * np.float32(np.sqrt(3))

    def of(self, frame: int, size: Sequence[int]) -> np.ndarray:
        """(h, w, 3) float32 with deviation 1, for the frame (1..N) and a size (w, h)."""
        left, top = (int(word) % _TILE for word in np.random.Philox(
            key=np.array([self._seed, frame], np.uint64)).random_raw(2))
        rows = (np.arange(size[1]) + top) % _TILE
        columns = (np.arange(size[0]) + left) % _TILE
        return self._tile[rows[:, None], columns[None, :]]
