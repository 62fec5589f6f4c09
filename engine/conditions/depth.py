"""One person's joints -> the structured depth D_s = D * M_s: depth on the skeleton, 0 off it (paper 3.4).

The armature gives depth exactly: 1/depth is linear along a limb in screen space. Limbs are drawn from far to near, as
in pose.py.
"""
from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np

from .limbs import SEEN, clean_hands, clean_joints
from .pose import fixed_point, strokes

# The convention that a pack was trained with. The pack's manifest quotes it; a pack with another one is refused.
FLOOR = 0.1
CONVENTION = f"linear, near=1, far={FLOOR}, off the skeleton 0, once a shot over the character's joints"
_SHIFT = 4


def near_and_far(people: Iterable[tuple[np.ndarray, Sequence[np.ndarray | None] | None]]) -> tuple:
    """(near, far) in metres over every seen joint of a shot; (1.0, 1.0) where no depth is known.

    people: iterable of (body, hands) as for draw_skeleton, only of frames in which they are seen.
    """
    depths = [joints[(joints[:, 3] >= SEEN) & (joints[:, 2] > 0), 2]
              for body, hands in people
              for joints in (clean_joints(body), *(h for h in clean_hands(hands) if h is not None))]
    depths = np.concatenate(depths) if depths else np.empty(0)
    return (float(depths.min()), float(depths.max())) if depths.size else (1.0, 1.0)


def normalise_depth(depth: np.ndarray, near: float, far: float) -> np.ndarray:
    """Metres -> FLOOR..1, near = 1, linear, one range for a whole shot so that a walk does not pump (paper 3.4,
    ours)."""
    if far - near < 1e-6:
        return np.ones_like(depth, np.float32)
    part = np.clip((far - np.asarray(depth, np.float32)) / (far - near), 0.0, 1.0)
    return (FLOOR + (1.0 - FLOOR) * part).astype(np.float32)


def limb_depth(body: np.ndarray, hands: Sequence[np.ndarray | None] | None, size: Sequence[int], height_px: float, *,
               near: float, far: float) -> np.ndarray:
    """D_s as (h, w, 1) float32: FLOOR..1 on the skeleton, 0 off it; arguments as for draw_skeleton."""
    width, height = size
    picture = np.zeros((height, width), np.float32)
    for stroke in strokes(body, hands, size, height_px):
        lay_depth(picture, stroke.outline, stroke.start, stroke.end,
                  shade=lambda depth: normalise_depth(depth, near, far))
    return picture[..., None]


def lay_depth(picture: np.ndarray, outline: np.ndarray, start: np.ndarray, end: np.ndarray, *,
              shade: Callable[[np.ndarray], np.ndarray] | None = None, nearer_only: bool = False) -> None:
    """Write the depth of the limb start..end (x, y, depth each) into picture (h, w) wherever the outline covers it.

    shade turns metres into the written values. nearer_only: a pixel that is already nearer stays.
    """
    height, width = picture.shape
    low = np.clip(np.floor(outline.min(axis=0)).astype(int) - 1, 0, (width, height))
    high = np.clip(np.ceil(outline.max(axis=0)).astype(int) + 2, 0, (width, height))
    if (low >= high).any():
        return
    cover = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillConvexPoly(cover, fixed_point(outline - low), (255,), cv2.LINE_AA, _SHIFT)
    depth = _depth_along(start, end, low, high)
    patch = picture[low[1]:high[1], low[0]:high[0]]
    where = (cover > 0) & (depth < patch) if nearer_only else cover > 0
    np.copyto(patch, depth if shade is None else shade(depth), where=where)


def _depth_along(start: np.ndarray, end: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Depth (rows, columns) of a limb over the box low..high: 1/depth is linear in the position along it on screen."""
    step = end[:2] - start[:2]
    square = float(step @ step)
    if square < 1e-9 or start[2] <= 1e-6 or end[2] <= 1e-6:
        return np.full((high[1] - low[1], high[0] - low[0]), 0.5 * (start[2] + end[2]), np.float32)
    x = (np.arange(low[0], high[0], dtype=np.float32) + np.float32(0.5 - start[0])) * np.float32(step[0] / square)
    y = (np.arange(low[1], high[1], dtype=np.float32) + np.float32(0.5 - start[1])) * np.float32(step[1] / square)
    along = np.clip(y[:, None] + x[None, :], 0.0, 1.0)
    return 1.0 / (np.float32(1 / start[2]) + along * np.float32(1 / end[2] - 1 / start[2]))
