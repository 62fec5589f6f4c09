"""The demo's performance: keys a human metarig to walk in from the left, turn, and lay its left hand on the table.

Takes the armature object at the world's origin (uniformly scaled) and the table's height; writes one key a frame on
the bones that move. Planted feet stay where they landed, the wrist is placed by two-bone inverse kinematics, the
fingers lie on the table top. Heading 0 faces -y (the camera), 90 degrees +x. World metres; frames count from 1.
"""
import math
from itertools import pairwise

from mathutils import Matrix, Vector
from puppet import Puppet

FRAMES = 54
UP = Vector((0, 0, 1))

# (frame, value): where the pelvis is and what the trunk does. Degrees; `lean` forward, `side` towards the left hand.
PELVIS_X = ((-10, -2.44), (1, -1.85), (12, -1.22), (23, -0.60), (32, -0.13), (40, 0.10), (46, 0.14), (54, 0.15))
PELVIS_Y = ((-10, 0.44), (23, 0.43), (40, 0.33), (46, 0.300), (54, 0.298))
PELVIS_TURN = ((-10, 90), (22, 90), (30, 66), (40, 20), (46, 14), (54, 13))
CHEST_TURN = ((-10, 90), (20, 90), (28, 58), (38, 20), (46, 14), (54, 12))
HEAD_TURN = ((-10, 88), (12, 80), (24, 38), (34, 30), (42, 22), (48, 6), (54, 2))
HEAD_NOD = ((-10, 2), (22, 4), (34, 20), (44, 16), (49, 3), (54, 1))
LEAN = ((-10, 4), (24, 4), (36, 7), (44, 16), (54, 16))
SIDE = ((-10, 0), (32, 0), (43, 12), (54, 12))
STRIDE = ((-10, 1.0), (20, 1.0), (36, 0.12), (46, 0.0), (54, 0.0))      # how much of the walk is left
REACH = ((-10, 0), (31, 0), (43, 1), (54, 1))                           # how much of the hand is the table's
STEP = 11                                                               # frames from one foot's landing to the other's

# Landings: (frame down, frame up again, x, y, heading). The foot flies between an `up` and the next `down`.
PLANTS = {
    "L": ((-10, 2, -2.17, 0.53, 90), (12, 24, -0.93, 0.53, 88), (35, 99, 0.26, 0.31, 24)),
    "R": ((-21, -9, -2.80, 0.35, 90), (1, 14, -1.55, 0.35, 90), (24, 36, -0.33, 0.34, 62), (43, 99, 0.04, 0.35, -6)),
}
HAND_AT = Vector((0.450, 0.115))            # the wrist's place over the table
HAND_ALONG = Vector((0.50, -0.87, 0.0))     # where the fingers point
WRIST_OVER, TIP_OVER = 0.034, 0.009         # a wrist's and a fingertip's middle over what the hand lies on


def perform(armature, table_top, first_frame):
    """Key the whole performance; returns the world place of the left wrist in the last frame."""
    puppet = Puppet(armature)
    for frame in range(1, FRAMES + 1):
        puppet.begin()
        trunk(puppet, frame)
        for side in "LR":
            leg(puppet, side, frame)
        for side in "LR":
            arm(puppet, side, frame, table_top)
        puppet.key(first_frame + frame - 1)
    return armature.matrix_world @ puppet.posed["hand.L"].translation


def through(frame, keys):
    """The value at `frame` of a smooth curve through (frame, value) keys: cubic Hermite, flat at turning points."""
    if frame <= keys[0][0]:
        return float(keys[0][1])
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(keys)]
    tangents = [slopes[0], *(2 * a * b / (a + b) if a * b > 0 else 0.0 for a, b in pairwise(slopes)), 0.0]
    for (a, b), (m0, m1) in zip(pairwise(keys), pairwise(tangents), strict=True):
        if frame <= b[0]:
            width = b[0] - a[0]
            u = (frame - a[0]) / width
            return ((2 * u ** 3 - 3 * u ** 2 + 1) * a[1] + (u ** 3 - 2 * u ** 2 + u) * width * m0
                    + (3 * u ** 2 - 2 * u ** 3) * b[1] + (u ** 3 - u ** 2) * width * m1)
    return float(keys[-1][1])


