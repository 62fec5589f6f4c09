"""Joints of a person in space, frame by frame -> the bones of a simple rig at rest,
and where each bone lies on each frame.

Every joint is the head of a bone, whose location is keyed like its rotation, so that a rig of fixed lengths shows each
joint exactly where it was seen; nothing is scaled (ours).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..embedded.engine.contract.skeleton import BODY, HAND, HEAD_HEIGHT, HEAD_POINTS
from ..gather.rotations import arc, unit

SIDES = {"left": "L", "right": "R"}
SEEN = 0.05                                                         # of a joint's confidence; below it is nowhere
_FINGERS = {"thumb": "thumb", "index": "f_index", "middle": "f_middle", "ring": "f_ring", "little": "f_pinky"}
FACE_BONES = {name: "face." + (f"{name.partition('_')[2]}.{SIDES[name.partition('_')[0]]}" if "_" in name else name)
              for name in HEAD_POINTS}
_WAIST = 0.3                                                        # of the way from pelvis to neck
_DERIVED = ("pelvis", "waist", "skull", "crown")
POINTS = (*BODY, *_DERIVED, *(f"{side}_{point}" for side in SIDES for point in HAND[1:]))
INDEX = {name: i for i, name in enumerate(POINTS)}


@dataclass(frozen=True)
class Bone:
    """`head` and `tail` are POINTS; without a tail the bone only marks a place and turns with its parent. `turn`: hips,
    chest or head, where more than the tail says how it is turned."""

    name: str
    parent: str
    head: str
    tail: str = ""
    turn: str = ""


def _bones() -> Iterator[Bone]:
    yield Bone("hips", "", "pelvis", "waist", "hips")
    yield Bone("spine", "hips", "waist", "neck", "chest")
    yield Bone("neck", "spine", "neck", "skull")
    yield Bone("head", "neck", "skull", "crown", "head")
    for joint, name in FACE_BONES.items():
        yield Bone(name, "head", joint)
    for side, s in SIDES.items():
        for names, joints, root in ((("upper_arm", "forearm", "hand"),
                                     ("shoulder", "elbow", "wrist", "middle_1"), "spine"),
                                    (("thigh", "shin", "foot", "toe"), ("hip", "knee", "ankle", "toe", ""), "hips")):
            parent = root
            for name, head, tail in zip(names, joints, joints[1:], strict=False):
                yield Bone(f"{name}.{s}", parent, f"{side}_{head}", f"{side}_{tail}" if tail else "")
                parent = f"{name}.{s}"
        for finger, name in _FINGERS.items():
            for k in (1, 2, 3, 4):
                yield Bone(f"{name}.{k:02}.{s}", f"{name}.{k - 1:02}.{s}" if k > 1 else f"hand.{s}",
                           f"{side}_{finger}_{k}", f"{side}_{finger}_{k + 1}" if k < 4 else "")


BONES = tuple(_bones())
# The point that a point hangs from, at rest: its bone's head, or the head of its bone's parent.
_BY_NAME = {bone.name: bone for bone in BONES}
_ABOVE = {"skull": "neck", "crown": "skull", "neck": "pelvis", "waist": "pelvis"}
_ABOVE |= {bone.head: _BY_NAME[bone.parent].head for bone in BONES if bone.parent and bone.head not in _ABOVE}
_ABOVE |= {f"{side}_shoulder": "neck" for side in SIDES}


def _template() -> np.ndarray:
    """POINTS of a person at rest who faces -Y and stands on z = 0, in parts of the standing height (ours, from common
    canons); arms hang away from the body, so that elbows and shoulders can be recognised."""
    body = {"pelvis": (0, 0, 0.53), "waist": (0, 0, 0.62), "neck": (0, 0, 0.83), "skull": (0, 0, 0.87),
            "crown": (0, 0, 1.0)}
    half = {"shoulder": (0.105, 0, 0.815), "elbow": (0.215, 0.01, 0.68), "wrist": (0.31, -0.02, 0.565),
            "hip": (0.055, 0, 0.53),
            "knee": (0.058, -0.01, 0.285), "ankle": (0.06, 0.01, 0.045), "toe": (0.075, -0.1, 0.01)}
    along, ahead = np.array([0.62, -0.13, -0.77]), np.array([0.1, -0.98, 0.17])
    for i, finger in enumerate(_FINGERS):
        for k in (1, 2, 3, 4):
            reach = (0.02 + 0.014 * k) if finger == "thumb" else 0.05 + 0.014 * (k - 1)
            half[f"{finger}_{k}"] = tuple(np.array(half["wrist"]) + reach * along + (0.02 - 0.01 * i) * ahead)
    places = dict(body)
    centre, size = np.array(body["skull"]) + (0, 0, HEAD_HEIGHT / 2), HEAD_HEIGHT
    for name, (left, up, forward) in HEAD_POINTS.items():
        places[name] = tuple(centre + size * np.array([left, -forward, up]))
    for name, (x, y, z) in half.items():
        places[f"left_{name}"], places[f"right_{name}"] = (x, y, z), (-x, y, z)
    return np.array([places[name] for name in POINTS], float)


TEMPLATE = _template()


def points_of(joints: np.ndarray, seen: np.ndarray, height: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints (F, 20 + 40, 3) in space, as POINTS without the derived ones, and whether each was seen on each frame ->
    (points (F, P, 3), whether each was ever seen (P,), the head's turn (F, 3, 3), columns left, up, forward).

    Holes in time are bridged in a straight line; `height` is the person's, in the same units.
    """
    frames = len(joints)
    points, ever = np.zeros((frames, len(POINTS), 3)), np.zeros(len(POINTS), bool)
    body = len(BODY)
    where = [*range(body), *range(body + len(_DERIVED), len(POINTS))]
    for k, place in enumerate(where):
        there = np.flatnonzero(seen[:, k])
        ever[place] = there.size > 0
        if there.size:
            for axis in range(3):
                points[:, place, axis] = np.interp(np.arange(frames), there, joints[there, k, axis])
    hips = [INDEX["left_hip"], INDEX["right_hip"]]
    points[:, INDEX["pelvis"]] = points[:, hips].mean(axis=1)
    points[:, INDEX["waist"]] = (1 - _WAIST) * points[:, INDEX["pelvis"]] + _WAIST * points[:, INDEX["neck"]]
    ever[INDEX["pelvis"]] = ever[hips].all()
    ever[INDEX["waist"]] = ever[INDEX["pelvis"]] and ever[INDEX["neck"]]
    face = [name for name in HEAD_POINTS if ever[INDEX[name]]]
    turn = _turn(points, "chest")
    if len(face) >= 3:
        turn = _head_turn(points[:, [INDEX[name] for name in face]], np.array([HEAD_POINTS[name] for name in face]))
        places = points[:, [INDEX[name] for name in face]]
        offsets = np.einsum("fij,kj->fki", turn, HEAD_HEIGHT * height * np.array([HEAD_POINTS[name] for name in face]))
        centre = (places - offsets).mean(axis=1)
    else:
        centre = points[:, INDEX["neck"]] + (0.04 + HEAD_HEIGHT / 2) * height * turn[:, :, 1]
    points[:, INDEX["skull"]] = centre - 0.5 * HEAD_HEIGHT * height * turn[:, :, 1]
    points[:, INDEX["crown"]] = centre + 0.5 * HEAD_HEIGHT * height * turn[:, :, 1]
    ever[[INDEX["skull"], INDEX["crown"]]] = ever[INDEX["neck"]]
    return points, ever, turn


