"""An armature's motion through the camera -> the frames of pose.json."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..embedded.engine.contract import files, version
from ..embedded.engine.contract.skeleton import BODY, BODY_INDEX, HAND, HEAD_POINT_SEEN, HEAD_POINTS
from .camera import camera_at, pixel_aspect, project
from .ends import worked_out
from .head import Head, Pose, is_person, limb_lengths, measure, rest_pose
from .layers import check_moves, evaluated, moving_layers
from .names import Name
from .presets import BoneEnds
from .restore import scene_kept
from .stand import Stand, stands
from .turns import Turns, turns_of, turns_on_frames

Person = dict[str, Any]  # as in pose.json
_Rows = Sequence[Sequence[float]]  # of Blender's own matrices
_FACE = [BODY_INDEX[name] for name in HEAD_POINTS]
_SIDES = ("left", "right")
# Flesh around the outermost joints, as a part of the standing height: nearer to the picture's edge than this, a person
# whose joints are all outside may still be seen (ours).
_FLESH = 0.06
# Nearer than this to the camera's plane, in units of the rig, a joint counts as behind it.
_NEAREST = 1e-3
# Frames on which a rig is measured whose rest pose is no person's.
_LOOKED_AT = 24


@dataclass(frozen=True)
class Skeleton:
    """Which bone ends are the joints, for one rig: indices into its heads followed by its tails and tips, -1 for none;
    points of the face without a bone follow from the head's.

    `points` (K,): the body's joints, then each hand that the rig has; `hands`: the sides it has fingers on; `tips`:
    (bone, place (3,) in its own space) of toes and fingertips that are no bone's end; `turns`: None where the rest pose
    is no person's.
    """

    bones: int
    points: np.ndarray
    hands: tuple
    tips: tuple
    head_bone: str
    head: Head
    turns: Turns | None


def skeleton_of(rig: bpy.types.Object, joints: BoneEnds, scene: bpy.types.Scene | None = None,
                frames: Sequence[int] = ()) -> Skeleton:
    """The Skeleton of an armature object whose map is `joints` (rig.BoneMap.joints).

    If its rest pose is no person's, it is measured on some of `frames` of `scene`; without a scene, as it stands now.
    """
    order = {bone.name: i for i, bone in enumerate(rig.pose.bones)}
    tips = worked_out(rig, joints)
    tip_index = {joint: 2 * len(order) + i for i, joint in enumerate(tips)}

    def index(name: str) -> int:
        if name not in joints:
            return -1
        bone, end = joints[name]
        return tip_index.get(name, order[bone] + (len(order) if end == "tail" else 0))

    hands = tuple(side for side in _SIDES if any(f"{side}_{point}" in joints for point in HAND[1:]))
    names = [*BODY, *(f"{side}_{point}" for side in hands for point in HAND)]
    plain = {joint: place for joint, place in joints.items() if joint not in tips}
    poses = [] if is_person(rest_pose(rig, joints)) else _poses(scene, rig, plain, frames)
    return Skeleton(bones=len(order), points=np.array([index(name) for name in names]), hands=hands,
                    tips=tuple((joints[joint][0], place) for joint, place in tips.items()),
                    head_bone=joints["head"][0], head=measure(rig, joints, poses), turns=turns_of(rig, joints))


def _poses(scene: bpy.types.Scene | None, rig: bpy.types.Object, joints: BoneEnds,
           frames: Sequence[int]) -> list[Pose]:
    """The rig's Poses on at most _LOOKED_AT of the frames, or the one that it has now."""
    if scene is None or not frames:
        return [_posed(rig, joints)]
    check_moves(scene, rig)
    layer, found = moving_layers(scene, rig)[0], []
    with scene_kept(scene):
        for i in np.unique(np.linspace(0, len(frames) - 1, _LOOKED_AT).astype(int)):
            scene.frame_set(frames[i])
            found.append(_posed(evaluated(scene, rig, layer), joints))
    return found


def _posed(rig: bpy.types.Object, joints: BoneEnds) -> Pose:
    bones = rig.pose.bones
    at = {joint: np.array(getattr(bones[bone], end), dtype=float) for joint, (bone, end) in joints.items()}
    return Pose(at, np.array(bones[joints["head"][0]].matrix))


def people(scene: bpy.types.Scene, rig: bpy.types.Object, skeleton: Skeleton, *, frames: Sequence[int],
           size: tuple[int, int], camera: Name = "") -> list[list[Person]]:
    """For each of `frames` (numbers of the driver's scene): the list `people` of pose.json.

    Sets the scene's frame and puts it back. `camera` names one, "" follows the scene's markers.
    """
    return seen(scene, rig, skeleton, frames=frames, size=size, camera=camera)[0]


