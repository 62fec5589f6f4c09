"""The surface posed as in the reference: where each vertex is in the picture, and which limb each pixel shows."""
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from . import bones, raster, skinning
from .space import Space
from .template import Limb, Tag, Template, normals_of

NOTHING = len(Limb)     # in a map of limbs: no surface there; in a map of claims: no claim
NOBODY = NOTHING + 1    # in a map of claims: a mixture of two limbs
_FACE_PAIRS = (
    ("right_eye", "left_eye"),
    ("right_ear", "left_ear"),
    ("right_eye", "right_ear"),
    ("left_eye", "left_ear"),
    ("nose", "right_eye"),
    ("nose", "left_eye"),
)
_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_FACE_STIFF = 0.004           # square metres of evidence that a head needs to differ from the mean (ours)
_HEAD_SCALES = (0.9, 1.15)    # else an estimated depth of the nose could inflate the head (measured)
_HAND_REACH = 0.4             # of the forearm, beyond the wrist
_THIN = 0.01                  # metres of girth that count when limbs hide each other
_CLEARLY = 0.5                # confidence of a joint that is really seen, and not guessed behind the body
_CROWN = 0.16                 # metres above the head's joint


@dataclass(frozen=True)
class Stance:
    """The surface with one displacement, in the picture. pixels (V, 3) x, y, depth; normals (V, 3); facing (V,) 1
    towards the camera .. -1 away; per_metre (V,) pixels that a metre spans there; faces (T', 3): those that face the
    camera; hit (h, w), weights (h, w, 2) of the raster; limbs (h, w) uint8 Limb or NOTHING; depth (h, w) float32, 1e6
    where nothing is."""
    pixels: np.ndarray
    normals: np.ndarray
    facing: np.ndarray
    per_metre: np.ndarray
    faces: np.ndarray
    hit: np.ndarray
    weights: np.ndarray
    limbs: np.ndarray
    depth: np.ndarray

    def across(self, values: np.ndarray) -> np.ndarray:
        """values (V, c) per vertex -> (h, w, c) float32, 0 outside the surface."""
        return raster.interpolated(np.asarray(values, np.float32), self.faces, self.hit, self.weights)


@dataclass(frozen=True)
class Pose:
    """The template in the reference's pose. space: template units <-> pixels; moves: its bones' transforms; used (T',
    3): the faces that this character has; axes (16, 2, 2): each limb's start and end in pixels; size (w, h)."""
    template: Template
    space: Space
    posed: dict
    moves: tuple
    head_scale: float
    used: np.ndarray
    axes: np.ndarray
    size: tuple

    @property
    def metre(self) -> float:
        """Pixels in a metre at the pelvis."""
        return self.space.px_per_metre

    def wearing(self, faces: np.ndarray, hem: float | None) -> "Pose":
        """The same pose with other faces, and with a skirt that ends at hem (0 hips .. 1 knees .. 2 ankles), or None
        for no skirt."""
        return replace(self, used=faces, axes=_axes(self.space, self.posed, self.head_scale, hem))


def pose_of(space: Space, template: Template, size: tuple[int, ...]) -> Pose:
    """The reference's pose without skirt and loose hair; space: of its figure; size (w, h) of the picture."""
    space = replace(space, joints=_before_torso(space))
    if space.flat:
        space = replace(space, joints=_faced(space, template))
    head_scale = _head_scale(space, bones.pose_bones(space.joints, template, 1.0), template)
    posed = bones.pose_bones(space.joints, template, head_scale)
    moves = skinning.transforms(template.rest, posed, template.bones)
    body = ~np.isin(template.tags[template.faces[:, 0]], (Tag.SKIRT, Tag.HAIR))
    return Pose(template, space, posed, moves, head_scale, template.faces[body],
                _axes(space, posed, head_scale, None), size)


def stand(pose: Pose, displacement: np.ndarray) -> Stance:
    """Skin and rasterise the surface, displaced by (V,) metres along its normals."""
    template = pose.template
    points, pixels = _moved(pose, displacement)
    # thick clothes must not swallow the arms in front of them: the body without its girth decides which limb is in
    # front
    pixels[:, 2] = _moved(pose, np.minimum(displacement, _THIN))[1][:, 2]
    front = pose.used[raster.front(pixels[:, :2], pose.used)]
    hit, weights = raster.raster(pixels[:, :2], pixels[:, 2], front, pose.size)
    there = hit >= 0
    limbs = np.full(hit.shape, NOTHING, np.uint8)
    limbs[there] = template.limbs_of(front)[hit[there]]
    depth = np.full(hit.shape, 1e6, np.float32)
    depth[there] = raster.interpolated(pixels[:, 2:].astype(np.float32), front, hit, weights)[there, 0]
    normals = normals_of(points, pose.used)
    return Stance(
        pixels, normals, _facing(points, normals, pose), _per_metre(pixels, pose), front, hit, weights, limbs, depth
    )


