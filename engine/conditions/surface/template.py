"""The mean clothed person that the surface is made of, from template.npz and template.json.

Both are made by lab/surface_template.py. Axes: x to the person's left, y down, z to the person's back, metres; seen
from the front, these are a picture's x, y and depth.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...contract import json_reader
from . import bones as posing

_FOLDER = Path(__file__).parent


class Tag(IntEnum):
    """Which piece of the mesh a vertex belongs to."""
    BODY = 0
    HEAD = 1
    HAND = 2
    SKIRT = 3
    HAIR = 4


class Limb(IntEnum):
    """Which limb a vertex belongs to; left is the person's own."""
    TORSO = 0
    HEAD = 1
    LEFT_UPPER_ARM = 2
    RIGHT_UPPER_ARM = 3
    LEFT_FOREARM = 4
    RIGHT_FOREARM = 5
    LEFT_HAND = 6
    RIGHT_HAND = 7
    LEFT_THIGH = 8
    RIGHT_THIGH = 9
    LEFT_SHIN = 10
    RIGHT_SHIN = 11
    LEFT_FOOT = 12
    RIGHT_FOOT = 13
    SKIRT = 14
    HAIR = 15


FEET = (Limb.LEFT_FOOT, Limb.RIGHT_FOOT)
# The first entry that a bone's name begins with counts; the limb is the left one.
_LIMB_OF_BONE = (("chest", Limb.TORSO), ("pelvis", Limb.TORSO), ("clavicle", Limb.TORSO),
                 ("neck", Limb.HEAD), ("head", Limb.HEAD),
                 ("upperarm", Limb.LEFT_UPPER_ARM), ("lowerarm", Limb.LEFT_FOREARM), ("thigh", Limb.LEFT_THIGH),
                 ("calf", Limb.LEFT_SHIN), ("foot", Limb.LEFT_FOOT), ("ball", Limb.LEFT_FOOT), ("", Limb.LEFT_HAND))


@dataclass(frozen=True)
class Template:
    """A symmetric mesh at rest: V vertices, T triangles, B bones, E edges.

    points, normals (V, 3) float32; faces (T, 3) int32, with corners in such an order that front faces have a negative
    area in a picture (y down); weights (V, B) float32, rows sum to 1; tags, limbs (V,) uint8 of Tag and Limb; mirror
    (V,) the vertex on the other side; edges (E, 2) of the mesh, plus those that tie head and hands to the body; leg_t
    (V,) 0 at the hips' height, 1 at the knees', 2 at the ankles'; joints {name: (3,)}: BODY, side_finger_1..4,
    side_clavicle, headbone, headtop; height in metres; rest {bone: Bone}.
    """
    points: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    bones: tuple
    tags: np.ndarray
    limbs: np.ndarray
    mirror: np.ndarray
    edges: np.ndarray
    leg_t: np.ndarray
    joints: dict
    height: float
    rest: dict

    def limbs_of(self, faces: np.ndarray) -> np.ndarray:
        """(n,) uint8: the Limb of faces (n, 3), which is that of most of their corners. All faces around an ankle are
        the shin's, so that trousers end evenly (ours)."""
        corners = np.sort(self.limbs[faces], axis=1)
        most, first = corners[:, 1], corners[:, 0]
        return np.where(np.isin(most, FEET) & np.isin(first, (Limb.LEFT_SHIN, Limb.RIGHT_SHIN)), first, most)


@lru_cache(maxsize=1)
def load() -> Template:
    """The template. It is read once, so its arrays must not be changed."""
    facts = json_reader.read(_FOLDER / "template.json")
    with np.load(_FOLDER / "template.npz", allow_pickle=False) as file:
        half = {name: file[name] for name in file.files}
    names = tuple(facts["bones"])
    joints = {name: np.array(at) for name, at in facts["joints"].items()}
    low, high = half["range"]
    left = low + half["points"] / 65535 * (high - low)
    weights = half["weights"].astype(np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    other, mirror = _other_side(left[:, 0] > 0)
    points = np.concatenate([left, left[left[:, 0] > 0] * (-1, 1, 1)])
    faces = np.concatenate([half["faces"], other[half["faces"]][:, ::-1]]).astype(np.int32)
    swapped = [names.index(_other_name(name)) for name in names]
    weights = np.concatenate([weights, weights[left[:, 0] > 0][:, swapped]])
    tags = half["tags"][np.minimum(np.arange(len(points)), mirror)]
    linked = np.concatenate([half["links"], other[half["links"]]]).astype(np.int32)
    arrays = dict(points=points.astype(np.float32), normals=normals_of(points, faces).astype(np.float32), faces=faces,
                  weights=weights, tags=tags, limbs=_limbs(names, weights, tags, points), mirror=mirror,
                  edges=_edges(faces, linked), leg_t=_along_legs(points, joints))
    for array in arrays.values():
        array.setflags(write=False)
    return Template(**arrays, bones=names, joints=joints, height=facts["height"], rest=posing.rest_bones(joints))


def normals_of(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals of points (V, 3), pointing outwards, with faces weighted by their area; 0 for points without
    a face."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    turned = np.cross(b - a, c - a)
    total = np.zeros((len(points), 3))
    for axis in range(3):
        for k in range(3):
            total[:, axis] += np.bincount(faces[:, k], turned[:, axis], len(points))
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def _other_side(sided: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the right half's vertex for each of the left half's (n,), mirror (V,)). A vertex on the seam is its own
    mirror."""
    other = np.arange(len(sided))
    other[sided] = len(sided) + np.arange(sided.sum())
    return other, np.concatenate([other, np.flatnonzero(sided)]).astype(np.int32)


def _other_name(bone: str) -> str:
    parts = bone.split("_")
    return "_".join({"l": "r", "r": "l"}.get(part, part) for part in parts)


def _limbs(names: Sequence[str], weights: np.ndarray, tags: np.ndarray, points: np.ndarray) -> np.ndarray:
    part = np.zeros((len(weights), len(Limb)), np.float32)
    for column, name in enumerate(names):
        limb = next(limb for start, limb in _LIMB_OF_BONE if name.startswith(start))
        right = limb >= Limb.LEFT_UPPER_ARM and "r" in name.split("_")
        part[:, limb + right] += weights[:, column]
    limbs = part.argmax(axis=1).astype(np.uint8)
    limbs[tags == Tag.SKIRT], limbs[tags == Tag.HAIR] = Limb.SKIRT, Limb.HAIR
    limbs[tags == Tag.HAND] = np.where(points[tags == Tag.HAND, 0] > 0, Limb.LEFT_HAND, Limb.RIGHT_HAND)
    return limbs


def _edges(faces: np.ndarray, linked: np.ndarray) -> np.ndarray:
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]], linked])
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _along_legs(points: np.ndarray, joints: dict[str, np.ndarray]) -> np.ndarray:
    heights = [joints[f"left_{name}"][1] for name in ("hip", "knee", "ankle")]
    return np.interp(points[:, 1], heights, (0, 1, 2)).astype(np.float32)
