"""Motions: a person and a generator in, the rig's targets over time and the furniture that is touched out.

The person stands about the world's origin. Legs, arms and trunk are drawn apart and joined; feet are planted exactly,
so contact is exact. Everything is a closed formula of time (ours: any frame of any clip without a simulation).
"""

from dataclasses import dataclass, field

import numpy as np

from .character import Character
from .rig import SIDES, Targets, heading_frame, unit


@dataclass(frozen=True)
class Block:
    """A piece of furniture: an upright box. Lengths in metres."""
    centre: np.ndarray
    half: np.ndarray
    yaw: float
    touched: bool
    table: bool = False


@dataclass
class Draft:
    """Targets under construction: the fields of rig.Targets, plus furniture and a prop's kind."""
    want: dict
    blocks: list = field(default_factory=list)
    prop: str = "none"         # none, one hand: ball stick bottle case; both hands: box bigball tray


def _ease(x):
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _sway(rng, time, size, low=0.2, high=0.8):
    """A smooth random path over time: (F, *size) of about 1."""
    out = np.zeros((len(time), *np.atleast_1d(size)))
    for _ in range(2):
        rate, phase = rng.uniform(low, high, out.shape[1:]), rng.uniform(0, 6.28, out.shape[1:])
        out += rng.uniform(0.3, 0.7, out.shape[1:]) * np.sin(6.283 * rate * time.reshape(-1, *[1] * (out.ndim - 1))
                                                             + phase)
    return out


# Arm poses: wrist against the shoulder (outward, up, forward) in arm lengths, and where the elbow points.
ARM_POSES = {
    "hang": ((.16, -.96, .06), (.5, 0, -1)), "hips": ((.12, -.62, .12), (1, 0, -.5)),
    "chest": ((-.3, -.42, .45), (.6, -.8, -.1)), "forward": ((.0, -.05, .88), (.5, -1, 0)),
    "side": ((.93, -.05, .1), (0, -.6, -.8)), "up": ((.25, .93, .1), (1, 0, .2)),
    "wave": ((.42, .38, .35), (1, -.8, 0)), "face": ((-.22, .2, .42), (.7, -1, .1)),
    "behind": ((.12, -.75, -.35), (.7, 0, -1)), "point": ((.3, .1, .85), (.4, -1, 0)),
    "low": ((.25, -.7, .5), (.7, -.2, -.8)), "crossed": ((-.45, -.45, .32), (.8, -.6, 0)),
}


def _rest(person: Character, time: np.ndarray, yaw: float) -> dict:
    """Targets of standing still with hanging arms."""
    count = len(time)
    zeros = lambda *size: np.zeros((count, *size))
    frame, want = heading_frame(np.full(count, yaw)), {}
    want["pelvis"] = zeros(3) + [0, 0, person.leg_length + person.ankle - 0.005]
    want["yaw"] = zeros() + yaw
    for name in ("tilt", "bend", "head"):
        want[name] = zeros(3)
    want["ankle"] = np.stack([frame[..., 0] * side * person.hip * 1.15 + [0, 0, person.ankle] for side in SIDES], 1)
    want["foot_yaw"] = zeros(2) + yaw + 0.15 * np.array(SIDES)
    want["foot_pitch"], want["knee_out"] = zeros(2), np.array([0.15, 0.15])
    want["wrist_local"], want["elbow_local"] = (zeros(2, 3) + p for p in ARM_POSES["hang"])
    want["wrist_world"], want["reach"] = zeros(2, 3), zeros(2)
    want["finger_world"], want["palm_world"] = np.repeat(frame[:, None, :, 2], 2, 1), zeros(2, 3) + [0, 0, -1]
    want["curl"], want["contact"] = zeros(2) + 0.25, zeros(4) + [0, 0, 1, 1]
    return want


def _stand(rng, person, time, draft):
    want, wide = draft.want, rng.uniform(0.8, 2.6)
    frame = heading_frame(want["yaw"])
    sway, lift = _sway(rng, time, 3, 0.1, 0.4), rng.uniform(0.0, 0.05)
    for k, side in enumerate(SIDES):
        offset = side * person.hip * wide * frame[..., 0] + rng.uniform(-.1, .1) * frame[..., 2]
        want["ankle"][:, k] = offset + [0, 0, person.ankle]
        want["foot_yaw"][:, k] = want["yaw"] + side * rng.uniform(-0.05, 0.45)
    want["pelvis"] += 0.025 * sway * [1, 1, 0.1] - [0, 0, lift * rng.random()]
    want["tilt"][:, 1] += 0.06 * sway[:, 0]


