"""The rest pose of a rig that no preset knows -> which bones are the joints, by structure alone (ours).

A body has mirrored limbs that hang from its middle. Of the pairs, the legs go furthest down and the arms furthest out;
the middle goes on from the arms to the head. All or nothing: a rig in which a piece cannot be recognised gives no
joint. Only bones' heads are looked at where that is enough, since tails of imported rigs lie anywhere.
"""
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from .presets import BoneEnds

FINGERS = ("thumb", "index", "middle", "ring", "little")
_FEWEST = 12            # paired bones of a body: three of each limb
# In parts of the rig's size:
_MIRRORED = 0.02        # how far a bone may lie from its partner's mirror image
_CLAVICLE = 0.05        # an upper arm begins further out than this
_SKULL = 0.1            # a last bone further than this above the one before it is only the crown of that one's head
_FOOT = 0.15            # a last bone longer than this has a tail that means nothing
_DOWNWARD = 0.6         # cosine to straight down from which a bone is a leg's and not a hip's or a foot's
_THIGH_TO_SHIN = 1.08   # a thigh's length against the shin's; this and the next in artists' canons
_THUMB = 0.005         # a thumb begins further off the hand's line than this
_UPPER_TO_FORE = 1.1    # an upper arm's length against the forearm's
_SHORT, _STRAIGHT, _SOCKET = 0.6, 0.995, 0.3    # a clavicle against the upper arm, cosine between them, what it costs
_BENT = 0.01            # a knee or elbow further off the limb's line tells what is in front


@dataclass(frozen=True)
class _Body:
    """A rig at rest: `heads`, `tails` (B, 3); `parents` (B,) indices, -1 for none; `size` of the whole; axes `across`
    and `up` (3,) of the armature; `pairs`: bone -> its partner on the other side."""

    heads: np.ndarray
    tails: np.ndarray
    parents: tuple
    size: float
    across: np.ndarray
    up: np.ndarray
    pairs: dict
    ways: dict = field(default_factory=dict)

    @cached_property
    def middle(self) -> np.ndarray:
        """The place (3,) that the sides mirror each other about."""
        return np.median(self.heads, axis=0)

    @cached_property
    def below(self) -> dict[int, list[int]]:
        """bone -> the bones that hang from it."""
        found = defaultdict(list)
        for bone, parent in enumerate(self.parents):
            found[parent].append(bone)
        return found

    def children(self, bone: int) -> list[int]:
        return self.below[bone]

    def above(self, bone: int) -> list[int]:
        """The bone and those it hangs from, the root last."""
        found = [bone]
        while self.parents[found[-1]] >= 0:
            found.append(self.parents[found[-1]])
        return found

    def out(self, point: np.ndarray) -> float:
        """How far out of the middle a point lies, on the pairs' first side."""
        return float((point - self.middle) @ self.across) / self.size

    def end(self, bone: int, end: str) -> np.ndarray:
        return self.heads[bone] if end == "head" else self.tails[bone]

    def path(self, bone: int) -> list[int]:
        """The longest way from a bone to a leaf, through heads; a list of bones."""
        return self._longest(bone)[1]

    def _longest(self, bone: int) -> tuple[float, list[int]]:
        """(length, bones) of that way; found once a bone."""
        if bone not in self.ways:
            below = [(math.dist(self.heads[child], self.heads[bone]) + length, way)
                     for child in self.children(bone) for length, way in [self._longest(child)]]
            length, way = max(below, key=lambda found: found[0], default=(0.0, []))
            self.ways[bone] = length, [bone, *way]
        return self.ways[bone]


def guess(names: Sequence[str], parents: Sequence[str], heads: np.ndarray, tails: np.ndarray,
          canonical: Callable[[str], tuple[str, str]]) -> BoneEnds:
    """joint -> (bone, "head" or "tail") of all required joints, with toes and fingers where they are;
    {} where it is no body.

    `names` and `parents`: a name for each bone, "" for no parent; `heads`, `tails` (B, 3) in the armature's space,
    whatever axis is up; canonical(name) -> (name without its side, "l", "r" or "").
    """
    heads, tails = np.asarray(heads, float), np.asarray(tails, float)
    body = _body(names, parents, heads, tails, _namesakes(names, canonical))
    if body is None:
        return {}
    limbs = [body.path(bone) for bone in body.pairs if body.parents[bone] not in (-1, *body.pairs)
             and body.out(body.heads[body.pairs[bone]]) < body.out(body.heads[bone])]
    legs = max(limbs, key=lambda way: -_rise(body, way), default=[])
    above = [way for way in limbs if legs and body.up @ (body.heads[way[0]] - body.heads[legs[0]]) > 0]
    arms = max(above, key=lambda way: body.out(body.heads[way[-1]]), default=[])
    leg, arm, middle = _leg(body, legs), _arm(body, arms), _middle(body, arms)
    if not (leg and arm and middle):
        return {}
    first = _first_side(body, leg) or {"l": "left", "r": "right"}.get(canonical(names[leg["knee"][0]])[1]) \
        or _likely_side(body, leg, arm)
    found = {**middle, **{f"{first}_{joint}": place for joint, place in {**leg, **arm}.items()}}
    other = {"left": "right", "right": "left"}[first]
    found |= {f"{other}_{joint}": (body.pairs.get(bone, -1), end) for joint, (bone, end) in {**leg, **arm}.items()}
    if any(bone < 0 for bone, _ in found.values()):
        return {}
    return {joint: (names[bone], end) for joint, (bone, end) in found.items()}


