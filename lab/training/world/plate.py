"""The empty room as pictures: a room and a view in; colour, depth, light share and object mask of every frame out.

The camera stands still and only the crop's window moves, so the room is painted once on a canvas of twice the finest
scale and every frame is sampled from it (ours: exact for a fixed camera, and it makes frames nearly free).
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as nnf

from . import fabric
from .camera import View
from .room import Box, Room

FAR = 60.0


@dataclass(frozen=True)
class Plate:
    """What is there without character and prop. F frames; `deep` and `object` at twice the size for exact edges."""
    colour: torch.Tensor       # (F, 3, H, W) sRGB
    share: torch.Tensor        # (F, H, W) how much of the light there is the key light, 0..1
    deep: torch.Tensor         # (F, 2H, 2W) planar metres
    object: torch.Tensor       # (F, 2H, 2W) 0 or 1


def _canvas(view: View) -> tuple[float, np.ndarray, tuple[int, int]]:
    """Focal length, principal point and size of the canvas that holds every frame's window."""
    size = np.array(view.size)
    low = ((0 - view.centre) / view.focal[:, None]).min(0)
    high = ((size - view.centre) / view.focal[:, None]).max(0)
    focal = 2 * view.focal.max()
    area = np.prod((high - low) * focal)
    focal *= min(1.0, np.sqrt(4 * 3.0 * size.prod() / area))      # a long walk gets a coarser canvas
    extent = np.ceil((high - low) * focal).astype(int) + 4
    return float(focal), 2 - low * focal, (int(extent[0]), int(extent[1]))


class _Painter:
    """Nearest surface at every canvas pixel. State: the canvas buffers that boxes are entered into."""

    def __init__(self, room: Room, view: View, device):
        self.room, self.view = room, view
        self.focal, self.centre, (w, h) = _canvas(view)
        as_tensor = lambda v: torch.as_tensor(np.asarray(v, np.float32), device=device)
        self.tensor = as_tensor
        y, x = torch.meshgrid(torch.arange(h, device=device) + 0.5, torch.arange(w, device=device) + 0.5, indexing="ij")
        x, y = (x - self.centre[0]) / self.focal, (y - self.centre[1]) / self.focal
        r = view.rotation
        # world, planar length 1
        self.ray = torch.stack([r[0, k] * x + r[1, k] * y + r[2, k] for k in range(3)]).float()
        self.depth = torch.full((h, w), FAR, device=device)
        self.uv = torch.zeros(2, h, w, device=device)
        self.surface = torch.full((h, w), -1, dtype=torch.long, device=device)
        self.normal = torch.zeros(3, h, w, device=device)
        self.object = torch.zeros(h, w, device=device)
        self.picture = torch.zeros(2, h, w, device=device) - 1

    def plane(self, axis: int, value: float, surface: int) -> None:
        origin = self.view.position
        t = (value - origin[axis]) / torch.where(self.ray[axis].abs() < 1e-6, 1e-6, self.ray[axis])
        u, v = [k for k in range(3) if k != axis]
        normal = [0.0, 0.0, 0.0]
        normal[axis] = float(np.sign(origin[axis] - value))
        self._enter(slice(None), slice(None), (t > 0), t, origin[u] + t * self.ray[u], origin[v] + t * self.ray[v],
                    [torch.full_like(t, n) for n in normal], surface, False)

    def _enter(self, ys, xs, hit, t, u, v, normal, surface, is_object) -> None:
        nearer = hit & (t < self.depth[ys, xs])
        put = lambda buffer, value: buffer[ys, xs].copy_(torch.where(nearer, value, buffer[ys, xs]))
        put(self.depth, t), put(self.uv[0], u), put(self.uv[1], v)
        put(self.surface, torch.tensor(surface, device=t.device)), put(self.object,
                                                                       torch.tensor(float(is_object), device=t.device))
        for k in range(3):
            put(self.normal[k], normal[k])

    def box(self, box: Box) -> None:
        c, s = np.cos(box.yaw), np.sin(box.yaw)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        corners = box.centre + (np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T * box.half) @ turn.T
        seen = (corners - self.view.position) @ self.view.rotation.T
        if seen[:, 2].min() < 0.1:
            return
        pixels = seen[:, :2] / seen[:, 2:] * self.focal + self.centre
        h, w = self.depth.shape
        (x0, y0), (x1, y1) = np.clip(np.floor(pixels.min(0)), 0, [w, h]).astype(int), np.clip(np.ceil(pixels.max(0)),
            0, [w, h]).astype(int)
        if x1 <= x0 or y1 <= y0:
            return
        ys, xs = slice(y0, y1), slice(x0, x1)
        ray, origin = self.ray[:, ys, xs], (self.view.position - box.centre) @ turn
        local = [c * ray[0] + s * ray[1], c * ray[1] - s * ray[0], ray[2]]
        inverse = [1 / torch.where(d.abs() < 1e-6, 1e-6, d) for d in local]
        enter = torch.stack([-origin[k] * inverse[k] - box.half[k] * inverse[k].abs() for k in range(3)])
        leave = torch.stack([-origin[k] * inverse[k] + box.half[k] * inverse[k].abs() for k in range(3)]).amin(0)
        t, axis = enter.max(0)
        p = [origin[k] + t * local[k] for k in range(3)]
        u, v = torch.where(axis == 0, p[1], p[0]), torch.where(axis == 2, p[1], p[2])
        sign = [(axis == k) * torch.sign(-local[k]) for k in range(3)]
        normal = [c * sign[0] - s * sign[1], s * sign[0] + c * sign[1], sign[2]]
        hit = (t < leave) & (t > 0.05)
        if box.picture:
            at = torch.stack([u / box.half[0], -v / box.half[2]])
            self.picture[:, ys, xs] = torch.where(hit & (t < self.depth[ys, xs]), at, self.picture[:, ys, xs])
        self._enter(ys, xs, hit, t, u + 3.1 * box.surface, v, normal, box.surface, box.object)

    def _key(self) -> torch.Tensor:
        """Lambert's term of the key light with the shadows of the boxes, (h, w);
        shadows at half the scale, softened."""
        light = self.room.light.direction
        lambert = sum(float(light[k]) * self.normal[k] for k in range(3)).clamp_min(0)
        point = [float(self.view.position[k]) + self.depth[::2, ::2] * self.ray[k, ::2, ::2] + 0.004 * self.normal[k,
            ::2, ::2] for k in range(3)]
        lit = torch.ones_like(point[0])
        for box in self.room.boxes:
            if box.half.min() < 0.018:
                continue
            c, s = np.cos(box.yaw), np.sin(box.yaw)
            x, y, z = (point[k] - float(box.centre[k]) for k in range(3))
            local = (c * x + s * y, c * y - s * x, z)
            towards = (c * light[0] + s * light[1], c * light[1] - s * light[0], light[2])
            enter, leave = None, None
            for k in range(3):
                inverse = 1 / (float(towards[k]) if abs(towards[k]) > 1e-6 else 1e-6)
                middle, reach = -local[k] * inverse, float(box.half[k]) * abs(inverse)
                enter = middle - reach if enter is None else torch.maximum(enter, middle - reach)
                leave = middle + reach if leave is None else torch.minimum(leave, middle + reach)
            lit = lit * (1 - ((enter < leave) & (leave > 0.02)).float() * 1.0)
        lit = nnf.avg_pool2d(lit[None, None], 5, 1, 2, count_include_pad=False)
        return lambert * nnf.interpolate(lit, lambert.shape, mode="bilinear", align_corners=False)[0, 0]

    def finish(self) -> torch.Tensor:
        """(6, h, w): colour, key share, depth, object."""
        room, light = self.room, self.room.light
        inside = self.surface >= 0
        colour = fabric.paint(self.tensor(room.surfaces), self.surface.clamp_min(0).view(-1), self.uv[0].reshape(-1),
            self.uv[1].reshape(-1))
        colour = colour.view(3, *self.depth.shape)
        framed = self.picture[0] > -1
        collage = self.tensor(room.collage).permute(2, 0, 1)[None]
        if bool(framed.any()):
            colour = torch.where(framed, nnf.grid_sample(collage, self.picture.permute(1, 2, 0)[None],
                align_corners=False)[0], colour)
        key = self._key()
        height = (float(self.view.position[2]) + self.depth * self.ray[2]).clamp_min(0)
        ambient = 0.86 + 0.14 * (height / 0.4).clamp(0, 1) + 0.12 * self.normal[2]
        k, a = self.tensor(light.key)[:, None, None], self.tensor(light.ambient)[:, None, None]
        lit = (colour * colour * (k * key + a * ambient)).clamp(0, 1.4).sqrt()
        share = (k.mean() * key / (k.mean() * key + a.mean() * ambient)) * inside
        if room.open:
            lit = torch.where(inside, lit, self._beyond(collage))
        return torch.cat([lit.clamp(0, 1), share[None], self.depth[None], self.object[None]])

    def _beyond(self, collage: torch.Tensor) -> torch.Tensor:
        h, w = self.depth.shape
        if self.room.backdrop:
            return nnf.interpolate(collage, (h, w), mode="bilinear", align_corners=False)[0]
        up = (self.ray[2] / (self.ray * self.ray).sum(0).sqrt()).clamp(0, 1)
        low, high = self.tensor(self.room.sky)
        return low[:, None, None] + (up * 2.2).clamp(0, 1) * (high - low)[:, None, None]


