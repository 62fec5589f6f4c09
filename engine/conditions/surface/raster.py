"""From triangles in a picture to the one that is frontmost at each pixel: a z-buffer without a compiled part (ours).

Triangles of like size are laid out as dense blocks of pixels, so that numpy works on long rows; the z-buffer is settled by
writing far triangles before near ones and mending the few pixels where that order was wrong.
"""
import numpy as np

_EDGE = np.float32(-1e-4)  # corners and shared edges belong to both triangles, so that no pixel between them is missed
_SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)  # pixels
_STRIP = 64               # rows: taller triangles are cut
_BLOCK = 400_000          # pixels looked at together


def raster(xy, z, faces, size) -> tuple:
    """(triangle (h, w) int32, the place in `faces`, -1 none; barycentric (h, w, 2) float32 of corners 1 and 2).

    xy (V, 2) pixels, z (V,) depth, nearest in front; faces (T, 3) whose both sides are seen (see `front`); size (w, h).
    A pixel is looked at in its middle.
    """
    width, height = size
    triangle, u, v, _ = frontmost(np.asarray(xy, np.float32)[faces], np.asarray(z, np.float32)[faces], size)
    return triangle.reshape(height, width), np.stack([u, v], axis=1).reshape(height, width, 2)


def frontmost(xy, z, size) -> tuple:
    """(triangle int32, u, v, depth float32), each (h * w,), of triangles xy (T, 3, 2), z (T, 3); -1, 0, 0, infinite where none is."""
    count = size[0] * size[1]
    triangle, u, v = np.full(count, -1, np.int32), np.zeros(count, np.float32), np.zeros(count, np.float32)
    depth = np.full(count, np.inf, np.float32)
    for part in _fragments(xy, z, size):
        _lay(depth, part, (triangle, u, v))
    return triangle, u, v, depth


def front(xy, faces) -> np.ndarray:
    """(T,) bool: which faces show the camera their outside, with a picture's y down."""
    a, b, c = (xy[faces[:, k]] for k in range(3))
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0


def interpolated(values, faces, triangle, barycentric) -> np.ndarray:
    """(h, w, c) float32 of values (V, c) or (V,) by vertex, or (T, 3, c) by corner; 0 where there is no triangle."""
    seen = triangle >= 0
    t, (u, v) = triangle[seen], barycentric[seen].T
    by_corner = values[t] if values.ndim == 3 else values[faces[t]].reshape(len(t), 3, -1)
    out = np.zeros((*triangle.shape, by_corner.shape[2]), np.float32)
    out[seen] = by_corner[:, 0] * (1 - u - v)[:, None] + by_corner[:, 1] * u[:, None] + by_corner[:, 2] * v[:, None]
    return out


def _fragments(xy, z, size):
    """Yields (pixel, depth, triangle, u, v), flat arrays of what lies in triangles xy (T, 3, 2), z (T, 3), within size (w, h)."""
    low = np.maximum(np.ceil(xy.min(axis=1) - 0.5), 0).astype(np.int32)
    high = np.minimum(np.floor(xy.max(axis=1) - 0.5), np.array(size) - 1).astype(np.int32)
    e1, e2 = xy[:, 1] - xy[:, 0], xy[:, 2] - xy[:, 0]
    area = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    seen = np.flatnonzero((high >= low).all(axis=1) & (np.abs(area) > 1e-9))
    seen = seen[np.argsort(-z[seen].sum(axis=1), kind="stable")]
    seen, low, high = _strips(seen, low[seen], high[seen])
    bucket = np.searchsorted(_SIDES, (high - low + 1).max(axis=1))
    for number in np.unique(bucket):
        chosen = bucket == number
        yield from _blocks((xy, z), (e1, e2, area), (seen[chosen], low[chosen], high[chosen]), size)


def _lay(depth, part, layers):
    """Writes what is nearest into `depth` (n,) and what goes with it into layers (triangle, u, v), each (n,), in place."""
    pixel, z, *values = part
    waiting = np.flatnonzero(z < depth[pixel])
    pixels, depths = pixel[waiting], z[waiting]
    while len(pixels):
        depth[pixels] = depths
        over = depths < depth[pixels]
        pixels, depths = pixels[over], depths[over]
    kept = waiting[z[waiting] == depth[pixel[waiting]]]
    for layer, value in zip(layers, values):
        layer[pixel[kept]] = value[kept]


def _strips(triangles, low, high):
    """Tall triangles, with their bounds, again for each strip of rows that they cross."""
    count = (high - low)[:, 1] // _STRIP + 1
    if (count == 1).all():
        return triangles, low, high
    again = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(again)) - np.repeat(np.cumsum(count) - count, count)
    low, high = low[again], high[again]
    low[:, 1] += number * _STRIP
    high[:, 1] = np.minimum(high[:, 1], low[:, 1] + _STRIP - 1)
    return triangles[again], low, high


def _blocks(corners, edges, places, size):
    """Fragments of triangles whose bounds (triangles, low, high) fit one block of pixels, a few blocks' worth at a time."""
    (xy, z), (e1, e2, area), (triangles, lows, highs) = corners, edges, places
    width, height = size
    side_x, side_y = (_SIDES[np.searchsorted(_SIDES, (highs - lows + 1)[:, axis].max())] for axis in (0, 1))
    ix, iy = np.arange(side_x, dtype=np.float32), np.arange(side_y, dtype=np.float32)[:, None]
    offset = (np.arange(side_y)[:, None] * width + np.arange(side_x)).ravel()
    step = max(_BLOCK // len(offset), 1)
    for at in range(0, len(triangles), step):
        t, low = triangles[at:at + step], lows[at:at + step]
        dx, dy = (low + 0.5 - xy[t, 0]).T
        ux, uy, vx, vy = e2[t, 1] / area[t], -e2[t, 0] / area[t], -e1[t, 1] / area[t], e1[t, 0] / area[t]
        u = _plane(dx * ux + dy * uy, ux, uy, ix, iy)
        v = _plane(dx * vx + dy * vy, vx, vy, ix, iy)
        inside = np.flatnonzero((u >= _EDGE) & (v >= _EDGE) & (u + v <= 1 - _EDGE))
        number, place = np.divmod(inside, len(offset))
        u, v = u.ravel()[inside], v.ravel()[inside]
        pixel = (low[:, 1] * width + low[:, 0])[number] + offset[place]
        if (low + (side_x, side_y) > (width, height)).any():        # blocks that reach out of the picture
            ok = (place % side_x + low[number, 0] < width) & (place // side_x + low[number, 1] < height)
            number, u, v, pixel = number[ok], u[ok], v[ok], pixel[ok]
        z0, z1, z2 = z[t].T
        yield pixel, z0[number] + u * (z1 - z0)[number] + v * (z2 - z0)[number], t[number], u, v


def _plane(start, along_x, along_y, ix, iy):
    """(t, h, w) float32 of a value that grows evenly over each block."""
    start, along_x, along_y = (value.astype(np.float32)[:, None, None] for value in (start, along_x, along_y))
    return (start + along_y * iy) + along_x * ix