def seen(scene: bpy.types.Scene, rig: bpy.types.Object, skeleton: Skeleton, *, frames: Sequence[int],
         size: tuple[int, int], camera: Name = "") -> tuple[list[list[Person]], list[Stand]]:
    """As `people`, and where the person stands on each frame."""
    check_moves(scene, rig)
    layer = moving_layers(scene, rig)[0]
    motion = _Motion.empty(len(frames), skeleton)
    aspect = pixel_aspect(scene, size)
    with scene_kept(scene):
        for i, frame in enumerate(frames):
            scene.frame_set(frame)
            posed, seen = evaluated(scene, rig, layer), evaluated(scene, camera_at(scene, frame, camera), layer)
            projection = seen.calc_matrix_camera(layer.depsgraph, x=size[0], y=size[1], scale_x=aspect[0],
                                                 scale_y=aspect[1])
            _read(motion, i, posed, seen.matrix_world.normalized(), projection, skeleton)
    return _written(motion, skeleton, size)


def write(folder: str, frames: list[list[Person]]) -> None:
    """Write pose.json; `frames`: the list `people` of each frame."""
    # dumps is written in C, dump is not: it alone would take as long as all the rest (measured).
    text = json.dumps({"version": version.POSE, "frames": [{"people": people} for people in frames]})
    files.write_whole(files.path(folder, files.POSE), text.encode())


@dataclass(frozen=True)
class _Motion:
    """What is read from the scene, a row a frame: `ends` (F,2B,3) bones' heads, then tails, and `tips` (F,T,3), in the
    armature's space; `limbs` (F,L,4,4) and `heads` (F,4,4) matrices of the bones that tell turns and of the head's;
    `worlds`, `cameras`, `projections` (F,4,4)."""

    ends: np.ndarray
    tips: np.ndarray
    limbs: np.ndarray
    heads: np.ndarray
    worlds: np.ndarray
    cameras: np.ndarray
    projections: np.ndarray

    @classmethod
    def empty(cls, frames: int, skeleton: Skeleton) -> "_Motion":
        limbs = len(skeleton.turns.bones) if skeleton.turns else 0
        return cls(np.empty((frames, 2 * skeleton.bones, 3), np.float32), np.empty((frames, len(skeleton.tips), 3)),
                   np.empty((frames, limbs, 4, 4)), *(np.empty((frames, 4, 4)) for _ in range(4)))


def _read(motion: _Motion, i: int, posed: bpy.types.Object, camera: _Rows, projection: _Rows,
          skeleton: Skeleton) -> None:
    """Reads the evaluated armature into row `i`. Everything that can wait is done afterwards, for all frames at
    once."""
    bones, row = posed.pose.bones, motion.ends[i].reshape(-1)
    bones.foreach_get("head", row[:3 * skeleton.bones])
    bones.foreach_get("tail", row[3 * skeleton.bones:])
    for rows, matrix in ((motion.heads, bones[skeleton.head_bone].matrix), (motion.worlds, posed.matrix_world),
                         (motion.cameras, camera), (motion.projections, projection)):
        rows[i] = [row[:] for row in matrix]                        # tuples: numpy takes long over mathutils' own types
    for k, bone in enumerate(skeleton.turns.bones if skeleton.turns else ()):
        motion.limbs[i, k] = [row[:] for row in bones[bone].matrix]
    for k, (bone, place) in enumerate(skeleton.tips):
        matrix = np.array(bones[bone].matrix)
        motion.tips[i, k] = matrix[:3, :3] @ place + matrix[:3, 3]


def _written(motion: _Motion, skeleton: Skeleton,
             size: tuple[int, int]) -> tuple[list[list[Person]], list[Stand]]:
    """All frames' joints at once: (F,K,3) in the world -> pixels, depth and confidence -> lists."""
    points = np.concatenate([motion.ends, motion.tips], axis=1)[:, skeleton.points].astype(float)
    turns = _turns(motion, points, skeleton.turns)
    head = skeleton.head
    face = np.concatenate([head.centre[None], head.points])
    face = face @ motion.heads[:, :3, :3].transpose(0, 2, 1) + motion.heads[:, None, :3, 3]
    boned = (skeleton.points[_FACE] >= 0)[:, None]
    points[:, _FACE] = face[:, 1:] = np.where(boned, points[:, _FACE], face[:, 1:])
    points, face = (_to_world(p, motion.worlds) for p in (points, face))
    confidence = np.broadcast_to(skeleton.points >= 0, points.shape[:2]).astype(float)
    confidence[:, _FACE] = _face_seen(face, motion)
    joints = project(points, motion.cameras, motion.projections, size)
    confidence[joints[..., 2] < _NEAREST] = 0
    tall = head.height * _grown(points, head)
    heights = _heights(joints, motion, tall, size)
    joints = np.concatenate([joints, confidence[..., None]], axis=2)
    joints[confidence == 0] = 0
    present = _in_picture(joints, heights, size)
    rows = zip(np.round(joints, 4).tolist(), np.round(heights, 3).tolist(), _focal_lengths(motion, size), turns,
               present, strict=True)
    return ([_person(body, height, focal, turned, skeleton.hands) if there else []
             for body, height, focal, turned, there in rows], stands(points, tall, motion.cameras))


