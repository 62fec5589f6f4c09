"""Does the reference wear a skirt, and where does it end? This is found by the cloth's own colours, because a shell
knows only distances.

A skirt fills the space between the legs; trousers do not. It ends where this space no longer has the skirt's colour.
"""
from dataclasses import dataclass

import numpy as np

from .shades import apart, from_typical, typical
from .stance import NOTHING, Pose, Stance
from .template import FEET, Limb, Tag, Template

_LEVELS = np.arange(0.3, 2.0, 0.05)   # along the legs: 0 hips, 1 knees, 2 ankles
_ACROSS = 60                          # samples from one leg to the other
_GAP = 0.025                          # metres: if the gap between the legs is smaller, it says nothing
_FILLED, _OPEN = 0.85, 0.5
_LEAST_LEVELS = 4     # of them filled
_SHORTEST = 0.5                       # anything that ends above this is a jacket
_UPRIGHT = 0.75                       # this part of the thigh's length must point down: a seated lap is not a skirt
_LEGS_UNDER = 0.12                    # legs are kept this far above the hem: higher up, they would poke through
_BELOW = 0.04                         # the shell reaches this far below the seen hem
_UNLIKE = 0.7                          # shoes and trousers with colours closer than this cannot be separated
_LEGS = (Limb.LEFT_THIGH, Limb.RIGHT_THIGH, Limb.LEFT_SHIN, Limb.RIGHT_SHIN)


@dataclass(frozen=True)
class Skirt:
    """hem: 0 hips .. 2 ankles; cloth (n, 3): its typical colours."""
    hem: float
    cloth: np.ndarray


def find_skirt(picture: np.ndarray, matte: np.ndarray, pose: Pose, stance: Stance) -> Skirt | None:
    """The Skirt, or None. picture (h, w, 3), matte (h, w); stance: the body's, without skirt and girth."""
    if not _stands(pose.space.joints):
        return None
    cloth = _cloth_of(picture, matte, pose, stance)
    if cloth is None:
        return None
    usual = np.quantile(from_typical(cloth, typical(cloth)), 0.75) + 0.06
    hem, filled_levels = 0.0, 0
    for level in _LEVELS:
        if not _in_picture(pose, level):
            break
        x, y = _between_legs(pose, level)
        free = stance.limbs[y, x] == NOTHING
        wide = free.mean() * np.hypot(x[-1] - x[0], y[-1] - y[0]) / pose.metre
        if wide < _GAP or free.sum() < 2:
            continue
        filled = matte[y, x][free] > 0.5
        own = filled & (from_typical(picture[y, x][free], typical(cloth)) < usual)
        if own.mean() > _FILLED:
            hem, filled_levels = level, filled_levels + 1
        elif own.mean() < _OPEN:
            break
    return Skirt(float(hem), typical(cloth)) if hem >= _SHORTEST and filled_levels >= _LEAST_LEVELS else None


def worn_faces(template: Template, skirt: Skirt | None, hair_below: float | None = None) -> np.ndarray:
    """(T', 3): the body's faces. With a skirt: also its shell down to the hem, and without the legs under it. With long
    hair (hair_below: metres below the neck, or None): also the hair down the back."""
    tags = template.tags[template.faces[:, 0]]
    worn = (tags != Tag.SKIRT) & (tags != Tag.HAIR)
    if skirt is not None:
        level = template.leg_t[template.faces]
        level = 0.5 * (level.min(axis=1) + level.max(axis=1))       # both triangles of a square end together
        worn |= (tags == Tag.SKIRT) & (level < skirt.hem + _BELOW)
        worn &= ~(np.isin(template.limbs_of(template.faces), _LEGS) & (level < skirt.hem - _LEGS_UNDER))
    if hair_below is not None:
        below = template.points[:, 1] - template.joints["neck"][1]
        worn |= (tags == Tag.HAIR) & (below[template.faces].mean(axis=1) < hair_below + 0.01)
    return template.faces[worn]


def skirt_claims(picture: np.ndarray, matte: np.ndarray, pose: Pose, stance: Stance, skirt: Skirt) -> np.ndarray:
    """(h, w) uint8: for pixels around the skirt, SKIRT or a leg, whichever the colour fits; else NOTHING."""
    claims = np.full(matte.shape, NOTHING, np.uint8)
    about = np.isin(stance.limbs, (Limb.SKIRT, *_LEGS)) & (matte > 0.5)
    legs = _leg_colours(picture, matte, pose, skirt.hem)
    if legs is None or not about.any():
        return claims
    y, x = np.nonzero(about)
    colours = picture[y, x]
    cloth = from_typical(colours, skirt.cloth) <= from_typical(colours, legs)
    claims[y[cloth], x[cloth]] = Limb.SKIRT
    level, leg = _level_of(pose, np.stack([x, y], axis=1) + 0.5)
    bare = ~cloth & (level > skirt.hem - 0.5)
    claims[y[bare], x[bare]] = leg[bare]
    return claims


