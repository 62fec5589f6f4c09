"""The character's surface at the plate's resolution, lit as the network painted the character -> its colour and alpha.

Ours. A network of this size smears what it decodes, and its light is right only overall. So the network gives the
light, as a gain without detail, and the surface gives the picture. Where the surface has little confidence, the
network's picture stays.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..conditions.crop import Crop, put_back
from ..conditions.frames import bleed
from ..conditions.surface.drawing import Maps
from .heads import CELL, EDGE_STEP, Heads

LIGHT_SIGMA = 11.0       # crop pixels: finer differences between the network's picture and the surface are not light
# The same for what changes the light's hue (ours): a network of this size errs more in a cloth's hue than lamps differ.
HUE_SIGMA = 33.0
GAIN = (0.4, 2.5)        # how far light may scale a colour, down and up
# Of the confidence: from the first value on, the surface is shown; from the second on, only the surface
# (drawing.CONFIDENCE)
KNOWN = (0.15, 0.35)
FLOOR = 0.02             # in sRGB, added to both pictures, so that black cloth says nothing about the light
# The value of white in a correctly exposed reference, in the unit of known_light (ours, fitted on training windows).
WHITE = 0.9
COARSE = 4               # crop pixels in one pixel of the light, which has no detail
# Crop pixels over which normals are averaged before light falls on them (ours): the relief of the template's face lies
# beside the reference's features, which have their own shading, and would draw a second nose.
NORMAL_SIGMA = 3.0
_MOST_GAIN = 2.0         # the largest logarithm of the gain, for light and turn together
_EDGE_SMOOTH = 0.8       # pixels: distances are whole pixels and would cause steps
_STILL = 0.15            # pixels: an outline that moves less stays exactly as it is


@dataclass(frozen=True)
class Shown:
    """One frame's surface. maps: in the box of job pixels that is composed. warp (H, W, 4): in the crop, premultiplied,
    as the network saw it. mask (H, W): M_c, in the crop. heads: what the network says about the surface; None if it was
    not trained with the surface. white (h, w, 3), in the maps' pixels: the colour of a white surface there; None if the
    light of the place is not known (conditions/known_light.py)."""
    maps: Maps
    warp: np.ndarray
    mask: np.ndarray
    heads: Heads | None = None
    white: np.ndarray | None = None


def light_gain(decoded: np.ndarray, warp: np.ndarray) -> np.ndarray:
    """(H / 4, W / 4, 3) float32: the smooth factor for the surface's colours, smoother still in hue.

    decoded (H, W, 5): the network's frame in its crop, 0..1; warp (H, W, 4): the surface there, premultiplied.
    """
    weight = warp[..., 3:] * decoded[..., 3:4]
    pictures = [decoded[..., :3] * weight, warp[..., :3] * decoded[..., 3:4], weight]
    small = in_cells(np.concatenate(pictures, axis=-1), COARSE)
    near, far = (_ratios(small, sigma) for sigma in (LIGHT_SIGMA, HUE_SIGMA))
    return np.clip(far[..., :3] * (near[..., 3:] / far[..., 3:]), *GAIN).astype(np.float32)


def lit_surface(shown: Shown, decoded: np.ndarray, crop: Crop,
                strength: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(colour (h, w, 3), alpha (h, w), known (h, w)) float32 in the maps' pixels; known 0..1: the weight with which the
    surface may be shown.

    crop: the network's, in the pixels of the maps; decoded as for light_gain; strength 0..1: the strength of the light.
    """
    maps = shown.maps
    size = maps.coverage.shape[::-1]
    coverage = np.maximum(maps.coverage, np.float32(1e-3))
    known = np.clip((maps.confidence / coverage - KNOWN[0]) / (KNOWN[1] - KNOWN[0]), 0.0, 1.0)
    gain, alpha = _laid(light_gain(decoded, shown.warp), crop, size, COARSE), maps.coverage
    if shown.white is not None:
        gain = with_known_light(gain, shown.white)
    if shown.heads is not None:
        gain, alpha = gain * head_gain(shown.heads, maps, crop), moved_edge(shown.heads, maps, crop)
        known = np.clip(known + (1 - known) * _laid(shown.heads.gate, crop, size, CELL), 0.0, 1.0)
    if strength != 1:
        gain = gain ** np.float32(strength)
    colour = np.clip(maps.colour * (gain / coverage[..., None]), 0.0, 1.0)
    if shown.heads is not None:
        colour = bleed(colour, maps.coverage)
    return colour, alpha, known