def _turns(motion: _Motion, points: np.ndarray, turns: Turns | None) -> Sequence[dict[str, list[float]] | None]:
    """Each frame's {limb: quaternion}, None for all where the rig tells none."""
    if turns is None:
        return [None] * len(points)
    found = turns_on_frames(turns, motion.limbs, points, motion.worlds, motion.cameras)
    found = {limb: np.round(values, 6).tolist() for limb, values in found.items()}
    return [{limb: values[i] for limb, values in found.items()} for i in range(len(points))]


def _to_world(points: np.ndarray, worlds: np.ndarray) -> np.ndarray:
    return points @ worlds[:, :3, :3].transpose(0, 2, 1) + worlds[:, None, :3, 3]


def _face_seen(face: np.ndarray, motion: _Motion) -> np.ndarray:
    """Confidence (F,5) of the face's points: 1 where they are turned towards the camera (skeleton.HEAD_POINT_SEEN)."""
    outwards = face[:, 1:] - face[:, :1]
    ortho = np.abs(motion.projections[:, 3, 3]) > 0.5               # the last row is (0, 0, 0, 1)
    towards = np.where(ortho[:, None], motion.cameras[:, :3, 2], motion.cameras[:, :3, 3] - face[:, 0])
    cosine = np.einsum("fkc,fc->fk", outwards, towards)
    cosine /= np.linalg.norm(outwards, axis=2) * np.linalg.norm(towards, axis=1)[:, None]
    return (cosine >= HEAD_POINT_SEEN).astype(float)


def _grown(points: np.ndarray, head: Head) -> np.ndarray:
    """(F,) how large the person is in the world against its Head, by the limbs: objects, root bones and joints may all
    have a scale, and one stretched limb makes nobody taller. `points` (F,K,3) in the world."""
    lengths = limb_lengths({joint: points[:, i] for joint, i in BODY_INDEX.items()})
    told = head.limbs > 1e-6 * head.height
    return np.median(lengths[:, told] / head.limbs[told], axis=1)


def _heights(joints: np.ndarray, motion: _Motion, height: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(F,) pixels that the standing height (F,) would span at the pelvis' depth, or at the middle of what is in
    front."""
    hips = joints[:, [BODY_INDEX["left_hip"], BODY_INDEX["right_hip"]], 2].mean(axis=1)
    depths = np.where(joints[..., 2] >= _NEAREST, joints[..., 2], np.nan)
    for i in np.flatnonzero(hips < _NEAREST):
        hips[i] = 1 if np.isnan(depths[i]).all() else np.nanmedian(depths[i])
    rows = motion.projections[:, 3]
    w = -rows[:, 2] * hips + rows[:, 3]                             # depth for a perspective camera, 1 for ortho
    return height * motion.projections[:, 1, 1] * size[1] / 2 / w


def _in_picture(joints: np.ndarray, heights: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(F,) whether the box around the joints in front of the camera, and their flesh, touches the picture."""
    there = joints[..., 3] > 0
    margin = _FLESH * heights[:, None]
    low = np.where(there[..., None], joints[..., :2], np.inf).min(axis=1) - margin
    high = np.where(there[..., None], joints[..., :2], -np.inf).max(axis=1) + margin
    return there.any(axis=1) & (high > 0).all(axis=1) & (low < np.array(size)).all(axis=1)


def _focal_lengths(motion: _Motion, size: tuple[int, int]) -> list[float | None]:
    """The camera's focal length in pixels of each frame; None for an orthographic camera."""
    lengths = np.round(motion.projections[:, 1, 1] * size[1] / 2, 3).tolist()
    return [length if abs(row[3]) < 0.5 else None
            for length, row in zip(lengths, motion.projections[:, 3], strict=True)]


def _person(joints: list[list[float]], height: float, focal: float | None, turns: dict[str, list[float]] | None,
            hands: tuple[str, ...]) -> list[Person]:
    body, rest = joints[:len(BODY)], joints[len(BODY):]
    person = {"body": body, "left_hand": None, "right_hand": None, "height_px": height, "focal_px": focal}
    for i, side in enumerate(hands):
        person[f"{side}_hand"] = rest[i * len(HAND):(i + 1) * len(HAND)]
    if turns:
        person["turns"] = turns
    return [person]
