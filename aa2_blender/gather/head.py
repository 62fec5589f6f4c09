"""A mapped armature that stands as a person -> the face's points in the head bone's own space, and the standing height.

Ours. All of it follows from joints. It is measured at rest, or in poses if the rest pose is no person's, as in motion
capture whose bones all lie along one axis at rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..embedded.engine.contract.skeleton import HEAD_HEIGHT, HEAD_POINTS, TURNED_LIMBS
from .ends import at_rest, rest_places
from .presets import BoneEnds
from .problem import GatherError
from .rotations import nearest, unit

# A head this much smaller or larger than the canon's ends at no crown, but at a hat or a helper (ours).
_BELIEVABLE = (0.6, 1.6)
# Cosine to the spine from which a bone above the head is its crown, and a head bone's tail points up (ours).
_CROWN, _UPRIGHT = 0.9, 0.8
# Parts of the height (ours, from common canons and MakeHuman's body): from the neck to the crown, where rigs put
# the skull's joint anywhere between; from the ankle and from the ball of the foot down to the sole.
_NECK_TO_CROWN, _ANKLE, _BALL = 0.165, 0.045, 0.01
_FLAT = 0.5                                     # a foot that leaves the shin's line by less does not stand on its sole
# Toes that point this clearly backwards mean that left and right are swapped (ours).
_BACKWARDS = -0.3
# Cosines to the spine: at rest legs point away from the head by this much; a neck never bends further than that.
_LEGS, _NECK = -0.2, 0.3
_BROAD = 0.1                                    # hips and shoulders are broader than this part of the spine


@dataclass(frozen=True)
class Pose:
    """`at`: joint -> (3,) its place, and `head` (4, 4), the head bone's matrix, in the armature's space."""

    at: Mapping[str, np.ndarray]
    head: np.ndarray


@dataclass(frozen=True)
class Head:
    """`centre` (3,) and `points` (5, 3), in HEAD_POINTS' order, in the head bone's space; `height` of the whole
    person, and `limbs` (8,), the lengths of TURNED_LIMBS in that person; all in the armature's units."""

    centre: np.ndarray
    points: np.ndarray
    height: float
    limbs: np.ndarray


def rest_pose(rig: bpy.types.Object, joints: BoneEnds) -> Pose:
    """The Pose of an armature object at rest, whose map is `joints` (rig.BoneMap.joints)."""
    return Pose(rest_places(rig, joints), np.array(rig.data.bones[joints["head"][0]].matrix_local))


def is_person(pose: Pose) -> bool:
    """Whether a rest pose is a person's: the head goes on from the spine, the legs go the other way, and there are two
    sides."""
    spine = _spine(pose.at)
    legs = pose.at["left_ankle"] + pose.at["right_ankle"] - pose.at["left_hip"] - pose.at["right_hip"]
    return _has_torso(pose) and bool(unit(legs) @ unit(spine) < _LEGS)


def measure(rig: bpy.types.Object, joints: BoneEnds, poses: Sequence[Pose] = ()) -> Head:
    """The Head of an armature object whose map is `joints` (rig.BoneMap.joints).

    `poses` are looked at if the rest pose is no person's: over all of them, the head looks where the chest does.
    Raises GatherError if they are none either.
    """
    rest = rest_pose(rig, joints)
    standing = [rest] if is_person(rest) else [pose for pose in poses if _has_torso(pose)]
    if not standing:
        raise GatherError(f"Rig {rig.name!r} has a rest pose that is no person's, and no frame of the shot shows one.",
                          "Correct the bone map. If it is right, pose the rig upright, and use Pose > Apply > Apply "
                          "Pose as Rest Pose.")
    height, size = _heights(rig, joints, standing)
    axes = [_axes(rig, joints, pose, pose is rest) for pose in standing]
    _check_sides(rig, standing, axes)
    scales = [np.cbrt(abs(np.linalg.det(pose.head[:3, :3]))) for pose in standing]
    turned = [axis @ np.linalg.inv(pose.head[:3, :3]).T * scale
              for pose, axis, scale in zip(standing, axes, scales, strict=True)]
    frame = nearest(np.mean(turned, axis=0)) * size / np.median(scales)     # rows left, up and forward
    starts = [np.linalg.inv(pose.head) @ (*pose.at["head"], 1) for pose in standing]
    centre = np.mean(starts, axis=0)[:3] + 0.5 * frame[1]
    return Head(centre, centre + np.array(list(HEAD_POINTS.values())) @ frame, height,
                np.median([limb_lengths(pose.at) for pose in standing], axis=0))


def limb_lengths(at: Mapping[str, np.ndarray]) -> np.ndarray:
    """(..., 8) the lengths of TURNED_LIMBS; `at`: joint -> (..., 3)."""
    return np.stack([np.linalg.norm(at[end] - at[start], axis=-1) for start, end in TURNED_LIMBS.values()], axis=-1)


