"""An armature's bones -> which bone stands for which joint, by a preset, the artist's own entries, or both."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import bpy
import numpy as np

from ..embedded.engine.contract import json_reader
from ..embedded.engine.contract.fields import shown
from ..embedded.engine.contract.skeleton import HEAD_POINTS
from .matching import BODY_JOINTS, GUESSED, HAND_JOINTS, REQUIRED, found, loose
from .presets import PRESETS, BoneEnds
from .problem import GatherError

Entries = Sequence[tuple[str, str, str]]  # (joint, bone, end)
# `head` is the skull's bone, from which those points of the face are worked out that have no bone.
JOINTS = (*BODY_JOINTS, "head", *HAND_JOINTS, *HEAD_POINTS)
ENDS = ("head", "tail")
_FORMAT = 1
__all__ = ["ENDS", "GUESSED", "HAND_JOINTS", "HEAD_POINTS", "JOINTS", "REQUIRED", "BoneMap", "JointState", "Row",
           "find_map", "read_map", "rows_of", "write_map"]


class JointState(StrEnum):
    """Where a joint's bone comes from, or what is wrong with it. DOUBT: names and structure disagree; MISSING: only
    where the joint is required; NONE: it is not, and has none."""

    OWN = "own"
    PRESET = "preset"
    GUESS = "guess"
    DOUBT = "doubt"
    MISSING = "missing"
    WRONG = "wrong"
    NONE = ""


@dataclass(frozen=True)
class BoneMap:
    """`joints`: joint -> (bone, "head" or "tail"); `preset`: where most of it came from, GUESSED for a guess, "" for
    the artist's own."""

    preset: str
    joints: dict


@dataclass(frozen=True)
class Row:
    """One joint for the artist to see: its `bone` ("" for none) and the bone's `end`."""

    joint: str
    bone: str
    end: str
    state: JointState


def find_map(rig: bpy.types.Object, *, preset: str = "", entries: Entries = ()) -> BoneMap:
    """The BoneMap of an armature object.

    `preset` names one of PRESETS, "" takes the one with the most required bones; what it lacks is guessed by structure.
    `entries`, (joint, bone, end), are the artist's own and win. Raises GatherError naming the joints that are
    missing or the entry that is wrong.
    """
    if preset and preset not in PRESETS:
        raise GatherError(f"There is no bone preset {preset!r}.", f"Choose one of {', '.join(PRESETS)}.")
    try:
        return _find(*_rest(rig), preset, tuple(map(tuple, entries)))
    except GatherError as error:
        raise GatherError(f"Rig {rig.name!r}: {error.message}", error.remedy, error.action) from None


def rows_of(rig: bpy.types.Object, *, preset: str = "", entries: Entries = ()) -> tuple[str, list[Row]]:
    """(the preset's name, GUESSED or "", a Row for each of JOINTS) of an armature object,
    whatever is missing or wrong."""
    bones, places = _rest(rig)
    parents = dict(bones)
    own = {joint: (bone, end) for joint, bone, end in entries if joint in JOINTS}
    told = found(bones, places, preset if preset in PRESETS else "", frozenset(own))
    joints = {**told.joints, **own}
    wrong = {joint for joint, (bone, _) in joints.items() if bone not in parents}
    wrong |= {lower for upper, lower in loose({k: v for k, v in joints.items() if k not in wrong}, parents)}
    rows = []
    for joint in JOINTS:
        bone, end = joints.get(joint, ("", "head"))
        state = JointState.MISSING if joint in REQUIRED else JointState.NONE
        if joint in joints:
            state = JointState.WRONG if joint in wrong else JointState.OWN if joint in own else \
                JointState.DOUBT if joint in told.doubtful else JointState.GUESS if joint in told.guessed else \
                JointState.PRESET
        rows.append(Row(joint, bone, end, state))
    return told.preset, rows


def read_map(path: str | Path) -> tuple[tuple[str, str, str], ...]:
    """The entries, (joint, bone, end), of a saved bone map; read again only when the file has changed."""
    try:
        return _read_map(path, os.stat(path).st_mtime_ns)
    except OSError as error:
        raise GatherError(f"The bone map {path} cannot be read: {error.strerror}.",
                          "Choose a map saved by this add-on.") from None


