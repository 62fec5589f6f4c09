"""A shot's figures and the reference's joints -> the figures with the reference's proportions. Feet stay where they
stood.

Ours (the paper names very different body shapes as a limit): each limb keeps its direction and takes the reference's
length. Both lengths are measured as parts of the standing height. The hips move to the height above the floor that the
new legs need. A standing foot stays where it is, and the knee bends accordingly (two-bone inverse kinematics).
"""
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..contract.skeleton import BODY_INDEX
from .limbs import SEEN, facing, with_derived
from .poses import Figure

_I = BODY_INDEX
SIDES = ("right", "left")
_LIMBS = {"upper_arm": ("shoulder", "elbow"), "forearm": ("elbow", "wrist"), "thigh": ("hip", "knee"),
          "shin": ("knee", "ankle"), "foot": ("ankle", "toe")}
_MOST = 1.35           # the most by which a limb is scaled, up or down: more means a foreshortened reference (ours)
_USUAL_HEIGHT = 1.7    # scene units, if the shot does not show it
# In standing heights per second: a foot slower than the first stands, one faster than the second swings
_STANDS, _SWINGS = 0.25, 0.9
_EVEN_S = 0.12         # seconds over which a foot's standing is smoothed
# seconds over which the direction from the feet up to the hips is smoothed, so that no step pushes the hips sideways
_UP_S = 0.5
_LOWER = 12.0          # how strongly the lower foot counts as the one that carries the body, per standing height
_FACE = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")


def retargeted(figures: Sequence[Figure | None], joints: np.ndarray, height_px: float, *, strength: float,
               fps: float) -> tuple:
    """The figures with the reference's proportions. figures: for each frame a Figure or None; joints (20, 3) x, y,
    confidence and height_px: the reference's joints and standing height in its pixels; strength 0..1. Hands move with
    their wrists and keep their size."""
    there = {i: figure for i, figure in enumerate(figures) if figure is not None}
    known = list(there)
    if strength <= 0 or not known or joints is None or not height_px:
        return tuple(figures)
    bodies = np.stack([figure.body for figure in there.values()]).astype(np.float64)
    heights = np.array([figure.height_px for figure in there.values()])
    seen, unit = bodies[..., 3] >= SEEN, _scene_height(bodies, heights)
    places = np.concatenate([bodies[..., :2], bodies[..., 2:3] * (heights / unit)[:, None, None]], axis=-1)
    ratios = _ratios(_lengths(places, seen, heights), _reference_lengths(np.asarray(joints, np.float64), height_px),
                     strength)
    moved = _moved(places, seen, ratios, _standing(places, seen, heights, np.array(known), fps), fps)
    result = list(figures)
    for k, i in enumerate(known):
        body = bodies[k].copy()
        body[:, :2], body[:, 2] = moved[k, :, :2], moved[k, :, 2] * unit / heights[k]
        shift = body[:, :3] - bodies[k][:, :3]
        hands = tuple(None if hand is None else np.column_stack([hand[:, :3] + shift[_I[f"{side}_wrist"]], hand[:, 3]])
                      for side, hand in zip(("left", "right"), there[i].hands, strict=True))
        result[i] = replace(there[i], body=body, hands=hands)
    return tuple(result)


def _scene_height(bodies: np.ndarray, heights: np.ndarray) -> float:
    """The standing height in the depths' own unit: the one that best keeps the limbs' lengths constant over the shot.

    For each limb, (length on screen)^2 = L^2 - (length in depth / height)^2, in standing heights. This is a line, and
    all limbs share its slope. If no limb turns towards the camera, the usual height decides.
    """
    bend, spread = 1e-4, 1e-4 * _USUAL_HEIGHT ** 2
    for a, b in _ends():
        use = (bodies[:, [a, b], 3] >= SEEN).all(axis=1)
        if use.sum() < 3:
            continue
        step = bodies[use, a] - bodies[use, b]
        flat, deep = (step[:, :2] ** 2).sum(-1) / heights[use] ** 2, step[:, 2] ** 2
        flat, deep = flat - flat.mean(), deep - deep.mean()
        bend, spread = bend + max(-(flat * deep).sum(), 0.0), spread + (deep * deep).sum()
    return float(np.clip(np.sqrt(spread / bend), 0.3 * _USUAL_HEIGHT, 3.0 * _USUAL_HEIGHT))


def _ends() -> list:
    return [(_I[f"{side}_{a}"], _I[f"{side}_{b}"]) for side in SIDES for a, b in _LIMBS.values()]


