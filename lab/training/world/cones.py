"""A z-buffer of round cones and boxes: primitives of F frames in,
the nearest one at every pixel out (torch, no renderer).

Every primitive is mapped affinely to a canonical shape - a round cone along y from radius `ra` to `rb`, or a box - and
is met exactly by the pixel's ray. All (primitive, pixel) pairs of all frames' screen spans form one flat list, so that
the work follows the covered area and runs alike on a CPU (in pieces that stay in the cache) and on a GPU (at once).
"""

from dataclasses import dataclass

import numpy as np
import torch

PIECE = 1 << 15
# metres behind the front surface within which normals are mixed (ours: hides the joints' creases)
BLEND = 0.022


@dataclass(frozen=True)
class Primitives:
    """P primitives in F frames, in camera axes (x right, y down, z forward), numpy float32."""
    to_local: np.ndarray   # (F, P, 3, 4) camera point -> canonical point
    shape: np.ndarray      # (F, P, 3) cone: length, ra, rb; box: half sizes
    reach: np.ndarray      # (F, P, 2, 4) two enclosing spheres, camera x y z and radius
    surface: np.ndarray    # (P,) row of the surface table
    origin_v: np.ndarray   # (P,) metres along the body where v starts
    wrap: np.ndarray       # (P,) whose frame gives the texture's coordinates: 0 its own, 1 the chest's, 2 the pelvis'
    flat: np.ndarray       # (P,) 1 where a cone is cut off at its far end: hems of skirts, sleeves and trousers
    box: bool = False


@dataclass(frozen=True)
class Hits:
    """The visible points of F frames, n of them. `pixel` counts over (F, H, W) flat."""
    pixel: torch.Tensor    # (n,) long
    depth: torch.Tensor    # (n,) planar metres
    ray: torch.Tensor      # (2, n) camera x/z and y/z
    normal: torch.Tensor   # (3, n) camera axes, unit
    local: torch.Tensor    # (3, n) canonical point
    primitive: torch.Tensor  # (n,) long, of P
    frame: torch.Tensor    # (n,) long


@dataclass(frozen=True)
class _Spans:
    """The pixels a primitive may cover, row by row: (rows,) arrays."""
    primitive: np.ndarray  # of F * P
    line: np.ndarray
    first: np.ndarray      # first column
    count: np.ndarray      # columns


def _spans(reach: np.ndarray, focal, centre, width: int, height: int) -> _Spans:
    """Rows of each primitive's enclosing capsule on the screen; none where it is behind the camera."""
    z = reach[..., 2]
    ahead = (z - reach[..., 3] > 0.05).all(-1).reshape(-1)
    safe = np.where(z - reach[..., 3] > 0.05, z, 1.0)
    radius = (1.06 * focal[:, None, None] * reach[..., 3] / np.maximum(safe - reach[..., 3], 0.05) + 1).reshape(-1, 2)
    x = (focal[:, None, None] * reach[..., 0] / safe + centre[:, None, None, 0]).reshape(-1, 2)
    y = (focal[:, None, None] * reach[..., 1] / safe + centre[:, None, None, 1]).reshape(-1, 2)
    edge = lambda low, high, limit: (np.clip(np.floor(low.min(-1)), 0, limit), np.clip(np.ceil(high.max(-1)), 0, limit))
    (left, right), (top, bottom) = edge(x - radius, x + radius, width), edge(y - radius, y + radius, height)
    rows = np.where(ahead, np.maximum(bottom - top, 0), 0).astype(np.int64)
    p = np.repeat(np.arange(len(rows)), rows)
    line = np.arange(len(p)) - np.repeat(rows.cumsum() - rows, rows) + top[p].astype(np.int64)
    way_x, way_y = x[:, 1] - x[:, 0], y[:, 1] - y[:, 0]
    steep = np.where(np.abs(way_y) < 1e-3, 1e-3, way_y)
    # half the strip's width
    aside = radius.max(-1) * np.hypot(way_x, way_y) / np.abs(steep) + 0.5 * np.abs(way_x / steep) + 1
    middle = x[p, 0] + (line + 0.5 - y[p, 0]) * (way_x / steep)[p]
    round_ = np.hypot(way_x, way_y)[p] < 1e-2
    first = np.maximum(left[p], np.where(round_, 0, np.floor(np.clip(middle - aside[p], 0, width)))).astype(np.int64)
    last = np.minimum(right[p], np.where(round_, width, np.ceil(np.clip(middle + aside[p], 0, width)))).astype(np.int64)
    return _Spans(p, line, first, np.maximum(last - first, 0))