@lru_cache(maxsize=8)
def _read_map(path: str | Path, _changed: int) -> tuple[tuple[str, str, str], ...]:
    try:
        value = json_reader.read(path)
    except (OSError, json_reader.Unreadable) as error:
        raise GatherError(f"The bone map {path} cannot be read: {error}.",
                          "Choose a map saved by this add-on.") from None
    if not isinstance(value.get("joints"), dict):
        raise GatherError(f"{path}: expected a bone map of format {_FORMAT} with 'joints'.",
                          "Choose a map saved by this add-on.")
    written = value.get("version")
    if written != _FORMAT or isinstance(written, bool):
        newer = isinstance(written, int) and written > _FORMAT
        raise GatherError(f"{path}: expected a bone map of format {_FORMAT}, got {shown(written)}.",
                          "Update the extension to the release that wrote it." if newer
                          else "Choose a map saved by this add-on.")
    entries = []
    for joint, place in value["joints"].items():
        if not isinstance(place, dict) or not isinstance(place.get("bone"), str):
            raise GatherError(f"{path}: joint {joint!r}: expected a bone and an end, got {shown(place)}.",
                              'Write {"bone": NAME, "end": "head" or "tail"}.')
        entries.append((joint, place["bone"], place.get("end", "head")))
    for joint, bone, end in entries:
        _check_entry(joint, bone, end)
    return tuple(entries)


def write_map(path: str | Path, entries: Entries) -> None:
    """Save the artist's entries, (joint, bone, end), to share them."""
    for joint, bone, end in entries:
        _check_entry(joint, bone, end)
    joints = {joint: {"bone": bone, "end": end} for joint, bone, end in entries}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"version": _FORMAT, "joints": joints}, file, indent=1, ensure_ascii=False)


def _rest(rig: bpy.types.Object) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """((name, parent's name) of each bone, (2B, 3) float32 heads and tails at rest as bytes) of an armature object."""
    bones = rig.data.bones
    places = np.empty((2, len(bones), 3), np.float32)
    bones.foreach_get("head_local", places[0].reshape(-1))
    bones.foreach_get("tail_local", places[1].reshape(-1))
    return tuple((bone.name, bone.parent.name if bone.parent else "") for bone in bones), places.tobytes()


@lru_cache(maxsize=32)
def _find(bones: tuple[tuple[str, str], ...], places: bytes, preset: str,
          entries: tuple[tuple[str, str, str], ...]) -> BoneMap:
    """_rest's bones and places -> the BoneMap; cached because the panel asks at every redraw."""
    parents = dict(bones)
    told = found(bones, places, preset, frozenset(joint for joint, _, _ in entries))
    joints = dict(told.joints)
    for joint, bone, end in entries:
        _check_entry(joint, bone, end)
        if bone not in parents:
            raise GatherError(f"no bone {bone!r}, which the bone map gives for the {_words(joint)}.",
                              "Correct that line of the bone map.")
        joints[joint] = (bone, end)
    _check_complete(joints, told.preset)
    _check_parents(joints, parents)
    return BoneMap(told.preset if set(REQUIRED) & set(told.joints) else "", joints)


def _check_entry(joint: str, bone: str, end: str) -> None:
    if joint not in JOINTS:
        raise GatherError(f"the bone map has a joint {joint!r}; expected one of {', '.join(JOINTS[:19])} "
                          "or a finger's such as left_index_1.", "Correct that line of the bone map.")
    if end not in ENDS:
        raise GatherError(f"the bone map takes the {_words(joint)} from {end!r} of bone {bone!r}; expected head "
                          "or tail.",
                          "Correct that line of the bone map.")


def _check_complete(joints: BoneEnds, preset: str) -> None:
    missing = [_words(joint) for joint in REQUIRED if joint not in joints]
    if missing:
        raise GatherError(f"no bone for {', '.join(missing)} (the preset that fits best is {preset}).",
                          "Name the missing bones in the table of joints.", "edit_bones")


def _check_parents(joints: BoneEnds, parents: dict[str, str]) -> None:
    for upper, lower in loose(joints, parents):
        above, bone = joints[upper][0], joints[lower][0]
        raise GatherError(f"bone {bone!r} of the {_words(lower)} does not hang from bone {above!r} of the "
                          f"{_words(upper)}.",
                          "Correct these two in the bone map.", "edit_bones")


def _words(joint: str) -> str:
    return joint.replace("_", " ")
