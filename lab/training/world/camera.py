"""Cameras: a character's path in, a fixed camera with its crop's moving window out, as the product's crop frames it."""

from dataclasses import dataclass

import numpy as np

from .rig import Skeleton


@dataclass(frozen=True)
class View:
    """A pinhole camera; per frame the crop's focal length (F,) and principal point (F, 2) in pixels of `size`."""
    position: np.ndarray
    rotation: np.ndarray       # rows: right, down, forward in world axes
    focal: np.ndarray
    centre: np.ndarray
    size: tuple[int, int]

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (F, ..., 3) -> camera axes."""
        return (points - self.position) @ self.rotation.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (F, n, 3) -> (F, n, 3): pixel x, y and planar depth in metres."""
        seen = self.to_camera(points)
        pixels = seen[..., :2] / seen[..., 2:] * self.focal[:, None, None] + self.centre[:, None]
        return np.concatenate([pixels, seen[..., 2:]], -1)


def _looking(position: np.ndarray, target: np.ndarray, roll: float) -> np.ndarray:
    forward = target - position
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1.0])
    right = right / np.linalg.norm(right)
    down = np.cross(forward, right)
    return np.stack([np.cos(roll) * right + np.sin(roll) * down, np.cos(roll) * down - np.sin(roll) * right, forward])


def _smoothed(track: np.ndarray, rng) -> np.ndarray:
    """A crop's centre (F, 2): between the track's mean and a line through it, as a calm crop follows."""
    time = np.linspace(-1, 1, len(track))[:, None] if len(track) > 1 else np.zeros((1, 1))
    slope = (time * track).sum(0) / max((time ** 2).sum(), 1e-6)
    return track.mean(0) + rng.uniform(0.3, 1.0) * slope * time


def draw_view(rng: np.random.Generator, skeleton: Skeleton, height: float, size: tuple[int, int], *,
              whole: bool = False) -> View:
    """A camera with the character at 60 to 88 % of the crop's height if it stood; `whole`: never cut by the edge."""
    width, tall = size
    points = np.concatenate([np.stack(list(skeleton.joints.values()), 1), skeleton.hands[:, :, 12]], 1)
    top = skeleton.joints["head"] + 0.6 * (skeleton.joints["head"] - skeleton.joints["neck"])
    points = np.concatenate([points, top[:, None]], 1)
    middle = points.mean((0, 1))
    distance, lift = rng.uniform(2.6, 7.0), np.clip(rng.normal(1.3, 0.45), 0.35, 2.8)
    position = np.array([middle[0] + rng.normal(0, 0.25) * distance, middle[1] - distance, lift])
    target = middle + [rng.normal(0, 0.25), 0, rng.normal(0, 0.15)]
    rotation = _looking(position, target, float(rng.normal(0, 0.015)))
    seen = (points - position) @ rotation.T
    flat = seen[..., :2] / seen[..., 2:]
    low, high = flat.min(1), flat.max(1)                          # (F, 2) a frame
    pelvis = (skeleton.joints["pelvis"] - position) @ rotation.T
    share = rng.uniform(0.74, 0.92) if whole else rng.uniform(0.60, 0.88)  # a reference fills its crop
    cut = not whole and rng.random() < 0.15
    focal = share * tall * pelvis[:, 2].mean() / height           # standing height takes `share` of the crop
    if not cut:
        focal = min(focal, *(0.90 * np.array(size) / (high - low).max(0)))
    else:
        focal *= rng.uniform(1.0, 1.6)
    track = _smoothed((low + high) / 2, rng) if not whole else (low + high) / 2
    room = 0.5 * (np.array(size) - (high - low).max(0) * focal)
    jitter = rng.uniform(-1, 1, 2) * (np.maximum(room * 0.8, 2) if not cut else 0.3 * np.array(size))
    drift = np.cumsum(rng.normal(0, 0.4, (len(flat), 2)), 0)
    scale = focal * np.exp(np.linspace(-0.5, 0.5, len(flat)) * rng.normal(0, 0.03) * (len(flat) > 1))
    centre = np.array(size) / 2 + jitter + drift - track * scale[:, None]
    return View(position, rotation, scale, centre, size)
