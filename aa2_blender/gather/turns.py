"""How an armature's limbs are turned relative to their rest pose, in the camera's axes: joints tell no twist.

Ours. Only the movement of a bone from rest to pose counts. Its roll, its axes and where its tail lies do not.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from ..embedded.engine.contract.skeleton import BODY_INDEX, TURNED_LIMBS
from .ends import rest_places
from .presets import BoneEnds
from .rotations import arc, nearest, quaternions, unit

# Set on an armature that was made from joints alone: nobody saw how its bones are twisted.
UNTWISTED = "aa2_from_joints"
# Cosines to how a person stands: legs to straight down; arms to halfway between hanging and T pose, so that both and
# forearms bent forwards belong to it (ours).
_LEGS, _ARMS = 0.8, 0.5
_SIDED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_CAMERA = np.diag([1.0, -1.0, -1.0])                                # Blender's camera -> x right, y down, z away
_OTHER_SIDE = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Turns:
    """Of a rig that stands as a person at rest: its `limbs`, of TURNED_LIMBS; `bones`, the one that tells each limb's
    turn; `ways` (L, 3), the limbs' directions at rest, and `undone` (L, 3, 3), the bones' inverse rest matrices, in the
    armature's axes; `person` (3, 3), those axes -> left, down and back of the person at rest."""

    limbs: tuple
    bones: tuple
    ways: np.ndarray
    undone: np.ndarray
    person: np.ndarray


def turns_of(rig: bpy.types.Object, joints: BoneEnds) -> Turns | None:
    """The Turns of an armature object whose map is `joints` (rig.BoneMap.joints); None where its rest pose is no
    person's or its twists mean nothing."""
    at = rest_places(rig, joints)
    person = _axes(at)
    if rig.get(UNTWISTED) or not _stands(at, person):
        return None
    bones = {limb: bone for limb in TURNED_LIMBS if (bone := _teller(rig, joints, limb))}
    if not bones:
        return None
    rests = np.array([[row[:] for row in rig.data.bones[bone].matrix_local] for bone in bones.values()])
    return Turns(limbs=tuple(bones), bones=tuple(bones.values()), ways=np.array([_way(at, limb) for limb in bones]),
                 undone=np.linalg.inv(rests[:, :3, :3]), person=person)


def turns_on_frames(turns: Turns, matrices: np.ndarray, points: np.ndarray, worlds: np.ndarray,
                    cameras: np.ndarray) -> dict[str, np.ndarray]:
    """{limb: (F, 4) quaternions w, x, y, z} from a person at rest who faces the camera to the pose,
    x right, y down, z away.

    `matrices` (F, L, 4, 4) of the posed bones and `points` (F, K, 3), the body's joints first, in the armature's space;
    `worlds` (F, 4, 4) the armature's, `cameras` the camera's. A limb whose bone is flat or mirrored by its own scale is
    left out. A rig that is mirrored as a whole shows a person's mirror image: its left limbs turn as a right one does.
    """
    seen = _CAMERA @ np.linalg.inv(cameras[:, :3, :3]) @ worlds[:, :3, :3]
    other = np.where(np.linalg.det(seen)[:, None, None] < 0, _OTHER_SIDE, np.eye(3))
    out = {}
    for k, limb in enumerate(turns.limbs):
        moved = matrices[:, k, :3, :3] @ turns.undone[k]
        if not (np.linalg.det(moved) > 1e-9).all():
            continue
        turn = nearest(seen @ moved @ turns.person.T @ other)
        start, end = (points[:, BODY_INDEX[joint]] for joint in TURNED_LIMBS[limb])
        points_to = unit(np.einsum("fij,fj->fi", seen, end - start))
        carried = np.einsum("fij,fjk,k->fi", turn, other, turns.person @ turns.ways[k])
        out[limb] = quaternions(arc(carried, points_to) @ turn)     # the limb's own direction, with the bone's twist
    return out


def _teller(rig: bpy.types.Object, joints: BoneEnds, limb: str) -> str:
    """The bone that shows how the end of the limb is turned: the last one before its second joint. For a forearm it is
    the hand, since a wrist cannot twist and a rig may put the twist into either. "" if the limb has no bone of its
    own."""
    (first, at), (last, end) = (joints[joint] for joint in TURNED_LIMBS[limb])
    if end == "tail" or limb.endswith("forearm"):
        return last
    above = rig.data.bones[last].parent
    if above is None or (above.name == first and at == "tail"):
        return ""
    return above.name


def _axes(at: dict[str, np.ndarray]) -> np.ndarray:
    """(3, 3): rows left, down and back of a rest pose in the armature's axes, whatever way it faces."""
    down = unit(at["left_hip"] + at["right_hip"] - 2 * at["neck"])
    left = at["left_shoulder"] - at["right_shoulder"] + at["left_hip"] - at["right_hip"]
    left = unit(left - (left @ down) * down)
    return np.stack([left, down, np.cross(left, down)])


def _stands(at: dict[str, np.ndarray], person: np.ndarray) -> bool:
    """Whether a rest pose is a standing person's: the head up, legs down, arms between hanging and T pose, left
    and right on their sides, toes and nose in front."""
    def along(joint: str, other: str) -> np.ndarray:
        return person @ unit(at[other] - at[joint])
    straight = all(along(*TURNED_LIMBS[f"{side}_{limb}"])[1] > _LEGS
                   for side in ("left", "right") for limb in ("thigh", "shin"))
    arms = all(along(*TURNED_LIMBS[f"{side}_{limb}"]) @ (x, 1, 0) > _ARMS * np.sqrt(2)
               for side, x in (("left", 1), ("right", -1)) for limb in ("upper_arm", "forearm"))
    sided = all(along(f"right_{name}", f"left_{name}")[0] > 0 for name in _SIDED)
    ahead = all(along(joint, other)[2] < 0.3 for joint, other in
                (("left_ankle", "left_toe"), ("right_ankle", "right_toe"), ("head", "nose")) if other in at)
    return bool(straight and arms and sided and ahead and along("neck", "head")[1] < 0)


def _way(at: dict[str, np.ndarray], limb: str) -> np.ndarray:
    start, end = TURNED_LIMBS[limb]
    return unit(at[end] - at[start])
