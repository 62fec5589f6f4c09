"""One figure's joints, pixels and depth <-> person units, in which the person is as tall as the template.

Ours. Origin: the middle of the hips. x points to the right of the picture, y down, z away from the camera; seen from
the front, these are the template's own axes. x and y come from pixels, the pelvis' depth and height_px. A metre of
depth is k person units.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...contract.skeleton import BODY, HAND
from ..limbs import SEEN
from ..poses import Figure
from .bones import FACE, SIDES
from .template import Template
from .turning import frame, length, similarity, unit

_NEAREST = 0.05           # of the pelvis' depth: points nearer than this cannot be drawn
_FLAT_DEPTH = 4.0         # metres, if no depth is known
_LEAST_HEIGHT, _FARTHEST, _DEEPEST = 0.1, 1e6, 1e8  # pixels, pixels and scene units: no real picture is beyond these
_TORSO = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")
_CHAINS = (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))
_LIMBS = tuple((a, b) for chain in _CHAINS for a, b in pairwise(chain))
_WORTH = np.geomspace(0.8, 1.7, 40)  # the tried values of a metre of depth


@dataclass(frozen=True)
class Space:
    """joints {name: (3,)} all body joints except unseen face points, and side_finger_1..4 of known hands; confidence
    {name: 0..1}.

    k: person units in a metre of depth; middle (2,): the hips in pixels; pelvis: their depth in metres; flat: no depth
    was known.
    """
    joints: dict
    confidence: dict
    k: float
    height_px: float
    height: float
    middle: np.ndarray
    pelvis: float
    flat: bool

    @classmethod
    def of(cls, figure: Figure, template: Template, k: float | None = None,
           focal: float | None = None) -> "Space | None":
        """The space of a Figure; None if a hip or a shoulder is not known. If k is None, it follows from focal
        (pixels); without focal, it is 1."""
        body = np.asarray(figure.body, np.float64)
        at = dict(zip(BODY, body, strict=False))
        flat = not all(at[name][2] > 0 for name in _TORSO[:2])
        usable = {name: _usable(name, joint, flat) for name, joint in at.items()}
        if not all(usable[name] for name in _TORSO) or not _LEAST_HEIGHT <= figure.height_px <= _FARTHEST:
            return None
        hips = np.stack([at[name] for name in _TORSO[:2]])
        pelvis = _FLAT_DEPTH if flat else float(hips[:, 2].mean())
        if k is None:
            k = 1.0 if focal is None or flat else template.height * focal / (figure.height_px * pelvis)
        space = cls({}, {}, float(k), float(figure.height_px), template.height, hips[:, :2].mean(axis=0), pelvis, flat)
        for name in BODY:
            if usable[name] and space._in_front(at[name][2]):
                space.joints[name] = space.from_pixels(at[name][None, :3])[0]
                space.confidence[name] = float(at[name][3])
        if not all(name in space.joints for name in _TORSO):
            return None
        space.joints.update(space._hands(figure.hands))
        if flat:
            _lift(space.joints, template)
        _complete(space.joints, template)
        return space

    @property
    def px_per_metre(self) -> float:
        """Pixels that a person unit spans at the pelvis."""
        return self.height_px / self.height

    @property
    def camera(self) -> np.ndarray:
        """(3,) the camera's position in person units, assuming that the hips are in the middle of the picture."""
        return np.array([0.0, 0.0, -self.pelvis * self.k])

    @property
    def nearest(self) -> float:
        """Metres from the camera. to_pixels puts nearer points at this depth, and they should not be drawn."""
        return _NEAREST * self.pelvis

    def from_pixels(self, places: np.ndarray) -> np.ndarray:
        """(n, 3) person units of (n, 3) x, y in pixels, depth in metres; depth is ignored if the figure is flat."""
        depth = np.full(len(places), self.pelvis) if self.flat else places[:, 2]
        scale = depth / self.pelvis * self.height / self.height_px
        return np.column_stack([(places[:, :2] - self.middle) * scale[:, None], (depth - self.pelvis) * self.k])

    def to_pixels(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) x, y in pixels and depth in metres of points (n, 3) in person units."""
        depth = np.maximum(self.pelvis + points[:, 2] / self.k, self.nearest)
        scale = self.px_per_metre * self.pelvis / depth
        return np.stack([self.middle[0] + points[:, 0] * scale, self.middle[1] + points[:, 1] * scale, depth], axis=1)

    def _in_front(self, depth: float) -> bool:
        return self.flat or depth > self.nearest

    def _hands(self, hands: Sequence[np.ndarray | None] | None) -> dict:
        found = {}
        for side, hand in zip(SIDES, hands or (None, None), strict=False):
            if hand is None:
                continue
            hand = np.asarray(hand, np.float64)
            known = (hand[:, 3] >= SEEN) | ((hand[:, 2] > 0) & ~self.flat)
            if known.all() and all(self._in_front(depth) for depth in hand[:, 2]):
                places = self.from_pixels(hand[:, :3])
                found.update({f"{side}_{name}": places[i] for i, name in enumerate(HAND) if i})
        return found


def depth_factor(figures: Sequence[Figure], template: Template) -> float:
    """k for a clip's figures: the value with which limbs best keep their lengths over the frames (ours).

    Only needed if the focal length is not known. Figures without depth are left out; 1 if none is left.
    """
    rows = []
    for figure in figures:
        space = Space.of(figure, template, 1.0)
        if space is None or space.flat:
            continue
        for number, (a, b) in enumerate(_LIMBS):
            for side in SIDES:
                x, y, z = space.joints[f"{side}_{b}"] - space.joints[f"{side}_{a}"]
                rows.append((number, x * x + y * y, z * z))
    if not rows:
        return 1.0
    limb, flat, deep = np.array(rows).T
    lengths = 0.5 * np.log(flat + _WORTH[:, None] ** 2 * deep + 1e-6)
    cost = 0.02 * np.log(_WORTH) ** 2 * len(rows)
    for number, (a, b) in enumerate(_LIMBS):
        own = lengths[:, limb == number]
        usual = np.log(np.linalg.norm(template.joints[f"left_{b}"] - template.joints[f"left_{a}"]))
        middle = own.mean(axis=1)
        cost += ((own - middle[:, None]) ** 2).sum(axis=1) + 0.05 * own.shape[1] * (middle - usual) ** 2
    return float(_WORTH[cost.argmin()])


def _usable(name: str, joint: np.ndarray, flat: bool) -> bool:
    """Face points must be seen. Other joints may be used if they have a position, seen or not."""
    if not np.isfinite(joint).all() or np.abs(joint[:2]).max() > _FARTHEST or joint[2] > _DEEPEST:
        return False
    placed = joint[:2].any() and joint[2] > 0 and not flat
    return bool(joint[3] >= SEEN or (placed and name not in FACE))


def _lift(joints: dict[str, np.ndarray], template: Template) -> None:
    """Give hips and shoulders of a flat figure a depth: as much as their widths lack, with the sign that face and feet
    give.

    Without this, the direction of the chest is undefined in a flat figure that is seen from the side.
    """
    def step(a: str, b: str) -> float:
        return joints[b][0] - joints[a][0] if a in joints and b in joints else 0.0
    ears = [joints[name][0] for name in ("left_ear", "right_ear", "neck") if name in joints]
    nose = joints["nose"][0] - np.mean(ears) if "nose" in joints and ears else 0.0
    ahead = np.clip((nose + step("left_ankle", "left_toe") + step("right_ankle", "right_toe")) / 0.12, -1, 1)
    for name in ("hip", "shoulder"):
        usual = np.linalg.norm(template.joints[f"left_{name}"] - template.joints[f"right_{name}"])
        across = joints[f"left_{name}"] - joints[f"right_{name}"]
        lacking = np.sqrt(max(usual ** 2 - across @ across, 0.0))
        for side, sign in zip(SIDES, (1, -1), strict=False):
            joints[f"{side}_{name}"] = joints[f"{side}_{name}"] + (0, 0, 0.5 * sign * ahead * lacking)


def _complete(joints: dict[str, np.ndarray], template: Template) -> None:
    """Add missing joints where the template has them relative to the torso. A missing middle joint is bent between its
    neighbours."""
    tall = template.joints
    turn, size = similarity(*(np.stack([of[name] for name in _TORSO]) for of in (tall, joints)),
                            weights=np.ones(len(_TORSO)))
    size = np.clip(size, 0.5, 1.5)
    moved = {name: size * turn @ at for name, at in tall.items()}
    if "neck" not in joints:
        middle = 0.5 * (joints["left_shoulder"] + joints["right_shoulder"])
        joints["neck"] = middle + moved["neck"] - 0.5 * (moved["left_shoulder"] + moved["right_shoulder"])
    for side in SIDES:
        for chain in _CHAINS:
            a, b, c = (f"{side}_{name}" for name in chain)
            if b not in joints and c in joints:
                joints[b] = _between(joints[a], joints[c], moved[b] - moved[a], moved[c] - moved[b])
            for name, parent in ((b, a), (c, b)):
                if name not in joints:
                    joints[name] = joints[parent] + moved[name] - moved[parent]
        toe, ankle = f"{side}_toe", f"{side}_ankle"
        if toe not in joints:
            joints[toe] = joints[ankle] + moved[toe] - moved[ankle]


def _between(start: np.ndarray, end: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The joint between two known ones, bent to the same side as the bones `first` and `second` at rest."""
    a, b, reach = (float(length(v)[0]) for v in (first, second, end - start))
    part = np.clip((a * a - b * b + reach * reach) / max(2 * reach, 1e-6), -a, a)
    out = np.sqrt(max(a * a - part * part, 0.0)) if reach < a + b else 0.0
    aside = frame(end - start, first - second * a / max(b, 1e-6))[:, 0]
    return start + part * unit(end - start) + out * aside
