"""Where a person stands on each frame, in the world: what the light at that place is measured by."""

from typing import NamedTuple

import numpy as np

from ..embedded.engine.contract.skeleton import BODY_INDEX, HEAD_HEIGHT

_CHEST = 0.3            # of the way from the neck to the middle of the hips


class Stand(NamedTuple):
    """The middle of the chest (3,) in the world, the radius of a ball as large as the head, and the camera's matrix
    (4, 4) in the world."""

    chest: np.ndarray
    radius: float
    camera: np.ndarray


def stands(joints: np.ndarray, heights: np.ndarray, cameras: np.ndarray) -> list[Stand]:
    """The Stand of each frame, from joints (F, K, 3) in the world, whose first are the body's, standing heights (F,) in
    its units, and cameras (F, 4, 4)."""
    neck, left, right = (joints[:, BODY_INDEX[name]] for name in ("neck", "left_hip", "right_hip"))
    chests = neck + _CHEST * ((left + right) / 2 - neck)
    return [Stand(*one) for one in zip(chests, HEAD_HEIGHT / 2 * heights, cameras, strict=True)]
