"""A rig's bones -> its joints: those whose names a preset knows, and from the guess what no name tells.

Names and structure are merged joint by joint. A finger counts only as a whole, since half of it may be numbered
otherwise. Where a preset fits only in part, and the structure puts a joint elsewhere, the structure is right.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from ..embedded.engine.contract.skeleton import BODY, HAND, HEAD_POINTS
from .ends import continued
from .guess import guess
from .presets import FINGERS, PRESETS, BoneEnds

SIDES = ("left", "right")
HAND_JOINTS = tuple(f"{side}_{point}" for side in SIDES for point in HAND[1:])
BODY_JOINTS = tuple(name for name in BODY if name not in HEAD_POINTS)
REQUIRED = tuple(name for name in (*BODY_JOINTS, "head") if not name.endswith("_toe"))
# What Found.preset says where no preset has all that is required.
GUESSED = "guessed by structure"
# A joint's bone has to hang from the bone of the joint before it.
_CHAINS = [("neck", "head")] + [
    (f"{side}_{upper}", f"{side}_{lower}") for side in SIDES for upper, lower in
    (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "toe"))]
_SIDE_LETTERS = {"左": "l", "右": "r"}
# A name whose bone only marks where the one before it ends: Toe_End, Bip01 Head Nub, index_03_l_end.
_END = re.compile(r"(?:(?:^|[\W_])(?i:end|nub|tip|leaf)|(?<=[a-z\d])(?:End|Nub|Tip|Leaf))(?=$|[\W_\d])")
# Names and structure disagree about a joint that they put further apart than this part of the rig's size. It is a
# matter of taste where a neck of several bones begins.
_APART, _NECK_APART = 0.03, 0.06

Bones = tuple[tuple[str, str], ...]  # (name, parent's name, "" for none) of each bone


@dataclass(frozen=True)
class Found:
    """`joints`: joint -> (bone, end) and `preset`, where most of them come from; `guessed`, those that names do not
    tell; `doubtful`, those on which names and structure disagree."""

    preset: str
    joints: BoneEnds
    guessed: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()


@lru_cache(maxsize=32)
def found(bones: Bones, places: bytes, preset: str, own: frozenset[str]) -> Found:
    """The Found of a rig. `places`: (2B, 3) float32 heads and tails at rest as bytes.

    The best preset has the most required joints with their parents in order, then the most joints, then the most with
    exactly its names. What neither it nor the artist (`own`, joints) has is guessed. If the preset knows less than
    half, all of it is guessed. Nothing is guessed if the artist chose a `preset`.
    """
    parents = dict(bones)
    heads, tails = np.frombuffer(places, np.float32).reshape(2, -1, 3).astype(float)
    at = dict(zip(parents, heads, strict=True))
    called = {name: canonical(name) for name in parents}
    known: dict[tuple[str, str], str] = {}
    for name, short in called.items():
        known.setdefault(short, name)
    matches = {name: _match(PRESETS[name], parents, known) for name in ([preset] if preset else PRESETS)}
    best = max(matches, key=lambda name: (sum(joint in REQUIRED for joint in matches[name]), len(matches[name]),
                                          sum(bone == PRESETS[name][joint][0]
                                              for joint, (bone, _) in matches[name].items())))
    named = Found(best, continued(matches[best], parents, at))
    if preset or {*BODY_JOINTS, *REQUIRED, *HAND_JOINTS} <= set(named.joints) | own:
        return named
    guessed = continued(_guess(bones, heads, tails, called), parents, at)
    if not guessed or list(loose(guessed, parents)):
        return named
    missing = set(REQUIRED) - set(named.joints)
    if missing - own and len(missing) >= len(REQUIRED) / 2:
        return Found(GUESSED, guessed, frozenset(guessed))
    ends = at | {f"{name}\ntail": tail for name, tail in zip(parents, tails, strict=True)}
    return _merged(named, guessed, parents, ends, own)


def canonical(bone: str) -> tuple[str, str]:
    """A bone's name without maker's prefix, case and separators -> (name, side); the side is "l", "r" or "".

    `mixamorig:LeftHandThumb1` -> ("handthumb1", "l"); `DEF-upper_arm.L.001` -> ("defupperarm1", "l"); `左手首`
    -> ("手首", "l").
    """
    name = unicodedata.normalize("NFKC", bone).rpartition(":")[2]
    name = re.sub(r"^mixamorig\d*(?=[:_A-Z])", "", name)
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[左右]|[^\W\dA-Za-z_左右]+", name)]
    side, kept = "", []
    for word in words:
        match = re.fullmatch(r"(l|r)|(left|right|左|右)(.*)", word)
        if match and not side:
            side = _SIDE_LETTERS.get(word[0]) or word[0]
            word = match[3] or ""
        kept.append(word.lstrip("0") or word)
    return "".join(kept), side


def loose(joints: BoneEnds, parents: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The pairs (upper, lower) of joints in which the lower's bone does not hang from the upper's."""
    for upper, lower in _CHAINS:
        if upper in joints and lower in joints and joints[upper][0] not in _ancestry(joints[lower][0], parents):
            yield upper, lower


def _guess(bones: Bones, heads: np.ndarray, tails: np.ndarray, called: dict[str, tuple[str, str]]) -> BoneEnds:
    """guess() without the bones that only mark where others end: they are seldom mirror images."""
    above = {parent for _, parent in bones}
    kept = [i for i, (name, _) in enumerate(bones) if name in above or not _END.search(name)]
    names, parents = zip(*(bones[i] for i in kept), strict=True) if kept else ((), ())
    return guess(names, parents, heads[kept], tails[kept], called.__getitem__)


