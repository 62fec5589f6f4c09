"""Triangles in a picture -> the frontmost one at each pixel: a z-buffer without compiled code (ours).

Triangles of similar width and height become blocks of pixels of one size, so that numpy works on long rows. The
z-buffer is filled by writing far triangles before near ones, and then correcting the few pixels where that order was
wrong.
"""
from collections.abc import Iterator

import numpy as np

_EDGE = np.float32(-1e-4)  # shared edges belong to both triangles, so that no pixel between them is missed
_SIDES = np.array([2, 4, 7, 11, 16, 24, 36, 54, 80, 120, 180, 270, 400, 600, 900, 1300, 2000, 3000, 5000, 1 << 30])
_STRIP = 64               # rows: taller triangles are cut
_BLOCK = 1 << 17          # pixels at a time: about what a core's cache can hold


def raster(xy: np.ndarray, z: np.ndarray, faces: np.ndarray, size: tuple[int, int]) -> tuple:
    """(triangle (h, w) int32, the index in `faces`, -1 for none; barycentric (h, w, 2) float32 of corners 1 and 2).

    xy (V, 2) pixels, z (V,) depth, the nearest in front; faces (T, 3), both sides of which are drawn (see `front`);
    size (w, h). A pixel is sampled at its centre.
    """
    width, height = size
    corners = (np.asarray(values, np.float32)[faces.T] for values in (xy[:, 0], xy[:, 1], z))
    triangle, u, v, _ = frontmost(*corners, size=size)
    return triangle.reshape(height, width), np.stack([u, v], axis=1).reshape(height, width, 2)


def front(xy: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(T,) bool: which faces show their outside to the camera, with y pointing down in the picture."""
    x, y = xy[:, 0][faces.T], xy[:, 1][faces.T]
    return (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0]) < 0


def interpolated(values: np.ndarray, faces: np.ndarray, triangle: np.ndarray, barycentric: np.ndarray) -> np.ndarray:
    """(h, w, c) float32 of values (V, c) or (V,) per vertex, or (T, 3, c) per corner; 0 where there is no triangle."""
    seen = triangle >= 0
    t, (u, v) = triangle[seen], barycentric[seen].T
    by_corner = values[t] if values.ndim == 3 else values.reshape(len(values), -1)[faces[t]]
    out = np.zeros((*triangle.shape, by_corner.shape[2]), np.float32)
    out[seen] = by_corner[:, 0] * (1 - u - v)[:, None] + by_corner[:, 1] * u[:, None] + by_corner[:, 2] * v[:, None]
    return out


def frontmost(x: np.ndarray, y: np.ndarray, z: np.ndarray, size: tuple[int, int],
              wanted: np.ndarray | None = None) -> tuple:
    """(triangle int32, u, v, depth float32), each (h * w,), of triangles with the corners x, y, z (3, T) float32.

    Where there is no triangle: -1, 0, 0, infinite. The pixels are in rows, one after another; size (w, h); wanted (h *
    w,) bool: only these pixels are drawn.
    """
    count = size[0] * size[1]
    triangle, u, v = np.full(count, -1, np.int32), np.zeros(count, np.float32), np.zeros(count, np.float32)
    depth = np.full(count, np.inf, np.float32)
    for part in _fragments(x, y, z, size, wanted):
        _lay(depth, part, (triangle, u, v))
    return triangle, u, v, depth


def bounds(x: np.ndarray, y: np.ndarray, size: tuple[int, int]) -> tuple:
    """(left, top, right, bottom), each (T,) int32: the first and last pixels whose centres may lie in triangles x, y
    (3, T)."""
    along = tuple(zip((x, y), size, strict=False))
    low = (np.clip(np.ceil(c.min(axis=0) - 0.5), 0, most).astype(np.int32) for c, most in along)
    high = (np.clip(np.floor(c.max(axis=0) - 0.5), -1, most - 1).astype(np.int32) for c, most in along)
    return *low, *high


def _fragments(x: np.ndarray, y: np.ndarray, z: np.ndarray, size: tuple[int, int],
               wanted: np.ndarray | None) -> Iterator[tuple[np.ndarray, ...]]:
    """Yields (pixel, depth, triangle, u, v), flat arrays of the pixels in triangles, one size of triangles after
    another."""
    left, top, right, bottom = bounds(x, y, size)
    area = (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])
    seen = np.flatnonzero((right >= left) & (bottom >= top) & (np.abs(area) > 1e-9))
    seen, top, bottom = _strips(seen, top[seen], bottom[seen])
    left, right = left[seen], right[seen]
    key = np.searchsorted(_SIDES, right - left + 1) * len(_SIDES) + np.searchsorted(_SIDES, bottom - top + 1)
    order = np.lexsort((-z.sum(axis=0)[seen], key))
    seen, key, places = seen[order], key[order], np.stack([left, top, right, bottom])[:, order]
    planes = _planes(x[:, seen], y[:, seen], area[seen], places)
    depths = np.stack([z[0], z[1] - z[0], z[2] - z[0]])[:, seen]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(key)], strict=False):
        sides = (places[2:, start:end] - places[:2, start:end]).max(axis=1) + 1
        step = max(_BLOCK // int(sides[0] * sides[1]), 1)
        for a in range(start, end, step):
            part = slice(a, min(a + step, end))
            yield _block(seen[part], places[:, part], planes[:, part], depths[:, part], sides, (size, wanted))


def _strips(triangles: np.ndarray, top: np.ndarray, bottom: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The triangles with their first and last rows; tall ones are repeated for each strip of rows that they cross."""
    count = (bottom - top) // _STRIP + 1
    if (count == 1).all():
        return triangles, top, bottom
    again = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(again)) - np.repeat(np.cumsum(count) - count, count)
    top = top[again] + (number * _STRIP).astype(np.int32)
    return triangles[again], top, np.minimum(bottom[again], top + _STRIP - 1)