def _lengths(places: np.ndarray, seen: np.ndarray, heights: np.ndarray) -> dict:
    """The length of each limb over the shot, as a part of the standing height. A limb that is never seen is left
    out."""
    found = {}

    def measure(name: str, start: np.ndarray, end: np.ndarray, sure: np.ndarray) -> None:
        lengths = np.linalg.norm(start - end, axis=-1) / heights
        if sure.any():
            found[name] = max(found.get(name, 0.0), float(np.median(lengths[sure])))
    for side in SIDES:
        for name, (a, b) in _LIMBS.items():
            a, b = _I[f"{side}_{a}"], _I[f"{side}_{b}"]
            measure(name, places[:, a], places[:, b], seen[:, a] & seen[:, b])
    for name, part in (("shoulders", "shoulder"), ("hips", "hip")):
        a, b = _I[f"right_{part}"], _I[f"left_{part}"]
        measure(name, places[:, a], places[:, b], seen[:, a] & seen[:, b])
    hips, neck = [_I["right_hip"], _I["left_hip"]], _I["neck"]
    measure("torso", places[:, neck], places[:, hips].mean(axis=1), seen[:, [neck, *hips]].all(axis=1))
    ears = [_I["right_ear"], _I["left_ear"]]
    for points in (ears, [_I["nose"]]):
        if "head" not in found:
            measure("head", places[:, neck], places[:, points].mean(axis=1), seen[:, [neck, *points]].all(axis=1))
    return found


def _reference_lengths(joints: np.ndarray, height_px: float) -> dict:
    """The same for one flat picture. Widths are included only if the person faces the camera or shows the back."""
    flat = np.column_stack([joints[:, :2], np.zeros(len(joints))])[None]
    found = _lengths(flat, joints[None, :, 2] >= SEEN, np.array([height_px]))
    body = np.column_stack([joints[:, :2], np.zeros(len(joints)), joints[:, 2]])
    if facing(with_derived(body)) == 0:
        found.pop("shoulders", None), found.pop("hips", None)
    return found


def _ratios(lengths: dict[str, float], wanted: dict[str, float], strength: float) -> dict:
    """The factor for each limb's length."""
    names = (*_LIMBS, "shoulders", "hips", "torso", "head")
    ratios = {name: np.clip(wanted[name] / max(lengths[name], 1e-6), 1 / _MOST, _MOST)
              if name in wanted and name in lengths
              else 1.0 for name in names}
    return {name: float(ratio ** strength) for name, ratio in ratios.items()}


def _standing(places: np.ndarray, seen: np.ndarray, heights: np.ndarray, numbers: np.ndarray, fps: float) -> np.ndarray:
    """(frames, 2) 0..1: how certainly the right and the left foot stand."""
    feet = places[:, [_I["right_ankle"], _I["left_ankle"]]]
    there = seen[:, [_I["right_ankle"], _I["left_ankle"]]]
    if len(places) < 2:
        return there.astype(float)
    speed = np.linalg.norm(np.gradient(feet[..., :2], numbers, axis=0), axis=-1) * fps / heights[:, None]
    stands = np.clip((_SWINGS - speed) / (_SWINGS - _STANDS), 0.0, 1.0) * there
    return _evened(stands, _EVEN_S * fps)


def _evened(values: np.ndarray, frames: float) -> np.ndarray:
    """(n, k) smoothed over so many frames on each side; beyond the ends, the end values are repeated."""
    reach = max(1, round(frames))
    kernel = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(values, [(reach, reach), (0, 0)], mode="edge")
    return np.stack([np.convolve(column, kernel / kernel.sum(), "valid") for column in padded.T], axis=1)


