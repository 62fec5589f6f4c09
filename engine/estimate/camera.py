"""A shot's pictures and the performer's masks -> whether the camera moved, and the homography from any frame onto
another."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from ..conditions.frames import as_bits, as_float, read_colour, read_grey
from ..contract import files

_LONG_SIDE = 640  # pictures are tracked at this size
_POINTS, _LEAST_POINTS = 300, 12
_LOCKED = 0.5  # pixels: if no corner of the picture ever moves by more, the camera is locked (ours)
_REACH_PX = 3.0  # RANSAC's
_STILL = 0.15  # pixels between two frames: smaller motion is only jitter of the tracking (ours)


class Camera:
    """The camera of the frames `numbers` of one shot; check() may raise to stop."""

    def __init__(self, folder: str, size: tuple[int, int], numbers: Sequence[int],
                 check: Callable[[], None] = lambda: None):
        self._first, self._folder, self._size = numbers[0], folder, size
        self._scale = min(1.0, _LONG_SIDE / max(size))
        width, height = size
        self._corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
        to_first, before = np.eye(3), None
        self._to_first = []
        for number in numbers:
            check()
            now = self._seen(number)
            if before is not None:
                to_first = to_first @ self._step(now, before)
            self._to_first.append(to_first)
            before = now
        moved = [np.abs(cv2.perspectiveTransform(self._corners, m) - self._corners).max() for m in self._to_first]
        self.locked = max(moved) < _LOCKED

    def onto(self, other: int, number: int) -> np.ndarray:
        """(3, 3): pixel indices of frame `other` -> those of frame `number`."""
        return np.linalg.inv(self._to_first[number - self._first]) @ self._to_first[other - self._first]

    def _seen(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """(grey picture, where the performer is not), at the tracking's size."""
        picture = read_colour(files.picture(self._folder, files.SOURCE, number), self._size)
        picture = picture if picture.dtype == np.uint8 else as_bits(as_float(picture))
        mask = read_grey(files.picture(self._folder, files.MASK, number), self._size)
        small = (max(1, round(self._size[0] * self._scale)), max(1, round(self._size[1] * self._scale)))
        grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), small, interpolation=cv2.INTER_AREA)
        hidden = cv2.dilate((cv2.resize(mask, small, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8),
                            np.ones((15, 15)))
        return grey, (1 - hidden) * 255

    def _step(self, now: tuple[np.ndarray, np.ndarray], before: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """(3, 3) full-size pixel indices of a frame -> those of the frame before; the identity if too little is
        seen."""
        points = cv2.goodFeaturesToTrack(now[0], _POINTS, 0.01, 8, mask=now[1])
        if points is None or len(points) < _LEAST_POINTS:
            return np.eye(3)
        there, found, _ = _flow(now[0], before[0], points)
        back, again, _ = _flow(before[0], now[0], there)
        sure = (found & again).ravel().astype(bool) & (np.abs(back - points).max(axis=(1, 2)) < 0.7)
        if sure.sum() < _LEAST_POINTS \
                or np.median(np.abs(there - points)[sure].max(axis=(1, 2))) < _STILL * self._scale:
            return np.eye(3)
        matrix, _ = cv2.findHomography(points[sure], there[sure], cv2.RANSAC, _REACH_PX)
        if matrix is None or not np.isfinite(matrix).all():
            return np.eye(3)
        scale = np.diag([self._scale, self._scale, 1.0])
        return np.linalg.inv(scale) @ matrix @ scale


def _flow(here: np.ndarray, there: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (n, 1, 2) in one picture -> where they are in another, whether they were found there, and how well."""
    # OpenCV's stub does not allow None here
    return cv2.calcOpticalFlowPyrLK(here, there, points, None)  # pyright: ignore[reportCallIssue, reportArgumentType]