def paint_plate(room: Room, view: View, device="cpu") -> Plate:
    """The room through every frame's window."""
    painter = _Painter(room, view, device)
    painter.plane(2, 0.0, 0)
    if not room.open:
        painter.plane(1, room.back, 1)
        painter.plane(0, room.wide, 2), painter.plane(0, -room.wide, 2)
        painter.plane(2, room.top, 3)
    for box in room.boxes:
        painter.box(box)
    canvas = painter.finish()[None]
    (width, height), frames = view.size, len(view.focal)
    h, w = canvas.shape[-2:]
    soft = canvas[:, :4, :-1] + canvas[:, :4, 1:]
    soft = 0.25 * (soft[..., :-1] + soft[..., 1:])                # (h - 1, w - 1): a pixel's mean at the finest scale
    out_soft, out_deep = [], []
    for f in range(frames):
        scale = painter.focal / view.focal[f]
        start = painter.centre - scale * view.centre[f]
        out_soft.append(_window(soft, start - 0.5, scale, (width, height), "bilinear"))
        out_deep.append(_window(canvas[:, 4:], start, scale / 2, (2 * width, 2 * height), "nearest"))
    soft, deep = torch.cat(out_soft), torch.cat(out_deep)
    return Plate(soft[:, :3], soft[:, 3], deep[:, 0], deep[:, 1])


def _window(canvas: torch.Tensor, start: np.ndarray, scale: float, size: tuple[int, int], mode: str) -> torch.Tensor:
    """Samples a (1, C, h, w) canvas at `start + scale * (pixel + 0.5)` in a window of `size`."""
    (width, height), (h, w) = size, canvas.shape[-2:]
    axis = lambda n, begin, extent: (float(begin)
                                     + float(scale) * (torch.arange(n, device=canvas.device) + 0.5)) / extent * 2 - 1
    x, y = axis(width, start[0], w), axis(height, start[1], h)
    grid = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1)[None]
    return nnf.grid_sample(canvas, grid.float(), mode=mode, padding_mode="border", align_corners=False)
