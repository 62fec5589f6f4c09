"""Finds which pixels of the reference are hair and how far it hangs, and where an unseen part of a head is hair or
skin."""
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .shades import apart
from .stance import NOTHING, Pose, Stance, capsule
from .template import Limb, Tag, Template

_ANGLES = np.linspace(-np.pi, np.pi, 73)      # around the head, 0 at the crown
_RADII = np.linspace(0.02, 0.22, 60)          # metres from its centre
_CENTRE = (0, -0.03, 0.0)                     # metres from the ears' middle
_CROWN_ANGLES = np.linspace(-0.7, 0.7, 9)     # where there is hair, if there is any
_CROWN_PARTS = (0.75, 0.88)                   # of the outline's radius
_CHEEK = 0.012                                # metres around the line from cheek to cheek
_ASIDE, _DOWN = 0.2, 0.42                     # metres from the body's axis within which hair lies on the torso
_LEAST = 0.0008                               # square metres of hair
_HANGING = 0.005                              # square metres of hair below the neck's joint
# Darker hair lies in the shade of other hair, if that is brighter. What is brighter may be a dark face's skin.
_BLACK = 0.1
_SHADED = 0.6                                 # of the hair's brightness, where its shade is taken out
_LONG = 0.035                                 # metres below the neck, from which hair hangs free


@dataclass(frozen=True)
class Hair:
    """mask (h, w) bool; below: how many metres it hangs below the neck, 0 or less for short hair; colour (3,)."""
    mask: np.ndarray
    below: float
    colour: np.ndarray

    @property
    def is_long(self) -> bool:
        return self.below > _LONG


def face_colour(picture: np.ndarray, matte: np.ndarray, pose: Pose, seen: set[str]) -> np.ndarray | None:
    """(3,) the cheeks' colour; None if the nose or both eyes are not in `seen`."""
    names = [name for name in ("nose", "left_eye", "right_eye") if name in seen and name in pose.space.joints]
    if "nose" not in names or len(names) < 2:
        return None
    nose, *eyes = pose.space.to_pixels(np.array([pose.space.joints[name] for name in names]))[:, :2]
    below = nose + 0.3 * (nose - np.mean(eyes, axis=0))             # under glasses, above a beard
    along = 0.5 * (eyes[0] - eyes[-1])
    cheeks = capsule(pose.size, below - along, below + along, _CHEEK * pose.metre) & (matte > 0.5)
    colours = picture[cheeks]
    if len(colours) < 4:
        return None
    bright = colours.mean(axis=1)
    return np.median(colours[bright >= np.quantile(bright, 0.4)], axis=0)


def find_hair(picture: np.ndarray, matte: np.ndarray, pose: Pose, stance: Stance,
              skin: np.ndarray | None) -> Hair | None:
    """The Hair, or None if there is none or if it has the skin's colour. skin (3,): the face's colour or None."""
    centre, radius, at_angle = _outline(matte, pose)
    colour = np.median(
        [_pixel(picture, at_angle(angle, part)) for angle in _CROWN_ANGLES for part in _CROWN_PARTS], axis=0
    )
    if skin is not None and apart(colour, skin) < 0.7:
        return None
    inside = matte > 0.6
    near_head = np.zeros(matte.shape, np.uint8)
    cv2.circle(near_head, _whole(centre), max(int(0.24 * pose.metre), 2), (1,), -1)
    head = inside & (near_head > 0) & np.isin(stance.limbs, (Limb.HEAD, NOTHING)) & ~_face_core(pose)
    mask = _where(head, _is_hair(picture[head], colour, skin))
    if mask.sum() < 5:
        return None
    mask |= _on_torso(
        picture,
        inside & np.isin(stance.limbs, (Limb.TORSO, Limb.LEFT_UPPER_ARM, Limb.RIGHT_UPPER_ARM)),
        pose,
        hair=picture[mask],
        skin=skin,
    )
    mask = _hanging_together(mask, centre, pose)
    if mask.sum() < _LEAST * pose.metre ** 2:
        return None
    y, x = np.nonzero(mask)
    along = (np.stack([x, y], axis=1) + 0.5 - pose.axes[Limb.TORSO, 0]) @ _down(pose) / pose.metre
    hangs = (along > 0).sum() > _HANGING * pose.metre ** 2
    return Hair(mask, float(np.percentile(along, 99)) if hangs else 0.0, _colour(picture[mask]))


