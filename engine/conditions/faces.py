"""A frame's picture and the person's joints -> the driver's face, cut out as Wan2.2-Animate's preprocessing does it.

Wan takes the box of 68 face points, enlarges its area by 1.3, three times as much above as below, and resizes it to a
square without keeping the aspect (Wan-Video/Wan2.2 @42bf4cf). Poses have five points of the head, so brows, chin and
jaw are set by a person's proportions (ours).
"""

from collections.abc import Sequence

import cv2
import numpy as np

from ..contract.skeleton import BODY_INDEX, HEAD_HEIGHT
from .limbs import SEEN, clean_joints

SIDE = 512              # pixels of the face's picture
AREA = 1.3              # of the box, to the points' own
_POINTS = [BODY_INDEX[name] for name in ("nose", "right_eye", "left_eye", "right_ear", "left_ear")]
_EYES = _POINTS[1:3]
# In head heights, along the face from the eyes' middle: the brows, the chin; and half of the jaw's width.
_BROWS, _CHIN, _JAW = -0.10, 0.50, 0.28
_LEAST = 4.0            # pixels of a side: below it there is no face to read


def face_of(picture: np.ndarray, body: np.ndarray, height_px: float) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8; black if no face is seen, which Wan reads as no face.

    picture (h, w, 3) uint8 or uint16; body (20, 4) and the standing height in its pixels.
    """
    box = face_box(body, height_px, picture.shape[1::-1])
    if box is None:
        return np.zeros((SIDE, SIDE, 3), np.uint8)
    left, top, right, bottom = box
    face = picture[top:bottom, left:right]
    if face.dtype == np.uint16:
        face = (face >> 8).astype(np.uint8)
    return cv2.resize(np.ascontiguousarray(face), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def face_box(body: np.ndarray, height_px: float, size: Sequence[int]) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) in whole pixels, inside the picture's size (w, h); None if no face is seen."""
    points = _face_points(clean_joints(body), HEAD_HEIGHT * height_px)
    if points is None:
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    more = (high - low) * (np.sqrt(AREA) - 1.0)
    low = np.maximum(low - more * (0.5, 0.75), 0.0)
    high = np.minimum(high + more * (0.5, 0.25), size)
    if (high - low < _LEAST).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _face_points(body: np.ndarray, head: float) -> np.ndarray | None:
    """(n, 2) the outline of a face whose head is so many pixels high; None if neither eye is seen, as from behind."""
    eyes = body[[place for place in _EYES if body[place, 3] >= SEEN], :2]
    if not len(eyes) or body[_POINTS[0], 3] < SEEN or not head > 0:
        return None
    middle, neck = eyes.mean(axis=0), body[BODY_INDEX["neck"]]
    down = np.array([0.0, 1.0])
    if neck[3] >= SEEN and np.hypot(*(neck[:2] - middle)) > 0.2 * head:
        down = (neck[:2] - middle) / np.hypot(*(neck[:2] - middle))
    across = np.array([-down[1], down[0]])
    seen = body[[place for place in _POINTS if body[place, 3] >= SEEN], :2]
    jaw = middle + 0.5 * (_BROWS + _CHIN) * head * down
    return np.vstack([seen, middle + _BROWS * head * down, middle + _CHIN * head * down,
                      jaw - _JAW * head * across, jaw + _JAW * head * across])
