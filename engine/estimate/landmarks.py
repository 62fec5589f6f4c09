"""A picture and the square around a body -> BlazePose's 33 points of the body."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .region import Region, body_region, cut, paste
from .sessions import answers

SIZE = 256
NAMES = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)
INDEX = {name: i for i, name in enumerate(NAMES)}
_HIPS, _REACH = 33, 34  # two more points, which define the body's square
_BODY = [INDEX["nose"], *range(11, 17), *range(23, 29)]
_DECIDED = 2.2  # of the mask's logits: 0.1 or 0.9
LOGIT_STEP = 0.1  # finer than what is visible in a mask
_MIN_PRESENCE = 0.5
_MIN_HEAT = 0.5
_HEAT_RADIUS = 3


@dataclass(frozen=True)
class Landmarks:
    """The result of one look at a body.

    pixels (33, 2) in the picture; world (33, 3) metres from the hips' middle: x right, y down, z away from the camera;
    visibility (33,) 0..1; region: the square of this look; next_region: the square that follows from these points;
    mask_logits (256, 256) of the region.
    """

    pixels: np.ndarray
    world: np.ndarray
    visibility: np.ndarray
    region: Region
    next_region: Region
    mask_logits: np.ndarray

    def solidity(self) -> float:
        """0..1: how certain it is that this is a person: the decided part of the mask, times the part of the body's
        seen landmarks that lie in the mask. People have 0.8 and more, half hidden people 0.65, a van or a wheel 0.6 and
        less (ours, measured on street scenes)."""
        decided = float((np.abs(self.mask_logits) > _DECIDED).mean())
        seen = self.pixels[_BODY][self.visibility[_BODY] > 0.5]
        if not len(seen):
            return 0.0
        cells = np.floor(self.region.to_crop(seen) * self.mask_logits.shape[0]).astype(int)
        inside = ((cells >= 0) & (cells < self.mask_logits.shape[0])).all(axis=1)
        hit = self.mask_logits[tuple(np.clip(cells, 0, self.mask_logits.shape[0] - 1)[:, ::-1].T)] > 0
        return decided * float((inside & hit).mean())

    def sureness(self) -> float:
        """0..1: how sure the model is of this body: the mean visibility of its joints times its solidity."""
        return float(self.visibility[_BODY].mean()) * self.solidity()

    def mask(self, picture_size: tuple[int, int]) -> np.ndarray:
        """(h, w) float32 0..1 of a picture of this (width, height): the person's silhouette."""
        return paste(_sigmoid(self.mask_logits), self.region, picture_size)


def look(picture: np.ndarray, region: Region, threads: int) -> Landmarks | None:
    """(h, w, 3) uint8 and the Region of a body -> Landmarks, or None if the model sees nobody in it.

    Outside the picture, its edge pixels are repeated, as in MediaPipe (whose detector gets black). With black, the
    model takes the edge for the end of the body, and is sure of hips that are outside the picture.
    """
    crop = cut(picture, region, SIZE, border=cv2.BORDER_REPLICATE).astype(np.float32) / 255.0
    points, presence, logits, heat, world = answers(
        "pose_landmark_full", threads, ["Identity", "Identity_1", "Identity_2", "Identity_3", "Identity_4"], crop[None])
    if presence.item() < _MIN_PRESENCE:
        return None
    points = points.reshape(-1, 5)
    pixels = region.to_picture(_refined(points[:, :2] / SIZE, _sigmoid(heat[0])))
    world = world.reshape(-1, 3)[:len(NAMES)].astype(np.float64)
    world[:, :2] = region.rotate(world[:, :2])
    return Landmarks(
        pixels=_rounded(pixels[:len(NAMES)]), world=_rounded(world),
        visibility=_rounded(_sigmoid(points[:len(NAMES), 3])),
        region=_rounded_region(region), next_region=_rounded_region(body_region(pixels[_HIPS], pixels[_REACH])),
        mask_logits=np.clip(np.rint(logits[0, :, :, 0] / LOGIT_STEP), -127, 127).astype(np.float32)
        * np.float32(LOGIT_STEP))


def _rounded(values: np.ndarray | Sequence[float]) -> np.ndarray:
    """Rounded to the precision that appearance.py stores, so that an estimate that continues from there has the same
    result."""
    return np.asarray(values, np.float32).astype(np.float64)


def _rounded_region(region: Region) -> Region:
    x, y, side, up_x, up_y = _rounded((*region.centre, region.side, *region.up)).tolist()
    return Region((x, y), side, (up_x, up_y))


def _refined(points: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """(n, 2) points 0..1 -> the same, each moved to the centre of the heat around it (MediaPipe's refinement).

    heat (cells, cells, n) 0..1; a point without heat around it stays.
    """
    cells = heat.shape[0]
    refined = points.copy()
    for i, (column, row) in enumerate(np.floor(points * cells).astype(int)):
        if not (0 <= column < cells and 0 <= row < cells):
            continue
        top, left = max(0, row - _HEAT_RADIUS), max(0, column - _HEAT_RADIUS)
        patch = heat[top:row + _HEAT_RADIUS + 1, left:column + _HEAT_RADIUS + 1, i]
        if patch.max() >= _MIN_HEAT:
            y, x = np.indices(patch.shape)
            refined[i] = np.array([left + (x * patch).sum() / patch.sum(),
                                   top + (y * patch).sum() / patch.sum()]) / cells
    return refined


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -80.0, 80.0)))
