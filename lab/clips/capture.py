"""CMU's motion capture (BVH files of cgspeed's conversion) -> an Action: a stretch of a file,
carried over by directions.

Carnegie Mellon's data are free for any use: "The data used in this project was obtained from mocap.cs.cmu.edu. The
database was created with funding from NSF EIA-0196217." Debian's assimp-testmodels has two of the files.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from mathutils import Matrix, Vector

from aa2_blender.gather.problem import GatherError

from .action import OUT, Action
from .motions import draw_action
from .posture import Foot, Hand, Posture

# the seconds in which it stands on its feet; 01_03 hangs from things that are not there
FILES = {"01_01.bvh": (0.5, 22.0)}
STEP_S = 1 / 24
STANDING = 40           # percent of the moments in which the lower ankle is no higher than where it stands
CONTACT = 0.05          # metres above the lowest that a foot comes, up to which it stands


@dataclass(frozen=True)
class Capture:
    """`places`: joint -> (F, 3) metres with z up, facing -y at first; `turns`:
    joint -> (F, 3, 3) from the file's rest pose."""

    step: float
    places: dict
    turns: dict


def draw_capture(rng, m, folder: Path | None) -> Action:
    """A stretch of a file; if there is none, walking, and clip.json says so."""
    names = [name for name in FILES if folder and (folder / name).is_file()]
    if not names:
        return draw_action(rng, m, "walk")
    name = names[rng.integers(len(names))]
    return _action(read(folder / name), m, FILES[name], f"capture {name.removesuffix('.bvh')}")


def _action(capture, m, span, name):
    places = capture.places
    scale = m.leg / float(np.linalg.norm(places["LeftUpLeg"][0] - places["LeftLeg"][0])
                          + np.linalg.norm(places["LeftLeg"][0] - places["LeftFoot"][0]))
    lower = np.minimum(places["LeftFoot"][:, 2], places["RightFoot"][:, 2])
    floor = np.percentile(lower[int(span[0] / capture.step):int(span[1] / capture.step)], STANDING)
    arms = {side: m.arm / float(np.linalg.norm(places[f"{side}Arm"][0] - places[f"{side}ForeArm"][0])
                                + np.linalg.norm(places[f"{side}ForeArm"][0] - places[f"{side}Hand"][0]))
            for side in ("Left", "Right")}
    first = int(span[0] / capture.step)
    origin = (places["LeftUpLeg"][first] + places["RightUpLeg"][first]) / 2

    def pose(t):
        f = min(max(int(round(t / capture.step)), 0), len(places["Hips"]) - 1)
        at = lambda joint: Vector(((places[joint][f] - origin) * (1, 1, 0) + (0, 0, places[joint][f, 2] - floor))
                                  * scale)
        turn = lambda joint: Matrix(capture.turns[joint][f].tolist())
        pelvis, feet, hands, touching = (at("LeftUpLeg") + at("RightUpLeg")) / 2 + Vector((0, 0, m.ankle)), \
            {}, {}, set()
        chest = turn("Spine1")
        for side in OUT:
            name_ = side.title()
            ankle, toe = at(f"{name_}Foot"), at(f"{name_}ToeBase")
            way = toe - ankle
            ankle.z = max(ankle.z, 0.0)
            low = ankle.z < CONTACT
            feet[side] = Foot(ankle + Vector((0, 0, m.ankle)), math.degrees(math.atan2(way.x, -way.y)),
                              _pitch(way), planted=low)
            if low:
                touching.add(f"{side}_foot")
            a, b, c = (at(f"{name_}{joint}") for joint in ("Arm", "ForeArm", "Hand"))
            own = pelvis + chest @ Vector((OUT[side] * m.shoulder, 0.01, m.trunk))
            line = (c - a).normalized()
            hands[side] = Hand(own + (c - a) / scale * arms[name_],
                               (b - a) - line * (b - a).dot(line) + chest @ Vector((0, 0.02, 0)))
        return Posture(pelvis, turn("Hips"), chest, turn("Head"), feet, hands, frozenset(touching))

    return Action(name, pose, span)


def _pitch(way):
    """How far the heel is up, degrees: the foot's slope beyond that of a foot on the floor (ours)."""
    slope = math.degrees(math.atan2(-way.z, way.xy.length))
    return float(np.clip(slope - 11, -30, 60))


@lru_cache(maxsize=2)
def read(path: Path) -> Capture:
    """A BVH file, every STEP_S, by forward kinematics. Raises GatherError where it is none."""
    head, _, motion = path.read_text().partition("MOTION")
    lines = motion.split("\n")
    timing = re.search(r"Frame Time:\s*([\d.]+)", motion)
    if not timing:
        raise GatherError(f"{path}: expected a BVH file, found no 'Frame Time'.", "Give another folder of motions.")
    step = float(timing[1])
    rows = np.array([line.split() for line in lines if line.strip() and line.strip()[0] in "-0123456789"],
                    float)[::max(1, round(STEP_S / step))]
    parents, offsets, names, stack = [], [], [], []
    for word, rest in re.findall(r"^[ \t]*(ROOT|JOINT|End|OFFSET|\})[ \t]*(.*)$", head, re.M):
        if word in ("ROOT", "JOINT"):
            parents.append(stack[-1] if stack else -1)
            names.append(rest.strip())
            offsets.append(None)
            stack.append(len(names) - 1)
        elif word == "End":
            stack.append(None)
        elif word == "OFFSET" and stack[-1] is not None:
            offsets[stack[-1]] = np.array(rest.split(), float)
        elif word == "}":
            stack.pop()
    return _forward(names, parents, offsets, rows, step * max(1, round(STEP_S / step)))


def _forward(names, parents, offsets, rows, step):
    """Channels are the root's place, then z, y, x rotations of every joint, degrees; y up becomes z up,
    +z becomes -y."""
    places, turns, column = {}, {}, 3
    for name, parent, offset in zip(names, parents, offsets, strict=True):
        z, y, x = (_about(axis, rows[:, column + k]) for k, axis in enumerate((2, 1, 0)))
        column += 3
        own = z @ y @ x
        if parent < 0:
            turns[name], places[name] = own, rows[:, :3]
        else:
            above = names[parent]
            turns[name] = turns[above] @ own
            places[name] = places[above] + np.einsum("fij,j->fi", turns[above], offset)
    axes = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float)
    return Capture(step, {name: place @ axes.T for name, place in places.items()},
                   {name: axes @ turn @ axes.T for name, turn in turns.items()})


def _about(axis, degrees):
    a, b = (axis + 1) % 3, (axis + 2) % 3
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    out = np.zeros((len(degrees), 3, 3))
    out[:, axis, axis] = 1
    out[:, a, a], out[:, b, b], out[:, a, b], out[:, b, a] = c, c, -s, s
    return out
