"""Finds where the reference shows hands, and the colour of hands that it hides (in pockets, behind the back, under
sleeves).

The template's hands are seldom where the picture's are. So a pixel near a wrist belongs only to the hand if its colour
is nearer to the hand's than to that of the limb behind it and to that of the clothes: it is never painted on the thigh,
and the cloth under it is filled from around.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from .shades import apart, from_typical, typical
from .stance import NOBODY, NOTHING, Pose, Stance, capsule
from .template import Limb

_REACH, _WIDE = 0.22, 0.11                 # metres: the zone beyond its wrist where a hand can be
_THIN = (0.03, 0.10, 0.02)                 # from, to, radius: where it is if the forearm's direction is right
_LEAST = 0.0012                            # square metres of skin, the least that make a hand
# Radii in metres of other limbs in thick clothes: a hand outside all of them has nothing behind it.
_THICK = {Limb.TORSO: 0.23, Limb.HEAD: 0.15, Limb.LEFT_UPPER_ARM: 0.11, Limb.RIGHT_UPPER_ARM: 0.11,
          Limb.LEFT_FOREARM: 0.09, Limb.RIGHT_FOREARM: 0.09, Limb.LEFT_THIGH: 0.13, Limb.RIGHT_THIGH: 0.13}
_MIXED = 0.006                             # metres around a hand, where pixels are half what is behind it
_BEHIND, _WHOLLY = 0.06, 0.9               # person units behind what is seen there; this part of the hand
_SKIN_FROM_FACE = 0.92                     # a hand is a little darker than a face (ours)
_CLOTHED = (Limb.TORSO, Limb.LEFT_THIGH, Limb.RIGHT_THIGH, Limb.SKIRT)
_ANOTHER = 0.4                             # apart from skin by more: it is not bare
SIDES = (Limb.LEFT_HAND, Limb.RIGHT_HAND)


@dataclass(frozen=True)
class Hands:
    """claims (h, w) uint8: the Limb of a hand at its pixels, NOBODY at their edge, else NOTHING; seen (left, right);
    colours (left, right), each (3,) or None if unknown."""
    claims: np.ndarray
    seen: tuple
    colours: tuple


def find_hands(picture: np.ndarray, matte: np.ndarray, pose: Pose, stance: Stance, skin: np.ndarray | None) -> Hands:
    """picture (h, w, 3), matte (h, w); skin (3,): the face's colour, or None if no face is seen."""
    claims = np.full(matte.shape, NOTHING, np.uint8)
    inside = matte > 0.5
    found = [_own_colour(picture, inside, pose, stance, limb=limb, skin=skin) for limb in SIDES]
    for limb, colour in zip(SIDES, found, strict=False):
        if colour is not None:
            own = _pixels(picture, inside, pose, stance, limb=limb, colour=colour)
            claims[_wider(own, _MIXED * pose.metre) & (claims == NOTHING)] = NOBODY
            claims[own] = limb
    seen = tuple(colour is not None for colour in found)
    hidden = [_hidden_colour(picture, inside, pose, limb, found[1 - k], skin) for k, limb in enumerate(SIDES)]
    return Hands(claims, seen, tuple(a if a is not None else b for a, b in zip(found, hidden, strict=False)))


def skin_of_hands(picture: np.ndarray, matte: np.ndarray, pose: Pose, hands: Hands) -> np.ndarray | None:
    """(3,) the skin's colour if no face is seen: that of a seen hand, if it differs from its sleeve's; else None."""
    for limb, seen, colour in zip(SIDES, hands.seen, hands.colours, strict=False):
        start, end = pose.axes[limb - 2]
        near, far = (start + part * (end - start) for part in (0.3, 0.7))
        sleeve = capsule(pose.size, near, far, 0.02 * pose.metre) & (matte > 0.5)
        if seen and sleeve.any() and apart(np.median(picture[sleeve], axis=0), colour) > 1:
            return colour
    return None


def _is_behind(pose: Pose, stance: Stance, limb: Limb) -> bool:
    """Whether the hand is completely behind the body. Then what is seen there is not the hand."""
    x, y, depth = np.nan_to_num(stance.pixels[pose.template.limbs == limb]).T
    height, width = stance.depth.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    if not inside.any():
        return False
    nearest = stance.depth[y[inside].astype(int), x[inside].astype(int)]
    return bool((depth[inside] > nearest + _BEHIND / pose.space.k).mean() > _WHOLLY)


def _own_colour(picture: np.ndarray, inside: np.ndarray, pose: Pose, stance: Stance, *, limb: Limb,
                skin: np.ndarray | None) -> np.ndarray | None:
    """The colour (3,) of a seen hand, or None."""
    if _is_behind(pose, stance, limb):
        return None
    wide, thin = _zone(pose, limb, 0.0, _REACH, _WIDE) & inside, _zone(pose, limb, *_THIN) & inside
    if skin is not None:
        colours = picture[wide]
        like = apart(colours, skin) < 1
        cloth = _clothes(picture, inside & ~_zone(pose, limb, -0.02, 0.28, 0.13), stance, skin)
        if len(cloth):
            like &= np.abs(colours - skin).sum(axis=-1) < from_typical(colours, cloth)
        if like.sum() > _LEAST * pose.metre ** 2:
            return np.median(colours[like], axis=0)
    exposed = skin is None or _against_nothing(pose, limb)
    return np.median(picture[thin], axis=0) if exposed and thin.sum() > 3 else None


