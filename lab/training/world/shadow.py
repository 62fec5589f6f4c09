"""Soft shadows and contact darkening: limb segments and a plate's points in, a factor on the plate out (torch)."""

import numpy as np
import torch

from .character import Character
from .rig import Skeleton


def casters(person: Character, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The figure as a few thick segments: ends (F, n, 3) twice in world axes, and radii (n,)."""
    j, h, g = skeleton.joints, person.height, person.girth
    head, up = j["head"], skeleton.frames["head"][..., 1]
    pairs = [(j["pelvis"], j["neck"] - 0.04 * h * up, 0.075 * h * g), (head - 0.15 * person.head * up,
        head + 0.15 * person.head * up, 0.38 * person.head)]
    for side in ("left", "right"):
        at = {name.removeprefix(f"{side}_"): place for name, place in j.items() if name.startswith(f"{side}_")}
        pairs += [(at["shoulder"], at["elbow"], 0.028 * h * g), (at["elbow"], at["wrist"], 0.021 * h * g),
                  (at["hip"], at["knee"], 0.045 * h * g + 0.6 * person.flare * bool(person.skirt)), (at["knee"],
                      at["ankle"], 0.028 * h * g),
                  (at["ankle"] - 0.02 * h * skeleton.frames[f"{side}_foot"][..., 1], at["toe"], 0.02 * h)]
    for k in range(2):
        pairs.append((skeleton.hands[:, k, 0], skeleton.hands[:, k, 10], 0.016 * h))
    a, b, radius = zip(*pairs, strict=True)
    return np.stack(a, 1), np.stack(b, 1), np.array(radius)


def _length(v: torch.Tensor) -> torch.Tensor:
    """Lengths of vectors (3, n); many times faster than torch.norm over the first axis."""
    return (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt()


def darken(point: torch.Tensor, frame: torch.Tensor, a: torch.Tensor, b: torch.Tensor, radius: list[float], *,
           towards: torch.Tensor, softness: float, start: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """How much of the key light (n,) and of the ambient light (n,) reaches points (3, n) past segments (F, s, 3).

    The key light's factor comes from the closest approach of the shadow ray to each segment, over a penumbra that
    grows with distance; the ambient one from the nearness of the segment (ours: one pass, no sampling). `start`: metres
    along the ray that a caster must be away to count, for a body's shadow on itself.
    """
    lit, open_ = torch.ones_like(point[0]), torch.ones_like(point[0])
    for k, r in enumerate(radius):
        begin, way = a[:, k].T.index_select(1, frame) - point, (b[:, k] - a[:, k]).T.index_select(1, frame)
        ww, wl = (way * way).sum(0).clamp_min(1e-6), (way * towards).sum(0)
        ws, sl = (way * begin).sum(0), (begin * towards).sum(0)
        slope = (ww - wl * wl).clamp_min(1e-5)
        along = ((wl * sl - ws) / slope).clamp(0, 1)
        ray = (sl + along * wl).clamp_min(0)
        gap = _length(begin + along * way - ray * towards)
        edge = (softness * ray + 0.015)
        cover = ((r + 0.6 * edge - gap) / (1.2 * edge)).clamp(0, 1)
        dense = r / (r + 0.35 * edge) * ((ray / start - 1).clamp(0, 1) if start else 1)
        lit = lit * (1 - cover * cover * (3 - 2 * cover) * dense)
        nearest = (-ws / ww).clamp(0, 1)
        near = _length(begin + nearest * way) - r
        open_ = open_ * (1 - 0.42 * torch.exp(-near.clamp_min(0) / (0.8 * r + 0.01)))
    return lit, open_
