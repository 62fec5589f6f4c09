"""Rotated squares of a picture: cuts them out for a model, and takes the model's points and mask back to the
picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Region:
    """A square in the picture: its centre and side in pixels, and the unit direction (x, y) that is `up` in it."""

    centre: tuple[float, float]
    side: float
    up: tuple[float, float] = (0.0, -1.0)

    @property
    def axes(self) -> np.ndarray:
        """(2, 2): the rows are the crop's x (right) and y (down) as directions in the picture, each of length one."""
        up_x, up_y = self.up
        return np.array([[-up_y, up_x], [-up_x, -up_y]])

    def to_picture(self, points: np.ndarray | Sequence) -> np.ndarray:
        """(n, 2) points of the crop, 0..1 -> (n, 2) pixels of the picture."""
        return np.asarray(self.centre) + (np.asarray(points) - 0.5) @ self.axes * self.side

    def to_crop(self, points: np.ndarray | Sequence) -> np.ndarray:
        """(n, 2) pixels of the picture -> (n, 2) points of the crop, 0..1 inside it."""
        return (np.asarray(points) - self.centre) @ self.axes.T / self.side + 0.5

    def rotate(self, vectors: np.ndarray) -> np.ndarray:
        """(n, 2) directions of the crop -> the same directions in the picture, with the same lengths."""
        return np.asarray(vectors) @ self.axes


def body_region(hips: np.ndarray, reach: np.ndarray, margin: float = 1.25) -> Region:
    """The square around a body: `hips` is its centre, and `reach` is the point above the head on the circle around the
    body.

    Both are (x, y) pixels. BlazePose was trained with these two points and this margin (MediaPipe's pose graphs).
    """
    direction = np.subtract(reach, hips).astype(np.float64)
    radius = max(float(np.hypot(*direction)), 1e-3)
    return Region(centre=(float(hips[0]), float(hips[1])), side=2.0 * radius * margin,
                  up=(float(direction[0] / radius), float(direction[1] / radius)))


def cut(picture: np.ndarray, region: Region, size: int, border: int = cv2.BORDER_CONSTANT) -> np.ndarray:
    """(h, w, 3) uint8 and a Region -> (size, size, 3) uint8; outside the picture black, or as OpenCV's border mode
    says.

    If the region is more than twice as large as the crop, the picture is first shrunk by area averaging (ours: plain
    bilinear sampling of a 4K reference would alias).
    """
    shrink = min(1.0, 2.0 * size / region.side)
    height, width = picture.shape[:2]
    small = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    if small != (width, height):
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    to_small = np.diag([small[0] / width, small[1] / height, 1.0])
    matrix = _between_indices(to_small @ _crop_to_picture(region, size))
    return cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                          borderMode=border)


def paste(values: np.ndarray, region: Region, picture_size: tuple[int, int]) -> np.ndarray:
    """(size, size) float32 of a region -> (h, w) float32 of the whole picture, 0 outside the region."""
    matrix = _between_indices(_crop_to_picture(region, values.shape[0]))
    return cv2.warpAffine(values, matrix, picture_size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def _crop_to_picture(region: Region, size: int) -> np.ndarray:
    """(3, 3): pixels of a crop of this size -> pixels of the picture."""
    matrix = np.eye(3)
    matrix[:2, :2] = region.axes.T * (region.side / size)
    matrix[:2, 2] = region.to_picture([[0.0, 0.0]])[0]
    return matrix


def _between_indices(matrix: np.ndarray) -> np.ndarray:
    """(3, 3) between pixel coordinates, first centre 0.5 -> (2, 3) between array indices, as OpenCV expects."""
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return (np.linalg.inv(shift) @ matrix @ shift)[:2]
