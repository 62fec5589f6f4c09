"""One person's joints -> the skeleton picture P, in OpenPose's way so that public pose guiders can read it.

Limbs are ellipses dimmed to 0.6, joints are dots in full colour. What differs from weights to weights is in styles.py.
depth.py uses the same strokes, so that the skeleton's binarised mask M_s is the same in both.
"""
import colorsys
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from ..contract.skeleton import BODY, BODY_INDEX, HAND_INDEX, HAND_LIMBS, LIMBS
from .limbs import clean_hands, clean_joints
from .styles import COMPACT, Colour, PoseStyle, Width

LIMB_DIM = 0.6           # OpenPose's way: limbs are dimmed, dots are not
MIN_HALF_WIDTH = 0.75    # pixels; below it strokes would break up
_SHIFT = 4               # cv2's fixed-point bits: sixteenths of a pixel
_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 20, endpoint=False)),
                    np.sin(np.linspace(0, 2 * np.pi, 20, endpoint=False))], axis=1)


def _hue(turn: float, saturation: float = 1.0) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(turn, saturation, 1.0)
    return 255.0 * red, 255.0 * green, 255.0 * blue


# OpenPose's rainbow of 18 over joints and limbs; the toes, which it lacks, have the style's colours.
_RAINBOW = tuple(_hue(i / 18) for i in range(18))
_FINGERS = tuple(_hue(i / 20) for i in range(20))
_PALE_FINGERS = tuple(_hue(i / 20, 0.55) for i in range(20))
_BLUE = (0.0, 0.0, 255.0)       # the dots of DWPose's hands

_LIMB_ENDS = np.array([(BODY_INDEX[a], BODY_INDEX[b]) for a, b in LIMBS])
_HAND_ENDS = np.array([(HAND_INDEX[a], HAND_INDEX[b]) for a, b in HAND_LIMBS])


class Stroke(NamedTuple):
    """One convex shape of the skeleton: its outline, its two ends (x, y, depth) and its colour."""
    order: float          # its depth in the drawing order; far ones first
    outline: np.ndarray   # (n, 2) pixels
    start: np.ndarray     # (3,)
    end: np.ndarray       # (3,)
    colour: tuple         # RGB 0..255


def joint_colours(style: PoseStyle = COMPACT) -> tuple[Colour, ...]:
    """Of the joints in skeleton.BODY; the toes are missing if the style leaves them out."""
    return _RAINBOW + (style.toes or ())


def limb_colours(style: PoseStyle = COMPACT) -> tuple[Colour, ...]:
    """Of the limbs in skeleton.LIMBS; the feet are missing if the style leaves them out."""
    return _RAINBOW[:17] + (style.toes or ())


def draw_skeleton(body: np.ndarray, hands: Sequence[np.ndarray | None] | None, size: Sequence[int],
                  height_px: float, style: PoseStyle = COMPACT) -> np.ndarray:
    """The skeleton picture, (h, w, 3) float32 0..1.

    body (20, 4) x, y, depth, confidence; hands None or (left, right), each (21, 4) or None; size (w, h); height_px the
    standing height in pixels, which may set the line widths.
    """
    width, height = size
    canvas = np.zeros((height, width, 3), np.uint8)
    for stroke in strokes(body, hands, size, height_px, style):
        cv2.fillConvexPoly(canvas, fixed_point(stroke.outline), stroke.colour, cv2.LINE_AA, _SHIFT)
    return canvas.astype(np.float32) * np.float32(1 / 255)


def strokes(body: np.ndarray, hands: Sequence[np.ndarray | None] | None, size: Sequence[int], height_px: float,
            style: PoseStyle = COMPACT) -> list:
    """The skeleton's strokes that can touch the frame, the first to be drawn first; arguments as for draw_skeleton."""
    body, found = clean_joints(body), []
    wide, thin = (_half_width(width, size, height_px) for width in (style.half_width, style.hand_half_width))
    found += _limbs(body, _LIMB_ENDS, limb_colours(style), wide, size, style)
    found += _dots(body, joint_colours(style), wide, size, style)
    for side, hand in zip(("left", "right"), clean_hands(hands), strict=True):
        if hand is None:
            continue
        colours = _PALE_FINGERS if side == "left" and not style.hands_alike else _FINGERS
        found += _limbs(hand, _HAND_ENDS, colours, thin, size, style, dim=1.0)
        if style.hands_alike:
            found += _dots(hand, (_BLUE,) * len(hand), wide, size, style)
    return sorted(found, key=lambda stroke: -stroke.order) if style.by_depth else found