def smooth(u):
    u = min(max(u, 0.0), 1.0)
    return u * u * (3 - 2 * u)


def turned(heading, lean=0.0, side=0.0):
    """The rotation of a body part: leant forward and to its left, then turned to `heading` (degrees)."""
    return (Matrix.Rotation(math.radians(heading), 3, "Z") @ Matrix.Rotation(math.radians(side), 3, "Y")
            @ Matrix.Rotation(math.radians(lean), 3, "X"))


def swing(frame):
    """-1..1: 1 where the right foot lands, -1 where the left does, scaled by what is left of the walk."""
    return math.cos(math.pi * (frame - 1) / STEP) * through(frame, STRIDE)


def trunk(puppet, frame):
    stride, sway = through(frame, STRIDE), swing(frame)
    bob = -0.030 - 0.018 * stride * (1 + math.cos(2 * math.pi * (frame - 1) / STEP)) + 0.012 * (1 - stride)
    place = Vector((through(frame, PELVIS_X), through(frame, PELVIS_Y), 0)) / puppet.scale
    hips = turned(through(frame, PELVIS_TURN) + 6 * sway, 0.3 * through(frame, LEAN), -2 * stride)
    place += hips @ Vector((0, 0.055, 0)) + Vector((0, 0, puppet.rest("spine").translation.z + bob))
    puppet.turn("spine", hips, place)
    chest = turned(through(frame, CHEST_TURN) - 7 * sway, through(frame, LEAN), through(frame, SIDE))
    head = turned(through(frame, HEAD_TURN), through(frame, HEAD_NOD), 0.15 * through(frame, SIDE))
    climb(puppet, ("spine.001", "spine.002", "spine.003"), hips, chest)
    climb(puppet, ("spine.004", "spine.005", "spine.006"), chest, head)


def climb(puppet, bones, low, high):
    """Turn a chain of bones by equal parts from one rotation to another."""
    low, high = low.to_quaternion(), high.to_quaternion()
    for k, bone in enumerate(bones, 1):
        puppet.turn(bone, low.slerp(high, k / len(bones)).to_matrix())


# --- legs -----------------------------------------------------------------------------------------------------------

def leg(puppet, side, frame):
    thigh, shin, foot, toe = (f"{part}.{side}" for part in ("thigh", "shin", "foot", "toe"))
    hip = puppet.joint(thigh)
    length = puppet.length(thigh) + puppet.length(shin)
    ankle, heading, pitch, planted = footing(puppet, side, frame)
    while planted and (ankle - hip).length > 0.997 * length and pitch < 60:
        pitch = max(pitch, 0) + 1                           # the heel rises as far as the leg needs
        ankle = over_ground(puppet, planted, pitch)
    forward = turned(heading) @ Vector((0, -1, 0)) + turned(through(frame, PELVIS_TURN)) @ Vector((0, -1, 0))
    puppet.bend(thigh, shin, ankle, forward, Vector((0, -1, 0)))
    puppet.turn(foot, turned(heading, pitch))
    puppet.turn(toe, turned(heading, 0 if planted and pitch > 0 else pitch))


def footing(puppet, side, frame):
    """(ankle in armature space, heading, pitch, the plant it stands on or None in flight); pitch > 0: heel up."""
    plants = PLANTS[side]
    now = max(k for k, plant in enumerate(plants) if plant[0] <= frame)
    down, up, _, _, heading = plants[now]
    if frame <= up:
        strike = -16 * (1 - (frame - down) / 3) if frame - down < 3 and now < len(plants) - 1 else 0
        pitch = strike + 34 * smooth((frame - up + 5) / 5)
        return over_ground(puppet, plants[now], pitch), heading, pitch, plants[now]
    after = plants[now + 1]
    u = (frame - up) / (after[0] - up)
    last = now + 2 == len(plants)
    low, high = over_ground(puppet, plants[now], 34), over_ground(puppet, after, 0 if last else -16)
    ankle = low.lerp(high, smooth(u)) + UP * 0.085 * math.sin(math.pi * u) ** 1.3
    return ankle, heading + smooth(u) * (after[4] - heading), 34 + smooth(u) * ((0 if last else -16) - 34), None


