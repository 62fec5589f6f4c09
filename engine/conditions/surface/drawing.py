"""An avatar and a frame's figure -> the frame's maps: colour, coverage, confidence, normal, depth and part, pixel by pixel.

Pixels are looked at once in their middle; only those at an outline, the character's own or a limb's before another, are looked at
in several places (ours: the same edges as from several samples everywhere, for a third of the time). Pictures are drawn in tiles, so
that a large picture takes no more memory than its maps.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from . import bones, skinning
from . import template as templates
from .raster import front, frontmost
from .space import Space

CONFIDENCE = np.array([1.0, 0.7, 0.4, 0.2], np.float32)  # of Avatar.source: seen, mirrored, carried through or hair, invented
_TILE = 512               # pixels
_SMALL = 300              # pixels: of persons less tall nearly every pixel is an outline's, so all are looked at alike
_JUMP = 0.03              # person units of depth between neighbours that make an outline
_ROW = 4096               # samples a row of what cv2.remap is given, which takes at most 32767


@dataclass(frozen=True)
class Maps:
    """What a frame's surface shows; h, w are the picture's or the window's.

    colour (h, w, 3) 0..1 sRGB, normal (h, w, 3) unit in camera axes (x right, y down, z away), confidence (h, w) 0..1: all three times
    coverage (h, w) 0..1; depth (h, w) metres of the frontmost sample, infinite where there is none; part (h, w) int8 Limb, -1 none.
    """
    colour: np.ndarray
    coverage: np.ndarray
    confidence: np.ndarray
    normal: np.ndarray
    depth: np.ndarray
    part: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """M_c (h, w) float32, 0 or 1: the pixels that are covered by half and more."""
        return (self.coverage >= 0.5).astype(np.float32)


@dataclass(frozen=True)
class Placed:
    """An avatar's surface in a frame: places (V, 3) x, y in pixels and depth in metres; normals (V, 3) in camera axes; the Space."""
    places: np.ndarray
    normals: np.ndarray
    space: Space


def place(avatar, figure, k=None):
    """Placed, or None where the figure's hips or shoulders are not known: the limb warp stands in there."""
    template = templates.load()
    space = Space.of(figure, template, k)
    if space is None:
        return None
    posed = bones.pose_bones(space.joints, template, avatar.head_scale, confidence=space.confidence)
    points = template.points + avatar.displacement[:, None].astype(np.float32) * template.normals
    moves = skinning.transforms(template.rest, posed, template.bones)
    points, normals = skinning.skinned(points, template.normals, template.weights, moves)
    return Placed(space.to_pixels(points), normals, space)


def draw(avatar, figure, size, k=None, *, samples=2, scale=1.0, window=None):
    """Maps of one frame, or None where `place` gives None.

    size (w, h): of the picture that the figure's pixels are of; scale: pixels drawn for each of those; samples: an outline's pixel is looked
    at in samples x samples places; window (left, top, w, h): the part of the drawn picture that is wanted, in drawn pixels.
    """
    placed = place(avatar, figure, k)
    if placed is None:
        return None
    left, top, width, height = window or (0, 0, round(size[0] * scale), round(size[1] * scale))
    maps = Maps(*(np.zeros((height, width, *more), np.float32) for more in ((3,), (), (), (3,))),
                np.full((height, width), np.inf, np.float32), np.full((height, width), -1, np.int8))
    sheet = _Sheet(avatar, placed, scale, (left, top))
    tall = figure.height_px * scale
    for tile in _tiles(sheet.xy, (width, height)):
        _draw_tile(maps, sheet, tile, samples if samples > 1 else 1, tall < _SMALL)
    return maps


