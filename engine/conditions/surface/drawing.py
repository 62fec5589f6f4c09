"""An avatar and a frame's figure -> its maps: colour, coverage, confidence, normal, depth and part, pixel by pixel.

Each pixel is sampled once, at its centre. Only pixels at an outline (of the character, or of a limb in front of
another) get several samples (ours: the same edges as with several samples everywhere, in a third of the time). Pictures
are drawn in tiles, so that a large picture needs no more memory than its maps.
"""
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..poses import Figure
from . import bones, skinning
from . import template as templates
from .avatar import Avatar
from .raster import front, frontmost
from .space import Space

# For each Avatar.source: seen, mirrored, carried through or hair, invented.
CONFIDENCE = np.array([1.0, 0.7, 0.4, 0.2], np.float32)
_TILE = 1024, 1 << 18     # pixels: the largest width, and the largest area
# pixels: limbs of a smaller person may fall between pixel centres, so all pixels get several samples
_SMALL = 100
_JUMP = 0.03              # person units of depth between neighbouring pixels that make an outline
_STEPS = 4                # sizes of an atlas for each halving
_SHRUNK = {}              # id of an atlas -> {step: the smaller atlas}
_ROW = 4096               # samples in a row for cv2.remap, which takes at most 32767


@dataclass(frozen=True)
class Maps:
    """What a frame's surface shows; h, w are the picture's or the window's.

    colour (h, w, 3) 0..1 sRGB, normal (h, w, 3) unit in camera axes (x right, y down, z away), confidence (h, w) 0..1:
    all three are multiplied by coverage (h, w) 0..1; depth (h, w) metres of the frontmost sample, infinite where there
    is none; part (h, w) int8 Limb, -1 for none.
    """
    colour: np.ndarray
    coverage: np.ndarray
    confidence: np.ndarray
    normal: np.ndarray
    depth: np.ndarray
    part: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """M_c (h, w) float32, 0 or 1: the pixels that are covered by half or more."""
        return (self.coverage >= 0.5).astype(np.float32)


@dataclass(frozen=True)
class Placed:
    """An avatar's surface in a frame: places (V, 3) x, y in pixels and depth in metres; normals (V, 3) in camera axes;
    the Space."""
    places: np.ndarray
    normals: np.ndarray
    space: Space


def place(avatar: Avatar, figure: Figure, k: float | None = None,
          turns: dict[str, np.ndarray] | None = None) -> Placed | None:
    """Placed, or None if the figure's hips or shoulders are not known. Then the limb warp is used.

    k: person units in a metre of depth (space.depth_factor), 1 if not given; turns: a rig's own, as for
    bones.pose_bones.
    """
    template = templates.load()
    space = Space.of(figure, template, k)
    if space is None:
        return None
    posed = bones.pose_bones(space.joints, template, avatar.head_scale, confidence=space.confidence, turns=turns)
    points = template.points + avatar.displacement[:, None].astype(np.float32) * template.normals
    moves = skinning.transforms(template.rest, posed, template.bones)
    points, normals = skinning.skinned(points, template.normals, template.weights, moves)
    return Placed(space.to_pixels(points), normals, space)


def draw(avatar: Avatar, figure: Figure, size: Sequence[int], k: float | None = None, *, samples: int = 2,
         scale: float = 1.0, window: tuple[int, int, int, int] | None = None,
         turns: dict[str, np.ndarray] | None = None) -> Maps | None:
    """Maps of one frame, or None if `place` returns None.

    size (w, h): of the picture that the figure's pixels refer to; scale: drawn pixels for each of its pixels; samples:
    a pixel at an outline gets samples x samples samples; window (left, top, w, h): the part of the drawn picture that
    is wanted, in drawn pixels; k, turns: as for `place`.
    """
    placed = place(avatar, figure, k, turns)
    if placed is None:
        return None
    left, top, width, height = window or (0, 0, round(size[0] * scale), round(size[1] * scale))
    maps = Maps(*(np.zeros((height, width, *more), np.float32) for more in ((3,), (), (), (3,))),
                depth=np.full((height, width), np.inf, np.float32), part=np.full((height, width), -1, np.int8))
    sheet = _Sheet(avatar, placed, scale, (left, top))
    tall = figure.height_px * scale
    for tile in _tiles(sheet, (width, height)):
        _draw_tile(maps, sheet, tile, samples, tall < _SMALL)
    return maps


