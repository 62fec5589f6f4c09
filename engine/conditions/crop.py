"""The character's box in every frame -> the crops that the networks see; and pixels into a crop and back.

Ours (the paper says nothing about resolution): the crop follows a smoothed centre at a slowly changing scale, so that
the picture neither zooms nor shakes from frame to frame. A plan is made from the whole shot, never from windows, so
that there is no jump at a seam.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from ..contract import jobs
from ..contract.errors import JobError

# The embedded engine's, width and height; their areas are nearly equal.
SHAPES = ((192, 352), (256, 256), (352, 192))
MARGIN = 0.12            # of the character's box, on each side
LEAST_MARGIN = 0.04      # how much of it must stay after the centre is smoothed
MOST_ZOOM = 0.03         # change of the scale from one frame to the next, in logarithm
SCALE_FRAMES = 12        # frames on each side over which the scale is smoothed
CENTRE_FRAMES = 8        # frames on each side over which the centre is smoothed
FINEST = 0.25            # job pixels in a crop pixel, at least: a distant figure is not enlarged further


@dataclass(frozen=True)
class Crop:
    """A rectangle of a picture: its centre in the picture's pixels, its step (picture pixels in a crop pixel) and its
    shape (width, height)."""
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
        """(left, top, right, bottom) in the picture's pixels; may go beyond the picture's edges."""
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
        """The frames (1..N) with the character; all others pass through unchanged."""
        return tuple(i + 1 for i, present in enumerate(self.present) if present)


def shape_of(name: jobs.Shape, shapes: Sequence[tuple[int, int]] | None) -> tuple[int, int] | Literal["auto"]:
    """The crop that a job names, which must be one of the engine's `shapes`, if they are known. Raises JobError."""
    if name == "auto":
        return name
    shape = jobs.sides(name)
    if shapes is not None and shape not in shapes:
        known = ", ".join(f"{width}x{height}" for width, height in shapes)
        raise JobError("settings_invalid", f"settings.shape: expected auto or one of {known}, got {name}.",
                       "Choose another crop, or another engine.")
    return shape


