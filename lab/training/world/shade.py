"""Light on the figure: hits of cones in, their colours out; faces are painted in the head's frame."""

import numpy as np
import torch

from . import fabric
from .character import FABRIC, Character
from .cones import Hits, Primitives
from .room import Light


def _step(x: torch.Tensor, width: float) -> torch.Tensor:
    """1 where x < 0, softly over `width`."""
    return (0.5 - x / width).clamp(0, 1)


def _ellipse(x, y, cx: float, cy: float, rx: float, ry: float) -> torch.Tensor:
    return _step(torch.hypot((x - cx) / rx, (y - cy) / ry) - 1, 0.25)


def paint_face(person: Character, colour: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
    """Eyes, brows, mouth, cheeks and beard over skin colours (3, n) at points (3, n) in head heights (left, up,
    forward)."""
    x, y = point[0].abs(), point[1]
    f = person.face
    tint = lambda rgb: torch.as_tensor(np.asarray(rgb, np.float32), device=colour.device)[:, None]
    hair, skin = person.fabrics[FABRIC["hair"]][:3], person.fabrics[FABRIC["skin"]][:3]

    def over(rgb, cover):
        nonlocal colour
        colour = colour + cover * (tint(rgb) - colour)

    over(skin * [1.02, 0.8, 0.78], 0.35 * _ellipse(x, y, 0.2, -0.13, 0.12, 0.09))
    if person.beard:
        jaw = _step(y + 0.16 - 0.5 * (x - 0.12).clamp_min(0), 0.05) * (1 - _ellipse(x, y, 0, -0.235, 0.10, 0.035))
        over(hair * 0.9, 0.85 * person.beard * jaw)
    size = 0.85 + 0.4 * f[0]
    over(skin * 0.72, 0.5 * _ellipse(x, y, 0.14, 0.05, 0.105, 0.06 * size))
    over([.95, .94, .92], _ellipse(x, y, 0.14, 0.04, 0.072, 0.036 * size))
    over(person.iris, _ellipse(x, y, 0.138, 0.04, 0.034, 0.036 * size))
    over([.03, .03, .03], _ellipse(x, y, 0.138, 0.04, 0.017, 0.018))
    over(skin * 0.3, _ellipse(x, y - 0.15 * (x - 0.14), 0.142, 0.04 + 0.038 * size, 0.085, 0.012))
    brow = 0.125 + 0.03 * f[1]
    over(np.minimum(hair, 0.4) * 0.8, 0.85 * _ellipse(x, y + 0.25 * (x - 0.14).abs(), 0.145, brow, 0.09, 0.018))
    over(skin * 0.6, 0.6 * _ellipse(x, y, 0.03, -0.145, 0.022, 0.012))
    wide, mood = 0.085 + 0.035 * f[2], 0.4 * (f[3] - 0.3)
    bent = y - 14 * mood * x * x
    over(person.lips * (0.6 + 0.4 * skin), 0.85 * _ellipse(x, bent, 0, -0.235, wide, 0.032))
    over(person.lips * 0.4, 0.9 * _ellipse(x, bent, 0, -0.235, wide * 0.95, 0.007))
    return colour


def shade(person: Character, hits: Hits, primitives: Primitives, table: np.ndarray, light: Light, *,
          rotation: np.ndarray, wraps: np.ndarray | None, lit: torch.Tensor | None) -> torch.Tensor:
    """sRGB (3, n) of the hits. `table`: surface rows; `wraps` (F, 3, 3, 4) as in figure.wraps; `lit` (n,):
    key light left."""
    device = hits.depth.device
    tensor = lambda v: torch.as_tensor(np.asarray(v, np.float32), device=device)
    surface = torch.as_tensor(primitives.surface, device=device)[hits.primitive]
    u, v = _limb_coordinates(hits, primitives)
    if wraps is not None:
        maps = tensor(wraps).view(-1, 12).T.contiguous()
        _wrap(u, v, hits, torch.as_tensor(primitives.wrap, device=device)[hits.primitive], maps)
    colour = fabric.paint(tensor(table), surface, u, v)
    if wraps is not None:
        colour = _with_face(person, colour, hits, surface, maps)
    fold = fabric.noise_at(u * 25, v * 9) * (surface != FABRIC["skin"]) * 0.05
    rim = 1 - 0.25 * (1 + (hits.normal * torch.cat([hits.ray,
        torch.ones_like(hits.ray[:1])])).sum(0) / (1 + (hits.ray ** 2).sum(0)).sqrt()).clamp(0, 1) ** 2
    energy = incident(hits.normal, light, rotation, lit) * (1 + fold) * rim
    return (colour * colour * energy).clamp(0, 1).sqrt()


def incident(normals: torch.Tensor, light: Light, rotation: np.ndarray, lit: torch.Tensor | None) -> torch.Tensor:
    """(3, n) light on surfaces of normals (3, n) in the camera's axes; `lit` (n,): key light left, None = all."""
    tensor = lambda v: torch.as_tensor(np.asarray(v, np.float32), device=normals.device)
    towards, up = tensor(rotation @ light.direction), tensor(rotation @ [0, 0, 1.0])
    facing = (normals * towards[:, None]).sum(0)
    lambert = ((facing + 0.25) / 1.25).clamp_min(0)
    lambert = lambert if lit is None else lambert * lit
    sky = 0.78 + 0.3 * (normals * up[:, None]).sum(0)
    return tensor(light.key)[:, None] * lambert + tensor(light.ambient)[:, None] * sky


def _limb_coordinates(hits: Hits, primitives: Primitives) -> tuple[torch.Tensor, torch.Tensor]:
    """Metres around and along the limb: they stick to the body whatever the pose and the view."""
    device = hits.depth.device
    origin = torch.as_tensor(primitives.origin_v.astype(np.float32), device=device)[hits.primitive]
    radius = torch.as_tensor(primitives.shape[0, :, 1:].mean(-1), device=device)[hits.primitive]
    return torch.atan2(hits.local[0], hits.local[2]) * radius, hits.local[1] + origin


def _mapped(hits: Hits, index: torch.Tensor, maps: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """Points (3, m) of the hits `index` through the maps (12, 3 F) numbered `which` (m,)."""
    m = maps.index_select(1, which).view(3, 4, -1)
    ray, depth = hits.ray.index_select(1, index), hits.depth.index_select(0, index)
    return (m[:, 0] * ray[0] + m[:, 1] * ray[1] + m[:, 2]) * depth + m[:, 3]


def _wrap(u, v, hits: Hits, wrap: torch.Tensor, maps: torch.Tensor) -> None:
    """Writes the trunk's common coordinates where a primitive asks for them, so that a pattern crosses its pieces."""
    trunk = (wrap > 0).nonzero()[:, 0]
    point = _mapped(hits, trunk, maps, hits.frame.index_select(0, trunk) * 3 + wrap.index_select(0, trunk))
    u[trunk] = torch.atan2(point[0] / 1.4, point[2]) * 0.12
    v[trunk] = point[1]


def _with_face(person, colour, hits, surface, maps):
    skin = (surface == FABRIC["skin"]).nonzero()[:, 0]
    point = _mapped(hits, skin, maps, hits.frame.index_select(0, skin) * 3)
    face = ((point[2] > 0.1) & (point.abs().amax(0) < 0.55)).nonzero()[:, 0]
    if len(face):
        colour[:, skin[face]] = paint_face(person, colour[:, skin[face]], point[:, face])
    return colour