def _merged(named: Found, guessed: BoneEnds, parents: dict[str, str], ends: dict[str, np.ndarray],
            own: frozenset[str]) -> Found:
    """Names and structure in one. `ends`: bone -> the place of its head, and bone + "\\ntail" -> that of its tail."""
    def place(joints: BoneEnds, joint: str) -> np.ndarray:
        bone, end = joints[joint]
        return ends[bone if end == "head" else f"{bone}\ntail"]

    guessed = _same_sides(named.joints, guessed, place)
    size = float(np.ptp(np.array(list(ends.values())), axis=0).max())
    missing = [joint for joint in REQUIRED if joint not in named.joints and joint not in own]
    doubtful = [] if not missing else [
        joint for joint in REQUIRED if joint in named.joints and joint not in own and np.linalg.norm(
            place(named.joints, joint) - place(guessed, joint)) > (
                _NECK_APART if joint in ("neck", "head") else _APART) * size]
    joints = {**named.joints, **{joint: guessed[joint] for joint in (*missing, *doubtful)}}
    if list(loose({joint: joints[joint] for joint in REQUIRED if joint in joints}, parents)):
        joints, missing, doubtful = dict(named.joints), [], []
    more = [joint for joint in (*_lacking_toes(joints), *_lacking_fingers(joints)) if joint in guessed
            and joint not in own and _follows(joint, guessed, joints, parents)]
    hands = {joint.split("_")[0] for joint in more if joint in HAND_JOINTS}
    joints = {joint: spot for joint, spot in joints.items()
              if joint not in HAND_JOINTS or joint.split("_")[0] not in hands}
    joints |= {joint: guessed[joint] for joint in more}
    return Found(named.preset, joints, frozenset((*missing, *more)), frozenset(doubtful))


def _same_sides(named: BoneEnds, guessed: BoneEnds, place) -> BoneEnds:
    """The guess with its sides exchanged if names say so: structure tells the sides only by what is in front."""
    def other(joint: str) -> str:
        side, _, rest = joint.partition("_")
        return f"{SIDES[1 - SIDES.index(side)]}_{rest}" if side in SIDES else joint
    swapped = {other(joint): spot for joint, spot in guessed.items()}
    both = [joint for joint in REQUIRED if joint in named]

    def apart(joints: BoneEnds) -> float:
        return sum(float(np.linalg.norm(place(named, joint) - place(joints, joint))) for joint in both)
    return swapped if apart(swapped) < apart(guessed) else guessed


def _lacking_toes(joints: BoneEnds) -> list[str]:
    return [f"{side}_toe" for side in SIDES if f"{side}_toe" not in joints]


def _lacking_fingers(joints: BoneEnds) -> list[str]:
    """The points of the hands that have fewer than five fingers: fingers of one hand are told by one source."""
    return [f"{side}_{point}" for side in SIDES for point in HAND[1:]
            if any(f"{side}_{finger}_1" not in joints for finger in FINGERS)]


def _follows(joint: str, guessed: BoneEnds, joints: BoneEnds, parents: dict[str, str]) -> bool:
    """Whether a guessed toe or finger hangs from the joint that is found."""
    before = f"{joint.split('_')[0]}_{'ankle' if joint.endswith('_toe') else 'wrist'}"
    return before in joints and joints[before][0] in _ancestry(guessed[joint][0], parents)


def _match(preset: BoneEnds, parents: dict[str, str], known: dict[tuple[str, str], str]) -> BoneEnds:
    """The joints of a preset whose bone the rig has, by its exact name or else by its canonical one. The bone also has
    to hang from the bone of the joint before it, and a finger has to be whole."""
    joints = {}
    for joint, (bone, end) in preset.items():
        name = bone if bone in parents else known.get(canonical(bone))
        if name:
            joints[joint] = (name, end)
    if {"neck", "left_shoulder"} <= set(joints):
        neck = _above_shoulders(joints, parents)
        joints = {**joints, "neck": (neck, "head")} if neck else {k: v for k, v in joints.items() if k != "neck"}
    out = {lower for _, lower in loose(joints, parents)}
    for side, finger in product(SIDES, FINGERS):
        if any(f"{side}_{finger}_{k}" not in joints for k in (1, 2, 3)):
            out |= {f"{side}_{finger}_{k}" for k in (1, 2, 3, 4)}
    return {joint: place for joint, place in joints.items() if joint not in out}


def _above_shoulders(joints: BoneEnds, parents: dict[str, str]) -> str:
    """The bone of the neck. If the arms hang from it, the rig has one bone more: this is the chest, and the neck is the
    next bone towards the head; "" where no head is known. If that is the head itself, the arms hang from the neck."""
    arm, neck = list(_ancestry(joints["left_shoulder"][0], parents)), joints["neck"][0]
    if "head" not in joints:
        return "" if neck in arm else neck
    above = neck
    for bone in _ancestry(joints["head"][0], parents):
        if bone in arm:
            return neck if above == joints["head"][0] else above
        if neck in arm or bone == neck:
            above = bone
    return neck


def _ancestry(bone: str, parents: dict[str, str]) -> Iterator[str]:
    while bone:
        yield bone
        bone = parents[bone]
