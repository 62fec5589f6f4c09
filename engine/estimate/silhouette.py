"""The model's masks of the person in each frame -> steady masks of the shot that contain every limb."""

from collections.abc import Callable

import cv2
import numpy as np

from ..conditions.mask import limb_volumes
from ..contract.skeleton import BODY_INDEX, LIMBS
from .landmarks import Landmarks
from .motion import Body
from .region import Region, paste

# a frame's own weight and each neighbour's (ours: a certain pixel of this frame outweighs both)
_NOW, _BESIDE = 0.8, 0.1
_CERTAIN = 0.6  # the confidence from which on a limb must lie inside the mask
_BARE = -0.4  # the clothing of limb_volumes for a bare body; inside these volumes, less evidence is enough
_LIKELY = 0.25
_BONE = 0.02  # in standing heights: how wide a limb is drawn into the mask, whatever the model saw
_CROP = 256


def silhouette(number: int, body: Body, recall: Callable[[int], Landmarks | None], size: tuple[int, int]) -> np.ndarray:
    """Frame `number` with its motion.Body -> (h, w) bool of a picture of this (width, height).

    recall(number) -> Landmarks or None. The masks of the frame and its neighbours are averaged in the person's own
    square, which moves along with the person. Then the limbs are added, and parts that touch no limb are removed.
    """
    joints = _certain(body.body)
    volumes = limb_volumes(joints, None, body.height_px, size, clothing=_BARE) > 0.5
    found = recall(number)
    sure = _borrowed(number, body, recall, size) if found is None else paste(_averaged(number, found, recall),
                                                                             found.region, size)
    bones = _bones(joints, body.height_px, size)
    return _belonging((sure > 0.5) | (volumes & (sure > _LIKELY)) | bones, bones)


def _averaged(number: int, found: Landmarks, recall: Callable[[int], Landmarks | None]) -> np.ndarray:
    total, weights = _NOW * _sure(found), _NOW
    for beside in (recall(number - 1), recall(number + 1)):
        if beside is not None and 0.8 < beside.region.side / found.region.side < 1.25:
            total, weights = total + _BESIDE * _sure(beside), weights + _BESIDE
    return (total / weights).astype(np.float32)


def _sure(found: Landmarks) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(found.mask_logits, -30, 30)))


def _borrowed(number: int, body: Body, recall: Callable[[int], Landmarks | None], size: tuple[int, int],
              reach: int = 15) -> np.ndarray:
    """The silhouette of a bridged frame: the nearest frame's, moved along with the hips."""
    for away in range(1, reach + 1):
        for other in (number - away, number + away):
            found = recall(other)
            if found is not None:
                moved = body.points.pixels[23:25].mean(axis=0) - found.pixels[23:25].mean(axis=0)
                centre = tuple(np.add(found.region.centre, moved))
                return paste(_sure(found).astype(np.float32), Region(centre, found.region.side, found.region.up), size)
    return np.zeros((size[1], size[0]), np.float32)


def _certain(joints: np.ndarray) -> np.ndarray:
    """(20, 4) with confidence 0 if a joint is not certain enough to widen a mask."""
    joints = np.array(joints, np.float64)
    joints[joints[:, 3] < _CERTAIN, 3] = 0.0
    return joints


def _bones(joints: np.ndarray, height_px: float, size: tuple[int, int]) -> np.ndarray:
    """(h, w) bool: lines along the limbs with two certain joints."""
    drawn = np.zeros((size[1], size[0]), np.uint8)
    for start, end in LIMBS:
        a, b = joints[BODY_INDEX[start]], joints[BODY_INDEX[end]]
        if min(a[3], b[3]) > 0:
            cv2.line(drawn, tuple(map(int, a[:2])), tuple(map(int, b[:2])), (1,), max(1, round(_BONE * height_px)))
    return drawn > 0


def _belonging(mask: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """The parts of a mask (h, w) bool that touch a limb; all of it if no limb is certain."""
    if not bones.any():
        return mask
    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    kept = np.unique(labels[bones])
    return np.isin(labels, kept[kept > 0])


def cut_off(mask: np.ndarray, joints: np.ndarray) -> list[str]:
    """The names of certain joints (20, 4) that lie outside a mask (h, w). It is empty for every silhouette."""
    height, width = mask.shape
    return [name for name, i in BODY_INDEX.items() if joints[i, 3] >= _CERTAIN
            and not mask[min(max(int(joints[i, 1]), 0), height - 1), min(max(int(joints[i, 0]), 0), width - 1)]]