def _moved(pose: Pose, displacement: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(points (V, 3) in person units, pixels (V, 3))."""
    template = pose.template
    points = template.points + displacement[:, None] * template.normals
    points, _ = skinning.skinned(points, template.normals, template.weights, pose.moves)
    return points, pose.space.to_pixels(points)


def capsule(size: Sequence[int], start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    """(h, w) bool: within radius pixels of the segment start .. end."""
    drawn = np.zeros((size[1], size[0]), np.uint8)
    ends = np.clip(np.array([start, end], float) * 16, -2**24, 2**24).astype(int)
    cv2.line(drawn, ends[0].tolist(), ends[1].tolist(), (1,), max(int(round(2 * radius)), 1), cv2.LINE_8, 4)
    return drawn > 0


def _before_torso(space: Space) -> dict:
    """The joints, with elbows and wrists that are seen over the torso moved in front of it, because estimated depths
    often put them inside. Not if the person is seen from behind: then the torso hides them."""
    joints = dict(space.joints)
    if joints["left_shoulder"][0] < joints["right_shoulder"][0]:
        return joints
    corners = np.array(
        [
            joints[f"{a}_{b}"]
            for a, b in (("left", "shoulder"), ("right", "shoulder"), ("right", "hip"), ("left", "hip"))
        ]
    )
    outline = cv2.convexHull(corners[:, :2].astype(np.float32))
    high, low = corners[:2].mean(axis=0), corners[2:].mean(axis=0)
    for side in ("left", "right"):
        for name, before in (("elbow", 0.10), ("wrist", 0.16)):
            at = joints[f"{side}_{name}"]
            if (
                space.confidence.get(f"{side}_{name}", 0) < _CLEARLY
                or cv2.pointPolygonTest(outline, at[:2].tolist(), False) < 0
            ):
                continue
            part = np.clip((at[1] - high[1]) / max(low[1] - high[1], 1e-6), 0, 1)
            joints[f"{side}_{name}"] = np.array(
                [at[0], at[1], min(at[2], (1 - part) * high[2] + part * low[2] - before)]
            )
    return joints


def _faced(space: Space, template: Template) -> dict:
    """The joints of a figure without depths, with depths for the face from its turn to the side, because a flat face
    cannot be turned."""
    joints, tall = dict(space.joints), template.joints
    pair = next(
        (pair for pair in (("left_ear", "right_ear"), ("left_eye", "right_eye")) if all(n in joints for n in pair)),
        None,
    )
    if pair is None or "nose" not in joints:
        return joints
    middle, usual = (0.5 * (of[pair[0]] + of[pair[1]]) for of in (joints, tall))
    sine = np.clip((joints["nose"][0] - middle[0]) / (tall["nose"] - usual)[2], -0.95, 0.95)
    for name in _FACE:
        if name in joints:
            x, _, z = tall[name] - tall["neck"]
            joints[name] = np.array([*joints[name][:2], joints["neck"][2] - x * sine + z * np.sqrt(1 - sine * sine)])
    return joints


def _facing(points: np.ndarray, normals: np.ndarray, pose: Pose) -> np.ndarray:
    ray = points - pose.space.camera
    return -(normals * ray).sum(axis=1) / np.maximum(np.linalg.norm(ray, axis=1), 1e-6)


def _per_metre(pixels: np.ndarray, pose: Pose) -> np.ndarray:
    return pose.metre * pose.space.pelvis / np.maximum(pixels[:, 2], pose.space.nearest)


def _head_scale(space: Space, posed: dict[str, bones.Bone], template: Template) -> float:
    """The head's scale, from the face's distances in the picture plane. Depths are not used, because they are the
    estimate's weakest part."""
    turn, along, square = posed["head"].rotation, 0.0, 0.0
    for a, b in _FACE_PAIRS:
        if a in space.joints and b in space.joints:
            mean = (turn @ (template.joints[a] - template.joints[b]))[:2]
            along += mean @ (space.joints[a] - space.joints[b])[:2]
            square += mean @ mean
    return float(np.clip((along + _FACE_STIFF) / (square + _FACE_STIFF), *_HEAD_SCALES))


def _axes(space: Space, posed: dict[str, bones.Bone], head_scale: float, hem: float | None) -> np.ndarray:
    joints = space.joints
    pelvis = 0.5 * (joints["left_hip"] + joints["right_hip"])
    crown = posed["head"].origin + posed["head"].rotation @ (0, -_CROWN * head_scale, 0)
    ends = [(joints["neck"], pelvis), (joints["neck"], crown)]
    ends += [(joints[f"{side}_{a}"], joints[f"{side}_{b}"]) for a, b in (("shoulder", "elbow"), ("elbow", "wrist"))
             for side in ("left", "right")]
    for side in ("left", "right"):
        wrist, elbow = joints[f"{side}_wrist"], joints[f"{side}_elbow"]
        ends.append((wrist, wrist + _HAND_REACH * (wrist - elbow)))
    ends += [
        (joints[f"{side}_{a}"], joints[f"{side}_{b}"])
        for a, b in (("hip", "knee"), ("knee", "ankle"), ("ankle", "toe"))
        for side in ("left", "right")
    ]
    low = "knee" if hem is None or hem < 1.05 else "ankle"
    ends.append((pelvis, 0.5 * (joints[f"left_{low}"] + joints[f"right_{low}"])))
    ends.append((joints["neck"], 0.5 * (joints["neck"] + pelvis)))
    return space.to_pixels(np.array(ends).reshape(-1, 3))[:, :2].reshape(-1, 2, 2)
