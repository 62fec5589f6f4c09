"""From where the character is in every frame to the crops that the networks see, and pixels to a crop and back.

Ours (the paper is silent on resolution): the crop follows a smoothed centre at a slowly changing scale, so that the
picture neither zooms nor shakes from frame to frame. A plan is a function of the whole shot, never of windows:
no jump at a seam.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

SHAPES = ((192, 352), (256, 256), (352, 192))   # width, height: of nearly equal area
MARGIN = 0.12            # of the character's box, on each side
LEAST_MARGIN = 0.04      # what the smoothing of the centre may leave of it
MOST_ZOOM = 0.03         # change of the scale from one frame to the next, in logarithm
SCALE_FRAMES = 12        # frames on each side over which the scale is evened out
CENTRE_FRAMES = 8        # frames on each side over which the centre is evened out
FINEST = 0.25            # job pixels to a crop pixel at least: a far figure is not enlarged further


@dataclass(frozen=True)
class Crop:
    """A rectangle of a picture: its centre in the picture's pixels, picture pixels to a crop pixel, (width, height)."""
    centre: tuple
    step: float
    shape: tuple

    @property
    def matrix(self) -> np.ndarray:
        """(2, 3) picture pixels -> crop pixels, both with the first pixel's centre at (0.5, 0.5)."""
        scale = 1.0 / self.step
        return np.array([[scale, 0.0, self.shape[0] / 2 - scale * self.centre[0]],
                         [0.0, scale, self.shape[1] / 2 - scale * self.centre[1]]])

    @property
    def box(self) -> tuple:
        """(left, top, right, bottom) in the picture's pixels; may go past its edges."""
        half = 0.5 * self.step * np.array(self.shape)
        return (*(np.array(self.centre) - half).tolist(), *(np.array(self.centre) + half).tolist())


@dataclass(frozen=True)
class CropPlan:
    """A crop for every frame of a shot, and whether the character is in it."""
    crops: tuple
    present: tuple

    @property
    def shape(self) -> tuple:
        return self.crops[0].shape

    @property
    def numbers(self) -> tuple:
        """The frames (1..N) that have the character; the others pass through."""
        return tuple(i + 1 for i, present in enumerate(self.present) if present)


def plan_crops(boxes, size: Sequence[int], shape: tuple[int, int] | Literal["auto"] = "auto") -> CropPlan:
    """The shot's crops.

    boxes: for every frame the character's (left, top, right, bottom) in job pixels, or None; size the job's (w, h);
    shape (w, h) or "auto", the one of SHAPES that shows the character largest with least beyond the frame. What of the
    character is out of frame is not followed.
    """
    boxes = [_visible(box, size) for box in boxes]
    present = tuple(box is not None for box in boxes)
    if not any(present):
        shape = SHAPES[1] if shape == "auto" else shape
        step = max(size[0] / shape[0], size[1] / shape[1])
        return CropPlan((Crop((size[0] / 2, size[1] / 2), step, tuple(shape)),) * len(boxes), present)
    boxes = _filled(boxes)
    if shape == "auto":
        shape = min(SHAPES, key=lambda s: _cost(boxes, s, size))
    steps = _even_steps(np.maximum(_needed(boxes, shape, MARGIN), FINEST))
    centres = _even_centres(boxes, steps, shape, size)
    return CropPlan(tuple(Crop((float(x), float(y)), float(s), tuple(shape))
                          for (x, y), s in zip(centres, steps, strict=True)), present)


def reference_crop(size: Sequence[int], box, shape) -> Crop:
    """The reference fitted into a shape: the character's box with its margin,
    or the whole picture where box is None."""
    if box is None:
        return Crop((size[0] / 2, size[1] / 2), max(size[0] / shape[0], size[1] / shape[1]), tuple(shape))
    box = np.array([box], float)
    centre = 0.5 * (box[0, :2] + box[0, 2:])
    return Crop((float(centre[0]), float(centre[1])), float(_needed(box, shape, MARGIN)[0]), tuple(shape))


