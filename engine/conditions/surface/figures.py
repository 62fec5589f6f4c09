"""One person's figures over a clip -> figures fit for the surface: gaps closed, mirrored rigs turned.

Ours. Nothing may pop when a joint is missing in some frames. Positions are interpolated relative to the hips and in
standing heights, so that a person who walks or comes nearer keeps its shape.
"""
import dataclasses
from collections.abc import Sequence

import numpy as np

from ...contract.skeleton import BODY, BODY_INDEX
from ..limbs import SEEN
from ..poses import Figure
from .bones import FACE, SIDES
from .space import Space
from .template import Template
from .turning import cross, unit

_FACE = np.array([name in FACE for name in BODY])
_FADE = 5                 # frames over which a lost face point stops turning the head
_HIPS = [BODY_INDEX["left_hip"], BODY_INDEX["right_hip"]]
_HAND_GAP = 12            # frames: a hand that is lost for longer has moved too far to guess
_SWAP = {"left": "right", "right": "left"}


def without_gaps(figures: Sequence[Figure | None]) -> tuple:
    """The Figures of a clip, with joints that are missing in some frames interpolated from the frames around. None
    stays None.

    Before its first and after its last known frame, a body joint stays as it is in that frame. Hands are filled only
    between two frames. A missing face point is simply not seen, so it fades out over the frames next to those that see
    it. Frames without hips stay as they are. If some frames lack a limb's turn, it is dropped in all frames, because it
    would pop.
    """
    kept = {i: figure for i, figure in enumerate(figures)
            if figure is not None and _placed(figure.body)[_HIPS].all()}
    if not kept:
        return tuple(figures)
    out = list(figures)
    frames, people = np.array(list(kept)), list(kept.values())
    bodies = np.stack([_carried(person.body, person) for person in people])
    known = np.stack([_placed(person.body) for person in people])
    known[:, _FACE] = bodies[:, _FACE, 3] >= SEEN
    bodies = _filled(frames, bodies, known)
    bodies[..., 3] = np.where(known, bodies[..., 3], SEEN)
    bodies[:, _FACE, 3] = np.where(known[:, _FACE], bodies[:, _FACE, 3], _fading(frames, known[:, _FACE]))
    hands = [_filled_hands(frames, people, side) for side in range(len(SIDES))]
    told = set.intersection(*(set(person.turns) for person in people))
    for row, i in enumerate(kept):
        body = np.where(known[row][:, None], people[row].body, _laid(bodies[row], people[row]))
        turns = {limb: turn for limb, turn in people[row].turns.items() if limb in told}
        out[i] = dataclasses.replace(people[row], body=body, hands=tuple(of[row] for of in hands), turns=turns)
    return tuple(out)


def is_mirrored(figures: Sequence[Figure | None], template: Template) -> bool:
    """Whether the rig's left is the person's right: by its hips and shoulders, feet and nose point backwards over the
    clip."""
    spaces = (Space.of(figure, template) for figure in figures if figure is not None)
    return sum(_ahead(space) for space in spaces if space is not None) < 0


def mirrored(figure: Figure) -> Figure:
    """The Figure with left and right exchanged. The turns' values do not change, because they describe the person as
    seen."""
    turns = {_other_side(limb): turn for limb, turn in figure.turns.items()}
    return dataclasses.replace(figure, body=figure.body[_OTHER], hands=tuple(figure.hands[::-1]), turns=turns)


def _other_side(name: str) -> str:
    side, _, part = name.partition("_")
    return f"{_SWAP[side]}_{part}" if side in _SWAP else name


_OTHER = [BODY_INDEX[_other_side(name)] for name in BODY]


def _placed(joints: np.ndarray) -> np.ndarray:
    """(n,) bool: which joints have a position that may be used."""
    return np.isfinite(joints).all(axis=1) & ((joints[:, 3] >= SEEN) | (joints[:, 2] > 0) & joints[:, :2].any(axis=1))


