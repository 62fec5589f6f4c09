"""Joints that the pose model finds in a generated and in the true frame -> how far they are apart,
and from the rig's."""

import numpy as np

from engine.conditions.frames import as_bits
from engine.contract.skeleton import BODY_INDEX
from engine.estimate.people import find_joints

from .body_parts import SEEN

ENDS = {end: [BODY_INDEX[f"{side}_{end}"] for side in ("left", "right")] for end in ("wrist", "ankle", "toe")}


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


def end_distances(found, true) -> dict:
    """{wrist, ankle, toe: mean distance in pixels from the rig's own joint}, of joints (20, 3) that both show; what
    neither side shows is left out."""
    if found is None or true is None:
        return {}
    apart = np.hypot(*(found[:, :2] - true[:, :2]).T)
    seen = (found[:, 2] >= SEEN) & (true[:, 2] >= SEEN)
    return {end: float(apart[which][seen[which]].mean()) for end, which in ENDS.items() if seen[which].any()}