def _clothes(picture: np.ndarray, where: np.ndarray, stance: Stance, skin: np.ndarray) -> np.ndarray:
    """(n, 3) typical colours of torso and thighs, and of sleeves (arms that do not have the skin's colour)."""
    found = []
    for limbs in (_CLOTHED, (Limb.LEFT_UPPER_ARM, Limb.RIGHT_UPPER_ARM), (Limb.LEFT_FOREARM, Limb.RIGHT_FOREARM)):
        colours = picture[where & np.isin(stance.limbs, limbs)]
        if len(colours) > 20 and (limbs == _CLOTHED or np.median(apart(colours, skin)) > _ANOTHER):
            found.append(typical(colours))
    return np.concatenate(found) if found else np.empty((0, 3), np.float32)


def _against_nothing(pose: Pose, limb: Limb) -> bool:
    """Whether the hand's place is clear of all other limbs. Then what is seen there is a hand, perhaps with a glove."""
    start, end = pose.axes[limb]
    middle = start + (end - start) / max(np.linalg.norm(end - start), 1e-6) * 0.08 * pose.metre
    for other, radius in _THICK.items():
        if other == limb - 2:
            continue
        a, b = pose.axes[other]
        part = np.clip((middle - a) @ (b - a) / max((b - a) @ (b - a), 1e-6), 0, 1)
        if np.linalg.norm(middle - a - part * (b - a)) < radius * pose.metre:
            return False
    return True


def _pixels(picture: np.ndarray, inside: np.ndarray, pose: Pose, stance: Stance, *, limb: Limb,
            colour: np.ndarray) -> np.ndarray:
    """(h, w) bool: the hand's own pixels."""
    wide = _zone(pose, limb, 0.0, _REACH, _WIDE) & inside
    about = _zone(pose, limb, -0.02, 0.28, 0.13)
    cloth = _clothes(picture, inside & ~about, stance, colour)
    cloth = cloth[apart(cloth, colour) > _ANOTHER]
    mine = _nearer(picture, wide & (stance.limbs == NOTHING), colour, cloth)
    for other in set(np.unique(stance.limbs[wide])) - {*SIDES, NOTHING}:
        here = wide & (stance.limbs == other)
        away = (stance.limbs == other) & ~about & inside
        if away.sum() < 20:
            mine |= here & _zone(pose, limb, 0.02, 0.17, 0.055)
        else:       # a sweater hangs over the thighs: what differs from their colour need not be the hand
            mine |= _nearer(picture, here, colour, np.concatenate([typical(picture[away]), cloth]))
    core = _zone(pose, limb, 0.02, 0.13, 0.03) & inside
    likely = core | wide & (stance.limbs == limb)
    mine[likely] |= apart(picture[likely], colour) < 1.2
    return _joined(mine, core, pose)


def _nearer(picture: np.ndarray, where: np.ndarray, colour: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(h, w) bool: pixels `where` that are nearer to the hand's colour (3,) than to all others (n, 3)."""
    found, (y, x) = np.zeros_like(where), np.nonzero(where)
    own = np.abs(picture[y, x] - colour).sum(axis=-1)
    found[y, x] = own < from_typical(picture[y, x], others) + 0.02 if len(others) else True
    return found


def _joined(mine: np.ndarray, core: np.ndarray, pose: Pose) -> np.ndarray:
    """Only the parts that are connected to the hand's middle, without thin threads."""
    mine = cv2.morphologyEx(mine.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    thread = 2 * int(round(0.004 * pose.metre)) + 1
    mine = cv2.morphologyEx(mine, cv2.MORPH_OPEN, np.ones((thread, thread), np.uint8))
    count, regions = cv2.connectedComponents(mine)
    sizes = np.bincount(regions[core | (_wider(core, 2))], minlength=count)
    total = np.bincount(regions.ravel(), minlength=count)
    keep = (sizes > 0) | (total > 0.0008 * pose.metre ** 2)
    keep[0] = False
    return keep[np.asarray(regions, np.int32)]


def _wider(mask: np.ndarray, reach: float) -> np.ndarray:
    side = 2 * max(int(round(reach)), 1) + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def _hidden_colour(picture: np.ndarray, inside: np.ndarray, pose: Pose, limb: Limb, other: np.ndarray | None,
                   skin: np.ndarray | None) -> np.ndarray | None:
    """A skin colour, never cloth: the other hand's, the bare forearm's, or the face's; None if no skin is known."""
    if other is not None:
        return other
    if skin is None:
        return None
    start, end = pose.axes[limb - 2]
    bare = capsule(pose.size, start + 0.6 * (end - start), start + 0.95 * (end - start), 0.02 * pose.metre) & inside
    if bare.sum() > 5:
        colours = picture[bare]
        like = apart(colours, skin) < 0.8
        if like.mean() > 0.6:
            return np.median(colours[like], axis=0)
    return skin * _SKIN_FROM_FACE


def _zone(pose: Pose, limb: Limb, near: float, far: float, radius: float) -> np.ndarray:
    start, end = pose.axes[limb]
    along = (end - start) / max(np.linalg.norm(end - start), 1e-6) * pose.metre
    return capsule(pose.size, start + near * along, start + far * along, radius * pose.metre)