def _carried(joints: np.ndarray, figure: Figure) -> np.ndarray:
    """(n, 4) relative to the hips, in standing heights; depth as a multiple of the hips' depth."""
    hips = figure.body[_HIPS].mean(axis=0)
    depth = joints[:, 2] / hips[2] if hips[2] > 0 else np.ones(len(joints))
    return np.column_stack([(joints[:, :2] - hips[:2]) / figure.height_px, depth, joints[:, 3]])


def _laid(carried: np.ndarray, figure: Figure) -> np.ndarray:
    """The inverse of _carried."""
    hips = figure.body[_HIPS].mean(axis=0)
    places = carried[:, :2] * figure.height_px + hips[:2]
    return np.column_stack([places, carried[:, 2] * max(hips[2], 0.0), carried[:, 3]])


def _filled(frames: np.ndarray, values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """values (f, n, 4) at frames (f,), with the unknown ones (by known (f, n)) interpolated between the known
    frames."""
    out = values.copy()
    for joint in range(values.shape[1]):
        good = known[:, joint]
        if good.any() and not good.all():
            for axis in range(3):
                out[:, joint, axis] = np.interp(frames, frames[good], values[good, joint, axis])
    return out


def _fading(frames: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(f, n) 0..0.5 confidence of points, from the number of frames to the nearest one where they are known (f, n).
    From half on, a confidence counts completely."""
    near = np.full(known.shape, float(_FADE))
    for point, good in enumerate(known.T):
        if good.any():
            there = frames[good]
            after = np.searchsorted(there, frames).clip(0, len(there) - 1)
            near[:, point] = np.minimum(np.abs(there[after] - frames), np.abs(frames - there[np.maximum(after - 1, 0)]))
    return 0.5 * np.clip(1 - near / _FADE, 0, 1)


def _filled_hands(frames: np.ndarray, figures: list[Figure], side: int) -> list[np.ndarray | None]:
    """That side's hands (f,), each (21, 4) or None, with short gaps filled. They are interpolated relative to the
    body's wrist."""
    wrist = BODY_INDEX[f"{SIDES[side]}_wrist"]
    hands = [figure.hands[side] for figure in figures]
    known = np.array([hand is not None and _placed(np.asarray(hand)).all() for hand in hands])
    out = list(hands)
    for row in np.flatnonzero(~known):
        before, after = np.flatnonzero(known[:row]), np.flatnonzero(known[row:])
        if not len(before) or not len(after):
            continue
        a, b = before[-1], row + after[0]
        if frames[b] - frames[a] > _HAND_GAP + 1 or not _placed(figures[row].body)[wrist]:
            continue
        part = (frames[row] - frames[a]) / (frames[b] - frames[a])
        shapes = [_carried(hands[i], figures[i]) - _carried(figures[i].body, figures[i])[wrist] for i in (a, b)]
        shape = shapes[0] * (1 - part) + shapes[1] * part
        shape = shape + _carried(figures[row].body, figures[row])[wrist]
        shape[:, 3] = SEEN
        out[row] = _laid(shape, figures[row])
    return out


def _ahead(space: Space) -> float:
    """How far feet and nose point forwards, in person units, where left and right say what is forwards; below 0 if they
    point backwards."""
    at = space.joints
    across = sum(at[f"left_{name}"] - at[f"right_{name}"] for name in ("hip", "shoulder"))
    back = unit(cross(np.asarray(across), -at["neck"]))             # the hips' middle is 0
    ears = [at[f"{side}_ear"] for side in SIDES if f"{side}_ear" in at]
    if space.flat:                                                  # a nose is seen only from the front
        return float(-back[2] if "nose" not in at else back[2])
    face = at["nose"] - np.mean(ears, axis=0) if "nose" in at and ears else np.zeros(3)
    feet = sum(at[f"{side}_toe"] - at[f"{side}_ankle"] for side in SIDES)
    return float(-back @ (feet + 2 * face))
