"""An anchored patch over a plate without the performer -> the character's matte and shadow, by their difference.

A patch covers everything inside M_f, also the background that the network painted again. If that background is known,
the character is where the patch differs from it (ours). How much a patch differs without a character is measured
outside M_f. If it differs too much, there is no matte, and the patch stays whole.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from .anchor import CLEAR, RING

MOST_NOISE = 0.06       # a patch whose background differs more is no copy of the plate
_NOISE_PART = 0.95      # of the ring's pixels differ less than the noise
_SURE, _CERTAIN = 1.5, 3.5  # times the noise: where the matte begins, and where it is whole
_LEAST = 0.012, 0.045   # and at least so much of white, or grain would be a character
_CLOSED = 0.012         # of the crop's shorter side: gaps up to this are filled
_CORE = 0.02            # and so far inside the expected mask, the matte is whole
_GREY = 0.04            # how far the three channels' ratios may lie apart in a shadow
_DARKEST = 0.35         # what is darker than this part of the plate is no shadow


@dataclass(frozen=True)
class Split:
    """matte and shadow (H, W) float32 0..1; the shadow is a factor, 1 = lit."""

    matte: np.ndarray
    shadow: np.ndarray


def split(patch: np.ndarray, plate: np.ndarray, region: np.ndarray, mask: np.ndarray) -> Split | None:
    """patch and plate (H, W, 3) 0..1, region and mask (H, W): M_f and M_c. None if the patch's background is not the
    plate's."""
    side = min(region.shape)
    difference = cv2.GaussianBlur(np.abs(patch - plate).max(axis=-1).astype(np.float32), (0, 0), 0.8)
    away = cv2.distanceTransform((region <= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    ring = (away > CLEAR * side) & (away <= RING * side)
    if not ring.any():
        return None
    noise = float(np.quantile(difference[ring], _NOISE_PART))
    if noise > MOST_NOISE:
        return None
    low, high = max(_SURE * noise, _LEAST[0]), max(_CERTAIN * noise, _LEAST[1])
    matte = np.clip((difference - low) / (high - low), 0.0, 1.0)
    shadow = _shadow(patch, plate, region, mask)
    matte = np.where(shadow < 1.0, 0.0, matte)
    matte = _closed(matte, max(round(_CLOSED * side), 1))
    matte = np.maximum(matte, _core(mask, _CORE * side)) * (region > 0.5)
    return Split(matte.astype(np.float32), np.where(matte > 0, 1.0, shadow).astype(np.float32))


def _shadow(patch: np.ndarray, plate: np.ndarray, region: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(H, W): the ratio to the plate where it is grey and below 1, inside M_f and outside the expected mask; else 1."""
    ratio = np.maximum(patch, 0.0) / np.maximum(plate, 1 / 64)
    ratio = cv2.GaussianBlur(ratio.astype(np.float32), (0, 0), 2.0)
    is_grey = ratio.max(axis=-1) - ratio.min(axis=-1) < _GREY
    factor = ratio.mean(axis=-1)
    bright = plate.min(axis=-1) > 1 / 16     # in the dark, a ratio says nothing
    there = is_grey & bright & (factor < 0.99) & (factor > _DARKEST) & (region > 0.5) & (mask <= 0.5)
    return np.where(there, np.clip(factor, 0.0, 1.0), 1.0)


def _closed(matte: np.ndarray, reach: int) -> np.ndarray:
    """The matte with its small gaps filled: places where the character has the background's colour."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.maximum(matte, cv2.morphologyEx(matte.astype(np.float32), cv2.MORPH_CLOSE, kernel))


def _core(mask: np.ndarray, inside: float) -> np.ndarray:
    """(H, W) 1 deep inside the expected mask, where the character is for sure."""
    deep = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return (deep > inside).astype(np.float32)
