"""A still picture in; the joints, height and silhouette of its main person out."""

from dataclasses import dataclass

import numpy as np

from ..contract.errors import JobError
from ..contract.skeleton import BODY, HEAD_POINT_SEEN
from .detector import find_body
from .landmarks import INDEX, look

_BACKDROP = 128  # grey under transparent pixels: no colour cast, and neither dark nor light hair is lost in it
_MIN_SIDE = 32
_MIN_VISIBILITY = 0.5
_FACE = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")
_FOCAL_LENGTH = 50 / 36  # of the longer side: a 50 mm lens, since a picture says nothing about its own (ours)
# From the ankle to the shoulder's joint, as a part of the standing height (Drillis and Contini's body segments).
_ANKLE_TO_SHOULDER = 0.818 - 0.039


@dataclass(frozen=True)
class Person:
    """One person of a picture, in the picture's pixels.

    body (20, 4) float32: x, y, depth (metres in front of a supposed 50 mm lens), confidence, in the order of
    contract.skeleton.BODY; height_px: the pixels that the standing height spans at the pelvis; mask (h, w) float32 0..1.
    Hands are not looked for yet: None.
    """

    body: np.ndarray
    height_px: float
    mask: np.ndarray
    left_hand: np.ndarray | None = None
    right_hand: np.ndarray | None = None


def find_joints(picture, threads=0):
    """(h, w, 3 or 4) uint8 sRGB, straight alpha -> the Person who is the picture's subject, or None.

    BlazePose: detector, landmarks, then landmarks again from the square that the first ones ask for. threads: of
    onnxruntime, 0 = one a core. Pictures with a side under 32 pixels hold nobody who can be found.
    """
    picture = _opaque(picture)
    height, width = picture.shape[:2]
    if min(height, width) < _MIN_SIDE:
        return None
    found = _look_twice(picture, threads)
    if found is None:
        return None
    pixels_per_metre = _scale(found)
    height_px = pixels_per_metre * _standing_height(found.world)
    pelvis_depth = _FOCAL_LENGTH * max(height, width) / pixels_per_metre
    return Person(body=_body(found, pelvis_depth, (width, height)), height_px=height_px, mask=found.mask((width, height)))


def _look_twice(picture, threads):
    """The Landmarks of the main person, from the square that a first look asked for, or None."""
    region = find_body(picture, threads)
    first = None if region is None else look(picture, region, threads)
    if first is None:
        return None
    return look(picture, first.next_region, threads) or first


def _opaque(picture):
    """(h, w, 3 or 4) uint8 -> (h, w, 3) uint8, transparency filled with grey."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4):
        raise JobError("reference_unreadable",
                       f"A picture of (height, width, 3 or 4) uint8 was expected, got {picture.shape} {picture.dtype}.")
    if picture.shape[2] == 3:
        return np.ascontiguousarray(picture)
    alpha = picture[:, :, 3:].astype(np.float32) / 255.0
    return np.round(picture[:, :, :3] * alpha + _BACKDROP * (1.0 - alpha)).astype(np.uint8)


def _scale(found):
    """Pixels a metre at the pelvis: the least-squares fit of the metric points onto the pixels of those that are seen."""
    weights = found.visibility[:, None]
    flat = found.world[:, :2] - np.average(found.world[:, :2], axis=0, weights=weights[:, 0])
    pixels = found.pixels - np.average(found.pixels, axis=0, weights=weights[:, 0])
    return float((weights * flat * pixels).sum() / (weights * flat * flat).sum())


def _standing_height(world):
    """Metres: the longer leg and the torso, completed by a person's proportions; works seated and waist-up."""
    def length(start, end):
        return float(np.linalg.norm(world[INDEX[start]] - world[INDEX[end]]))

    def middle(name):
        return (world[INDEX[f"left_{name}"]] + world[INDEX[f"right_{name}"]]) / 2

    leg = max(length(f"{side}_hip", f"{side}_knee") + length(f"{side}_knee", f"{side}_ankle") for side in ("left", "right"))
    torso = float(np.linalg.norm(middle("shoulder") - middle("hip")))
    return (leg + torso) / _ANKLE_TO_SHOULDER


def _body(found, pelvis_depth, picture_size):
    """Landmarks -> (20, 4) float32: x, y, depth, confidence by contract.skeleton.BODY."""
    points = np.column_stack([found.pixels, pelvis_depth + found.world[:, 2], _confidence(found, picture_size)])
    named = {name: points[i] for name, i in INDEX.items()}
    named["left_toe"], named["right_toe"] = named["left_foot_index"], named["right_foot_index"]
    shoulders = np.stack([named["left_shoulder"], named["right_shoulder"]])
    named["neck"] = np.append(shoulders[:, :3].mean(axis=0), shoulders[:, 3].min())
    return np.stack([named[name] for name in BODY]).astype(np.float32)


def _confidence(found, picture_size):
    """(33,): the visibility; 0 where it is low, outside the picture, or on the side of the head turned away."""
    confidence = np.where(found.visibility >= _MIN_VISIBILITY, found.visibility, 0.0)
    inside = ((found.pixels >= 0) & (found.pixels <= picture_size)).all(axis=1)
    confidence = np.where(inside, confidence, 0.0)
    ears = found.world[[INDEX["left_ear"], INDEX["right_ear"]]]
    for name in _FACE:
        outwards = found.world[INDEX[name]] - ears.mean(axis=0)
        towards_camera = -outwards[2] / max(float(np.linalg.norm(outwards)), 1e-6)
        if towards_camera < HEAD_POINT_SEEN:
            confidence[INDEX[name]] = 0.0
    return confidence