def rest_points(points: np.ndarray, ever: np.ndarray, height: float) -> np.ndarray:
    """(P, 3): the person at rest as TEMPLATE stands, with the limbs' usual lengths where they were seen."""
    rest = height * TEMPLATE
    for name, above in sorted(_ABOVE.items(), key=lambda pair: _depth(pair[0])):
        k, j = INDEX[name], INDEX[above]
        away = height * (TEMPLATE[k] - TEMPLATE[j])
        if ever[k] and ever[j]:
            length = float(np.median(np.linalg.norm(points[:, k] - points[:, j], axis=1)))
            away *= max(length, 1e-3 * height) / np.linalg.norm(away)
        rest[k] = rest[j] + away
    rest[:, 2] -= rest[:, 2].min()
    return rest


def bases(points: np.ndarray, ever: np.ndarray, head_turn: np.ndarray, rest: np.ndarray,
          matrices: np.ndarray) -> np.ndarray:
    """Where each bone of BONES lies on each frame, as Blender keeps it:
    (F, B, 4, 4) relative to its parent and its own rest.

    rest (P, 3): rest_points; matrices (B, 4, 4): the bones' rest matrices in the armature's space,
    of which the points are.
    """
    frames = len(points)
    placed, out = {}, np.empty((frames, len(BONES), 4, 4))
    for i, bone in enumerate(BONES):
        own = matrices[i]
        above = placed.get(bone.parent)
        carried = own if above is None else above[0] @ np.linalg.inv(above[1]) @ own  # where the parent takes it
        carried = np.broadcast_to(carried, (frames, 4, 4))
        pose = carried.copy()
        pose[:, :3, :3] = _turned(bone, carried[:, :3, :3], own[:3, :3], points, ever, head_turn, rest)
        if ever[INDEX[bone.head]]:
            pose[:, :3, 3] = points[:, INDEX[bone.head]]
        placed[bone.name] = pose, own
        out[:, i] = np.linalg.inv(carried) @ pose
    return out