def _colour(colours: np.ndarray) -> np.ndarray:
    """(3,) the hair's colour: the median without what is nearly black, unless most of it is."""
    lit = colours.mean(axis=-1) >= _BLACK
    return np.median(colours[lit] if lit.mean() > 0.5 else colours, axis=0)


def out_of_shade(picture: np.ndarray, hair: Hair) -> np.ndarray:
    """The picture (h, w, 3) without the hair's own shade: beside a face, brown hair is nearly black, and would be a
    black patch on the head when seen from any other side."""
    dark = np.clip(2 * (1 - picture.mean(axis=-1, keepdims=True) / _BLACK), 0, 1) * hair.mask[..., None]
    least = np.maximum(picture, _SHADED * hair.colour)
    return (picture + dark * (least - picture)).astype(np.float32)


def scalp(template: Template) -> np.ndarray:
    """(V,) bool: the head's vertices where hair grows on most people. The nape below the hairline and the face are
    skin."""
    joints, points = template.joints, template.points
    behind, above = points[:, 2] - joints["left_ear"][2], joints["left_eye"][1] - points[:, 1]
    grows = (behind > 0.005) | (above > 0.075) | ((above > 0.02) & (behind > -0.03))
    return (template.tags == Tag.HEAD) & grows & (points[:, 1] < joints["headbone"][1] + 0.055)


def _face_core(pose: Pose) -> np.ndarray:
    """(h, w) bool: eyes, brows, nose and mouth, which are as dark as hair."""
    joints, core = pose.space.joints, np.zeros((pose.size[1], pose.size[0]), np.uint8)
    points = [joints[name] for name in ("nose", "left_eye", "right_eye") if name in joints]
    if len(points) == 3:
        nose, left, right = pose.space.to_pixels(np.array(points))[:, :2]
        eyes = 0.5 * (left + right)
        half = max(0.5 * np.linalg.norm(left - right), 0.015 * pose.metre)
        across = right - left if right[0] < left[0] else left - right
        tilt = float(np.degrees(np.arctan2(across[1], across[0])))
        reach = _whole((1.55 * half, max(1.5 * np.linalg.norm(nose - eyes), 1.6 * half)))
        cv2.ellipse(core, _whole(eyes + 0.45 * (nose - eyes)), reach, tilt, 0, 360, (1,), -1)
    return core > 0


def _outline(matte: np.ndarray, pose: Pose) -> tuple[np.ndarray, np.ndarray, Callable[[float, float], np.ndarray]]:
    """(head's centre in pixels, the outline's radius (73,), at_angle(angle, part of the radius) -> pixel)."""
    template, head = pose.template, pose.posed["head"]
    joints = template.joints
    middle = 0.5 * (joints["left_ear"] + joints["right_ear"]) + _CENTRE
    turn, grown = head.rotation @ template.rest["head"].rotation.T, pose.head_scale
    ends = np.array(
        [head.origin + turn @ ((at - template.rest["head"].origin) * grown) for at in (middle, middle + (0, -0.1, 0))]
    )
    centre, top = pose.space.to_pixels(ends)[:, :2]
    up = (top - centre) / max(np.linalg.norm(top - centre), 1e-6)
    side = np.array([-up[1], up[0]])
    way = np.cos(_ANGLES)[:, None] * up + np.sin(_ANGLES)[:, None] * side
    reach = _RADII * pose.metre
    x, y = centre[0] + way[:, :1] * reach, centre[1] + way[:, 1:] * reach
    out = cv2.remap(matte, (x - 0.5).astype(np.float32), (y - 0.5).astype(np.float32), cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_CONSTANT) < 0.5
    radius = reach[np.maximum(np.where(out.any(axis=1), out.argmax(axis=1), len(reach) - 1) - 1, 0)]

    def at_angle(angle: float, part: float) -> np.ndarray:
        return centre + part * np.interp(angle, _ANGLES, radius) * (np.cos(angle) * up + np.sin(angle) * side)
    return centre, radius, at_angle