def over_ground(puppet, plant, pitch):
    """Where a planted foot's ankle is when the foot pitches on its ball (heel up) or on its heel (toes up)."""
    _, _, x, y, heading = plant
    height = puppet.rest("foot.L").translation.z
    pivot = Vector((0, -0.109 if pitch > 0 else 0.05, -height))
    flat = Vector((x, y, 0)) / puppet.scale + Vector((0, 0, height))
    return flat + turned(heading) @ pivot - turned(heading, pitch) @ pivot


# --- arms -----------------------------------------------------------------------------------------------------------

def arm(puppet, side, frame, table_top):
    upper, fore, hand = (f"{part}.{side}" for part in ("upper_arm", "forearm", "hand"))
    puppet.follow(f"shoulder.{side}")
    out = 1 if side == "L" else -1
    body = turned(through(frame, CHEST_TURN))
    beat = out * swing(frame)                               # the left arm comes forward with the right foot
    wrist = puppet.joint(upper) + body @ Vector((0.10 * out, 0.02 - 0.20 * beat, -0.505 + 0.03 * abs(beat)))
    pole = body @ Vector((0.35 * out, 1.0, 0.1))
    if side == "R":
        puppet.bend(upper, fore, wrist, pole, Vector((0.2 * out, 1, 0)))
        return puppet.follow(hand)
    reach = through(frame, REACH)
    table = Vector((*HAND_AT, table_top + WRIST_OVER)) / puppet.scale
    goal = wrist.lerp(table, smooth(reach)) + (UP * 0.17 - body @ Vector((0, 0.07, 0))) * math.sin(math.pi * reach) ** 2
    if reach < 1:                                           # on its way the arm stretches no further than it can
        root, limit = puppet.joint(upper), 0.985 * (puppet.length(upper) + puppet.length(fore))
        goal = root + (goal - root) * min(1.0, limit / (goal - root).length)
    puppet.bend(upper, fore, goal, pole, Vector((0.2, 1, 0)))
    lay_hand(puppet, smooth(reach), table_top / puppet.scale)


def lay_hand(puppet, reach, table):
    """Blend the left hand from hanging relaxed (0) to flat on the table (1), fingers resting on their tips."""
    along = puppet.tail("palm.03.L").lerp(puppet.tail("palm.02.L"), 0.5) - puppet.rest("hand.L").translation
    across = puppet.tail("palm.04.L") - puppet.tail("palm.01.L")
    flat = facing(HAND_ALONG, UP) @ facing(along, along.cross(across)).transposed()
    puppet.blend("hand.L", flat, reach)
    for k, finger in ((1, "f_index"), (2, "f_middle"), (3, "f_ring"), (4, "f_pinky")):
        puppet.follow(f"palm.0{k}.L")
        bones = [f"{finger}.0{i}.L" for i in (1, 2, 3)]
        spread = Matrix.Rotation(math.radians(10 - 5 * k), 3, "Z") @ HAND_ALONG
        rest_on(puppet, bones, spread, table + TIP_OVER / puppet.scale, reach)
    bones = [f"thumb.0{i}.L" for i in (1, 2, 3)]
    puppet.follow(bones[0])
    aside = Matrix.Rotation(math.radians(32), 3, "Z") @ HAND_ALONG
    rest_on(puppet, bones[1:], aside, table + TIP_OVER / puppet.scale, reach)


def rest_on(puppet, bones, along, height, reach):
    """Straighten a finger along `along`, sloping so that its tip comes to `height` (armature space)."""
    start = puppet.place(bones[0]).translation.z
    slope = (height - start) / sum(puppet.length(bone) for bone in bones)
    slope = max(-0.9, min(0.9, slope))
    direction = along.normalized() * math.sqrt(1 - slope * slope) + UP * slope
    for bone in bones:
        rest = puppet.rest(bone).to_3x3()
        back = Vector((0.6, 0, 0.8))
        puppet.blend(bone, facing(direction, UP) @ facing(rest.col[1], back).transposed(), reach)


def facing(along, up):
    """The rotation whose y axis is `along` and whose z axis is as near `up` as can be."""
    y = along.normalized()
    x = y.cross(up).normalized()
    return Matrix((x, y, x.cross(y))).transposed()