def _planes(x: np.ndarray, y: np.ndarray, area: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(6, T) float32: the barycentrics u and v at the centre of a triangle's first pixel, and their growth along x and
    y."""
    ux, uy, vx, vy = (y[2] - y[0]) / area, (x[0] - x[2]) / area, (y[0] - y[1]) / area, (x[1] - x[0]) / area
    dx, dy = places[0] + np.float32(0.5) - x[0], places[1] + np.float32(0.5) - y[0]
    return np.stack([dx * ux + dy * uy, ux, uy, dx * vx + dy * vy, vx, vy]).astype(np.float32)


def _block(triangles: np.ndarray, places: np.ndarray, planes: np.ndarray, depths: np.ndarray, sides: np.ndarray,
           picture: tuple[tuple[int, int], np.ndarray | None]) -> tuple[np.ndarray, ...]:
    """The fragments of triangles that are at most `sides` (w, h) pixels large."""
    (width, height), wanted = picture
    across, down = np.arange(sides[0], dtype=np.int32), np.arange(sides[1], dtype=np.int32)[:, None]
    u0, ux, uy, v0, vx, vy = planes[:, :, None, None]
    ix, iy = across.astype(np.float32), down.astype(np.float32)
    u, v = (u0 + uy * iy) + ux * ix, (v0 + vy * iy) + vx * ix
    inside = np.minimum(u, v) >= _EDGE
    inside &= u + v <= 1 - _EDGE
    inside = np.flatnonzero(inside)
    number, place = np.divmod(inside.astype(np.int32), np.int32(sides[0] * sides[1]))
    pixel = (places[1] * width + places[0])[number] + (down * width + across).ravel()[place]
    if (places[:2].max(axis=1) + sides > (width, height)).any():    # blocks that reach out of the picture
        rows, columns = np.divmod(place, np.int32(sides[0]))
        kept = (columns + places[0][number] < width) & (rows + places[1][number] < height)
        number, pixel, inside = number[kept], pixel[kept], inside[kept]
    if wanted is not None:
        kept = wanted[pixel]
        number, pixel, inside = number[kept], pixel[kept], inside[kept]
    u, v = u.ravel()[inside], v.ravel()[inside]
    z, z1, z2 = depths[:, number]
    return pixel, z + u * z1 + v * z2, triangles[number], u, v


def _lay(depth: np.ndarray, part: tuple[np.ndarray, ...], layers: tuple[np.ndarray, ...]) -> None:
    """Writes the nearest depth into `depth` (n,) and its values into layers (triangle, u, v), each (n,), in place."""
    pixel, z, *values = part
    waiting = np.flatnonzero(z < depth[pixel])
    pixels, depths = pixel[waiting], z[waiting]
    while len(pixels):
        depth[pixels] = depths
        over = depths < depth[pixels]
        pixels, depths = pixels[over], depths[over]
    kept = waiting[z[waiting] == depth[pixel[waiting]]]
    pixel = pixel[kept]
    for layer, value in zip(layers, values, strict=False):
        layer[pixel] = value[kept]
