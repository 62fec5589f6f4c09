"""pose.json -> figures: the people of every frame, with their joints as arrays."""
from dataclasses import dataclass, field
from typing import TypeGuard

import numpy as np

from ..contract import files, json_reader
from ..contract.errors import JobError
from ..contract.fields import shown
from ..contract.skeleton import BODY, HAND, TURNED_LIMBS
from .limbs import INDEX, SEEN, clean_joints, with_derived
from .surface.turning import rotation_of

VERSION = 1
_UNIT = 0.01             # how far a quaternion's length may be from 1, because it was rounded
_HINT = "Press Generate to write the pose again."
# Bytes of the file, and of each frame in it: enough for ten people with hands and the longest numbers (ours).
_LARGEST, _LARGEST_FRAME = 2**20, 2**16
# Lengths as parts of the standing height, from artists' canons; foreshortening can only make them shorter (ours).
_PARTS = (("neck", "pelvis", 0.29), ("right_hip", "right_knee", 0.245), ("left_hip", "left_knee", 0.245),
          ("right_knee", "right_ankle", 0.245), ("left_knee", "left_ankle", 0.245))


@dataclass(frozen=True)
class Figure:
    """One person in one frame: body (20, 4) x, y, depth, confidence; hands (left, right), each (21, 4) or None;
    height_px: the standing height in pixels at the pelvis; focal: the camera's focal length in pixels, None if not
    known; turns {limb of TURNED_LIMBS: (3, 3)}: rotations relative to a person at rest who faces the camera, in camera
    axes (x right, y down, z away); empty if there are no rig's bones to read them from."""
    body: np.ndarray
    hands: tuple
    height_px: float
    focal: float | None = None
    turns: dict = field(default_factory=dict)


def read_poses(folder: str, frames: int) -> tuple:
    """For each of the job's frames, the tuple of its Figures. Raises JobError that names the wrong frame."""
    path = files.path(folder, files.POSE)
    try:
        value = json_reader.read(path, _LARGEST + frames * _LARGEST_FRAME)
    except FileNotFoundError:
        raise JobError("pose_missing", f"{path} does not exist.", _HINT) from None
    except OSError as error:
        raise JobError("pose_invalid", f"{path} cannot be read: {error.strerror}.",
                       "Check its permissions.") from None
    except json_reader.Unreadable as error:
        raise JobError("pose_invalid", f"{path}: {error}.", _HINT) from None
    if value.get("version") != VERSION or not isinstance(value.get("frames"), list):
        raise JobError("pose_invalid", f"{path}: expected version {VERSION} and a list of frames.", _HINT)
    if len(value["frames"]) != frames:
        raise JobError("pose_invalid", f"{path}: expected {frames} frames as in job.json, got {len(value['frames'])}.",
                       _HINT)
    return tuple(_people(entry, number) for number, entry in enumerate(value["frames"], 1))


def standing_height(body: np.ndarray) -> float:
    """The standing height in pixels, by the part of the body that gives the largest one; 0 if no part is seen
    (ours)."""
    points = with_derived(body)
    found = [np.hypot(*(points[INDEX[a], :2] - points[INDEX[b], :2])) / part for a, b, part in _PARTS
             if min(points[INDEX[a], 3], points[INDEX[b], 3]) >= SEEN]
    return float(max(found, default=0.0))


def _people(entry: object, number: int) -> tuple:
    if not isinstance(entry, dict) or not isinstance(entry.get("people"), list):
        raise JobError("pose_invalid", f"pose.json: frame {number}: expected {{'people': [...]}}.", _HINT)
    return tuple(_figure(person, f"pose.json: frame {number}, person {i}")
                 for i, person in enumerate(entry["people"], 1))


def _figure(person: object, where: str) -> Figure:
    if not isinstance(person, dict):
        raise JobError("pose_invalid", f"{where}: expected an object.", _HINT)
    body = _joints(person.get("body"), len(BODY), f"{where}: body")
    hands = tuple(None if person.get(name) is None else _joints(person[name], len(HAND), f"{where}: {name}")
                  for name in ("left_hand", "right_hand"))
    height = person.get("height_px")
    if not _is_length(height):
        raise JobError("pose_invalid", f"{where}: height_px: expected a number above 0, got {shown(height)}.", _HINT)
    focal = person.get("focal_px")
    if focal is not None and not _is_length(focal):
        raise JobError("pose_invalid", f"{where}: focal_px: expected a number above 0 or null, got {shown(focal)}.",
                       _HINT)
    return Figure(body, hands, float(height), None if focal is None else float(focal),
                  _turns(person.get("turns"), f"{where}: turns"))


def _turns(value: object, where: str) -> dict:
    """{limb: (3, 3)}; empty for poses of performers and of earlier versions."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise JobError("pose_invalid", f"{where}: expected an object, got {shown(value)}.", _HINT)
    for limb, turn in value.items():
        if limb not in TURNED_LIMBS:
            raise JobError("pose_invalid", f"{where}: expected limbs such as left_thigh, got {shown(limb)}.", _HINT)
        if not _is_turn(turn):
            raise JobError("pose_invalid", f"{where}: {limb}: expected a unit quaternion [w, x, y, z], "
                           f"got {shown(turn)}.", _HINT)
    return {limb: rotation_of(turn) for limb, turn in value.items()}


def _is_turn(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 4:
        return False
    if not all(isinstance(part, (int, float)) and not isinstance(part, bool) and abs(part) < 2 for part in value):
        return False
    return abs(float(np.linalg.norm(value)) - 1) < _UNIT


def _is_length(value: object) -> TypeGuard[float]:
    return not isinstance(value, bool) and isinstance(value, (int, float)) and 0 < value < 1e9


def _joints(value: object, count: int, where: str) -> np.ndarray:
    try:
        joints = np.array(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        joints = np.empty(0)
    if joints.shape != (count, 4):
        raise JobError("pose_invalid", f"{where}: expected {count} joints [x, y, depth, confidence].", _HINT)
    return clean_joints(joints)
