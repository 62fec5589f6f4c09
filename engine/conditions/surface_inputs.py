"""The body surface in a frame -> the array of maps that the networks read besides its colours.

Ours. The channels in order; each is multiplied by the coverage, is about -1 .. 1, and is 0 where nothing is known:

    0       confidence
    1 - 3   normal, camera axes
    4       depth behind the hips, in person units
    5 - 9   head, hands, trunk with skirt, arms, legs
    10 - 12 the known light of the place, red, green, blue: the colour it gives to white, encoded like the picture
    13      the reference's own light: by how much (log luma) it would brighten this place
    14      the performer's light, read from the plate: the same
"""
import numpy as np

from ..contract.skeleton import BODY_INDEX
from .poses import Figure
from .surface import light as lights
from .surface.drawing import Maps
from .surface.template import Limb

CHANNELS = 15
NORMAL, KNOWN_LIGHT = slice(1, 4), slice(10, 13)
LIGHT_SCALE = 0.8       # multiplies the light's channels, so that a light twice as bright as white is still about 1
_LEAST_SEEN = 150       # pixels of a performer; from fewer, no light is read
_KINDS = {Limb.HEAD: 0, Limb.HAIR: 0, Limb.LEFT_HAND: 1, Limb.RIGHT_HAND: 1, Limb.TORSO: 2, Limb.SKIRT: 2,
          Limb.LEFT_UPPER_ARM: 3, Limb.RIGHT_UPPER_ARM: 3, Limb.LEFT_FOREARM: 3, Limb.RIGHT_FOREARM: 3}
_KIND_OF = np.array([_KINDS.get(limb, 4) for limb in Limb] + [5])      # the last: no limb


def surface_inputs(maps: Maps, figure: Figure, depth_worth: float, *, reference_light: np.ndarray | None = None,
                   white: np.ndarray | None = None, plate: np.ndarray | None = None,
                   performer: np.ndarray | None = None) -> np.ndarray:
    """(h, w, CHANNELS) float32.

    maps: surface.drawing.Maps of the frame; figure: the Figure whose joints they follow; depth_worth: person units in a
    metre; reference_light (5,): Avatar.light; white (h, w, 3): the colour of a white surface there (known_light.py), or
    None; plate (h, w, 3) 0..1 sRGB and performer (h, w) bool: a plate with a performer where the surface is, and the
    performer's pixels.
    """
    height, width = maps.coverage.shape
    out = np.zeros((height, width, CHANNELS), np.float32)
    there = np.flatnonzero(maps.coverage.ravel() > 0)
    if not len(there):
        return out
    flat = out.reshape(-1, CHANNELS)
    cover = maps.coverage.reshape(-1, 1)[there]
    normal = maps.normal.reshape(-1, 3)[there] / cover
    flat[there, 0] = maps.confidence.ravel()[there]
    flat[there, NORMAL] = maps.normal.reshape(-1, 3)[there]
    flat[there, 4] = np.clip((maps.depth.ravel()[there] - _hips(figure)) * depth_worth, -1, 1) * cover[:, 0]
    kinds = _KIND_OF[maps.part.ravel()[there]]
    known_kind = kinds < 5
    flat[there[known_kind], 5 + kinds[known_kind]] = cover[known_kind, 0]
    if white is not None:
        flat[there, KNOWN_LIGHT] = LIGHT_SCALE * white.reshape(-1, 3)[there] * cover
    turned = lights.turned(normal)
    if reference_light is not None:
        flat[there, 13] = np.clip(turned @ np.asarray(reference_light), -1, 1) * cover[:, 0]
    if plate is not None and performer is not None:
        found = performers_light(maps, plate, performer)
        flat[there, 14] = np.clip(turned @ found, -1, 1) * cover[:, 0]
    return out


def performers_light(maps: Maps, plate: np.ndarray, performer: np.ndarray) -> np.ndarray:
    """(5,) factors of surface.light.turned for log luma: how the light falls on the performer in the plate where the
    surface is. Zeros if too little of the performer is seen. One constant for each limb removes the colour of the cloth
    (ours)."""
    sure = performer & (maps.coverage >= 1) & (maps.part >= 0)
    if sure.sum() < _LEAST_SEEN:
        return np.zeros(lights.TERMS)
    return lights.found_light(plate[sure], maps.normal[sure], maps.part[sure])


def _hips(figure: Figure) -> float:
    return float(figure.body[[BODY_INDEX["right_hip"], BODY_INDEX["left_hip"]], 2].mean())