def _namesakes(names: Sequence[str], canonical: Callable[[str], tuple[str, str]]) -> dict[int, int]:
    """bone -> the bone that is called the same on the other side, both ways."""
    sides = defaultdict(list)
    for bone, name in enumerate(names):
        base, side = canonical(name)
        if side:
            sides[base].append((side, bone))
    pairs = [dict(both) for both in sides.values() if sorted(side for side, _ in both) == ["l", "r"]]
    return {pair[side]: pair[other] for pair in pairs for side, other in (("l", "r"), ("r", "l"))}


def _body(names: Sequence[str], parents: Sequence[str], heads: np.ndarray, tails: np.ndarray,
          namesakes: dict[int, int]) -> _Body | None:
    """The _Body; None where too few bones are pairs, by their places or their names. Across is the axis that mirrors
    most of them, up the longer of the others, towards the head: where fewer of the paired bones' ends lie."""
    order = {name: i for i, name in enumerate(names)}
    above = tuple(order.get(parent, -1) for parent in parents)
    size = float(np.ptp(heads, axis=0).max()) if len(heads) else 0.0
    if size <= 0:
        return None
    axes = list(np.eye(3))
    pairs = [_pairs(heads, tails, axes[0], size, namesakes)]
    if len(pairs[0]) < len(heads) / 3:
        pairs += [_pairs(heads, tails, axis, size, namesakes) for axis in axes[1:]]
    k = max(range(len(pairs)), key=lambda i: len(pairs[i]))
    if len(pairs[k]) < _FEWEST:
        return None
    rest = [axis for i, axis in enumerate(axes) if i != k]
    up = max(rest, key=lambda axis: np.ptp(heads @ axis))
    body = _Body(heads, tails, above, size, axes[k], up, pairs[k])
    limbs = [_rise(body, body.path(bone)) for bone in pairs[k] if above[bone] not in (-1, *pairs[k])]
    legs = max(limbs, key=abs, default=0.0)
    return body if legs < 0 else replace(body, up=-up)


def _pairs(heads: np.ndarray, tails: np.ndarray, axis: np.ndarray, size: float,
           namesakes: dict[int, int]) -> dict[int, int]:
    """bone -> the bone at its mirror image, both ways; none for those in the middle. Of several that begin there, the
    one whose tail fits. Its namesake on the other side comes first: not every rest pose is symmetrical."""
    middle, near = np.median(heads, axis=0), _MIRRORED * size
    heads, tails = heads - middle, tails - middle
    off = np.flatnonzero(np.abs(heads @ axis) > near / 2)
    flip = 1 - 2 * axis
    if not len(off):
        return {}
    apart = _squares(heads[off] * flip, heads[off])
    nearest, least = apart.argmin(axis=1), apart.min(axis=1)
    together = apart <= least[:, None] + (1e-2 * near)**2
    for row in np.flatnonzero(together.sum(axis=1) > 1):
        beside = np.flatnonzero(together[row])
        nearest[row] = beside[np.linalg.norm(tails[off[beside]] - tails[off[row]] * flip, axis=1).argmin()]
    mutual = np.flatnonzero((nearest[nearest] == np.arange(len(off))) & (least <= near**2))
    out = heads @ axis
    named = {bone: other for bone, other in namesakes.items() if out[bone] * out[other] < 0 and bone in off}
    placed = zip(off[mutual].tolist(), off[nearest[mutual]].tolist(), strict=True)
    return {bone: other for bone, other in placed if not {bone, other} & namesakes.keys()} | named


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(A, 3) and (B, 3) points -> their squared distances (A, B), without an array of all their differences."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0)


def _rise(body: _Body, way: list[int]) -> float:
    """How far a way goes up, negative for down."""
    return float(body.up @ (body.heads[way[-1]] - body.heads[way[0]]))