def cuff_claims(claims: np.ndarray, picture: np.ndarray, matte: np.ndarray, pose: Pose, stance: Stance) -> np.ndarray:
    """The claims (h, w), plus the shin's claim where a foot shows the shin's colour and not the shoe's: trousers hang
    over shoes."""
    claims = claims.copy()
    for foot in FEET:
        shin = foot - (Limb.LEFT_FOOT - Limb.LEFT_SHIN)
        y, x = np.nonzero((stance.limbs == foot) & (matte > 0.5) & (claims == NOTHING))
        cloth = picture[(stance.limbs == shin) & (matte > 0.9)]
        if len(y) < 20 or len(cloth) < 20:
            continue
        colours = picture[y, x]
        shoe = typical(colours[y >= np.quantile(y, 0.6)])
        cloth = typical(cloth[len(cloth) // 2:])        # the lower half
        if apart(np.median(cloth, axis=0), np.median(shoe, axis=0)) < _UNLIKE:
            continue
        hangs = from_typical(colours, cloth) < from_typical(colours, shoe)
        claims[y[hangs], x[hangs]] = shin
    return claims


def _stands(joints: dict[str, np.ndarray]) -> bool:
    for side in ("left", "right"):
        thigh = joints[f"{side}_knee"] - joints[f"{side}_hip"]
        if thigh[1] < _UPRIGHT * np.linalg.norm(thigh):
            return False
    return True


def _cloth_of(picture: np.ndarray, matte: np.ndarray, pose: Pose, stance: Stance) -> np.ndarray | None:
    """(n, 3) colours of the upper thighs; None if they are not seen."""
    seen = np.isin(stance.limbs, _LEGS[:2]) & (matte > 0.9)
    y, x = np.nonzero(seen)
    level, _ = _level_of(pose, np.stack([x, y], axis=1) + 0.5)
    upper = (level > 0.1) & (level < 0.45)
    return picture[y[upper], x[upper]][::max(int(upper.sum()) // 600, 1)] if upper.sum() > 20 else None


def _leg_colours(picture: np.ndarray, matte: np.ndarray, pose: Pose, hem: float) -> np.ndarray | None:
    """(n, 3) colours of the legs well below the hem; None if the skirt covers them."""
    found = []
    for level in np.arange(hem + 0.15, min(hem + 0.6, 1.9), 0.02):
        for side in (0, 1):
            x, y = _pixel(pose, _at(pose, level, side))
            if matte[y, x] > 0.9:
                found.append(picture[y, x])
    return typical(np.array(found)) if len(found) > 8 else None


def _at(pose: Pose, level: float, side: int) -> np.ndarray:
    """The pixel on a leg's axis; side 0 left, 1 right."""
    start, end = pose.axes[(Limb.LEFT_THIGH if level < 1 else Limb.LEFT_SHIN) + side]
    return start + (level - (level >= 1)) * (end - start)


def _between_legs(pose: Pose, level: float) -> tuple[np.ndarray, np.ndarray]:
    a, b = _at(pose, level, 0), _at(pose, level, 1)
    return _pixel(pose, a + (b - a) * np.linspace(0, 1, _ACROSS)[:, None])


def _in_picture(pose: Pose, level: float) -> bool:
    ends = np.array([_at(pose, level, side) for side in (0, 1)])
    return bool(((ends >= 0) & (ends < pose.size)).all())


def _pixel(pose: Pose, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (np.clip(at[..., 0], 0, pose.size[0] - 1).astype(int), np.clip(at[..., 1], 0, pose.size[1] - 1).astype(int))


def _level_of(pose: Pose, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(level along the nearer leg (n,), its Limb (n,)) of pixels at (n, 2)."""
    best, level, limb = np.full(len(at), np.inf), np.zeros(len(at)), np.zeros(len(at), np.uint8)
    for leg in _LEGS:
        start, end = pose.axes[leg]
        part = np.clip(((at - start) @ (end - start)) / max((end - start) @ (end - start), 1e-6), 0, 1)
        away = np.linalg.norm(at - start - part[:, None] * (end - start), axis=1)
        nearer = away < best
        best[nearer], limb[nearer] = away[nearer], leg
        level[nearer] = part[nearer] + (leg >= Limb.LEFT_SHIN)
    return level, limb
