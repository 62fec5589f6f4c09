"""Where a limb ends: at the head of the bone that goes on from it, and at a bone's own tail only as a last resort.

Ours. A bone's head is a joint. Its tail is only how long Blender shows the bone. Importers invent it where a file has
joints alone, so it may lie metres away, or point along another axis. So a fingertip or a toe whose tail cannot be one
is worked out from the joints before it.
"""

from collections import defaultdict
from collections.abc import Mapping

import bpy
import numpy as np

from .presets import FINGERS, BoneEnds
from .rotations import unit

_SIDES = ("left", "right")
# The last bone of a finger against the one before it, and of a foot against the way from the ankle (ours).
_LAST_PHALANX, _TOES = 0.8, 0.35
# How long and how straight a tail may be that ends a limb: lengths as parts of the step before it, then a cosine.
_FINGER_ENDS, _FINGER_STRAIGHT = (0.25, 1.7), 0.3
_TOE_ENDS, _TOE_STRAIGHT = (0.05, 0.8), 0.85
_FOOT_ENDS, _FOOT_DOWN = (0.1, 0.7), 0.8       # of a foot that is one bone, against the shin
_FLAT = 0.3                                    # a foot that leaves the shin's line by less has no forward


def continued(joints: BoneEnds, parents: Mapping[str, str], heads: Mapping[str, np.ndarray]) -> BoneEnds:
    """`joints` with the head of the next bone in place of a tail, where exactly one bone goes on from there.

    `parents`: bone -> its parent, "" for none; `heads`: bone -> (3,) its head at rest.
    """
    below, ends = defaultdict(list), {bone for bone, end in joints.values() if end == "tail"}
    for bone, parent in parents.items():
        if parent in ends and np.linalg.norm(heads[bone] - heads[parent]) > 1e-9:
            below[parent].append(bone)
    return {joint: (below[bone][0], "head") if end == "tail" and len(below[bone]) == 1 else (bone, end)
            for joint, (bone, end) in joints.items()}


def at_rest(rig: bpy.types.Object, bone: str, end: str) -> np.ndarray:
    """(3,) where the head or tail of a bone lies at rest, in the armature's space."""
    resting = rig.data.bones[bone]
    return np.array(resting.head_local if end == "head" else resting.tail_local, dtype=float)


def rest_places(rig: bpy.types.Object, joints: BoneEnds) -> dict[str, np.ndarray]:
    """joint -> (3,) where it lies at rest, in the armature's space; those of `worked_out` as they are there."""
    at = {joint: at_rest(rig, bone, end) for joint, (bone, end) in joints.items()}
    return at | _corrected(at, _of_tails(rig, joints))


def worked_out(rig: bpy.types.Object, joints: BoneEnds) -> dict[str, np.ndarray]:
    """joint -> (3,) in its bone's own space, of those toes and fingertips whose tail cannot be where they are."""
    at = {joint: at_rest(rig, bone, end) for joint, (bone, end) in joints.items()}
    found = {}
    for joint, place in _corrected(at, _of_tails(rig, joints)).items():
        matrix = np.array(rig.data.bones[joints[joint][0]].matrix_local)
        found[joint] = np.linalg.inv(matrix[:3, :3]) @ (place - matrix[:3, 3])
    return found


def _of_tails(rig: bpy.types.Object, joints: BoneEnds) -> dict[str, np.ndarray]:
    """joint -> (3,) the head of its bone, for the joints that are tails."""
    return {joint: at_rest(rig, bone, "head") for joint, (bone, end) in joints.items() if end == "tail"}


def _corrected(at: Mapping[str, np.ndarray], starts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The places of those joints of `starts` (joint -> the head of the bone whose tail it is) that are not at `at`."""
    found = {}
    for side in _SIDES:
        for finger in FINGERS:
            tip, before = f"{side}_{finger}_4", f"{side}_{finger}_2"
            if tip in starts and before in at:
                found[tip] = _fingertip(at[before], starts[tip], at[tip])
        toe = f"{side}_toe"
        if toe in starts and f"{side}_knee" in at and f"{side}_ankle" in at:
            found[toe] = _toe(at[f"{side}_knee"], at[f"{side}_ankle"], starts[toe], at[toe])
    return {joint: place for joint, place in found.items() if not np.array_equal(place, at[joint])}


def _fingertip(before: np.ndarray, last: np.ndarray, tail: np.ndarray) -> np.ndarray:
    """(3,): the tail of a finger's last bone if it can be the tip; else the finger goes on from its last joints."""
    step = last - before
    return tail if _goes_on(step, tail - last, _FINGER_ENDS, _FINGER_STRAIGHT, step) else last + _LAST_PHALANX * step


def _toe(knee: np.ndarray, ankle: np.ndarray, ball: np.ndarray, tail: np.ndarray) -> np.ndarray:
    """(3,): the tail of a toe's bone if toes can end there; else a little in front of the ball, level with the sole."""
    shin, step = ankle - knee, ball - ankle
    down = unit(shin)
    if np.linalg.norm(step) < 1e-3 * np.linalg.norm(shin):         # the foot is one bone
        believable = _goes_on(shin, tail - ball, _FOOT_ENDS, -1, shin) and unit(tail - ball) @ down < _FOOT_DOWN
        return tail if believable else ball
    forward = step - (step @ down) * down
    if np.linalg.norm(forward) < _FLAT * np.linalg.norm(step):
        return tail if _goes_on(step, tail - ball, _TOE_ENDS, _FINGER_STRAIGHT, step) else ball
    believable = _goes_on(step, tail - ball, _TOE_ENDS, _TOE_STRAIGHT, forward)
    return tail if believable else ball + _TOES * np.linalg.norm(step) * unit(forward)


def _goes_on(step: np.ndarray, last: np.ndarray, lengths: tuple[float, float], straight: float,
             way: np.ndarray) -> bool:
    """Whether `last` is between `lengths` of the step before it, and along `way` by at least the cosine `straight`."""
    part = np.linalg.norm(last) / max(np.linalg.norm(step), 1e-9)
    return bool(lengths[0] <= part <= lengths[1] and unit(last) @ unit(way) >= straight)