def _leg(body: _Body, way: list[int]) -> dict[str, tuple[int, str]]:
    """hip, knee, ankle and toe of the way from a hip to a toe; {} where it is none."""
    cosines = [-body.up @ _unit(step) for step in np.diff(body.heads[way], axis=0)] if len(way) > 1 else []
    first = next((i for i, cosine in enumerate(cosines) if cosine > _DOWNWARD), None)
    if first is None:
        return {}
    last = next((i for i in range(first, len(cosines)) if cosines[i] < _DOWNWARD), len(cosines))
    if last - first > 1:
        knee, ankle = min(combinations(range(first + 1, last + 1), 2), key=lambda ends: _wrong(
            body, way[first], way[ends[0]], body.heads[way[ends[1]]], _THIGH_TO_SHIN))
        leg = {"hip": (way[first], "head"), "knee": (way[knee], "head"), "ankle": (way[ankle], "head")}
    else:
        leg = {"hip": (way[first], "head"), "knee": (way[last], "head"), "ankle": (way[last], "tail")}
    ankle = leg["ankle"]
    tail = body.tails[way[-1]] - body.heads[way[-1]]
    short = np.linalg.norm(tail) < _FOOT * body.size and body.up @ _unit(tail) < _DOWNWARD
    if way[-1] != ankle[0] or ankle[1] == "head" and short:
        leg["toe"] = (way[-1], "tail")
    return leg


def _wrong(body: _Body, first: int, second: int, end: np.ndarray, ratio: float) -> float:
    """How little two bones and the place where the second ends are a limb whose halves have that ratio: the lower, the
    better. Of limbs as right as each other, the longest."""
    upper = np.linalg.norm(body.heads[second] - body.heads[first])
    lower = np.linalg.norm(end - body.heads[second])
    return float(abs(np.log(max(upper, 1e-9) / max(lower, 1e-9) / ratio)) - (upper + lower) / body.size)


def _is_clavicle(body: _Body, way: list[int]) -> float:
    """What it costs to take the first bone of a way to the elbow for the upper arm: much if it is short and the arm
    turns after it. Pieces of one bone lie on a line."""
    if len(way) < 3:
        return 0.0
    step, rest = body.heads[way[1]] - body.heads[way[0]], body.heads[way[-1]] - body.heads[way[1]]
    short = 1e-3 * body.size < np.linalg.norm(step) < _SHORT * np.linalg.norm(rest)
    return _SOCKET if short and _unit(step) @ _unit(rest) < _STRAIGHT else 0.0


def _arm(body: _Body, way: list[int]) -> dict[str, tuple[int, str]]:
    """shoulder, elbow, wrist and fingers of the way from a clavicle or shoulder to a fingertip; {} where it is none."""
    hand = next((i for i, bone in enumerate(way) if len(body.children(bone)) > 2 or i and _has_thumb(body, way, i)),
                None)
    ends = [(hand, "head")] if hand else [(len(way) - 1, "head"), (len(way) - 1, "tail")] if way else []
    best = None
    for at, end in ends:
        wrist, inner = body.end(way[at], end), range(at + (end == "tail"))
        for s in inner:
            for e in inner[s + 1:]:
                shoulder, elbow = body.heads[way[s]], body.heads[way[e]]
                upper, fore = np.linalg.norm(elbow - shoulder), np.linalg.norm(wrist - elbow)
                if body.out(shoulder) < _CLAVICLE or min(upper, fore) < 1e-3 * body.size:
                    continue
                wrong = _wrong(body, way[s], way[e], wrist, _UPPER_TO_FORE) + _is_clavicle(body, way[s:e + 1])
                if best is None or wrong < best[0]:
                    best = wrong, {"shoulder": (way[s], "head"), "elbow": (way[e], "head"), "wrist": (way[at], end)}
    if best is None:
        return {}
    return {**best[1], **(_fingers(body, way[hand]) if hand else {})}


def _has_thumb(body: _Body, way: list[int], i: int) -> bool:
    """Whether something branches off the way's bone `i` to the side: bones that twist lie along it. Of captured people
    all of a hand begins at the wrist, and only tails tell."""
    if i + 1 >= len(way):
        return False
    start = body.heads[way[i]]
    beside = [bone for bone in body.children(way[i]) if bone != way[i + 1]]
    at = body.tails if np.ptp(body.heads[[way[i], way[i + 1], *beside]],
                              axis=0).max() < 1e-4 * body.size else body.heads
    along = _unit(at[way[i + 1]] - start)
    return any(np.linalg.norm(np.cross(along, at[bone] - start)) > _THUMB * body.size for bone in beside)