class _Sheet:
    """The faces that may be seen, with all that a sample takes from them; xy (T, 3, 2) pixels of the window, z (T, 3) metres."""

    def __init__(self, avatar, placed, scale, corner):
        template = templates.load()
        places = placed.places.astype(np.float32)
        xy, faces = places[:, :2] * np.float32(scale) - np.float32(corner), avatar.faces
        outside = front(xy, faces)
        limbs = template.limbs[faces[:, 0]]
        seen = outside | (limbs >= templates.Limb.SKIRT)             # cloth that hangs free has two sides
        seen &= (places[:, 2][faces] > placed.space.nearest * 1.001).all(axis=1)
        self.numbers = np.flatnonzero(seen)
        faces = faces[self.numbers]
        self.xy, self.z = xy[faces], places[:, 2][faces]
        self.normals = placed.normals[faces] * np.where(outside[self.numbers], 1, -1).astype(np.float32)[:, None, None]
        self.limbs = limbs[self.numbers].astype(np.int8)
        self.confidence = CONFIDENCE[avatar.source[self.numbers]]
        shrink = max(round(avatar.height_px / (placed.space.height_px * scale)), 1)
        self.atlas = _shrunk(avatar.atlas, shrink)
        self.uv = avatar.uv[self.numbers].astype(np.float32) / shrink
        self.jump = _JUMP / placed.space.k

    def colours(self, triangle, u, v):
        """(n, 3) of n samples."""
        at = _mixed(self.uv[triangle], u, v) - np.float32(0.5)
        padded = np.zeros((-(-len(at) // _ROW) * _ROW, 2), np.float32)
        padded[:len(at)] = at
        grid = padded.reshape(-1, _ROW, 2)
        drawn = cv2.remap(self.atlas, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return drawn.reshape(-1, 3)[:len(at)]


def _shrunk(atlas, factor):
    """The atlas smaller by a whole factor, so that texels are about as large as pixels."""
    if factor == 1:
        return np.ascontiguousarray(atlas, np.float32)
    height, width = atlas.shape[:2]
    padded = cv2.copyMakeBorder(atlas, 0, -height % factor, 0, -width % factor, cv2.BORDER_REPLICATE)
    return cv2.resize(padded, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)


def _tiles(xy, size):
    """(left, top, w, h) of tiles that cover the triangles xy (T, 3, 2) within size (w, h)."""
    if not len(xy):
        return
    low = np.maximum(np.floor(xy.min(axis=(0, 1))) - 1, 0).astype(int)
    high = np.minimum(np.ceil(xy.max(axis=(0, 1))) + 1, size).astype(int)
    for top in range(low[1], high[1], _TILE):
        for left in range(low[0], high[0], _TILE):
            yield left, top, min(_TILE, high[0] - left), min(_TILE, high[1] - top)


def _draw_tile(maps, sheet, tile, samples, all_alike):
    left, top, width, height = tile
    corner = np.float32([left, top])
    low, high = sheet.xy.min(axis=1), sheet.xy.max(axis=1)
    near = np.flatnonzero((high >= corner - 1).all(axis=1) & (low <= corner + (width + 1, height + 1)).all(axis=1))
    if not len(near):
        return
    xy, z, size = sheet.xy[near] - corner, sheet.z[near], (width, height)
    if samples == 1 or all_alike:
        groups = [_looked_at(xy, z, near, size, samples, None)]
    else:
        groups = _outlines_finer(xy, z, near, size, samples, sheet.jump)
    for pixels, hits in groups:
        rows, columns = np.divmod(pixels, width)
        for whole, value in zip((maps.colour, maps.coverage, maps.confidence, maps.normal, maps.depth, maps.part), _shaded(sheet, hits)):
            whole[rows + top, columns + left] = value


def _looked_at(xy, z, numbers, size, samples, wanted):
    """(pixels (n,), (triangle, u, v, depth) each (n, samples ** 2)) of the covered pixels, or of those of `wanted` (h, w)."""
    width, height = size
    layers = frontmost(xy * np.float32(samples), z, (width * samples, height * samples))
    layers = [layer.reshape(height, samples, width, samples) for layer in layers]
    covered = (layers[0] >= 0).any(axis=(1, 3))
    pixels = np.flatnonzero(covered if wanted is None else covered & wanted)
    rows, columns = np.divmod(pixels, width)
    triangle, *rest = (layer[rows, :, columns].reshape(len(pixels), -1) for layer in layers)
    return pixels, (np.where(triangle >= 0, numbers[triangle], -1), *rest)


def _outlines_finer(xy, z, numbers, size, samples, jump):
    """Groups as of _looked_at: pixels within surfaces looked at once, those at outlines in several places."""
    width, height = size
    triangle, u, v, depth = frontmost(xy, z, size)
    far = np.minimum(depth, np.float32(1e9)).reshape(height, width)
    around = np.ones((3, 3), np.uint8)
    outline = cv2.dilate(far, around) - cv2.erode(far, around) > jump
    pixels = np.flatnonzero((triangle >= 0) & ~outline.ravel())
    plain = pixels, (numbers[triangle[pixels]][:, None], u[pixels][:, None], v[pixels][:, None], depth[pixels][:, None])
    crossed = cv2.integral(outline.astype(np.uint8))
    low = np.clip(np.floor(xy.min(axis=1)), 0, size).astype(np.int32)
    high = np.clip(np.floor(xy.max(axis=1)) + 1, 0, size).astype(np.int32)
    inside = crossed[high[:, 1], high[:, 0]] - crossed[low[:, 1], high[:, 0]] - crossed[high[:, 1], low[:, 0]] + crossed[low[:, 1], low[:, 0]]
    edging = np.flatnonzero(inside > 0)
    return [plain, _looked_at(xy[edging], z[edging], numbers[edging], size, samples, outline)]


def _shaded(sheet, hits):
    """(colour (n, 3), coverage (n,), confidence (n,), normal (n, 3), depth (n,), part (n,)) of n pixels' samples (n, s)."""
    triangle, u, v, depth = hits
    hit = triangle >= 0
    colours = np.zeros((*triangle.shape, 3), np.float32)
    colours[hit] = sheet.colours(triangle[hit], u[hit], v[hit])
    coverage = hit.mean(axis=1, dtype=np.float32)
    first = np.arange(len(triangle)), depth.argmin(axis=1)
    face, u, v = triangle[first], u[first], v[first]
    normal = _mixed(sheet.normals[face], u, v) * coverage[:, None]
    return colours.mean(axis=1), coverage, sheet.confidence[face] * coverage, normal, depth[first], sheet.limbs[face]


def _mixed(corners, u, v):
    """(n, c) of values (n, 3, c) at a triangle's corners."""
    first = corners[:, 0]
    return first + (corners[:, 1] - first) * u[:, None] + (corners[:, 2] - first) * v[:, None]
