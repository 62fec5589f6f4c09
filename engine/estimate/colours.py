"""Pixels -> a histogram of their colours. A person is recognised by the colours of the clothes."""

import functools

import cv2
import numpy as np

from .landmarks import Landmarks
from .region import cut

_BINS = 8
_CROP = 96
_LEAST_PIXELS = 12
# Quadrilaterals whose colours make a signature: shirt and trousers; indices of the landmarks' NAMES.
_PARTS = ((11, 12, 24, 23), (23, 24, 26, 25))


def histogram(pixels: np.ndarray) -> np.ndarray:
    """(n, 3) uint8 -> (512,) float32, the part of the pixels in each of 8 x 8 x 8 colours. It is smoothed, so that a
    change of light changes little."""
    cells = (pixels >> 5).astype(np.intp)
    counts = np.bincount(cells @ (_BINS * _BINS, _BINS, 1), minlength=_BINS**3).astype(np.float32).reshape((_BINS,) * 3)
    for axis in range(3):
        ends = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        padded = np.pad(counts, ends, mode="edge")
        counts = functools.reduce(np.add, (w * np.take(padded, range(k, k + _BINS), axis)
                                           for k, w in enumerate((0.25, 0.5, 0.25))))
    return counts.ravel() / max(float(counts.sum()), 1e-9)


def signature(picture: np.ndarray, found: Landmarks) -> np.ndarray | None:
    """(h, w, 3) uint8 and somebody's Landmarks -> (parts, 512) colours of shirt and trousers, or None if both are too
    small (ours)."""
    crop = cut(picture, found.region, _CROP)
    inside = cv2.resize(found.mask_logits, (_CROP, _CROP), interpolation=cv2.INTER_LINEAR) > 0
    points = found.region.to_crop(found.pixels) * _CROP
    parts = []
    for corners in _PARTS:
        shape = np.zeros((_CROP, _CROP), np.uint8)
        outline = cv2.convexHull(np.rint(np.clip(points[list(corners)], -500, 500)).astype(np.int32))
        cv2.fillConvexPoly(shape, outline, (1,))
        pixels = crop[(shape > 0) & inside]
        parts.append(histogram(pixels) if len(pixels) >= _LEAST_PIXELS else np.zeros(_BINS**3, np.float32))
    return np.stack(parts) if np.any(parts) else None


def likeness(one: np.ndarray, other: np.ndarray) -> tuple[float, float] | None:
    """Two signatures -> (mean, least) Bhattacharyya coefficient 0..1 over the parts that both have; None if there are
    none."""
    both = one.any(axis=1) & other.any(axis=1)
    if not both.any():
        return None
    parts = np.sqrt(one[both] * other[both]).sum(axis=1)
    return float(parts.mean()), float(parts.min())
