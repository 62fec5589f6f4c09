"""The character's surface at the plate's resolution, lit as the network painted the character -> its colour and alpha.

Ours. A network of this size smears what it decodes, and its light is right only on the whole: so it gives the light, as a gain
without detail, and the surface gives the picture. Where the surface knows little, the network's picture stays.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from ..conditions.crop import Crop, put_back
from ..conditions.surface.drawing import Maps

LIGHT_SIGMA = 11.0       # crop pixels: finer differences between the network's picture and the surface are not light
GAIN = (0.4, 2.5)        # what light may do to a colour
KNOWN = (0.15, 0.35)     # of the confidence: from here on the surface is shown, from there on alone (drawing.CONFIDENCE)
_FLOOR = 0.02            # of sRGB, so that black cloth says nothing about the light


@dataclass(frozen=True)
class Shown:
    """One frame's surface: maps in the box of job pixels that is composed; in the crop, warp (H, W, 4), premultiplied, as the
    network was shown it, and mask (H, W), M_c."""
    maps: Maps
    warp: np.ndarray
    mask: np.ndarray


def light_gain(decoded, warp) -> np.ndarray:
    """(H, W, 3) float32: by what the surface's colours are to be multiplied, smooth.

    decoded (H, W, 5): the network's frame in its crop, 0..1; warp (H, W, 4): the surface there, premultiplied.
    """
    weight = warp[..., 3] * decoded[..., 3]
    share = _smoothed(weight)[..., None] + np.float32(1e-4)
    painted = _smoothed(decoded[..., :3] * weight[..., None]) + _FLOOR * share
    shown = _smoothed(warp[..., :3] * decoded[..., 3:4]) + _FLOOR * share
    return np.clip(painted / shown, *GAIN)


def lit_surface(shown: Shown, decoded, crop: Crop):
    """(colour (h, w, 3), alpha (h, w), known (h, w)) float32 in the maps' pixels; known 0..1: how far the surface may be shown.

    crop: the network's, in the pixels of the maps; decoded as for light_gain.
    """
    maps = shown.maps
    size = maps.coverage.shape[::-1]
    gain = put_back(light_gain(decoded, shown.warp) / np.float32(GAIN[1]), crop, size) * np.float32(GAIN[1])
    coverage = np.maximum(maps.coverage, np.float32(1e-3))
    colour = np.clip(maps.colour / coverage[..., None] * np.maximum(gain, GAIN[0]), 0.0, 1.0)
    known = np.clip((maps.confidence / coverage - KNOWN[0]) / (KNOWN[1] - KNOWN[0]), 0.0, 1.0)
    return colour, maps.coverage, known


def _smoothed(picture):
    return cv2.GaussianBlur(np.ascontiguousarray(picture, np.float32), (0, 0), LIGHT_SIGMA, borderType=cv2.BORDER_CONSTANT)
