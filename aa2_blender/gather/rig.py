"""An armature's bones -> which bone stands for which joint, by a preset, the artist's own entries, or both."""

import json
import os
import re
from dataclasses import dataclass
from functools import lru_cache

from ..embedded.engine.contract.skeleton import BODY, HAND, HEAD_POINTS
from .presets import PRESETS
from .problem import GatherError

SIDES = ("left", "right")
HAND_JOINTS = tuple(f"{side}_{point}" for side in SIDES for point in HAND[1:])
BODY_JOINTS = tuple(name for name in BODY if name not in HEAD_POINTS)
# `head` is the skull's bone, from which the face is worked out.
JOINTS = (*BODY_JOINTS, "head", *HAND_JOINTS)
REQUIRED = tuple(name for name in (*BODY_JOINTS, "head") if not name.endswith("_toe"))
ENDS = ("head", "tail")
# A joint's bone has to hang from the bone of the joint before it.
_CHAINS = [("neck", "head")] + [
    (f"{side}_{upper}", f"{side}_{lower}") for side in SIDES for upper, lower in
    (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "toe"))]
_VERSION = 1


@dataclass(frozen=True)
class BoneMap:
    """`joints`: joint -> (bone, "head" or "tail"); `preset`: where most of it came from, "" for the artist's own."""

    preset: str
    joints: dict


def find_map(rig, *, preset="", entries=()):
    """The BoneMap of an armature object.

    `preset` names one of PRESETS, "" takes the one with the most required bones; `entries`, (joint, bone, end), are the
    artist's own and win. Raises GatherError naming the joints that are missing or the entry that is wrong.
    """
    if preset and preset not in PRESETS:
        raise GatherError(f"There is no bone preset {preset!r}.", f"Choose one of {', '.join(PRESETS)}.")
    bones = tuple((bone.name, bone.parent.name if bone.parent else "") for bone in rig.data.bones)
    try:
        return _find(bones, preset, tuple(map(tuple, entries)))
    except GatherError as error:
        raise GatherError(f"Rig {rig.name!r}: {error.message}", error.remedy) from None


def read_map(path):
    """The entries, (joint, bone, end), of a saved bone map; read again only when the file has changed."""
    try:
        return _read_map(path, os.stat(path).st_mtime_ns)
    except OSError as error:
        raise GatherError(f"The bone map {path} cannot be read: {error.strerror}.",
                          "Choose a map saved by this add-on.") from None


@lru_cache(maxsize=8)
def _read_map(path, _changed):
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError) as error:
        raise GatherError(f"The bone map {path} cannot be read: {error}.", "Choose a map saved by this add-on.") from None
    if not isinstance(value, dict) or value.get("version") != _VERSION or not isinstance(value.get("joints"), dict):
        raise GatherError(f"{path}: expected a bone map of version {_VERSION} with 'joints'.",
                          "Choose a map saved by this add-on.")
    entries = []
    for joint, place in value["joints"].items():
        if not isinstance(place, dict) or not isinstance(place.get("bone"), str):
            raise GatherError(f"{path}: joint {joint!r}: expected a bone and an end, got {place!r}.",
                              'Write {"bone": NAME, "end": "head" or "tail"}.')
        entries.append((joint, place["bone"], place.get("end", "head")))
    for joint, bone, end in entries:
        _check_entry(joint, bone, end)
    return tuple(entries)


def write_map(path, entries):
    """Save the artist's entries, (joint, bone, end), to share them."""
    for joint, bone, end in entries:
        _check_entry(joint, bone, end)
    joints = {joint: {"bone": bone, "end": end} for joint, bone, end in entries}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"version": _VERSION, "joints": joints}, file, indent=1, ensure_ascii=False)


def canonical(bone):
    """A bone's name without maker's prefix, case and separators -> (name, side); the side is "l", "r" or "".

    `mixamorig:LeftHandThumb1` -> ("handthumb1", "l"); `DEF-upper_arm.L.001` -> ("defupperarm001", "l").
    """
    name = re.sub(r"^mixamorig\d*(?=[:_A-Z])", "", bone.rpartition(":")[2])
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    side, kept = "", []
    for word in words:
        match = re.fullmatch(r"(l|r)|(left|right)(.*)", word)
        if match and not side:
            side = word[0]
            word = match[3] or ""
        kept.append(word.lstrip("0") or word)
    return "".join(kept), side


@lru_cache(maxsize=32)
def _find(bones, preset, entries):
    """`bones`: (name, parent's name) of each; cached because the panel asks at every redraw."""
    parents = dict(bones)
    known = {}
    for name in parents:
        known.setdefault(canonical(name), name)
    found = {name: _match(PRESETS[name], parents, known) for name in ([preset] if preset else PRESETS)}
    best = max(found, key=lambda name: sum(joint in REQUIRED for joint in found[name]))
    joints = dict(found[best])
    for joint, bone, end in entries:
        _check_entry(joint, bone, end)
        if bone not in parents:
            raise GatherError(f"no bone {bone!r}, which the bone map gives for the {_words(joint)}.",
                              "Correct that line of the bone map.")
        joints[joint] = (bone, end)
    _check_complete(joints, best)
    _check_parents(joints, parents)
    own = not any(joint in REQUIRED for joint in found[best])
    return BoneMap("" if own else best, joints)


def _match(preset, parents, known):
    """Those joints of a preset whose bone the rig has, by its very name or else by its canonical one."""
    joints = {}
    for joint, (bone, end) in preset.items():
        name = bone if bone in parents else known.get(canonical(bone))
        if name:
            joints[joint] = (name, end)
    return joints


def _check_entry(joint, bone, end):
    if joint not in JOINTS:
        raise GatherError(f"the bone map has a joint {joint!r}; expected one of {', '.join(JOINTS[:19])} "
                          "or a finger's such as left_index_1.", "Correct that line of the bone map.")
    if end not in ENDS:
        raise GatherError(f"the bone map takes the {_words(joint)} from {end!r} of bone {bone!r}; expected head or tail.",
                          "Correct that line of the bone map.")


def _check_complete(joints, preset):
    missing = [_words(joint) for joint in REQUIRED if joint not in joints]
    if missing:
        raise GatherError(f"no bone for {', '.join(missing)} (the preset that fits best is {preset}).",
                          "Name the missing bones in the bone map.")


def _check_parents(joints, parents):
    for upper, lower in _CHAINS:
        if lower not in joints:
            continue
        above, bone = joints[upper][0], joints[lower][0]
        if above not in _ancestry(bone, parents):
            raise GatherError(f"bone {bone!r} of the {_words(lower)} does not hang from bone {above!r} of the {_words(upper)}.",
                              "Correct these two in the bone map.")


def _ancestry(bone, parents):
    while bone:
        yield bone
        bone = parents[bone]


def _words(joint):
    return joint.replace("_", " ")
