"""A job's pose.json -> a new armature in the scene, at the camera's distance,
with a key on each frame the person is on."""

import os
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..blender_api import curve_maker
from ..embedded.engine.contract import files, jobs, json_reader
from ..embedded.engine.contract.fields import number, or_none, tuple_of
from ..embedded.engine.contract.skeleton import BODY, BODY_INDEX, HAND
from ..gather.camera import camera_at, pixel_aspect, unproject
from ..gather.names import Name
from ..gather.restore import scene_kept
from ..gather.rotations import quaternions
from ..gather.turns import UNTWISTED
from .bones import BONES, INDEX, SEEN, SIDES, bases, points_of, rest_points
from .strip import PlaceError

Person = dict[str, Any]  # of pose.json, its lists made tuples
_HIPS = [BODY_INDEX["left_hip"], BODY_INDEX["right_hip"]]
_JOINT = tuple_of(*[number(-1e9, 1e9)] * 4)
# A person of pose.json, field by field.
_PERSON = {"body": tuple_of(*[_JOINT] * len(BODY)), "left_hand": or_none(tuple_of(*[_JOINT] * len(HAND))),
           "right_hand": or_none(tuple_of(*[_JOINT] * len(HAND))), "height_px": number(1e-3, 1e9)}
_LARGEST_POSE = 2**30                                               # bytes (ours: fifteen hours of one performer)
_STUB = 0.02                                                        # of the height: a bone that only marks a place


def make(scene: bpy.types.Scene, folder: str | Path, *, camera: Name = "", offset: int = 0) -> bpy.types.Object:
    """An armature object that moves as the first person of the job's pose, seen through the scene's camera.

    `camera` names one, "" follows the markers; `offset` is a frame of the scene less the edit's. Raises PlaceError.
    """
    folder = os.path.abspath(os.fspath(folder))
    job = jobs.read(folder)
    people = _people(folder)
    there = {i: person for i, person in enumerate(people) if person}
    if not there:
        raise PlaceError(f"Nobody is on any frame of {folder}.", "Choose a version whose performer was found.")
    frames = [job.first_frame + i + offset for i in there]
    cameras, projections = _views(scene, frames, camera, job.size)
    joints, seen, heights = _joints(list(there.values()))
    if not seen[:, _HIPS].any(axis=0).all() or not seen[:, BODY_INDEX["neck"]].any():
        raise PlaceError("The performer's hips or neck are not seen on any frame, so there is no body to build on.",
                         "Choose a version in which the performer is seen from the knees up.")
    joints, height = _at_the_cameras_distance(joints, seen, heights, projections, job)
    places = unproject(joints, cameras, projections, job.size)
    return _build(scene, f"{job.name} performer", places, seen, height, cameras, frames)


def _people(folder: str) -> list[Person | None]:
    """The first person of each frame as pose.json has it, None where nobody is."""
    try:
        frames = json_reader.read(files.path(folder, files.POSE), _LARGEST_POSE)["frames"]
        return [_person(frame["people"][0]) if frame["people"] else None for frame in frames]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlaceError(f"The pose of {folder} cannot be read: {error}.", "Generate that version first.") from None


def _person(value: dict[str, Any]) -> Person:
    return {name: check(value[name]) for name, check in _PERSON.items()}