def _moved(places: np.ndarray, seen: np.ndarray, ratios: dict[str, float], stands: np.ndarray,
           fps: float) -> np.ndarray:
    """(frames, 20, 3): every joint at its new place; depths in pixels like the rest."""
    hips = [_I["right_hip"], _I["left_hip"]]
    ankles = [_I["right_ankle"], _I["left_ankle"]]
    moved = places.copy()
    legged = seen[:, [*hips, *ankles, _I["right_knee"], _I["left_knee"]]].all(axis=1)
    pelvis = places[:, hips].mean(axis=1)
    leg = (ratios["thigh"] + ratios["shin"]) / 2
    ground = _ground(places, ankles, stands)
    up = _evened(pelvis - ground, _UP_S * fps)
    up /= np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-6)
    risen = (leg - 1) * ((pelvis - ground) * up).sum(axis=-1) * legged
    root = pelvis + _evened(risen[:, None], _EVEN_S * fps) * up
    _upper_body(moved, places, seen, ratios, root, pelvis)
    for k, side in enumerate(SIDES):
        hip, knee, ankle, toe = (_I[f"{side}_{part}"] for part in ("hip", "knee", "ankle", "toe"))
        moved[:, hip] = root + ratios["hips"] * (places[:, hip] - pelvis)
        _carry(moved, places, seen, hip, knee, ratios["thigh"])
        _carry(moved, places, seen, knee, ankle, ratios["shin"])
        firm = (stands[:, k] * legged)[:, None]
        moved[:, ankle] = firm * places[:, ankle] + (1 - firm) * moved[:, ankle]
        bent = _knee(places[:, [hip, knee, ankle]], moved[:, hip], moved[:, ankle], ratios["thigh"], ratios["shin"])
        moved[:, knee] = np.where(legged[:, None], bent, moved[:, knee])
        _carry(moved, places, seen, ankle, toe, ratios["foot"])
    return np.where(seen[..., None], moved, places)


def _ground(places: np.ndarray, ankles: list[int], stands: np.ndarray) -> np.ndarray:
    """(frames, 3): the point that carries the body: the standing foot, the lower foot, or a point between both."""
    feet = places[:, ankles]
    size = np.maximum(np.abs(places[:, [_I["neck"]]] - feet)[..., 1].max(axis=1), 1.0)
    low = np.exp(np.clip(_LOWER * (feet[..., 1] - feet[..., 1].max(axis=1, keepdims=True)) / size[:, None], -50, 0))
    weights = low * (stands + 0.05)
    return (weights[..., None] * feet).sum(axis=1) / weights.sum(axis=1)[:, None]


def _upper_body(moved: np.ndarray, places: np.ndarray, seen: np.ndarray, ratios: dict[str, float], root: np.ndarray,
                pelvis: np.ndarray) -> None:
    neck = _I["neck"]
    hipped = seen[:, [_I["right_hip"], _I["left_hip"]]].all(axis=1)[:, None]
    moved[:, neck] = np.where(hipped, root + ratios["torso"] * (places[:, neck] - pelvis), places[:, neck])
    for name in _FACE:
        _carry(moved, places, seen, neck, _I[name], ratios["head"])
    for side in SIDES:
        before = neck
        for part, limb in (("shoulder", "shoulders"), ("elbow", "upper_arm"), ("wrist", "forearm")):
            _carry(moved, places, seen, before, _I[f"{side}_{part}"], ratios[limb])
            before = _I[f"{side}_{part}"]


def _carry(moved: np.ndarray, places: np.ndarray, seen: np.ndarray, start: int, end: int, ratio: float) -> None:
    """Write a limb's end at its new length. If its start is not known, the end only moves along."""
    length = np.where(seen[:, start], ratio, 1.0)[:, None]
    moved[:, end] = moved[:, start] + length * (places[:, end] - places[:, start])


def _knee(before: np.ndarray, hip: np.ndarray, ankle: np.ndarray, thigh: float, shin: float) -> np.ndarray:
    """(frames, 3): the knee between hip and ankle. It bends to the same side as before, as far as the lengths require.

    before (frames, 3, 3): hip, knee and ankle as they were; a leg that is too short for its foot is stretched.
    """
    long = np.linalg.norm(before[:, 1] - before[:, 0], axis=-1) * thigh
    low = np.linalg.norm(before[:, 2] - before[:, 1], axis=-1) * shin
    way = ankle - hip
    reach = np.maximum(np.linalg.norm(way, axis=-1), 1e-6)
    along = way / reach[:, None]
    total = np.maximum(long + low, 1e-6)
    straight = long / total * reach
    at = np.clip((reach ** 2 + long ** 2 - low ** 2) / (2 * reach), 0.0, reach)
    out = np.sqrt(np.maximum(long ** 2 - at ** 2, 0.0))
    bent = reach < total
    aside = before[:, 1] - before[:, 0]
    aside = aside - (aside * along).sum(-1, keepdims=True) * along
    size = np.linalg.norm(aside, axis=-1, keepdims=True)
    aside = np.where(size > 1e-6, aside / np.maximum(size, 1e-6), 0.0)
    return hip + np.where(bent, at, straight)[:, None] * along + np.where(bent, out, 0.0)[:, None] * aside


