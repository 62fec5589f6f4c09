"""The template unwrapped: each limb is cut open at its back and flattened, so that one picture, the atlas, holds all
colours.

Ours. A plain projection of the reference smears along every flank. In surface coordinates, unseen places can be filled
from their surroundings. A limb is unrolled about its axis, with its ends as domes; a hand is split into palm and back.
"""
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .template import Limb, Template, load

PAD = 3                     # pixels around a chart
_PALM = 16                  # charts 16 and 17: the palms; 6 and 7 are the backs of the hands
CHARTS = 18
_FINER: dict[int, float] = {Limb.HEAD: 1.3}   # times the density, because people look at faces


@dataclass(frozen=True)
class Charts:
    """chart (T,): the chart of each face; flat (T, 3, 2): metres from its chart's corner; far (T, 3): metres from the
    limb's axis; sizes (18, 2): metres; round (18,): metres once around a limb, 0 for charts that are not unrolled."""
    chart: np.ndarray
    flat: np.ndarray
    far: np.ndarray
    sizes: np.ndarray
    round: np.ndarray


@lru_cache(maxsize=1)
def charts() -> Charts:
    """The Charts of all the template's faces, used or not."""
    template = load()
    faces, points = template.faces, template.points.astype(float)
    chart = template.limbs_of(faces).astype(int)
    flat, far = np.zeros((len(faces), 3, 2)), np.zeros((len(faces), 3))
    sizes, about = np.zeros((CHARTS, 2)), np.zeros(CHARTS)
    palms = {}
    for limb in Limb:
        own = chart == limb
        if limb in (Limb.LEFT_HAND, Limb.RIGHT_HAND):
            flat[own], far[own], palms[limb] = _laid(template, faces[own], limb)
        elif limb == Limb.HAIR:
            flat[own], far[own] = points[faces[own]][:, :, :2] * (-1, 1), points[faces[own]][:, :, 2]
        else:
            flat[own], far[own], about[limb] = _unrolled(template, faces[own], limb)
    for limb, palm in palms.items():
        chart[np.flatnonzero(chart == limb)[palm]] = _PALM + limb - Limb.LEFT_HAND
    for number in range(CHARTS):
        own = chart == number
        flat[own] -= flat[own].min(axis=(0, 1))
        sizes[number] = flat[own].max(axis=(0, 1)) * _FINER.get(number, 1.0)
        flat[own] *= _FINER.get(number, 1.0)
        about[number] *= _FINER.get(number, 1.0)
    return Charts(chart, flat, far, sizes, about)


@dataclass(frozen=True)
class Layout:
    """The charts in one picture. uv (T, 3, 2) float32 pixels; far (T, 3) metres; size (w, h); boxes (18, 4) left, top,
    right, bottom; round (18,) pixels once around a limb, 0 for charts that are not unrolled."""
    uv: np.ndarray
    far: np.ndarray
    size: tuple
    boxes: np.ndarray
    round: np.ndarray


def laid_out(density: float) -> Layout:
    """All charts at `density` pixels per metre."""
    found = charts()
    sizes = np.ceil(found.sizes * density).astype(int) + 2 * PAD
    limit = max(int(1.3 * np.sqrt(sizes.prod(axis=1).sum())), sizes[:, 0].max())
    boxes, at, row, width = np.zeros((CHARTS, 4), int), np.zeros(2, int), 0, 0
    for number in np.argsort(-sizes[:, 1], kind="stable"):
        if at[0] + sizes[number, 0] > limit:
            at, row = np.array([0, at[1] + row]), 0
        boxes[number] = *at, *(at + sizes[number])
        at[0] += sizes[number, 0]
        row, width = max(row, sizes[number, 1]), max(width, at[0])
    uv = found.flat * density + (boxes[found.chart, :2] + PAD)[:, None]
    return Layout(uv.astype(np.float32), found.far, (int(width), int(at[1] + row)), boxes, found.round * density)


def _axis(joints: dict[str, np.ndarray], limb: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[bool, bool]]:
    """(from, to, the direction opposite to the cut, whether each end is a dome) of a limb at rest."""
    front, up = np.array([0, 0, -1.0]), np.array([0, -1.0, 0])
    middle = 0.5 * (joints["left_hip"] + joints["right_hip"])
    if limb == Limb.TORSO:
        return joints["neck"], middle, front, (False, False)
    if limb == Limb.HEAD:
        centre = 0.5 * (joints["left_ear"] + joints["right_ear"]) + (0, -0.03, 0.02)
        return centre, centre - up, front, (True, False)
    if limb == Limb.SKIRT:
        return middle, middle - up, front, (False, False)
    side = "left" if limb % 2 == 0 else "right"
    a, b = {
        1: ("shoulder", "elbow"),
        2: ("elbow", "wrist"),
        4: ("hip", "knee"),
        5: ("knee", "ankle"),
        6: ("ankle", "toe"),
    }[limb // 2]
    if a == "ankle":
        return joints[f"{side}_ankle"] + (0, 0.03, 0), joints[f"{side}_toe"], up, (True, False)
    return joints[f"{side}_{a}"], joints[f"{side}_{b}"], front, (False, False)


def axis_of(joints: dict[str, np.ndarray], limb: int) -> np.ndarray:
    """(3,) the direction of a limb at rest, away from the body; down for skirt and hair."""
    if limb in (Limb.LEFT_HAND, Limb.RIGHT_HAND):
        limb = limb - 2
    start, end, _, _ = _axis(joints, Limb.TORSO if limb == Limb.HAIR else limb)
    return (end - start) / np.linalg.norm(end - start)


def _unrolled(template: Template, faces: np.ndarray, limb: int) -> tuple[np.ndarray, np.ndarray, float]:
    """(flat (n, 3, 2), far (n, 3), metres once around): the angle about the axis times the mean radius, and the
    distance along it."""
    start, end, front, domes = _axis(template.joints, limb)
    along = (end - start) / np.linalg.norm(end - start)
    front = front - (front @ along) * along
    front /= np.linalg.norm(front)
    side = np.cross(front, along)
    from_axis = template.points[faces] - start
    f, s, v = from_axis @ front, from_axis @ side, from_axis @ along
    radius = np.hypot(f, s)
    mean = float(np.median(radius))
    middle = np.arctan2(s.mean(axis=1), f.mean(axis=1))
    turn = middle[:, None] + np.angle(np.exp(1j * (np.arctan2(s, f) - middle[:, None])))
    if domes[0]:
        v = np.where(v < 0, -np.arctan2(-v, np.maximum(radius, 1e-6)) * np.hypot(radius, v), v)
    return np.stack([turn * mean, v], axis=-1), radius, 2 * np.pi * mean


def _laid(template: Template, faces: np.ndarray, limb: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(flat, far, palm (n,) bool): the hand as seen along the palm's normal, with palm and back separate."""
    side = "left" if limb == Limb.LEFT_HAND else "right"
    joints = template.joints
    wrist = joints[f"{side}_wrist"]
    along = joints[f"{side}_middle_1"] - wrist
    along /= np.linalg.norm(along)
    across = joints[f"{side}_index_1"] - joints[f"{side}_little_1"]
    across -= (across @ along) * along
    across /= np.linalg.norm(across)
    out = np.cross(along, across)
    palm = template.normals[faces].mean(axis=1) @ out > 0
    away = template.points[faces] - wrist
    return np.stack([away @ across, away @ along], axis=-1), np.where(palm[:, None], 1, -1) * (away @ out), palm