def fixed_point(outline: np.ndarray) -> np.ndarray:
    """Outline in pixels (centre of the first at 0.5, 0.5) -> cv2's fixed-point integers (centre at 0)."""
    return np.rint((outline - 0.5) * (1 << _SHIFT)).astype(np.int32)


def clip_segments(starts: np.ndarray, ends: np.ndarray, size: Sequence[int], margin: float) -> tuple:
    """Cut segments to the frame grown by margin: (t0, t1) in 0..1 along each, t0 > t1 where nothing is left.

    Uses Liang and Barsky's method. Cutting (not clamping) keeps a limb's direction if its joint is far outside.
    """
    low, high = np.full(2, -float(margin)), np.asarray(size, float) + margin
    step = ends - starts
    flat = np.abs(step) < 1e-9
    safe = np.where(flat, 1.0, step)
    near, far = (low - starts) / safe, (high - starts) / safe
    inside = (starts >= low) & (starts <= high)
    enter = np.where(flat, np.where(inside, -np.inf, np.inf), np.minimum(near, far))
    leave = np.where(flat, np.inf, np.maximum(near, far))
    return np.maximum(enter.max(axis=1), 0.0), np.minimum(leave.min(axis=1), 1.0)


def _half_width(width: Width, size: Sequence[int], height_px: float) -> float:
    height = float(height_px) if np.isfinite(height_px) else 0.0
    return min(max(width(size, height), MIN_HALF_WIDTH), max(size) / 16)


def _limbs(joints: np.ndarray, ends: np.ndarray, colours: Sequence[Colour], half_width: float, size: Sequence[int],
           style: PoseStyle, dim: float = LIMB_DIM) -> list:
    ends = ends[:len(colours)]
    a, b = joints[ends[:, 0]], joints[ends[:, 1]]
    sure = np.minimum(np.minimum(a[:, 3], b[:, 3]), 1.0)
    t0, t1 = clip_segments(a[:, :2], b[:, :2], size, 4 * half_width + max(size))
    keep = np.flatnonzero((sure >= style.least) & (t0 < t1))
    result = []
    for i in keep:
        start, end = _on_limb(a[i], b[i], t0[i]), _on_limb(a[i], b[i], t1[i])
        colour = tuple(c * dim * (sure[i] if style.by_confidence else 1.0) for c in colours[i])
        result.append(Stroke(0.5 * (start[2] + end[2]), _ellipse(start, end, half_width), start, end, colour))
    return result


def _dots(joints: np.ndarray, colours: Sequence[Colour], radius: float, size: Sequence[int], style: PoseStyle) -> list:
    joints = joints[:len(colours)]
    inside = (joints[:, :2] > -radius).all(axis=1) & (joints[:, :2] < np.asarray(size) + radius).all(axis=1)
    result = []
    for i in np.flatnonzero(inside & (joints[:, 3] >= style.least)):
        point, sure = joints[i, :3], min(joints[i, 3], 1.0) if style.by_confidence else 1.0
        colour = tuple(c * sure for c in colours[i])
        result.append(Stroke(point[2] - 1e-6, point[:2] + radius * _CIRCLE, point, point, colour))
    return result


def _on_limb(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """The point (x, y, depth) at the part t of the way on screen, where 1/depth is linear (perspective)."""
    point = a[:3] + t * (b[:3] - a[:3])
    if a[2] > 1e-6 and b[2] > 1e-6:
        point[2] = 1.0 / ((1 - t) / a[2] + t / b[2])
    return point


def _ellipse(start: np.ndarray, end: np.ndarray, half_width: float) -> np.ndarray:
    along = 0.5 * (end[:2] - start[:2])
    length = float(np.hypot(*along))
    unit = along / length if length > 1e-6 else np.array([1.0, 0.0])
    across = half_width * np.array([-unit[1], unit[0]])
    return 0.5 * (start[:2] + end[:2]) + _CIRCLE[:, :1] * unit * max(length, half_width) + _CIRCLE[:, 1:] * across


assert len(joint_colours()) == len(BODY) and len(limb_colours()) == len(LIMBS)