def _walk(rng, person, time, draft):
    """Walking on an arc: planted feet are where the path puts them at the middle of their stance."""
    want, yaw0 = draft.want, float(draft.want["yaw"][0])
    turning = rng.random() < 0.2
    speed = 0.0 if turning else rng.uniform(0.6, 1.6) * person.leg_length / 0.85
    turn = rng.choice([-1, 1]) * rng.uniform(0.8, 2.0) if turning else rng.normal(0, 0.35)
    pace = rng.uniform(0.75, 1.1) if not turning else rng.uniform(0.5, 0.9)    # cycles a second
    middle, phase = 0.5 * (time[0] + time[-1]), rng.random()
    height = rng.uniform(0.04, 0.12)

    def path(at):
        angle = yaw0 + turn * (at - middle)
        turn_ = turn if abs(turn) > 1e-3 else 1e-3
        x, y = -(np.cos(angle) - np.cos(yaw0)) / turn_ * speed, -(np.sin(angle) - np.sin(yaw0)) / turn_ * speed
        return np.stack([x, y, 0 * x], -1), angle

    centre, yaw = path(time)
    want["yaw"][:] = yaw
    swing = np.zeros((len(time), 2))
    for k, side in enumerate(SIDES):
        place = pace * time + phase + 0.5 * k
        cycle, part = np.floor(place), place - np.floor(place)
        stance, away = 0.6, np.clip((part - 0.6) / 0.4, 0, 1)
        (here, a), (there, b) = (path((n + 0.5 * stance - phase - 0.5 * k) / pace) for n in (cycle, cycle + 1))
        beside, beside_next = (heading_frame(angle)[..., 0] * side * person.hip * 1.1 for angle in (a, b))
        blend = _ease(away)[:, None]
        foot = (here + beside) * (1 - blend) + (there + beside_next) * blend
        rolled = np.clip((part - 0.4) / 0.2, 0, 1) * (1 - np.clip((part - 0.6) / 0.25, 0, 1)) * (speed > 0)
        foot[:, 2] = person.ankle + height * np.sin(np.pi * away) + 0.6 * person.foot * np.sin(0.7 * rolled)
        want["ankle"][:, k], want["foot_yaw"][:, k] = foot, a + (b - a) * blend[:, 0] + side * 0.1
        want["foot_pitch"][:, k] = 0.7 * rolled - 0.35 * np.sin(np.pi * away) * (away > 0.5) * (speed > 0)
        want["contact"][:, 2 + k] = part < stance
        swing[:, k] = np.cos(2 * np.pi * (part - 0.05)) * min(1, speed)
    want["pelvis"][:, :2] = centre[:, :2]
    want["pelvis"][:, 2] -= 0.012 + 0.02 * speed * np.abs(np.sin(2 * np.pi * (pace * time + phase)))
    want["tilt"][:, 2] = 0.1 * (swing[:, 1] - swing[:, 0])
    want["bend"][:, 2], want["bend"][:, 0] = -0.18 * (swing[:, 1] - swing[:, 0]), 0.05 * speed
    arm = rng.uniform(0.1, 0.38)
    want["wrist_local"][:, :, 2] -= arm * swing
    want["wrist_local"][:, :, 1] += 0.12 * np.abs(swing) * arm / 0.3 + rng.uniform(0, 0.1)


