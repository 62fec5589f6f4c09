"""One person's joints -> the same with derived points (head, pelvis, palms), and sizes in pixels.

Shared by everything that draws a body: skeleton, depth, volumes, warp. Pixels as in docs/architecture.md.
"""
from collections.abc import Sequence

import numpy as np

from ..contract.skeleton import BODY

SEEN = 0.05          # joints with less confidence are not drawn (ours)
DERIVED = ("head", "pelvis", "right_palm", "left_palm")
POINTS = BODY + DERIVED
INDEX = {name: i for i, name in enumerate(POINTS)}
_HEAD_SOURCES = (("right_ear", "left_ear"), ("right_eye", "left_eye"), ("nose",))
_PALM = [0, 5, 9, 13, 17]      # wrist and the four knuckles
_PALM_BEYOND_WRIST = 0.35      # of the forearm, where the hand itself is not known (ours)


def clean_joints(joints: np.ndarray) -> np.ndarray:
    """(n, 4) x, y, depth, confidence as float64, with confidence 0 wherever a position is not finite."""
    joints = np.array(joints, np.float64)
    bad = ~np.isfinite(joints).all(axis=1)
    joints[bad] = 0.0
    return joints


def clean_hands(hands: Sequence[np.ndarray | None] | None) -> tuple:
    """(left, right), each (21, 4) or None; None stands for no hands."""
    return tuple(None if hand is None else clean_joints(hand) for hand in (hands or (None, None)))


def with_derived(body: np.ndarray, hands: Sequence[np.ndarray | None] | None = None) -> np.ndarray:
    """(24, 4): the 20 body joints, then head centre, pelvis and palms; unknown points have confidence 0."""
    points = np.zeros((len(POINTS), 4))
    points[:len(BODY)] = clean_joints(body)
    points[INDEX["head"]] = _head(points)
    points[INDEX["pelvis"]] = _mean_if_all_seen(points[[INDEX["right_hip"], INDEX["left_hip"]]])
    for side, hand in zip(("left", "right"), clean_hands(hands), strict=True):
        points[INDEX[f"{side}_palm"]] = _palm(points, side, hand)
    return points


def depth_scale(points: np.ndarray, height_px: float) -> np.ndarray:
    """(n,) pixels that the standing height spans at each point's depth; height_px if no depths are known."""
    pelvis, depths = points[INDEX["pelvis"]], points[:, 2]
    known = (depths > 1e-6) & (points[:, 3] >= SEEN)
    if pelvis[3] >= SEEN and pelvis[2] > 1e-6:
        middle = pelvis[2]
    elif known.any():
        middle = np.median(depths[known])
    else:
        return np.full(len(points), float(height_px))
    ratio = np.where(known, middle / np.where(known, depths, 1.0), 1.0)
    return float(height_px) * np.clip(ratio, 1 / 3, 3.0)


def facing(points: np.ndarray) -> int:
    """1 from the front, -1 from behind, 0 if not known; decided by the sides of the shoulders relative to the body's
    axis (ours)."""
    right, left, neck, pelvis = (points[INDEX[n]] for n in ("right_shoulder", "left_shoulder", "neck", "pelvis"))
    if min(right[3], left[3], neck[3], pelvis[3]) < SEEN:
        return 0
    across, down = (left - right)[:2], (pelvis - neck)[:2]
    turn = across[0] * down[1] - across[1] * down[0]
    return int(np.sign(turn)) if abs(turn) > 0.1 * float(down @ down) else 0


def _head(points: np.ndarray) -> np.ndarray:
    for names in _HEAD_SOURCES:
        seen = [points[INDEX[n]] for n in names if points[INDEX[n], 3] >= SEEN]
        if seen:
            return np.mean(seen, axis=0)
    return np.zeros(4)


def _mean_if_all_seen(joints: np.ndarray) -> np.ndarray:
    return joints.mean(axis=0) if joints[:, 3].min() >= SEEN else np.zeros(4)


def _palm(points: np.ndarray, side: str, hand: np.ndarray | None) -> np.ndarray:
    if hand is not None and (hand[_PALM, 3] >= SEEN).all():
        return hand[_PALM].mean(axis=0)
    elbow, wrist = points[INDEX[f"{side}_elbow"]], points[INDEX[f"{side}_wrist"]]
    if min(elbow[3], wrist[3]) < SEEN:
        return np.zeros(4)
    palm = wrist + _PALM_BEYOND_WRIST * (wrist - elbow)
    palm[2:] = wrist[2:]
    return palm