def _spine(at: Mapping[str, np.ndarray]) -> np.ndarray:
    return at["neck"] - (at["left_hip"] + at["right_hip"]) / 2


def _has_torso(pose: Pose) -> bool:
    """Whether the head goes on from a spine that has two sides."""
    spine, left = _spine(pose.at), _left(pose.at)
    up = unit(spine)
    broad = np.linalg.norm(left - (left @ up) * up) / 2
    return bool(broad > _BROAD * np.linalg.norm(spine) and unit(pose.at["head"] - pose.at["neck"]) @ up > _NECK)


def _left(at: Mapping[str, np.ndarray]) -> np.ndarray:
    return at["left_shoulder"] - at["right_shoulder"] + at["left_hip"] - at["right_hip"]


def _heights(rig: bpy.types.Object, joints: BoneEnds, standing: Sequence[Pose]) -> tuple[float, float]:
    """(standing height, head's height) from the lengths along the body's chain, neck to soles, as no tail tells."""
    def length(at: Mapping[str, np.ndarray]) -> float:
        legs = limb_lengths(at)[[list(TURNED_LIMBS).index(f"{side}_{limb}") for side in ("left", "right")
                                 for limb in ("thigh", "shin")]]
        return float(np.linalg.norm(_spine(at)) + legs.sum() / 2)
    body = float(np.median([length(pose.at) for pose in standing]))
    ball = _ball(rig, joints)
    body, sole = (body, _ANKLE) if ball is None else (body + ball, _BALL)
    canon = body / (1 - _NECK_TO_CROWN - sole)
    crown, at = _crown(rig, joints, standing[0]), standing[0].at
    size = float(np.linalg.norm(crown)) if crown is not None else 0.0
    if not _BELIEVABLE[0] <= size / (HEAD_HEIGHT * canon) <= _BELIEVABLE[1]:
        return canon, HEAD_HEIGHT * canon
    return float(body + np.linalg.norm(at["head"] - at["neck"]) + size) / (1 - sole), size


def _ball(rig: bpy.types.Object, joints: BoneEnds) -> float | None:
    """How far the ball of the foot is below the ankle at rest, by the heads of the toes' bones; None where no foot
    stands on its sole."""
    found = []
    for side in ("left", "right"):
        if f"{side}_toe" in joints:
            ankle, knee = (at_rest(rig, *joints[f"{side}_{joint}"]) for joint in ("ankle", "knee"))
            step, down = at_rest(rig, joints[f"{side}_toe"][0], "head") - ankle, unit(ankle - knee)
            drop = float(step @ down)
            if drop > 0 and np.linalg.norm(step - drop * down) > _FLAT * np.linalg.norm(step):
                found.append(drop)
    return max(found, default=None)


def _crown(rig: bpy.types.Object, joints: BoneEnds, pose: Pose) -> np.ndarray | None:
    """(3,) from the head's joint to the bone that begins at its crown, at rest; None where there is none."""
    bone = rig.data.bones[joints["head"][0]]
    up = unit(_spine(pose.at) @ np.linalg.inv(pose.head[:3, :3]).T @ np.array(bone.matrix_local)[:3, :3].T)
    ways = [np.subtract(child.head_local, bone.head_local) for child in bone.children]
    crowns = [way for way in ways if unit(way) @ up > _CROWN]
    return max(crowns, key=lambda way: float(way @ up), default=None)


def _axes(rig: bpy.types.Object, joints: BoneEnds, pose: Pose, resting: bool) -> np.ndarray:
    """(3, 3): rows left, up and forward of the head in a pose. Forward = left x up, whatever way the character
    faces. At rest, the head's own bone may say what is up."""
    up = spine = unit(_spine(pose.at))
    if resting:
        bone, crown = rig.data.bones[joints["head"][0]], _crown(rig, joints, pose)
        tail = np.subtract(bone.tail_local, bone.head_local)
        up = next((unit(way) for way in (crown, tail) if way is not None and unit(way) @ spine > _UPRIGHT), spine)
    left = _left(pose.at)
    left = unit(left - (left @ up) * up)
    return np.stack([left, up, np.cross(left, up)])


def _check_sides(rig: bpy.types.Object, standing: Sequence[Pose], axes: Sequence[np.ndarray]) -> None:
    """Raises GatherError if the toes point backwards in all poses."""
    toes = [unit(pose.at[f"{side}_toe"] - pose.at[f"{side}_ankle"]) @ axis[2] for side in ("left", "right")
            for pose, axis in zip(standing, axes, strict=True) if f"{side}_toe" in pose.at]
    if toes and max(toes) < _BACKWARDS:
        raise GatherError(f"Rig {rig.name!r}: the toes point backwards, so the map's left and right are swapped.",
                          "Exchange left and right in the bone map.")
