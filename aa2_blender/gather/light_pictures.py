"""What Cycles shows of a grey surface, and of a scene with and without it -> the values of irradiance/ and cast/."""

from collections.abc import Sequence

import numpy as np

from . import grey

# As engine/conditions/known_light.py reads irradiance/: its highest value is twice the picture's white.
MOST_WHITE = 2.0
_INSIDE = 0.99           # of the alpha: pixels at the surface's outline have only a part of its light
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
# Ours: what two renders differ by where nothing is cast, and what is added to both, so that black stays as it is.
_HAZE, _FLOOR = 0.015, 0.01
_SEEN, _NEIGHBOURS = 0.06, 3     # the least darkness of a shadow in a small picture, and in how many of 3 x 3 pixels
_FADE = 0.08             # of the shorter side, over which a shadow fades out at the border's edges inside the picture


def irradiance_of(seen: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint16: white in the light that a grey surface shows, `seen` (h, w, 4) of grey.read. Around the
    surface, its light is continued."""
    light = grey.shading(seen[..., :3])
    white = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)
    inside = (seen[..., 3] >= _INSIDE).astype(np.float32)
    return _stored(_continued(white.astype(np.float32), inside) / MOST_WHITE)


def cast_of(cast: np.ndarray, bare: np.ndarray, box: Sequence[int], whole: Sequence[int], *, size: Sequence[int],
            part: Sequence[int]) -> np.ndarray:
    """(h, w) uint16: the factor by which the character darkens the box (left, top, right, bottom) of a picture of the
    size `whole` (w, h). cast, bare: the `part` of a picture of `size`, as from resized, with and without the
    character."""
    dark, width, height = _darkness(cast, bare), box[2] - box[0], box[3] - box[1]
    for axis in (0, 1):
        side = 1 - axis                                                  # a box begins with x, an array with y
        centres = (np.arange(box[side], box[side + 2]) + 0.5) * size[side] / whole[side] - 0.5 - part[side]
        dark = _along(dark, np.clip(centres, 0, dark.shape[axis] - 1), axis)
    rows = _from_the_ends(height, box[1] > 0, box[3] < whole[1])
    columns = _from_the_ends(width, box[0] > 0, box[2] < whole[0])
    fade = max(_FADE * min(height, width), 1)
    return _stored(1 - dark * np.clip(np.minimum(rows[:, None], columns) / fade, 0, 1))


def shadow_box(cast: np.ndarray, bare: np.ndarray, size: Sequence[int]) -> tuple[int, int, int, int] | None:
    """The box (left, top, right, bottom) in a picture of `size` (w, h) around what the character darkens; None if that
    is nothing. cast, bare: small pictures of all of it."""
    dark = np.pad(_darkness(cast, bare) > _SEEN, 1).astype(int)
    height, width = dark.shape
    around = sum(dark[y:height - 2 + y, x:width - 2 + x] for y in range(3) for x in range(3))
    rows, columns = np.nonzero((dark[1:-1, 1:-1] > 0) & (around >= _NEIGHBOURS))
    if not len(rows):
        return None
    scale = size[0] / cast.shape[1], size[1] / cast.shape[0]
    low, high = ((function(columns) + more, function(rows) + more) for function, more in ((np.min, -2), (np.max, 3)))
    return (max(int(low[0] * scale[0]), 0), max(int(low[1] * scale[1]), 0),
            min(int(high[0] * scale[0] + 1), size[0]), min(int(high[1] * scale[1] + 1), size[1]))


def resized(box: Sequence[int], whole: Sequence[int],
            most: int) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    """(size, box) of a smaller picture in which the box (left, top, right, bottom) of a picture of the size `whole` has
    at most so many pixels; the same ones if it has no more."""
    share = min((most / ((box[2] - box[0]) * (box[3] - box[1]))) ** 0.5, 1.0)
    width, height = (max(round(side * share), 4) for side in whole)
    x, y = width / whole[0], height / whole[1]
    return (width, height), (int(box[0] * x), int(box[1] * y), min(int(-(-box[2] * x // 1)), width),
                             min(int(-(-box[3] * y // 1)), height))


def within(box: Sequence[int]) -> tuple[slice, slice]:
    """The rows and columns of a box (left, top, right, bottom)."""
    return slice(int(box[1]), int(box[3])), slice(int(box[0]), int(box[2]))


def _darkness(cast: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """(h, w) 0..1: the part of what is shown that the character takes away."""
    factor = (cast[..., :3] @ _LUMA + _FLOOR) / (bare[..., :3] @ _LUMA + _FLOOR)
    return np.clip((1 - factor - _HAZE) / (1 - _HAZE), 0, 1)


def _along(values: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """The values at places between whole numbers along an axis, linearly."""
    low = places.astype(int)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = (places - low).reshape((-1, 1) if axis == 0 else (1, -1))
    return values.take(low, axis) * (1 - share) + values.take(high, axis) * share


def _stored(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0, 1) * 65535).astype(np.uint16)


def _from_the_ends(length: int, first: bool, last: bool) -> np.ndarray:
    """(length,) the distance in pixels to the nearer end of those that count; infinite if none counts."""
    places, none = np.arange(length, dtype=np.float32), np.full(length, np.inf, np.float32)
    return np.minimum(places if first else none, places[::-1] if last else none)


def _continued(colour: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(h, w, 3) colours, smoothly continued from where weight (h, w) is 1 to where it is 0: from a picture of half the
    size, which is continued likewise."""
    if weight.all() or max(weight.shape) == 1:
        return colour
    rows, columns = (-(-side // 2) for side in weight.shape)
    even = ((0, 2 * rows - weight.shape[0]), (0, 2 * columns - weight.shape[1]))
    known = np.pad(weight, even)
    sums = np.pad(colour * weight[..., None], (*even, (0, 0))).reshape(rows, 2, columns, 2, 3).sum(axis=(1, 3))
    share = known.reshape(rows, 2, columns, 2).sum(axis=(1, 3))
    smaller = _continued(sums / np.maximum(share, 1)[..., None], (share > 0).astype(np.float32))
    larger = smaller.repeat(2, axis=0).repeat(2, axis=1)[:weight.shape[0], :weight.shape[1]]
    return np.where(weight[..., None] > 0, colour, larger)