def _turned(bone: Bone, carried: np.ndarray, own: np.ndarray, points: np.ndarray, ever: np.ndarray,
            head_turn: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(F, 3, 3): how a bone is turned, as far as the points tell; else as its parent takes it."""
    if bone.turn == "head":
        upright = np.stack([(1, 0, 0), (0, 0, 1), (0, -1, 0)], axis=1)
        return head_turn @ upright.T @ own
    if bone.turn and ever[INDEX["pelvis"]] and ever[INDEX["neck"]]:
        return _turn(points, bone.turn) @ np.swapaxes(_turn(rest[None], bone.turn), 1, 2) @ own
    if not bone.tail or not (ever[INDEX[bone.tail]] and ever[INDEX[bone.head]]):
        return carried
    was = carried @ own.T @ unit(rest[INDEX[bone.tail]] - rest[INDEX[bone.head]])
    return arc(was, unit(points[:, INDEX[bone.tail]] - points[:, INDEX[bone.head]])) @ carried


def _turn(points: np.ndarray, part: str) -> np.ndarray:
    """(F, 3, 3), columns left, up, forward, of the hips or the chest."""
    ends = ("left_hip", "right_hip") if part == "hips" else ("left_shoulder", "right_shoulder")
    up = unit(points[:, INDEX["neck"]] - points[:, INDEX["pelvis"]])
    left = points[:, INDEX[ends[0]]] - points[:, INDEX[ends[1]]]
    left = unit(left - (left * up).sum(axis=1, keepdims=True) * up)
    return np.stack([left, up, np.cross(left, up)], axis=2)


def _head_turn(places: np.ndarray, canon: np.ndarray) -> np.ndarray:
    """(F, 3, 3): the rotation that fits HEAD_POINTS' axes onto a face best (Kabsch 1976)."""
    a, b = canon - canon.mean(axis=0), places - places.mean(axis=1, keepdims=True)
    u, _, v = np.linalg.svd(np.einsum("fki,kj->fij", b, a))
    u[:, :, 2] *= np.sign(np.linalg.det(u @ v))[:, None]
    return u @ v


def _depth(name: str) -> int:
    depth = 0
    while name in _ABOVE:
        name, depth = _ABOVE[name], depth + 1
    return depth