def with_known_light(gain: np.ndarray, white: np.ndarray) -> np.ndarray:
    """The geometric mean of two gains: the network's, which knows how the reference is exposed, and the known light's,
    which knows where the light comes from (ours; docs/method.md has the figures)."""
    return np.sqrt(gain * np.clip(white / np.float32(WHITE), *GAIN))


def head_gain(heads: Heads, maps: Maps, crop: Crop) -> np.ndarray:
    """(h, w, 3) float32 in the maps' pixels: the factor for the surface's colours besides light_gain. It is smooth."""
    size, sigma = maps.coverage.shape[::-1], NORMAL_SIGMA / crop.step
    normal, share = (cv2.GaussianBlur(picture, (0, 0), sigma) for picture in (maps.normal, maps.coverage))
    normal = normal / np.maximum(share, np.float32(1e-3))[..., None]
    turn = (_laid(heads.turn, crop, size, CELL) * normal).sum(axis=-1, keepdims=True)
    return np.exp(np.clip(_laid(heads.light, crop, size, CELL)[..., None] + turn, -_MOST_GAIN, _MOST_GAIN))


def moved_edge(heads: Heads, maps: Maps, crop: Crop) -> np.ndarray:
    """(h, w) float32: the coverage with its outline moved, as sharp as before."""
    moves = _laid(heads.edge, crop, maps.coverage.shape[::-1], EDGE_STEP) / np.float32(crop.step)
    covered = (maps.coverage >= 0.5).astype(np.uint8)
    if not covered.any():
        return maps.coverage
    away, inside = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (1 - covered, covered))
    outwards = np.where(covered > 0, 0.5 - inside, away - 0.5)
    at_edge = (maps.coverage > 0) & (maps.coverage < 1)
    outwards = np.where(at_edge, 0.5 - maps.coverage, outwards).astype(np.float32)
    moved = np.clip(moves - cv2.GaussianBlur(outwards, (0, 0), _EDGE_SMOOTH) + 0.5, 0.0, 1.0)
    return np.where(np.abs(moves) < _STILL, maps.coverage, moved).astype(np.float32)


def regrown(alpha: np.ndarray, matte: np.ndarray, crop: Crop, pixels: float) -> np.ndarray:
    """The surface's alpha (h, w), wider by so many of its pixels or, below 0, narrower, as the artist sets it for the
    mask.

    A wider alpha adds what the network paints there, by its matte (H, W) in the crop: cloth and hair that the surface
    lacks.
    """
    if pixels == 0:
        return alpha
    covered = (alpha >= 0.5).astype(np.uint8)
    if pixels < 0:
        inside = cv2.distanceTransform(np.pad(covered, 1, mode="edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
        return np.minimum(alpha, np.clip(inside + pixels, 0.0, 1.0)).astype(np.float32)
    matte = np.clip(put_back(np.ascontiguousarray(matte), crop, alpha.shape[::-1]), 0.0, 1.0)
    away = cv2.distanceTransform(1 - covered, cv2.DIST_L2, 5)
    return np.maximum(alpha, np.where(away <= pixels, matte, 0.0)).astype(np.float32)


def in_cells(picture: np.ndarray, side: int) -> np.ndarray:
    """The mean of every side x side pixels, float32."""
    return cv2.resize(np.ascontiguousarray(picture, np.float32), None, fx=1 / side, fy=1 / side,
                      interpolation=cv2.INTER_AREA)


def _ratios(small: np.ndarray, sigma: float) -> np.ndarray:
    """(h, w, 4): painted / shown for R, G, B and their mean, each averaged over sigma crop pixels; small (h, w, 7):
    painted, shown and their weight."""
    smoothed = cv2.GaussianBlur(small, (0, 0), sigma / COARSE, borderType=cv2.BORDER_CONSTANT)
    floor = FLOOR * (smoothed[..., 6:] + np.float32(1e-4))
    painted, shown = (part + floor for part in (smoothed[..., :3], smoothed[..., 3:6]))
    return np.concatenate([painted / shown, painted.mean(-1, keepdims=True) / shown.mean(-1, keepdims=True)], axis=-1)


def _laid(gain: np.ndarray, crop: Crop, size: Sequence[int], cell: int) -> np.ndarray:
    """A grid with one value for each cell x cell crop pixels -> the same in the pixels of a picture of `size` (w, h).
    Beyond the crop, its edge values are repeated."""
    scale = np.array([[1 / cell], [1 / cell]])
    to_gain = crop.matrix * scale
    to_gain[:, 2] += 0.5 * (to_gain[:, :2].sum(axis=1) - 1)     # OpenCV's pixel centres are at whole numbers
    return cv2.warpAffine(np.ascontiguousarray(gain, np.float32), to_gain, size,
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
