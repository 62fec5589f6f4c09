"""Which of the reference's pixels may be used: a place's pixel counts if it shows that limb and nothing else.

It must lie inside the matte and away from edges in depth, the surface must not be at a grazing angle, and no hand,
skirt or hair may claim the pixel.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from .stance import NOTHING, Pose, Stance
from .template import Limb
from .turning import smooth

_INSET = 0.008            # metres inside the matte, because its edge is mixed with the background
_BESIDE = 0.012           # metres from an edge in depth
_NEARER = 0.07            # metres that make an edge in depth
_FRONT = 0.06             # metres behind the frontmost surface that still count as the front
_SLEEVE = 0.03            # metres around an arm in front of the body: its sleeve is wider than the surface
_ARMS = tuple(range(Limb.LEFT_UPPER_ARM, Limb.RIGHT_HAND + 1))
_GRAZED = (0.15, 0.45)    # cosines to the camera at which a pixel begins to count, and counts completely
_BEHIND = (0.15, 0.5)     # cosines away from the camera between which a back begins to take its front's pattern
_SAME_BEHIND = (Limb.TORSO, *range(Limb.LEFT_UPPER_ARM, Limb.RIGHT_FOREARM + 1),
                *range(Limb.LEFT_THIGH, Limb.RIGHT_SHIN + 1), Limb.SKIRT)
_HAIR_LIES_ON = (Limb.HEAD, Limb.TORSO, Limb.LEFT_UPPER_ARM, Limb.RIGHT_UPPER_ARM)


@dataclass(frozen=True)
class Sight:
    """Which of the reference's pixels may be used. picture (h, w, 3) without its light; inside (h, w) bool: inside the
    matte; free (h, w) bool: also away from edges in depth; near (h, w): depth of the frontmost surface around a pixel;
    claims (h, w) uint8: the only Limb that may use the pixel, NOTHING: the limb that the surface shows there, NOBODY:
    no limb; limbs (h, w): the limb that the surface shows; k: person units in a metre of depth."""
    picture: np.ndarray
    inside: np.ndarray
    free: np.ndarray
    near: np.ndarray
    claims: np.ndarray
    limbs: np.ndarray
    k: float


def sight_of(picture: np.ndarray, matte: np.ndarray, pose: Pose, stance: Stance, claims: np.ndarray) -> Sight:
    """The Sight of the reference."""
    inside = cv2.erode((matte > 0.9).astype(np.uint8), _disc(_INSET * pose.metre)) > 0
    near = cv2.erode(stance.depth, _disc(_BESIDE * pose.metre))
    arms = np.where(np.isin(stance.limbs, _ARMS), stance.depth, 1e6).astype(np.float32)
    sleeve = cv2.erode(arms, _disc(_SLEEVE * pose.metre)) + _NEARER / pose.space.k
    covered = ~np.isin(stance.limbs, _ARMS) & (stance.depth > sleeve)
    free = inside & ~covered & (stance.depth < near + _NEARER / pose.space.k)
    return Sight(picture, inside, free, near, claims, stance.limbs, pose.space.k)


def seen_there(sight: Sight, limbs: np.ndarray, pixels: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """(n,) 0..1: how well places on limbs (n,) at pixels (n, 3) are seen, with the cosines to the camera facing
    (n,)."""
    x, y, inside = _place(sight, pixels)
    claim = sight.claims[y, x]
    hand = (limbs == Limb.LEFT_HAND) | (limbs == Limb.RIGHT_HAND)
    hairy = (claim == Limb.HAIR) & np.isin(limbs, _HAIR_LIES_ON)
    own = (claim == limbs) | ((claim == NOTHING) & ~hand) | hairy
    front = pixels[:, 2] < sight.near[y, x] + _FRONT / sight.k
    return (inside & own & (sight.free[y, x] & front | hand & sight.inside[y, x])) * smooth(facing, *_GRAZED)


def seen_through(sight: Sight, limbs: np.ndarray, pixels: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """(n,) 0..1: how well the front of the same limb is seen at the pixels (n, 3) of places on its back; 0 on heads and
    hands."""
    x, y, inside = _place(sight, pixels)
    claim = sight.claims[y, x]
    own = (sight.limbs[y, x] == limbs) & ((claim == NOTHING) | (claim == limbs)) & np.isin(limbs, _SAME_BEHIND)
    return (inside & own & sight.free[y, x]) * smooth(-facing, *_BEHIND)


def _place(sight: Sight, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    height, width = sight.free.shape
    x, y = (np.nan_to_num(pixels[:, k], nan=-1, posinf=-1, neginf=-1) for k in (0, 1))
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.clip(x, 0, width - 1).astype(int), np.clip(y, 0, height - 1).astype(int), inside


def _disc(radius: float) -> np.ndarray:
    side = 2 * max(int(round(radius)), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
