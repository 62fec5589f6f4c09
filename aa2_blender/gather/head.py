"""The rest pose of a mapped armature -> the face's points in the head bone's own space, and the standing height."""

from dataclasses import dataclass

import bpy
import numpy as np

from ..embedded.engine.contract.skeleton import HEAD_HEIGHT, HEAD_POINTS
from .presets import BoneEnds
from .problem import GatherError

# A head bone this much shorter or longer than the canon's head is a helper's length, not the skull's (ours).
_BELIEVABLE = (0.6, 1.6)
# The sole lies this part of the height below the ankle where a rig has no toes (ours, from common canons).
_ANKLE_HEIGHT = 0.04
# Toes that point this clearly backwards mean that left and right are swapped (ours).
_BACKWARDS = -0.3


@dataclass(frozen=True)
class Head:
    """`centre` (3,) and `points` (5, 3), in HEAD_POINTS' order, in the head bone's space; `height` of the whole
    person at rest; all in the armature's units."""

    centre: np.ndarray
    points: np.ndarray
    height: float


def measure(rig: bpy.types.Object, joints: BoneEnds) -> Head:
    """The Head of an armature object whose map is `joints` (rig.BoneMap.joints)."""
    at = {joint: at_rest(rig, bone, end) for joint, (bone, end) in joints.items()}
    bone = rig.data.bones[joints["head"][0]]
    length = float(np.linalg.norm(np.subtract(bone.tail_local, bone.head_local)))
    height, size = _heights(at, length)
    up, left, forward = _axes(at, rig, bone)
    centre = at["head"] + 0.5 * size * up
    frame = size * np.stack([left, up, forward])                    # rows: HEAD_POINTS' axes in armature space
    points = centre + np.array(list(HEAD_POINTS.values())) @ frame
    into_bone = np.linalg.inv(np.array(bone.matrix_local))
    carried = np.concatenate([centre[None], points]) @ into_bone[:3, :3].T + into_bone[:3, 3]
    return Head(carried[0], carried[1:], height)


def _heights(at: dict[str, np.ndarray], length: float) -> tuple[float, float]:
    """(standing height, head's height) from the rest pose's extent along the spine, skull's base to soles."""
    hips = (at["left_hip"] + at["right_hip"]) / 2
    spine = _unit(at["neck"] - hips)
    feet = [at[name] @ spine for name in ("left_toe", "right_toe", "left_ankle", "right_ankle") if name in at]
    toes = "left_toe" in at or "right_toe" in at
    body = at["head"] @ spine - min(feet)
    canon = body / (1 - HEAD_HEIGHT - (0 if toes else _ANKLE_HEIGHT))
    low, high = (HEAD_HEIGHT * canon * k for k in _BELIEVABLE)
    size = length if low <= length <= high else HEAD_HEIGHT * canon
    return float(canon - HEAD_HEIGHT * canon + size), float(size)


def _axes(at: dict[str, np.ndarray], rig: bpy.types.Object,
          bone: bpy.types.Bone) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The head's (up, left, forward) at rest. Forward = left x up, whatever way the character faces;
    toes confirm it."""
    up = _unit(np.subtract(bone.tail_local, bone.head_local))
    spine = _unit(at["neck"] - (at["left_hip"] + at["right_hip"]) / 2)
    if up @ spine < 0.5:                                            # a head bone that points elsewhere (ours)
        up = spine
    left = at["left_shoulder"] - at["right_shoulder"] + at["left_hip"] - at["right_hip"]
    left = _unit(left - (left @ up) * up)
    forward = np.cross(left, up)
    toes = [_unit(at[f"{side}_toe"] - at[f"{side}_ankle"]) @ forward for side in ("left", "right")
            if f"{side}_toe" in at]
    if toes and max(toes) < _BACKWARDS:
        raise GatherError(f"Rig {rig.name!r}: the toes point backwards, so the map's left and right are swapped.",
                          "Exchange left and right in the bone map.")
    return up, left, forward


def at_rest(rig: bpy.types.Object, bone: str, end: str) -> np.ndarray:
    """(3,) where the head or tail of a bone lies at rest, in the armature's space."""
    resting = rig.data.bones[bone]
    return np.array(resting.head_local if end == "head" else resting.tail_local, dtype=float)


def _unit(vector: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vector)
    if length < 1e-9:
        raise GatherError("Two joints of the rest pose that should be apart lie on one place.", "Correct the bone map.")
    return vector / length