def _sit(rng, person, time, draft):
    want, seat = draft.want, rng.uniform(0.46, 0.62) * person.leg_length
    frame = heading_frame(want["yaw"])
    down = _ease(rng.choice([np.ones_like(time), (time - time.mean()) / rng.uniform(1,
        2) + 0.5])) if rng.random() < 0.4 else np.ones_like(time)
    down, cushion = down[:, None], 0.062 * person.height * person.girth
    back = -0.30 * person.height
    sat = np.zeros((len(time), 3)) + [0, 0, seat + cushion]
    want["pelvis"] = want["pelvis"] * (1 - down) + down * sat
    step = 0.24 * person.height
    for k, side in enumerate(SIDES):
        forward = step * rng.uniform(0.8, 1.25)
        want["ankle"][:, k] = forward * frame[..., 2] + side * person.hip * rng.uniform(1, 2.2) * frame[..., 0] + [0,
            0, person.ankle]
    want["pelvis"][:, :2] += (1 - down) * step * frame[:, :2, 2]
    want["bend"][:, 0] += 0.7 * np.sin(np.pi * down[:, 0]) + rng.uniform(-0.1, 0.3)
    want["knee_out"][:] = rng.uniform(0, 0.7)
    deep = 0.22 + rng.uniform(0, 0.15)
    centre = (back * 0.25 - deep * 0.3) * frame[0, :, 2]
    wide = rng.uniform(0.22, 0.7)
    draft.blocks.append(Block(np.array([centre[0], centre[1], seat / 2]), np.array([wide, deep, seat / 2]),
        float(want["yaw"][0]), True))


def _step(rng, person, time, draft):
    """One foot, or both in the end, on a step in front."""
    want, frame = draft.want, heading_frame(draft.want["yaw"])
    rise, first = rng.uniform(0.1, 0.32) * person.leg_length / 0.8, rng.integers(2)
    front, depth = 0.16 * person.height, 0.45
    full = rng.random() < 0.5
    start = (time - time.mean()) * rng.uniform(0.7, 1.3) + rng.uniform(0.3, 1.6)
    for n, k in enumerate((first, 1 - first)):
        away = np.clip(start - n * 0.9, 0, 1) if n == 0 or full else np.zeros_like(time)
        on = _ease(away)[:, None]
        floor = want["ankle"][:, k].copy()
        top = floor + (front + 0.09) * frame[..., 2] + [0, 0, rise]
        want["ankle"][:, k] = floor * (1 - on) + top * on
        want["ankle"][:, k, 2] = person.ankle + rise * _ease(away * 1.6) + 0.1 * np.sin(np.pi * away)
        want["contact"][:, 2 + k] = (away <= 0.02) | (away >= 0.98)
    climbed = _ease(start - 0.9) * full if full else 0 * start
    want["pelvis"] += (0.35 * _ease(start) + 0.65 * climbed)[:, None] * (front + 0.05) * frame[..., 2] + climbed[:,
        None] * [0, 0, rise]
    want["pelvis"][:, 2] -= 0.03
    want["bend"][:, 0] += 0.15 * _ease(start)
    centre = (front + depth - 0.02) * frame[0, :, 2]
    draft.blocks.append(Block(np.array([centre[0], centre[1], rise / 2]), np.array([rng.uniform(0.35, 0.9), depth,
        rise / 2]), float(want["yaw"][0]), True))


def _crouch(rng, person, time, draft):
    want, deep = draft.want, _ease((time - time.mean()) * rng.uniform(-0.6, 0.6) + rng.uniform(0.6, 1.1))
    frame = heading_frame(want["yaw"])
    depth = rng.uniform(0.25, 0.62) * person.leg_length
    want["pelvis"] += -deep[:, None] * (depth * np.array([0, 0, 1]) + 0.25 * depth * frame[..., 2])
    want["bend"][:, 0] += deep * rng.uniform(0.3, 0.9)
    want["tilt"][:, 0] += 0.25 * deep
    want["knee_out"][:] = rng.uniform(0.1, 0.8)
    spread = rng.uniform(1.0, 2.5)
    for k, side in enumerate(SIDES):
        want["ankle"][:, k] += side * person.hip * (spread - 1) * frame[..., 0]
        want["wrist_local"][:, k] += deep[:, None] * (np.array([-0.15, 0.25, 0.6]))


def _dance(rng, person, time, draft):
    _stand(rng, person, time, draft)
    want, rate = draft.want, rng.uniform(0.6, 1.2)
    beat = np.sin(6.283 * rate * time + rng.uniform(0, 6))
    want["pelvis"][:, 2] -= 0.05 + 0.05 * beat ** 2
    want["pelvis"][:, :2] += 0.05 * beat[:, None] * heading_frame(want["yaw"])[:, :2, 0]
    want["tilt"] += 0.15 * _sway(rng, time, 3, 0.4, 1.0)
    want["yaw"] += 0.4 * _sway(rng, time, 1, 0.2, 0.5)[:, 0]


