"""A posture (where pelvis, feet and hands are, how the trunk is turned) -> the puppet's bones,
by two-bone inverse kinematics."""

import math
from dataclasses import dataclass, field

from mathutils import Matrix, Vector

UP, AHEAD = Vector((0, 0, 1)), Vector((0, -1, 0))
SIDES = {"left": ("l", 1), "right": ("r", -1)}
LONGEST = 0.992         # of a limb's length: straighter than this it would snap
FINGERS = ("index", "middle", "ring", "pinky")


@dataclass(frozen=True)
class Foot:
    """`ankle` where the sole would lie flat, metres; degrees: `heading` (0 faces -y, 90 faces +x), `pitch` > 0 lifts
    the heel about the ball, < 0 the toes about the heel; `planted`: it carries weight,
    so the pelvis gives way to it, not it to the pelvis."""

    ankle: Vector
    heading: float = 0.0
    pitch: float = 0.0
    planted: bool = True


@dataclass(frozen=True)
class Hand:
    """`wrist` metres; `elbow`: where the elbow points; `along`: where the fingers point and `palm` what the palm faces,
    None: as the forearm has it; `curl` 0 flat .. 1 fist."""

    wrist: Vector
    elbow: Vector
    along: Vector | None = None
    palm: Vector | None = None
    curl: float = 0.25


@dataclass(frozen=True)
class Posture:
    """One moment. `pelvis`: middle of the hips; `hips`, `chest`, `head`: 3x3 rotations from rest; `touching`: which of
    left_hand, right_hand, left_foot, right_foot, seat, back touch something."""

    pelvis: Vector
    hips: Matrix
    chest: Matrix
    head: Matrix
    feet: dict
    hands: dict
    touching: frozenset = field(default_factory=frozenset)


def turned(heading=0.0, lean=0.0, side=0.0):
    """The rotation of a body part in degrees: leant forward and to its left, then turned to `heading`."""
    return (Matrix.Rotation(math.radians(heading), 3, "Z") @ Matrix.Rotation(math.radians(side), 3, "Y")
            @ Matrix.Rotation(math.radians(lean), 3, "X"))


def strike(puppet, posture, measures):
    """Poses every bone of the puppet; where a goal is out of reach, the limb goes as far as it can."""
    puppet.begin()
    hips = posture.hips
    rest = [puppet.rest(f"thigh_{s}").translation for s in "lr"]
    middle = (rest[0] + rest[1]) / 2
    ankles = {side: _ankle(foot, measures) for side, foot in posture.feet.items()}
    pelvis = posture.pelvis.copy()
    for side, (s, _) in SIDES.items():
        if posture.feet[side].planted:                      # the pelvis sinks as far as the leg needs
            joint = pelvis + hips @ (rest["lr".index(s)] - middle)
            aside = (joint - ankles[side]).xy.length
            reach = LONGEST * measures.leg
            pelvis.z -= max(0.0, joint.z - ankles[side].z - math.sqrt(max(reach ** 2 - aside ** 2, 0.0)))
    puppet.turn("pelvis", hips, pelvis - hips @ (middle - puppet.rest("pelvis").translation))
    _climb(puppet, ("spine_01", "spine_02", "spine_03"), hips, posture.chest)
    _climb(puppet, ("neck_01", "head"), posture.chest, posture.head)
    for side, (s, _) in SIDES.items():
        _leg(puppet, s, posture.feet[side], ankles[side], hips)
        _arm(puppet, s, posture.hands[side])


def _climb(puppet, bones, low, high):
    """Turn a chain of bones by equal parts from one rotation to another."""
    low, high = low.to_quaternion(), high.to_quaternion()
    for k, bone in enumerate(bones, 1):
        puppet.turn(bone, low.slerp(high, k / len(bones)).to_matrix())


def _ankle(foot, measures):
    """Where the ankle is once the foot has pitched on its ball or its heel."""
    ahead = measures.ball if foot.pitch > 0 else -measures.heel
    pivot = Vector((0, -ahead, -measures.ankle))
    return foot.ankle + turned(foot.heading) @ pivot - turned(foot.heading, foot.pitch) @ pivot


def _leg(puppet, s, foot, ankle, hips):
    thigh, calf = f"thigh_{s}", f"calf_{s}"
    forward = turned(foot.heading) @ AHEAD + hips @ AHEAD
    puppet.bend(thigh, calf, _within(puppet, thigh, calf, ankle), forward, AHEAD)
    puppet.turn(f"foot_{s}", turned(foot.heading, foot.pitch))
    puppet.turn(f"ball_{s}", turned(foot.heading, 0 if foot.planted and foot.pitch > 0 else foot.pitch))


def _within(puppet, upper, lower, goal):
    root, a, b = puppet.joint(upper), puppet.length(upper), puppet.length(lower)
    reach = goal - root
    length = min(max(reach.length, 1.05 * abs(a - b) + 0.02), LONGEST * (a + b))
    return root + reach.normalized() * length


def _arm(puppet, s, hand):
    upper, lower, name = f"upperarm_{s}", f"lowerarm_{s}", f"hand_{s}"
    puppet.follow(f"clavicle_{s}")
    shoulder, elbow, wrist = (puppet.rest(bone).translation for bone in (upper, lower, name))
    line = (wrist - shoulder).normalized()
    rest_pole = elbow - shoulder - line * (elbow - shoulder).dot(line)
    puppet.bend(upper, lower, _within(puppet, upper, lower, hand.wrist), hand.elbow, rest_pole)
    along, palm = _palm(puppet, s)
    if hand.along is None:
        puppet.follow(name)
    else:
        puppet.turn(name, _facing(hand.along, -hand.palm) @ _facing(along, -palm).transposed())
    for finger in FINGERS:
        _curl(puppet, [f"{finger}_0{k}_{s}" for k in (1, 2, 3)], along.cross(palm), 75 * (hand.curl - 0.15))
    for k in (1, 2, 3):
        puppet.follow(f"thumb_0{k}_{s}")


def _palm(puppet, s):
    """(where the fingers point, what the palm faces) at rest;
    the fingers' own slight curl tells which side the palm is."""
    wrist, knuckle = puppet.rest(f"hand_{s}").translation, puppet.rest(f"middle_01_{s}").translation
    along = (knuckle - wrist).normalized()
    across = puppet.rest(f"index_01_{s}").translation - puppet.rest(f"pinky_01_{s}").translation
    palm = along.cross(across).normalized()
    bend = puppet.tail(f"middle_03_{s}") - knuckle
    return along, palm if bend.dot(palm) > 0 else -palm


def _curl(puppet, bones, hinge, degrees):
    """Each bone of a finger a little further about the hinge (at rest, right-handed towards the palm) than the one
    before."""
    for bone in bones:
        rest = puppet.rest(bone).to_3x3()
        followed = puppet.place(bone).to_3x3() @ rest.transposed()
        puppet.turn(bone, followed @ Matrix.Rotation(math.radians(degrees), 3, hinge))


def _facing(along, up):
    """The rotation whose y axis is `along` and whose z axis is as near `up` as can be."""
    y = along.normalized()
    x = y.cross(up).normalized()
    return Matrix((x, y, x.cross(y))).transposed()