def take(picture: np.ndarray, crop: Crop, interpolation=cv2.INTER_LINEAR) -> np.ndarray:
    """Picture (H, W[, c]) float32, uint8 or uint16 -> (h, w[, c]) in the crop, of its own type.

    Past the picture's edge its edge goes on. Shrinking averages first, so that nothing aliases; INTER_NEAREST takes
    single pixels (for depths).
    """
    shrink = max(round(crop.step), 1)
    matrix = crop.matrix
    if interpolation == cv2.INTER_NEAREST or shrink == 1:
        return _warp(picture, matrix, crop.shape, interpolation)
    low, high = _whole_box(crop, picture.shape, shrink)
    part = cv2.copyMakeBorder(picture[max(low[1], 0):high[1], max(low[0], 0):high[0]],
                              max(-low[1], 0), max(high[1] - picture.shape[0], 0),
                              max(-low[0], 0), max(high[0] - picture.shape[1], 0), cv2.BORDER_REPLICATE)
    small = cv2.resize(part, (part.shape[1] // shrink, part.shape[0] // shrink), interpolation=cv2.INTER_AREA)
    to_crop = matrix.copy()
    to_crop[:, :2] *= shrink
    to_crop[:, 2] += matrix[:, :2] @ low
    return _warp(small, to_crop, crop.shape, interpolation)


def put_back(picture: np.ndarray, crop: Crop, size: Sequence[int]) -> np.ndarray:
    """(h, w[, c]) float32 in the crop -> (H, W[, c]) of the job's size (w, h), clipped to 0..1; 0 outside the crop.

    Enlarging is Lanczos, shrinking averages first.
    """
    shrink = max(round(1 / crop.step), 1)
    result = np.zeros((size[1], size[0], *picture.shape[2:]), np.float32)
    low = np.clip(np.ceil(np.array(crop.box[:2]) - 0.5).astype(int), 0, size)
    high = np.clip(np.ceil(np.array(crop.box[2:]) - 0.5).astype(int), 0, size)
    if (low >= high).any():
        return result
    inverse = cv2.invertAffineTransform(crop.matrix)
    inverse[:, 2] -= low
    if shrink > 1:
        height, width = picture.shape[:2]
        padded = cv2.copyMakeBorder(picture, 0, -height % shrink, 0, -width % shrink, cv2.BORDER_REPLICATE)
        picture = cv2.resize(padded, (padded.shape[1] // shrink, padded.shape[0] // shrink),
                             interpolation=cv2.INTER_AREA)
        inverse[:, :2] *= shrink
    part = _warp(picture, inverse, high - low, cv2.INTER_LINEAR if crop.step < 1 else cv2.INTER_LANCZOS4)
    np.clip(part, 0.0, 1.0, out=result[low[1]:high[1], low[0]:high[0]])
    return result


def laid(picture: np.ndarray, crop: Crop, size: Sequence[int]) -> np.ndarray:
    """(h, w, c) uint8 in the crop -> (H, W, c) uint8 of a picture of the size (w, h), 0 outside the crop: quick,
    to look at."""
    matrix = crop.matrix
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return cv2.warpAffine(picture, matrix, tuple(size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_CONSTANT)


def joints_to_crop(joints: np.ndarray, crop: Crop) -> np.ndarray:
    """(n, 4) joints in the picture's pixels -> the crop's; depth and confidence stay."""
    joints = np.array(joints, np.float64)
    joints[:, :2] = joints[:, :2] @ crop.matrix[:, :2].T + crop.matrix[:, 2]
    return joints


def joints_from_crop(joints: np.ndarray, crop: Crop) -> np.ndarray:
    """(n, 4) joints in the crop's pixels -> the picture's."""
    joints = np.array(joints, np.float64)
    joints[:, :2] = (joints[:, :2] - crop.matrix[:, 2]) * crop.step
    return joints


def _visible(box, size: Sequence[int]):
    """The part of a box inside the frame as an array (4,); None where that is less than a pixel."""
    if box is None or not np.isfinite(box).all():
        return None
    cut = np.concatenate([np.clip(box[:2], 0, size), np.clip(box[2:], 0, size)])
    return cut if (cut[2:] - cut[:2] >= 1.0).all() else None


def _filled(boxes) -> np.ndarray:
    """(frames, 4): frames without the character lie between their neighbours;
    before and after the nearest one holds."""
    known = np.flatnonzero([box is not None for box in boxes])
    rows = np.array([boxes[i] for i in known])
    return np.stack([np.interp(np.arange(len(boxes)), known, column) for column in rows.T], axis=1)


def _needed(boxes, shape, margin) -> np.ndarray:
    """(frames,) picture pixels to a crop pixel that show each box with its margin."""
    return ((boxes[:, 2:] - boxes[:, :2]) * (1 + 2 * margin) / np.array(shape)).max(axis=1)


def _cost(boxes, shape, size: Sequence[int]) -> float:
    """How coarse a shape shows the shot, and how much of it would lie outside the frame, as mean logarithms (ours)."""
    steps = _needed(boxes, shape, MARGIN)
    beyond = np.maximum(np.log(steps[:, None] * np.array(shape) / np.array(size)), 0.0).sum(axis=1)
    return float((np.log(steps) + beyond).mean())


def _even_steps(steps) -> np.ndarray:
    """A slow curve that is nowhere below steps (the character stays inside): the running maximum, evened out.

    The maximum reaches as far as the smoothing, whose mean is then of values none of which is too small. Both keep a
    walk towards the camera monotone.
    """
    wanted = np.log(steps)
    frames = np.arange(len(wanted))
    bounded = np.array([(wanted - MOST_ZOOM * np.abs(frames - t)).max() for t in frames])
    padded = np.pad(bounded, SCALE_FRAMES, mode="edge")
    widest = np.lib.stride_tricks.sliding_window_view(padded, 2 * SCALE_FRAMES + 1).max(axis=1)
    return np.exp(_smooth(widest, SCALE_FRAMES, "edge"))


def _even_centres(boxes, steps, shape, size: Sequence[int]) -> np.ndarray:
    """(frames, 2): the boxes' centres evened out, kept where the character is inside and, if possible, the crop too."""
    half = 0.5 * steps[:, None] * np.array(shape)
    spare = LEAST_MARGIN * (boxes[:, 2:] - boxes[:, :2])
    low, high = boxes[:, 2:] + spare - half, boxes[:, :2] - spare + half
    frame = np.array(size, float)
    fits = 2 * half <= frame
    low = np.where(fits, np.clip(low, half, frame - half), np.minimum(low, frame / 2))
    high = np.where(fits, np.clip(high, half, frame - half), np.maximum(high, frame / 2))
    centres = np.where(fits, 0.5 * (boxes[:, :2] + boxes[:, 2:]), frame / 2)
    for _ in range(4):
        centres = np.stack([_smooth(column, CENTRE_FRAMES, "reflect") for column in centres.T], axis=1)
        centres = np.clip(centres, np.minimum(low, high), np.maximum(low, high))
    return centres


def _smooth(values: np.ndarray, reach: int, ends: Literal["edge", "reflect"]) -> np.ndarray:
    """Zero-phase Hann mean over `reach` frames on each side.

    Beyond the shot's ends values hold ("edge") or go on turned about the end point ("reflect": a steady walk keeps its
    pace).
    """
    reach = min(reach, len(values) - 1)
    if reach < 1:
        return values
    kernel = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(values, reach, mode="edge") if ends == "edge" else np.pad(values, reach, "reflect",
                                                                             reflect_type="odd")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def _whole_box(crop, shape, shrink):
    """The crop's box with a border, in whole pixels, of a size that `shrink` divides; it holds some of the picture."""
    box = np.array(crop.box)
    low = np.floor(box[:2]).astype(int) - 2 * shrink
    high = np.ceil(box[2:]).astype(int) + 2 * shrink
    edge = np.array([shape[1], shape[0]])
    low, high = np.minimum(low, edge - 1), np.maximum(high, 1)
    return low, low + -(-(high - low) // shrink) * shrink


def _warp(picture: np.ndarray, matrix, size: Sequence[int] | np.ndarray, interpolation) -> np.ndarray:
    """cv2's warp with a matrix whose pixel centres lie at halves; past the picture's edge its edge goes on."""
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    size = tuple(int(side) for side in size)
    return cv2.warpAffine(picture, shifted, size, flags=interpolation, borderMode=cv2.BORDER_REPLICATE)