def _meet_cone(o: torch.Tensor, d: torch.Tensor, length, ra, rb) -> torch.Tensor:
    """Distance (n,) along unit rays `o + s d` (3, n) to round cones, inf where missed.

    The two end spheres and the cone that is tangent to both (closed form after I. Quilez' derivation of the capsule).
    """
    taper = ra - rb
    slope = length * length - taper * taper
    along, start = length * d[1], length * o[1]
    od, oo = (o * d).sum(0), (o * o).sum(0)
    k2 = slope - along * along
    k1 = slope * od - start * along + along * taper * ra
    k0 = slope * oo - start * start + 2 * start * taper * ra - length * length * ra * ra
    h = k1 * k1 - k0 * k2
    s = (-k1 - h.clamp_min(0).sqrt()) / k2
    y = start - ra * taper + s * along
    side = (h >= 0) & (y > 0) & (y < slope)
    ha = od * od - oo + ra * ra
    odb, oob = od - along, oo - 2 * start + length * length
    hb = odb * odb - oob + rb * rb
    inf = torch.inf
    sa = torch.where(ha >= 0, -od - ha.clamp_min(0).sqrt(), inf)
    sb = torch.where(hb >= 0, -odb - hb.clamp_min(0).sqrt(), inf)
    return torch.where(side, s, torch.minimum(sa, sb))


def _cut(o, d, s, rows):
    """The same with flat far ends: a hit beyond the end moves to the plane y = length, or misses."""
    length, beyond = rows[12], (o[1] + s * d[1] > rows[12]) & (rows[18] > 0)
    plane = (length - o[1]) / torch.where(d[1].abs() < 1e-6, 1e-6, d[1])
    x, z = o[0] + plane * d[0], o[2] + plane * d[2]
    inside = (d[1] < 0) & (x * x + z * z < rows[14] * rows[14])
    return torch.where(beyond, torch.where(inside, plane, torch.inf), s)


def _meet_box(o: torch.Tensor, d: torch.Tensor, half: torch.Tensor) -> torch.Tensor:
    inverse = 1 / torch.where(d.abs() < 1e-7, torch.full_like(d, 1e-7), d)
    middle, reach = -o * inverse, half * inverse.abs()
    enter, leave = (middle - reach).amax(0), (middle + reach).amin(0)
    return torch.where((enter < leave) & (enter > 0), enter, torch.inf)


def render(primitives: Primitives, focal: np.ndarray, centre: np.ndarray, size: tuple[int, int],
    device="cpu") -> tuple[Hits, torch.Tensor]:
    """Hits and the depth picture (F, H, W), inf where nothing is.
    `focal` (F,) and `centre` (F, 2) in pixels of `size`."""
    width, height = size
    frames, count = primitives.to_local.shape[:2]
    spans = _spans(primitives.reach, focal, centre, width, height)
    matrix = primitives.to_local.reshape(-1, 3, 4)
    frame = np.repeat(np.arange(frames), count)
    table = np.concatenate([
        matrix.reshape(-1, 12), primitives.shape.reshape(-1, 3), 1 / focal[frame, None], centre[frame],
        np.tile(primitives.flat, frames)[:, None]], -1)
    table = torch.from_numpy(np.ascontiguousarray(table.T.astype(np.float32))).to(device)
    offset = frame[spans.primitive] * height * width + spans.line * width
    begin = spans.count.cumsum() - spans.count
    rows = torch.from_numpy(np.stack([spans.primitive, spans.line, spans.first - begin, offset])).to(device)
    depth = torch.full((frames * height * width,), torch.inf, device=device)
    owner = torch.from_numpy(np.repeat(np.arange(len(begin)), spans.count)).to(device)
    pieces = []
    step = PIECE if str(device) == "cpu" else max(len(owner), 1)
    for begin in range(0, len(owner), step):
        pieces.append(_meet(owner[begin:begin + step], begin, table, rows, primitives.box))
        pixel, t = pieces[-1][0], pieces[-1][1]
        depth.scatter_reduce_(0, pixel, t, "amin")
    if not pieces:
        pieces = [(torch.zeros(0, dtype=torch.long, device=device),
                   *(torch.zeros(s, device=device) for s in ((0,), (2, 0))),
                   torch.zeros(0, dtype=torch.long, device=device))]
    pixel, t, ray, owner = (torch.cat(parts, -1) for parts in zip(*pieces, strict=True))
    return _front(primitives, table, pixel, t, ray, owner, depth, count), depth.view(frames, height, width)