def _joints(people: list[Person]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(F, 60, 3) x, y, depth of body and hands, (F, 60) whether they were seen, (F,) height_px."""
    nothing = [[0.0] * 4] * len(HAND)
    rows = np.array([[*person["body"], *(joint for side in SIDES for joint in (person[f"{side}_hand"] or nothing)[1:])]
                     for person in people], float)
    return rows[..., :3], rows[..., 3] > SEEN, np.array([person["height_px"] for person in people])


def _views(scene: bpy.types.Scene, frames: list[int], camera: Name,
           size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Each frame's camera and projection, as gather/pose reads them."""
    cameras, projections = np.empty((len(frames), 4, 4)), np.empty((len(frames), 4, 4))
    aspect = pixel_aspect(scene, size)
    with scene_kept(scene):
        for i, frame in enumerate(frames):
            scene.frame_set(frame)
            shown = camera_at(scene, frame, camera)
            if shown is None or shown.type != "CAMERA" or shown.data.type == "PANO":
                raise PlaceError(f"Scene {scene.name!r} has no perspective or orthographic camera"
                                 f"{f' {camera!r}' if camera else ''} on frame {frame}.",
                                 "Add a camera that sees what the plate's camera saw, or choose it in Driver.")
            depsgraph = scene.view_layers[0].depsgraph
            seen = shown.evaluated_get(depsgraph)
            cameras[i] = [row[:] for row in seen.matrix_world.normalized()]
            projections[i] = [row[:] for row in seen.calc_matrix_camera(
                depsgraph, x=size[0], y=size[1], scale_x=aspect[0], scale_y=aspect[1])]
    return cameras, projections


def _at_the_cameras_distance(joints: np.ndarray, seen: np.ndarray, heights: np.ndarray, projections: np.ndarray,
                             job: jobs.Job) -> tuple[np.ndarray, float]:
    """Joints with the depths that the scene's lens gives, and the person's height in the scene's units.

    A performer's depths stand for a supposed lens: as a whole he is as much further away as the scene's is longer, so
    that he is as tall as before; what lies between his joints stays (ours). A rig's depths are the scene's own.
    """
    hips = joints[:, _HIPS, 2].mean(axis=1)
    lens = projections[:, 1, 1] * job.size[1] / 2                   # pixels
    ortho = np.abs(projections[:, 3, 3]) > 0.5
    moved = joints.copy()
    if job.driver.performer is not None:
        further = np.where(ortho, 1.0, lens / (jobs.SUPPOSED_LENS * max(job.size)))
        moved[..., 2] += (np.median(further) - 1) * hips[:, None]
    each = heights * np.where(ortho, 1.0, moved[:, _HIPS, 2].mean(axis=1)) / lens
    moved[..., 2] = np.where(seen, moved[..., 2], 1.0)
    return moved, float(np.median(each))


def _build(scene: bpy.types.Scene, name: str, joints: np.ndarray, seen: np.ndarray, height: float, cameras: np.ndarray,
           frames: list[int]) -> bpy.types.Object:
    points, ever, head_turn = points_of(joints, seen, height)
    rest = rest_points(points, ever, height)
    data = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, data)
    scene.collection.objects.link(rig)
    data.display_type, rig.show_in_front = "STICK", True
    rig[UNTWISTED] = True
    stand = _stand(points, height, cameras)
    rig.location, rig.rotation_euler = stand[:3, 3], (0.0, 0.0, float(np.arctan2(stand[1, 0], stand[0, 0])))
    _add_bones(scene, rig, rest, height)
    inverse = np.linalg.inv(stand)
    local = points @ inverse[:3, :3].T + inverse[:3, 3]
    rests = np.array([[row[:] for row in data.bones[bone.name].matrix_local] for bone in BONES])
    _key(rig, bases(local, ever, inverse[:3, :3] @ head_turn, rest, rests), ever, frames)
    return rig


def _stand(points: np.ndarray, height: float, cameras: np.ndarray) -> np.ndarray:
    """(4, 4) of the armature: upright below the pelvis' usual place, facing the first camera."""
    pelvis = np.median(points[:, INDEX["pelvis"]], axis=0)
    towards = cameras[0, :3, 3] - pelvis
    facing = np.arctan2(towards[1], towards[0]) + np.pi / 2         # at rest it faces -Y
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(facing), -np.sin(facing)], [np.sin(facing), np.cos(facing)]]
    matrix[:3, 3] = pelvis - (0, 0, 0.53 * height)
    return matrix


def _add_bones(scene: bpy.types.Scene, rig: bpy.types.Object, rest: np.ndarray, height: float) -> None:
    """Needs the scene to be the window's for as long as edit mode lasts."""
    window, layer = bpy.context.window, scene.view_layers[0]
    before = window.scene if window else None
    try:
        if window:
            window.scene = scene
        layer.objects.active = rig
        with bpy.context.temp_override(scene=scene, view_layer=layer, active_object=rig, object=rig):
            bpy.ops.object.mode_set(mode="EDIT")
            for bone in BONES:
                made = rig.data.edit_bones.new(bone.name)
                made.head = rest[INDEX[bone.head]]
                made.tail = rest[INDEX[bone.tail]] if bone.tail else rest[INDEX[bone.head]] - (0, _STUB * height, 0)
                made.use_connect = False
                if bone.parent:
                    made.parent = rig.data.edit_bones[bone.parent]
            bpy.ops.object.mode_set(mode="OBJECT")
    finally:
        if window:
            window.scene = before


def _key(rig: bpy.types.Object, moved: np.ndarray, ever: np.ndarray, frames: list[int]) -> None:
    """A key of location and rotation on each frame for each bone that was seen; straight lines between them."""
    make_curve = curve_maker(rig, rig.name)
    for i, bone in enumerate(BONES):
        posed = rig.pose.bones[bone.name]
        posed.rotation_mode = "QUATERNION"
        if not ever[INDEX[bone.head]]:
            continue
        for prop, values in (("location", moved[:, i, :3, 3]),
                             ("rotation_quaternion", quaternions(moved[:, i, :3, :3]))):
            for index in range(values.shape[1]):
                _fill(make_curve(f'pose.bones["{bone.name}"].{prop}', index, bone.name), frames, values[:, index])


def _straight() -> int:
    return bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value


def _fill(curve: bpy.types.FCurve, frames: list[int], values: np.ndarray) -> None:
    points = curve.keyframe_points
    points.add(len(frames))
    points.foreach_set("co", np.column_stack([frames, values]).astype(np.float32).ravel())
    points.foreach_set("interpolation", np.full(len(frames), _straight(), np.int32))
    curve.update()