def _on_torso(picture: np.ndarray, where: np.ndarray, pose: Pose, *, hair: np.ndarray,
              skin: np.ndarray | None) -> np.ndarray:
    """(h, w) bool: pixels of the torso whose colour is nearer to the hair's than to the skin's and to the clothes' at
    the waist."""
    found = np.zeros(where.shape, bool)
    y, x = np.nonzero(where)
    away = (np.stack([x, y], axis=1) + 0.5 - pose.axes[Limb.TORSO, 0]) / pose.metre
    down = _down(pose)
    along = away @ down
    near = (np.abs(away @ (-down[1], down[0])) < _ASIDE) & (along < _DOWN)
    low = along > 0.5 * np.linalg.norm(np.diff(pose.axes[Limb.TORSO], axis=0)) / pose.metre
    cloth = picture[y[low], x[low]]
    y, x = y[near], x[near]
    colours = picture[y, x]
    like = _from_shades(colours, hair)
    own = like < 0.6
    if skin is not None:
        own &= like < 0.5 * apart(colours, skin)
    if len(cloth) > 5:
        own &= like < 0.5 * _from_shades(colours, cloth)
    found[y[own], x[own]] = True
    return found


def _is_hair(colours: np.ndarray, hair: np.ndarray, skin: np.ndarray | None) -> np.ndarray:
    """(n,) bool: which colours (n, 3) of the head are the hair's, or as dark as only shaded hair is."""
    like = apart(colours, hair)
    dark = colours.mean(axis=-1) < min(0.6 * hair.mean(), 1.0 if skin is None else 0.35 * skin.mean())
    return dark | (like < 1.0) if skin is None else dark | ((like < 1.0) & (like < 0.8 * apart(colours, skin)))


def _where(mask: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """mask (h, w) with only those of its n pixels that are chosen (n,)."""
    out = mask.copy()
    out[mask] = chosen
    return out


def _from_shades(colours: np.ndarray, thing: np.ndarray) -> np.ndarray:
    """(n,) how different colours (n, 3) are from the nearest of twelve shades, dark to light, of a thing's colours (m,
    3)."""
    ordered = thing[np.argsort(thing.mean(axis=-1))]
    shades = ordered[(np.linspace(0.04, 0.96, 12) * (len(thing) - 1)).astype(int)]
    return np.min([apart(colours, shade) for shade in shades], axis=0)


def _hanging_together(mask: np.ndarray, centre: np.ndarray, pose: Pose) -> np.ndarray:
    """The parts of the mask that are connected to the head."""
    mask = mask.astype(np.uint8)
    if pose.metre > 120:
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, regions = cv2.connectedComponents(mask)
    about = np.zeros(mask.shape, np.uint8)
    cv2.circle(about, _whole(centre), max(int(0.13 * pose.metre), 2), (1,), -1)
    size = np.bincount(regions[(mask > 0) & (about > 0)], minlength=count)
    keep = size > max(0.0003 * pose.metre ** 2, 3)
    keep[0] = False
    return keep[np.asarray(regions, np.int32)]


def _down(pose: Pose) -> np.ndarray:
    start, end = pose.axes[Limb.TORSO]
    return (end - start) / max(np.linalg.norm(end - start), 1e-6)


def _pixel(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
    x, y = _whole(at)
    return picture[min(max(y, 0), picture.shape[0] - 1), min(max(x, 0), picture.shape[1] - 1)]


def _whole(at: np.ndarray | tuple) -> tuple[int, ...]:
    return tuple(np.clip(at, -2**20, 2**20).astype(int).tolist())