def plan_crops(boxes: Sequence[Sequence[float] | None], size: Sequence[int],
               shape: tuple[int, int] | Literal["auto"] = "auto",
               shapes: Sequence[tuple[int, int]] = SHAPES) -> CropPlan:
    """The shot's crops.

    boxes: for every frame the character's (left, top, right, bottom) in job pixels, or None; size the job's (w, h);
    shape (w, h) or "auto", the one of `shapes` that shows the character largest with the least area outside the frame.
    Parts of the character outside the frame are not followed.
    """
    visible = [_visible(box, size) for box in boxes]
    present = tuple(box is not None for box in visible)
    if not any(present):
        shape = shapes[len(shapes) // 2] if shape == "auto" else shape
        step = max(size[0] / shape[0], size[1] / shape[1])
        return CropPlan((Crop((size[0] / 2, size[1] / 2), step, tuple(shape)),) * len(boxes), present)
    filled = _filled(visible)
    if shape == "auto":
        shape = min(shapes, key=lambda s: _cost(filled, s, size))
    steps = _even_steps(np.maximum(_needed(filled, shape, MARGIN), FINEST))
    centres = _even_centres(filled, steps, shape, size)
    return CropPlan(tuple(Crop((float(x), float(y)), float(s), tuple(shape))
                          for (x, y), s in zip(centres, steps, strict=True)), present)


def reference_crop(size: Sequence[int], box: Sequence[float] | np.ndarray | None, shape: tuple[int, int]) -> Crop:
    """The Crop that fits the reference into a shape: the character's box with its margin, or the whole picture if box
    is None."""
    if box is None:
        return Crop((size[0] / 2, size[1] / 2), max(size[0] / shape[0], size[1] / shape[1]), tuple(shape))
    box = np.array([box], float)
    centre = 0.5 * (box[0, :2] + box[0, 2:])
    return Crop((float(centre[0]), float(centre[1])), float(_needed(box, shape, MARGIN)[0]), tuple(shape))


def take(picture: np.ndarray, crop: Crop, interpolation: int = cv2.INTER_LINEAR) -> np.ndarray:
    """Picture (H, W[, c]) float32, uint8 or uint16 -> (h, w[, c]) in the crop, of the same type.

    Beyond the picture's edge, the edge pixels are repeated. Shrinking averages first, to avoid aliasing; INTER_NEAREST
    takes single pixels (for depths).
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

    Enlarging uses Lanczos; shrinking averages first.
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
    """(h, w, c) uint8 in the crop -> (H, W, c) uint8 in a picture of the size (w, h), 0 outside the crop. Quick, for
    looking at only."""
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


def _visible(box: Sequence[float] | None, size: Sequence[int]) -> np.ndarray | None:
    """The part of a box inside the frame as an array (4,); None if that is less than a pixel."""
    if box is None or not np.isfinite(box).all():
        return None
    cut = np.concatenate([np.clip(box[:2], 0, size), np.clip(box[2:], 0, size)])
    return cut if (cut[2:] - cut[:2] >= 1.0).all() else None


def _filled(boxes: Sequence[np.ndarray | None]) -> np.ndarray:
    """(frames, 4): frames without the character are interpolated between their neighbours; before the first and after
    the last known frame, the nearest one is repeated."""
    known = np.flatnonzero([box is not None for box in boxes])
    rows = np.array([boxes[i] for i in known])
    return np.stack([np.interp(np.arange(len(boxes)), known, column) for column in rows.T], axis=1)


def _needed(boxes: np.ndarray, shape: tuple[int, int], margin: float) -> np.ndarray:
    """(frames,) the step (picture pixels in a crop pixel) that shows each box with its margin."""
    return ((boxes[:, 2:] - boxes[:, :2]) * (1 + 2 * margin) / np.array(shape)).max(axis=1)


def _cost(boxes: np.ndarray, shape: tuple[int, int], size: Sequence[int]) -> float:
    """How coarsely a shape shows the shot, plus how much of the crop would lie outside the frame, as mean logarithms
    (ours)."""
    steps = _needed(boxes, shape, MARGIN)
    beyond = np.maximum(np.log(steps[:, None] * np.array(shape) / np.array(size)), 0.0).sum(axis=1)
    return float((np.log(steps) + beyond).mean())


def _even_steps(steps: np.ndarray) -> np.ndarray:
    """A slow curve that is never below steps, so that the character stays inside: the running maximum, smoothed.

    The maximum reaches as far as the smoothing, so no value that enters the smoothed mean is too small. In a walk
    towards the camera, both stay monotone.
    """
    wanted = np.log(steps)
    frames = np.arange(len(wanted))
    bounded = np.array([(wanted - MOST_ZOOM * np.abs(frames - t)).max() for t in frames])
    padded = np.pad(bounded, SCALE_FRAMES, mode="edge")
    widest = np.lib.stride_tricks.sliding_window_view(padded, 2 * SCALE_FRAMES + 1).max(axis=1)
    return np.exp(_smooth(widest, SCALE_FRAMES, "edge"))


def _even_centres(boxes: np.ndarray, steps: np.ndarray, shape: tuple[int, int], size: Sequence[int]) -> np.ndarray:
    """(frames, 2): the boxes' centres smoothed. The character stays inside the crop and, if possible, the crop inside
    the frame."""
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

    Beyond the shot's ends, the end value is repeated ("edge") or the curve is mirrored through the end point
    ("reflect": a steady walk keeps its pace).
    """
    reach = min(reach, len(values) - 1)
    if reach < 1:
        return values
    kernel = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(values, reach, mode="edge") if ends == "edge" else np.pad(values, reach, "reflect",
                                                                             reflect_type="odd")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def _whole_box(crop: Crop, shape: tuple[int, ...], shrink: int) -> tuple[np.ndarray, np.ndarray]:
    """The crop's box with a border, in whole pixels. `shrink` divides its size, and some of the picture is always
    inside."""
    box = np.array(crop.box)
    low = np.floor(box[:2]).astype(int) - 2 * shrink
    high = np.ceil(box[2:]).astype(int) + 2 * shrink
    edge = np.array([shape[1], shape[0]])
    low, high = np.minimum(low, edge - 1), np.maximum(high, 1)
    return low, low + -(-(high - low) // shrink) * shrink


def _warp(picture: np.ndarray, matrix: np.ndarray, size: Sequence[int] | np.ndarray, interpolation: int) -> np.ndarray:
    """cv2's warp with a matrix whose pixel centres lie at halves; beyond the picture's edge, the edge pixels are
    repeated."""
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    size = tuple(int(side) for side in size)
    return cv2.warpAffine(picture, shifted, size, flags=interpolation, borderMode=cv2.BORDER_REPLICATE)
