"""A still picture -> the joints, height and silhouette of its main person."""

from dataclasses import dataclass

import numpy as np

from ..contract.errors import JobError
from .everybody import box_of, everybody
from .lift import body_joints, pelvis_depth, pixels_per_metre, standing_height

# Greys under transparent pixels. Before the first, both dark and light hair stay visible, but the model is not always
# sure of a body before a plain backdrop. The one with the surest body counts (ours)
_BACKDROPS = (128, 255, 0)
_SURER = 0.02  # by how much another backdrop than the first must be surer
_MIN_SIDE = 32
_ROOM = 0.04  # of a box's height: the margin beyond the points, which lie inside the body; twice as much above the eyes


@dataclass(frozen=True)
class Person:
    """One person of a picture, in the picture's pixels.

    body (20, 4) float32: x, y, depth (metres in front of a supposed 50 mm lens), confidence, in the order of
    contract.skeleton.BODY; height_px: the pixels that the standing height spans at the pelvis; mask (h, w) float32
    0..1; others: how many more people were found, who are smaller. Hands are not searched for yet: None.
    """

    body: np.ndarray
    height_px: float
    mask: np.ndarray
    left_hand: np.ndarray | None = None
    right_hand: np.ndarray | None = None
    others: int = 0


def find_joints(picture: np.ndarray, threads: int = 0) -> Person | None:
    """(h, w, 3 or 4) uint8 sRGB, straight alpha -> the Person who is the picture's subject, or None.

    BlazePose: the detector, the landmarks, then the landmarks again in the square that follows from the first ones.
    What personhood.py does not take for a person is nobody. Of several people, everybody.py says who is meant.
    threads: of onnxruntime; 0 = one per core. In pictures with a side under 32 pixels, nobody can be found.
    """
    pictures = _on_backdrops(picture)
    height, width = picture.shape[:2]
    if min(height, width) < _MIN_SIDE:
        return None
    looks = [everybody(opaque, threads, main=True) for opaque in pictures]
    seen = [people for people in looks if people]
    if not seen:
        return None
    best = max(seen, key=lambda people: people[0].sureness())
    people = best if best[0].sureness() > seen[0][0].sureness() + _SURER else seen[0]
    found = people[0]
    size, scale = (width, height), pixels_per_metre(found)
    return Person(body=body_joints(found, pelvis_depth(scale, size), size), mask=found.mask(size),
                  height_px=scale * standing_height(found.world), others=len(people) - 1)


def find_boxes(picture: np.ndarray, threads: int = 0) -> list[tuple[float, float, float, float]]:
    """(h, w, 3) uint8 -> [(left, top, right, bottom)] of everybody in the picture, in its pixels and cut to it, the
    nearest first. A box surrounds the seen points, with room for the head above them."""
    height, width = picture.shape[:2]
    if min(height, width) < _MIN_SIDE:
        return []
    boxes = []
    for found in everybody(picture, threads):
        left, top, right, bottom = box_of(found)
        room = _ROOM * (bottom - top)
        boxes.append((float(max(left - room, 0)), float(max(top - 2 * room, 0)), float(min(right + room, width)),
                      float(min(bottom + room, height))))
    return boxes


def _on_backdrops(picture: np.ndarray) -> list[np.ndarray]:
    """(h, w, 3 or 4) uint8 -> (h, w, 3) uint8 before each backdrop; one picture if nothing is transparent."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4):
        raise JobError("reference_unreadable",
                       f"A picture of (height, width, 3 or 4) uint8 was expected, got {picture.shape} {picture.dtype}.")
    if picture.shape[2] == 3 or (picture[:, :, 3] == 255).all():
        return [np.ascontiguousarray(picture[:, :, :3])]
    alpha = picture[:, :, 3:].astype(np.float32) / 255.0
    return [np.round(picture[:, :, :3] * alpha + grey * (1.0 - alpha)).astype(np.uint8) for grey in _BACKDROPS]
