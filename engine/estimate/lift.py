"""BlazePose's points of one body -> joints with depth in metres, their confidence, and the standing height."""

from dataclasses import dataclass

import numpy as np

from ..contract.jobs import SUPPOSED_LENS
from ..contract.skeleton import HEAD_POINT_SEEN
from .bones import confidence_of, joints_of
from .landmarks import INDEX, Landmarks

# a joint with less visibility is left out, because the model invents hips for people who are cut off at the waist
SURE_IN_A_STILL = 0.5
_FACE = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")
# Ankle to shoulder joint, as a part of the standing height (Drillis and Contini's body segments).
_ANKLE_TO_SHOULDER = 0.818 - 0.039


@dataclass(frozen=True)
class Points:
    """One body: pixels (33, 2), world (33, 3) metres from the hips' middle, visibility (33,) 0..1; as in Landmarks."""

    pixels: np.ndarray
    world: np.ndarray
    visibility: np.ndarray


def pixels_per_metre(found: Points | Landmarks) -> float:
    """Pixels per metre at the pelvis: the least-squares fit of the metric points to the pixels, weighted by
    visibility."""
    weights = found.visibility[:, None]
    flat = found.world[:, :2] - np.average(found.world[:, :2], axis=0, weights=weights[:, 0])
    pixels = found.pixels - np.average(found.pixels, axis=0, weights=weights[:, 0])
    return float((weights * flat * pixels).sum() / (weights * flat * flat).sum())


def standing_height(world: np.ndarray) -> float:
    """Metres: the longer leg plus the torso, scaled to the whole body by a person's proportions. It works for seated
    people and from the waist up."""
    def length(start: str, end: str) -> float:
        return float(np.linalg.norm(world[INDEX[start]] - world[INDEX[end]]))

    def middle(name: str) -> np.ndarray:
        return (world[INDEX[f"left_{name}"]] + world[INDEX[f"right_{name}"]]) / 2

    leg = max(length(f"{side}_hip", f"{side}_knee") + length(f"{side}_knee", f"{side}_ankle")
              for side in ("left", "right"))
    torso = float(np.linalg.norm(middle("shoulder") - middle("hip")))
    return (leg + torso) / _ANKLE_TO_SHOULDER


def pelvis_depth(scale: float, picture_size: tuple[int, int]) -> float:
    """The depth in metres, seen with the supposed lens, at which a metre spans `scale` pixels."""
    return SUPPOSED_LENS * max(picture_size) / scale


def body_joints(found: Points | Landmarks, depth: float, picture_size: tuple[int, int], *, as_bones: bool = True,
                least: float = SURE_IN_A_STILL) -> np.ndarray:
    """(20, 4) float32: x, y, depth, confidence by contract.skeleton.BODY; `depth` of the pelvis in metres. as_bones:
    the joints of a rig's bones (bones.py), else the landmarks' places. least: the visibility that a joint must have."""
    places = joints_of(np.column_stack([found.pixels, depth + found.world[:, 2]]), as_bones)
    sure = confidence_of(_turned_here(found, least))
    inside = ((places[:, :2] >= 0) & (places[:, :2] <= picture_size)).all(axis=1)
    return np.column_stack([places, np.where(inside, sure, 0.0)]).astype(np.float32)


def _turned_here(found: Points | Landmarks, least: float) -> np.ndarray:
    """(33,): the visibility; 0 if it is low, or on the side of the head that is turned away."""
    confidence = np.where(found.visibility >= least, found.visibility, 0.0)
    ears = found.world[[INDEX["left_ear"], INDEX["right_ear"]]]
    for name in _FACE:
        outwards = found.world[INDEX[name]] - ears.mean(axis=0)
        towards_camera = -outwards[2] / max(float(np.linalg.norm(outwards)), 1e-6)
        if towards_camera < HEAD_POINT_SEEN:
            confidence[INDEX[name]] = 0.0
    return confidence