def _gesture(rng, person, time, draft):
    """Each arm in a random pose, or moving between two of them."""
    for k in range(2):
        if rng.random() < 0.25:
            continue
        (a, ea), (b, eb) = (ARM_POSES[str(rng.choice(list(ARM_POSES)))] for _ in range(2))
        moving = _ease(0.5 + 0.8 * _sway(rng, time, 1, 0.2, 0.7)) if rng.random() < 0.6 else np.zeros((len(time), 1))
        jitter = 0.08 * _sway(rng, time, 3, 0.3, 1.2) + rng.normal(0, 0.06, 3)
        draft.want["wrist_local"][:, k] = np.array(a) * (1 - moving) + np.array(b) * moving + jitter
        draft.want["elbow_local"][:, k] = np.array(ea) * (1 - moving) + np.array(eb) * moving
        draft.want["curl"][:, k] = rng.uniform(0.0, 0.9)


def _wave(rng, person, time, draft):
    k = rng.integers(2)
    pose, elbow = ARM_POSES["wave"]
    move = np.sin(6.283 * rng.uniform(0.7, 1.6) * time)[:, None] * np.array([0.22, -0.04, 0])
    draft.want["wrist_local"][:, k], draft.want["elbow_local"][:, k] = np.array(pose) + move, elbow
    draft.want["curl"][:, k] = 0.05


def _throw(rng, person, time, draft):
    k, swing = rng.integers(2), 0.5 + 0.5 * np.sin(6.283 * rng.uniform(0.3, 0.7) * time + rng.uniform(0, 6))[:, None]
    draft.want["wrist_local"][:, k] = np.array([.35, .55, -.35]) * (1 - swing) + np.array([.1, .0, .85]) * swing
    draft.want["elbow_local"][:, k] = [1, -0.3, -0.4]
    draft.want["bend"][:, 2] += (0.5 - swing[:, 0]) * (0.6 if k else -0.6)
    draft.prop = str(rng.choice(["ball", "stick", "none"]))


def _table(rng, person, time, draft):
    """One or both hands on a table in front (or at the side), reached or held."""
    want, yaw = draft.want, draft.want["yaw"][0]
    frame = heading_frame(yaw)
    at_side = rng.random() < 0.25
    top = want["pelvis"][:, 2].mean() + rng.uniform(-0.12, 0.14) * person.height
    away = (0.13 if not at_side else 0.10) * person.height * person.girth + rng.uniform(0.02, 0.12)
    side = int(rng.integers(2))
    direction, across = (SIDES[side] * frame[:, 0], frame[:, 2]) if at_side else (frame[:, 2], frame[:, 0])
    pelvis = want["pelvis"].mean(0) * [1, 1, 0]
    half = np.array([rng.uniform(0.35, 0.9), rng.uniform(0.2, 0.45), rng.uniform(0.02, 0.05)])
    solid = rng.random() < 0.35
    if solid:
        half[2] = top / 2
    centre = pelvis + (away + half[1]) * direction + rng.uniform(-0.3, 0.3) * half[0] * across
    angle = float(np.arctan2(direction[0], -direction[1]))
    draft.blocks.append(Block(centre + [0, 0, top - half[2]], half, angle, True, table=not solid))
    hands = [side] if at_side else [[0], [1], [0, 1], [0, 1]][rng.integers(4)]
    reached = _ease((time - time.mean()) * rng.uniform(-1.2, 1.2) + rng.uniform(0.5, 2.0))
    slide = 0.04 * _sway(rng, time, 2, 0.1, 0.5)
    for k in hands:
        aside = SIDES[k] * rng.uniform(0.6, 1.6) * person.shoulder if not at_side else rng.uniform(-0.1, 0.25)
        place = pelvis + (away + rng.uniform(0.03, 0.2)) * direction + aside * across
        want["wrist_world"][:, k] = place + [0, 0, top + 0.028] + slide[:, :1] * direction + slide[:, 1:] * across
        want["reach"][:, k] = reached
        spread = unit(direction + rng.uniform(-0.5, 0.3) * SIDES[k] * across)
        want["finger_world"][:, k] = spread
        want["curl"][:, k] = want["curl"][:, k] * (1 - reached) + 0.02 * reached
        want["contact"][:, k] = reached > 0.97
        want["elbow_local"][:, k] = [0.8, -0.3, -0.8]
    lean = rng.uniform(0.05, 0.5) if not at_side else 0.1
    want["bend"][:, 0] += lean * reached
    if at_side:
        want["bend"][:, 1] += 0.15 * SIDES[side] * reached


