"""A figure made from the template itself and seen by a camera, in any pose: its bones are known exactly."""
import numpy as np

from engine.conditions.poses import Figure
from engine.conditions.surface import template as templates
from engine.conditions.surface.turning import turn_about
from engine.contract.skeleton import BODY, HAND

FOCAL, DISTANCE, SIZE = 600.0, 4.0, (256, 320)
_BELOW = {"elbow": ("elbow", "wrist"), "shoulder": ("shoulder", "elbow", "wrist"), "knee": ("knee", "ankle", "toe"),
          "hip": ("hip", "knee", "ankle", "toe"), "wrist": ("wrist",), "ankle": ("ankle", "toe")}


def joints(*turns):
    """The template's joints, measured from the middle of the hips; turns (side, joint, axis, degrees) from the outer
    joints inwards."""
    tall = templates.load().joints
    at = {name: place - 0.5 * (tall["left_hip"] + tall["right_hip"]) for name, place in tall.items()}
    for side, joint, axis, degrees in turns:
        moved = [f"{side}_{name}" for name in _BELOW[joint]]
        if joint in ("elbow", "shoulder", "wrist"):
            moved += [f"{side}_{name}" for name in HAND[1:]]
        turn = turn_about(np.array(axis, float), np.radians([degrees]))
        pivot = at[f"{side}_{joint}"]
        at |= {name: pivot + turn @ (at[name] - pivot) for name in moved}
    return at


def turned(at, degrees, axis=(0, 1, 0)):
    """All joints turned about the hips."""
    turn = turn_about(np.array(axis, float), np.radians([degrees]))
    return {name: turn @ place for name, place in at.items()}


def figure(at, *, distance=DISTANCE, focal=FOCAL, middle=(128.0, 165.0), hands=True, units=1.0):
    """The Figure of joints in metres at a distance from a camera; units: how many of the scene's units are a metre."""
    def seen(names):
        places = np.stack([at[name] for name in names])
        depth = places[:, 2] + distance
        return np.column_stack([places[:, :2] * focal / depth[:, None] + middle, depth * units, np.ones(len(names))])
    both = tuple(seen([f"{side}_{name}" for name in HAND]) for side in ("left", "right")) if hands else (None, None)
    return Figure(seen(BODY), both, templates.load().height * focal / distance)
