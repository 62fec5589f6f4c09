"""Joints that the pose model finds in a generated and in the true frame -> how far they are apart."""

import numpy as np

from ..conditions.frames import as_bits
from ..estimate.people import find_joints
from .body_parts import SEEN


def found_joints(picture) -> np.ndarray | None:
    """(20, 3) x, y, confidence in (h, w, 3) 0..1; None where nobody is found."""
    person = find_joints(as_bits(picture), threads=1)
    return None if person is None else person.body[:, [0, 1, 3]]


def pose_error(made, true) -> float:
    """Mean distance in pixels over the joints (20, 3) that are found in both; NaN where there is none."""
    if made is None or true is None:
        return float("nan")
    both = (made[:, 2] >= SEEN) & (true[:, 2] >= SEEN)
    return float(np.hypot(*(made[both, :2] - true[both, :2]).T).mean()) if both.any() else float("nan")