def _fingers(body: _Body, hand: int) -> dict[str, tuple[int, str]]:
    """The points of five fingers of three bones each (a bone before them is the palm's); {} for other hands."""
    ways = [way[1:] for way in _ways(body, hand) if len(way) > 3]
    if len(ways) != 5:
        return {}
    along = np.array([_unit(body.heads[way[-1]] - body.heads[way[-3]]) for way in ways])
    thumb = ways[int((along @ along.sum(axis=0)).argmin())]
    more = len(thumb) - 3                                           # a thumb has three bones: a fourth is only its end
    if any(len(way) - more < 3 for way in ways):
        return {}
    start = body.heads[thumb[0]]
    ways = sorted((way[-3 - more:] for way in ways), key=lambda way: np.linalg.norm(body.heads[way[0]] - start))
    return {f"{finger}_{k}": place for finger, way in zip(FINGERS, ways, strict=True) for k, place in enumerate(
        [*((bone, "head") for bone in way[:3]), (way[3], "head") if more else (way[2], "tail")], 1)}


def _ways(body: _Body, bone: int) -> list[list[int]]:
    """Every way from a bone to a leaf."""
    below = [way for child in body.children(bone) for way in _ways(body, child)]
    return [[bone, *way] for way in below] or [[bone]]


def _middle(body: _Body, arms: list[int]) -> dict[str, tuple[int, str]]:
    """neck and head above the bone that the arms hang from; {} where there is none."""
    if not arms:
        return {}
    first, second = body.above(arms[0]), body.above(body.pairs[arms[0]])
    chest = next((bone for bone in first if bone in second), -1)
    way, shoulders = [chest], body.up @ body.heads[arms[0]]
    while len(way) < 2 or not _has_face(body, way[-1]):
        higher = [bone for bone in body.children(way[-1]) if bone not in first and bone not in second
                  and abs(body.out(body.heads[bone])) < _MIRRORED / 2
                  and body.up @ (body.heads[bone] - body.heads[way[-1]]) > (0 if len(way) > 1 else -1e-6 * body.size)]
        if not higher:
            break
        way.append(max(higher, key=lambda bone: body.up @ body.heads[bone]))
    way = way[1:]
    if len(way) > 1 and body.up @ (body.heads[way[-1]] - body.heads[way[-2]]) > _SKULL * body.size:
        way = way[:-1]
    if not way:
        return {}
    neck = next((bone for bone in way[:-1] if body.up @ body.heads[bone] > shoulders), way[max(len(way) - 2, 0)])
    return {"neck": (neck, "head"), "head": (way[-1], "head")}


def _has_face(body: _Body, bone: int) -> bool:
    """Whether bones of both sides hang from a bone above the shoulders, though they may begin in its middle."""
    below = body.children(bone)
    places = {tuple(np.round(body.heads[child] / (1e-3 * body.size))) for child in below}
    return len(places) < len(below) or any(child in body.pairs for child in below)


def _first_side(body: _Body, leg: dict[str, tuple[int, str]]) -> str | None:
    """"left" or "right": the side of the pairs that lie outwards, as the toes tell what is in front;
    None without toes."""
    if "toe" not in leg:
        return None
    (toe, end), (ankle, _) = leg["toe"], leg["ankle"]
    forward = body.end(toe, end if toe == ankle else "head") - body.end(*leg["ankle"])
    left = np.cross(body.up, forward) @ body.across
    return None if abs(left) < 1e-3 * body.size else "left" if left > 0 else "right"


def _likely_side(body: _Body, leg: dict[str, tuple[int, str]], arm: dict[str, tuple[int, str]]) -> str:
    """As _first_side without toes: knees bend forwards and elbows backwards. If all is straight, a rig looks along -Y,
    +Z or +X, as Blender's importers leave it."""
    third = np.cross(body.across, body.up)
    knee, elbow = (_off_line(body, limb, joints) @ third for limb, joints in (
        (leg, ("hip", "knee", "ankle")), (arm, ("shoulder", "elbow", "wrist"))))
    bent = knee - elbow
    forward = np.sign(bent) * third if abs(bent) > _BENT * body.size else np.abs(third) * (1, -1, 1)
    return "left" if np.cross(body.up, forward) @ body.across > 0 else "right"


def _off_line(body: _Body, limb: dict[str, tuple[int, str]], joints: tuple[str, str, str]) -> np.ndarray:
    """(3,): how far a limb's middle joint lies off the line between its ends."""
    start, middle, end = (body.end(*limb[joint]) for joint in joints)
    along = _unit(end - start)
    return middle - start - ((middle - start) @ along) * along


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(np.linalg.norm(vector), 1e-9)