def _meet(owner, begin: int, table, lines, box: bool):
    """The (row, pixel) pairs of one piece that hit: pixel, depth, ray, primitive."""
    owner, line, first, offset = lines.index_select(1, owner)
    column = torch.arange(begin, begin + len(owner), device=owner.device) + first
    rows = table.index_select(1, owner)
    x, y = (column + 0.5 - rows[16]) * rows[15], (line + 0.5 - rows[17]) * rows[15]
    m = rows[:12].view(3, 4, -1)
    d, o = m[:, 0] * x + m[:, 1] * y + m[:, 2], m[:, 3]
    inverse = (d * d).sum(0).rsqrt()
    d = d * inverse
    if box:
        t = _meet_box(o, d, rows[12:15]) * inverse
    else:
        shift = 0.5 * rows[12] * d[1] - (o * d).sum(0)    # start at the closest approach: keeps float32 exact far away
        o = o + shift * d
        s = _cut(o, d, _meet_cone(o, d, rows[12], rows[13], rows[14]), rows)
        t = (s + shift) * inverse
    hit = (t < torch.inf) & (t > 0.05)
    index = hit.nonzero()[:, 0]
    return tuple(value.index_select(-1, index) for value in (offset + column, t, torch.stack([x, y]), owner))


def _front(primitives, table, pixel, t, ray, owner, depth, count) -> Hits:
    """Keeps the nearest hit of each pixel; its normal is mixed with those just behind it."""
    behind = t - depth.index_select(0, pixel)
    close = (behind < (1e-6 if primitives.box else BLEND)).nonzero()[:, 0]
    pixel, t, ray, owner, behind = (x.index_select(-1, close) for x in (pixel, t, ray, owner, behind))
    rows = table.index_select(1, owner)
    m = rows[:12].view(3, 4, -1)
    local = (m[:, 0] * ray[0] + m[:, 1] * ray[1] + m[:, 2]) * t + m[:, 3]
    canonical = _box_normal(local, rows) if primitives.box else _cone_normal(local, rows)
    normal = m[0, :3] * canonical[0] + m[1, :3] * canonical[1] + m[2, :3] * canonical[2]
    weight = (1 - behind / BLEND).clamp_min(0) ** 2
    total = torch.zeros(3, len(depth), device=t.device).index_add_(1, pixel, _unit(normal) * weight)
    nearest = torch.full((len(depth),), -1, dtype=torch.long, device=t.device)
    front = (behind <= 0).nonzero()[:, 0]
    nearest[pixel.index_select(0, front)] = front
    pick = nearest[nearest >= 0]
    pixel, t, ray, local, owner = (x.index_select(-1, pick) for x in (pixel, t, ray, local, owner))
    frame = torch.div(owner, count, rounding_mode="floor")
    return Hits(pixel, t, ray, _unit(total.index_select(1, pixel)), local, owner - frame * count, frame)


def _unit(v: torch.Tensor) -> torch.Tensor:
    return v * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).clamp_min(1e-12).rsqrt()


def _box_normal(local, rows):
    place = (local / rows[12:15])
    return torch.where(place.abs() >= place.abs().amax(0) - 1e-6, place.sign(), 0.0)


def _cone_normal(local, rows):
    """From the nearest centre on the axis, or along it on a flat end."""
    taper = (rows[13] - rows[14]) / rows[12].clamp_min(1e-3)
    centre = torch.minimum((local[1] - (local[0] ** 2 + local[2] ** 2).sqrt() * taper).clamp_min(0), rows[12])
    disc = (rows[18] > 0) & (local[1] > rows[12] - 1e-4)
    return torch.stack([local[0] * ~disc, torch.where(disc, 1.0, local[1] - centre), local[2] * ~disc])
