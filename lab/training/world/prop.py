"""Held props: a kind and the solved hands in; one box or round cone that moves with them out (numpy)."""

from dataclasses import dataclass

import numpy as np

from .character import Character
from .cones import Primitives
from .rig import Skeleton, unit


@dataclass(frozen=True)
class Prop:
    """A box or a round cone in world axes, F frames. `size`: box half sizes, or cone length and two radii."""
    centre: np.ndarray         # (F, 3)
    axes: np.ndarray           # (F, 3, 3) columns x, y, z; a cone lies along y
    size: np.ndarray           # (3,)
    box: bool

    def segment(self) -> tuple[np.ndarray, np.ndarray, float]:
        """The prop as one thick segment, for its shadow."""
        if self.box:
            longest = int(self.size.argmax())
            radius = float(np.sort(self.size)[:2].mean() + 0.02)
            half = max(self.size[longest] - radius, 0.001)
            return self.centre - half * self.axes[..., longest], self.centre + half * self.axes[..., longest], radius
        half = 0.5 * self.size[0] + 1e-3
        return self.centre - half * self.axes[..., 1], self.centre + half * self.axes[..., 1], \
            float(self.size[1:].mean())

    def in_camera(self, rotation: np.ndarray, position: np.ndarray) -> Primitives:
        start = self.centre if self.box else self.centre - 0.5 * self.size[0] * self.axes[..., 1]
        rows = np.swapaxes(self.axes, -1, -2) @ rotation.T
        origin = (start - position) @ rotation.T
        to_local = np.concatenate([rows, -(rows @ origin[..., None])], -1)[:, None]
        centre = (self.centre - position) @ rotation.T
        radius = np.linalg.norm(self.size) if self.box else 0.5 * self.size[0] + self.size[1:].max()
        reach = np.repeat(np.concatenate([centre, np.full((len(centre), 1), radius)], -1)[:, None, None], 2, 2)
        shape = np.repeat(self.size[None, None], len(centre), 0)
        return Primitives(to_local.astype(np.float32), shape.astype(np.float32), reach, np.zeros(1, int),
            np.zeros(1), np.zeros(1, int), np.ones(1), self.box)


def hold(rng: np.random.Generator, kind: str, person: Character, skeleton: Skeleton,
         contact: np.ndarray) -> Prop | None:
    """The prop of a motion; `contact` (F, 4) tells which hand holds a one-handed one."""
    if kind == "none":
        return None
    hands, chest = skeleton.hands, skeleton.frames["chest"]
    palms = 0.5 * (hands[:, :, 0] + hands[:, :, 9])
    if kind in ("box", "bigball", "tray"):
        across = unit(palms[:, 0] - palms[:, 1])
        gap = float(np.linalg.norm(palms[:, 0] - palms[:, 1], axis=-1).mean())
        half = max(0.5 * gap - 0.018, 0.05)
        middle = palms.mean(1)
        if kind == "bigball":
            return Prop(middle, chest, np.array([0.0, half, half]), False)
        up = unit(chest[..., 1] - (chest[..., 1] * across).sum(-1, keepdims=True) * across)
        axes = np.stack([across, up, np.cross(across, up)], -1)
        high = rng.uniform(0.01, 0.03) if kind == "tray" else rng.uniform(0.06, 0.17)
        return Prop(middle, axes, np.array([half, high, rng.uniform(0.07, 0.17)]), True)
    k = 1 if contact[:, 1].any() and not contact[:, 0].any() else 0
    hand, palm = skeleton.frames[("left_hand", "right_hand")[k]], palms[:, k]
    thumb, fingers, out = hand[..., 0], hand[..., 1], hand[..., 2]
    grip = np.stack([out, thumb, np.cross(out, thumb)], -1)
    if kind == "ball":
        r = rng.uniform(0.035, 0.10)
        return Prop(palm + (r + 0.012) * out + 0.02 * fingers, grip, np.array([0.0, r, r]), False)
    if kind == "case":
        frame = skeleton.frames["pelvis"]
        half = np.array([rng.uniform(0.05, 0.08), rng.uniform(0.12, 0.2), rng.uniform(0.15, 0.25)])
        upright = np.stack([unit(np.cross(np.broadcast_to([0, 0, 1.0], frame[..., 2].shape), frame[..., 2])),
                            np.broadcast_to([0, 0, 1.0], frame[..., 2].shape), unit(frame[..., 2] * [1, 1, 0])], -1)
        return Prop(hands[:, k, 10] - (half[1] + 0.01) * np.array([0, 0, 1.0]), upright, half, True)
    length, radius = (rng.uniform(0.5, 1.3), rng.uniform(0.01, 0.02)) if kind == "stick" else (rng.uniform(0.12,
        0.2), rng.uniform(0.03, 0.045))
    slide = rng.uniform(-0.3, 0.3) * length if kind == "stick" else 0.02
    return Prop(palm + 0.022 * out + 0.02 * fingers + slide * thumb, grip, np.array([length, radius,
        radius * rng.uniform(0.6, 1)]), False)