class _Sheet:
    """The faces that may be seen, with all data that a sample needs. x, y, z (3, T): pixels of the window, and
    metres."""

    def __init__(self, avatar: Avatar, placed: Placed, scale: float, corner: tuple[int, int]):
        template = templates.load()
        places, faces = placed.places.astype(np.float32), avatar.faces
        outside = front(places, faces)
        limbs = template.limbs_of(faces)
        seen = outside | (limbs >= templates.Limb.SKIRT)             # loose cloth and hair have two sides
        depth = places[:, 2][faces.T]
        seen &= depth.min(axis=0) > placed.space.nearest * 1.001
        chosen = np.flatnonzero(seen)
        self.faces, self.z = faces[chosen], depth[:, chosen]
        xy = places[:, :2] * np.float32(scale) - np.array(corner, np.float32)
        self.x, self.y = xy[:, 0][self.faces.T], xy[:, 1][self.faces.T]
        self.side = np.where(outside[chosen], 1, -1).astype(np.float32)
        self.normals = placed.normals.astype(np.float32)
        self.limbs = limbs[chosen].astype(np.int8)
        self.confidence = CONFIDENCE[avatar.source[chosen]]
        self.atlas = _shrunk(avatar.atlas, avatar.height_px / (placed.space.height_px * scale))
        uv = avatar.uv[chosen].astype(np.float32)
        uv *= np.array(self.atlas.shape[1::-1], np.float32) / np.array(avatar.atlas.shape[1::-1], np.float32)
        self.uv = np.concatenate([uv[:, 0] - np.float32(0.5), uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]], axis=1)
        self.jump = _JUMP / placed.space.k

    def colours(self, triangle: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """(n, 3) colours of n samples."""
        at, to_1, to_2 = np.split(self.uv[triangle], 3, axis=1)
        padded = np.zeros((-(-len(at) // _ROW) * _ROW, 2), np.float32)
        padded[:len(at)] = at + to_1 * u[:, None] + to_2 * v[:, None]
        grid = padded.reshape(-1, _ROW, 2)
        # OpenCV's stub does not allow one map with both coordinates
        drawn = cv2.remap(self.atlas, grid, None,  # pyright: ignore[reportCallIssue, reportArgumentType]
                          cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return drawn.reshape(-1, 3)[:len(at)]

    def normal(self, triangle: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """(n, 3) normals of n samples, towards the camera."""
        a, b, c = (self.normals[self.faces[triangle, k]] for k in range(3))
        mixed = a * (1 - u - v)[:, None] + b * u[:, None] + c * v[:, None]
        size = np.sqrt(np.einsum("ij,ij->i", mixed, mixed))
        return mixed * (self.side[triangle] / np.maximum(size, 1e-6))[:, None]


def _shrunk(atlas: np.ndarray, texels: float) -> np.ndarray:
    """The atlas shrunk, so that about one of its texels falls on a pixel. texels: how many of the full atlas fall on
    one.

    The steps are so small that none is visible when a person comes nearer. Each size is made once, and is freed with
    its atlas.
    """
    step = max(int(np.floor(_STEPS * np.log2(max(texels, 1.0)))), 0)
    if step == 0:
        return np.ascontiguousarray(atlas, np.float32)
    kept = _SHRUNK.get(id(atlas))
    if kept is None:
        kept = _SHRUNK[id(atlas)] = {}
        weakref.finalize(atlas, _SHRUNK.pop, id(atlas), None)
    if step not in kept:
        size = [max(round(side / 2 ** (step / _STEPS)), 1) for side in atlas.shape[1::-1]]
        kept[step] = cv2.resize(np.asarray(atlas, np.float32), size, interpolation=cv2.INTER_AREA)
    return kept[step]


def _tiles(sheet: _Sheet, size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """(left, top, w, h) of tiles that cover the sheet's triangles within size (w, h)."""
    if not len(sheet.faces):
        return
    left, top = (max(int(np.floor(c.min())) - 1, 0) for c in (sheet.x, sheet.y))
    right, bottom = (min(int(np.ceil(c.max())) + 1, most) for c, most in zip((sheet.x, sheet.y), size, strict=False))
    wide = min(max(right - left, 1), _TILE[0])
    high = max(_TILE[1] // wide, 1)
    for row in range(top, bottom, high):
        for column in range(left, right, wide):
            yield column, row, min(wide, right - column), min(high, bottom - row)


def _draw_tile(maps: Maps, sheet: _Sheet, tile: tuple[int, int, int, int], samples: int, all_alike: bool) -> None:
    left, top, width, height = tile
    near = (sheet.x.max(axis=0) >= left - 1) & (sheet.x.min(axis=0) <= left + width + 1)
    near = np.flatnonzero(near & (sheet.y.max(axis=0) >= top - 1) & (sheet.y.min(axis=0) <= top + height + 1))
    if not len(near):
        return
    corners = sheet.x[:, near] - np.float32(left), sheet.y[:, near] - np.float32(top), sheet.z[:, near]
    if samples == 1 or all_alike:
        groups = [_looked_at(*corners, (width, height), samples)]
    else:
        groups = _outlines_finer(corners, (width, height), samples, sheet.jump)
    for pixels, (triangle, *rest) in groups:
        if not len(pixels):
            continue
        rows, columns = np.divmod(pixels, width)
        places = (rows + top) * maps.coverage.shape[1] + columns + left
        values = _shaded(sheet, np.where(triangle >= 0, near[triangle], -1), *rest)
        wholes = maps.colour, maps.coverage, maps.confidence, maps.normal, maps.depth, maps.part
        for whole, value in zip(wholes, values, strict=False):
            whole.reshape(-1, *whole.shape[2:])[places] = value


def _looked_at(x: np.ndarray, y: np.ndarray, z: np.ndarray, size: tuple[int, int], samples: int,
               wanted: np.ndarray | None = None) -> tuple[np.ndarray, list[np.ndarray]]:
    """(pixels (n,), (triangle, u, v, depth) each (n, samples ** 2)) of the covered pixels, or only of those in `wanted`
    (h, w)."""
    width, height = size
    finer, many = width * samples, np.float32(samples)
    places = None if wanted is None else wanted.repeat(samples, axis=0).repeat(samples, axis=1).ravel()
    layers = frontmost(x * many, y * many, z, (finer, height * samples), places)
    hit = (layers[0] >= 0).view(np.uint8).reshape(-1, finer) * 255
    covered = cv2.resize(hit, size, interpolation=cv2.INTER_AREA) > 0
    pixels = np.flatnonzero(covered)
    rows, columns = np.divmod(pixels, width)
    inner = np.arange(samples)
    at = (rows * samples * finer + columns * samples)[:, None] + (inner[:, None] * finer + inner).ravel()
    return pixels, [layer[at] for layer in layers]


def _outlines_finer(corners: tuple[np.ndarray, np.ndarray, np.ndarray], size: tuple[int, int], samples: int,
                    jump: float) -> tuple[tuple[np.ndarray, list[np.ndarray]], tuple[np.ndarray, list[np.ndarray]]]:
    """Groups as from _looked_at: pixels inside surfaces with one sample, and pixels at outlines with several."""
    width, height = size
    triangle, u, v, depth = frontmost(*corners, size=size)
    far = np.minimum(depth, np.float32(1e9)).reshape(height, width)
    around = np.ones((3, 3), np.uint8)
    outline = cv2.dilate(far, around) - cv2.erode(far, around) > jump
    pixels = np.flatnonzero((triangle >= 0) & ~outline.ravel())
    plain = pixels, [layer[pixels][:, None] for layer in (triangle, u, v, depth)]
    crossed = cv2.integral(outline.view(np.uint8))
    (left, top), (right, bottom) = (
        [np.clip(np.floor(c), 0, most).astype(np.int32) for c, most in zip(ends, size, strict=False)]
        for ends in ([c.min(axis=0) for c in corners[:2]], [c.max(axis=0) + 1 for c in corners[:2]]))
    edging = np.flatnonzero(crossed[bottom, right] - crossed[top, right] - crossed[bottom, left] + crossed[top, left])
    pixels, (triangle, *rest) = _looked_at(*(c[:, edging] for c in corners), size=size, samples=samples,
                                                wanted=outline)
    return plain, (pixels, [np.where(triangle >= 0, edging[triangle], -1), *rest])


def _shaded(sheet: _Sheet, triangle: np.ndarray, u: np.ndarray, v: np.ndarray,
            depth: np.ndarray) -> tuple[np.ndarray | np.floating | float, ...]:
    """(colour (n, 3), coverage (n,), confidence (n,), normal (n, 3), depth (n,), part (n,)) of n pixels' samples (n,
    s)."""
    count, samples = triangle.shape
    if samples == 1:
        triangle, u, v = triangle[:, 0], u[:, 0], v[:, 0]
        return (sheet.colours(triangle, u, v), np.float32(1), sheet.confidence[triangle], sheet.normal(triangle, u, v),
                depth[:, 0], sheet.limbs[triangle])
    hit = np.flatnonzero(triangle >= 0)
    colours = np.zeros((count * samples, 3), np.float32)
    colours[hit] = sheet.colours(triangle.ravel()[hit], u.ravel()[hit], v.ravel()[hit])
    coverage = np.bincount(hit // samples, minlength=count).astype(np.float32) / samples
    first = np.arange(count) * samples + depth.argmin(axis=1)
    triangle, u, v = triangle.ravel()[first], u.ravel()[first], v.ravel()[first]
    normal = sheet.normal(triangle, u, v) * coverage[:, None]
    colour = sum(colours[k::samples] for k in range(samples)) / samples
    return colour, coverage, sheet.confidence[triangle] * coverage, normal, depth.ravel()[first], sheet.limbs[triangle]
