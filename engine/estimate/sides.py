"""A body's points in each frame -> the same, with left and right corrected in frames where they were exchanged."""

from collections.abc import Sequence

import numpy as np

from .landmarks import INDEX

# The model confuses these with the other side's: an arm with its hand, a leg with its foot.
GROUPS = (("shoulder", "elbow", "wrist", "pinky", "index", "thumb"), ("hip", "knee", "ankle", "heel", "foot_index"))
# far from the body's middle, so these distinguish the sides
_WEIGHED = ("elbow", "wrist", "knee", "ankle", "foot_index")
# metres of motion that exchanging a frame's sides must save, because the model is mostly right (ours)
_AGAINST_MODEL = 0.12


def changed(place: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(n, 33, 3) metres and (n, 33) 0..1 -> (n, 2) bool: the frames in which arms, and legs, must be exchanged.

    The cheapest path through all frames (Viterbi): motion from frame to frame costs its length, and exchanged sides
    cost a little in each frame. So one or ten frames with exchanged sides are corrected, but a person who turns around
    is not.
    """
    return np.stack([_cheapest(place, seen, group) for group in GROUPS], axis=1)


def exchange(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    """(n, 33, ...) values with the sides of a group exchanged in the frames of `which` (n, 2) bool."""
    values = np.array(values)
    for group, frames in zip(GROUPS, which.T, strict=True):
        left, right = _rows(group)
        one, other = np.ix_(frames, left), np.ix_(frames, right)
        values[one], values[other] = values[other].copy(), values[one].copy()
    return values


def _rows(group: Sequence[str]) -> tuple[list[int], ...]:
    return tuple([INDEX[f"{side}_{name}"] for name in group] for side in ("left", "right"))


def _cheapest(place: np.ndarray, seen: np.ndarray, group: Sequence[str]) -> np.ndarray:
    left, right = _rows([name for name in group if name in _WEIGHED])
    sides = np.stack([place[:, left + right], place[:, right + left]], axis=1)  # (n, as it is or exchanged, points, 3)
    sure = np.stack([seen[:, left + right], seen[:, right + left]], axis=1)
    count = len(place)
    costs, came = np.zeros(2), np.zeros((count, 2), int)
    costs[1] = _AGAINST_MODEL
    for t in range(1, count):
        step = np.linalg.norm(sides[t][None] - sides[t - 1][:, None], axis=-1)  # (before, now, points)
        step = (np.minimum(step, 1.0) * np.minimum(sure[t][None], sure[t - 1][:, None])).sum(axis=-1)
        ways = costs[:, None] + step + np.array([0.0, _AGAINST_MODEL])
        came[t], costs = ways.argmin(axis=0), ways.min(axis=0)
    state, path = int(costs.argmin()), np.zeros(count, bool)
    for t in range(count - 1, -1, -1):
        path[t] = state
        state = came[t, state]
    return path