def _carry_one(rng, person, time, draft):
    k = int(rng.integers(2))
    draft.prop = str(rng.choice(["ball", "stick", "bottle", "case"]))
    if draft.prop != "case" and rng.random() < 0.7:
        name = str(rng.choice(["chest", "low", "forward", "wave", "face"]))
        draft.want["wrist_local"][:, k] = np.array(ARM_POSES[name][0]) + 0.05 * _sway(rng, time, 3)
        draft.want["elbow_local"][:, k] = ARM_POSES[name][1]
    draft.want["curl"][:, k] = 0.75
    draft.want["contact"][:, k] = 1


def _carry_both(rng, person, time, draft):
    draft.prop = str(rng.choice(["box", "box", "bigball", "tray"]))
    spread = rng.uniform(0.13, 0.2) / person.arm_length * (1.2 if draft.prop == "tray" else 1)
    inward = person.shoulder / person.arm_length - spread
    up, forward = rng.uniform(-0.5, -0.2), rng.uniform(0.48, 0.62)
    sway = 0.03 * _sway(rng, time, 3)
    for k, side in enumerate(SIDES):
        draft.want["wrist_local"][:, k] = np.array([-inward, up, forward]) + sway * [side, 1, 1]
        draft.want["elbow_local"][:, k] = [0.7, -1, -0.3]
        draft.want["curl"][:, k] = 0.1
        draft.want["contact"][:, k] = 1


LEGS = {"stand": (_stand, 0.34), "walk": (_walk, 0.32), "sit": (_sit, 0.13), "step": (_step, 0.1),
        "crouch": (_crouch, 0.06), "dance": (_dance, 0.05)}
ARMS = {"rest": (None, 0.17), "gesture": (_gesture, 0.27), "wave": (_wave, 0.06), "throw": (_throw, 0.04),
        "table": (_table, 0.24), "one": (_carry_one, 0.12), "both": (_carry_both, 0.1)}


def _draw(rng, choices: dict) -> str:
    weights = np.array([share for _, share in choices.values()])
    return str(rng.choice(list(choices), p=weights / weights.sum()))


def draw_motion(rng: np.random.Generator, person: Character, frames: int, *, calm: bool = False) -> tuple[Targets,
    list[Block], str]:
    """A motion of `frames` frames at 8 to 24 a second: targets, furniture touched, prop kind. `calm`: standing only."""
    time = rng.uniform(0, 10) + np.arange(frames) / rng.uniform(8, 24)
    draft = Draft(_rest(person, time, rng.uniform(-np.pi, np.pi) if not calm else rng.normal(0, 0.4)))
    legs = "stand" if calm else _draw(rng, LEGS)
    arms = "rest" if calm and rng.random() < 0.5 else "gesture" if calm else _draw(rng, ARMS)
    if arms == "table" and legs in ("walk", "step", "crouch"):
        legs = "stand"
    LEGS[legs][0](rng, person, time, draft)
    if ARMS[arms][0]:
        ARMS[arms][0](rng, person, time, draft)
    want = draft.want
    want["bend"] += [0.05, 0, 0] + 0.05 * _sway(rng, time, 3, 0.1, 0.5)
    want["head"] += [0.05, 0.03, 0] + np.array([0.12, 0.08, 0.3]) * (_sway(rng, time, 3, 0.1, 0.5)
                                                                     + rng.normal(0, 0.6, 3))
    want["head"][:, 0] -= 0.5 * want["bend"][:, 0]
    return Targets(**want), draft.blocks, draft.prop
