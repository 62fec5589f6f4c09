"""What a motion is made of: a posture for every second, the furniture it touches, what the hands hold."""

import math
from dataclasses import dataclass, field

from mathutils import Vector

from .posture import Foot, Hand, turned

OUT = {"left": 1, "right": -1}
GROUND = frozenset(("left_foot", "right_foot"))


@dataclass(frozen=True)
class Block:
    """A piece of furniture that is touched: `kind` table, bench or box; an upright box from `low` to `high`, metres."""

    kind: str
    low: tuple
    high: tuple


@dataclass(frozen=True)
class Prop:
    """Something held: `kind` ball, stick, cup or box; `hand` left, right or both; `at(t)`: where its middle is,
    or None for in the hand."""

    kind: str
    hand: str
    size: tuple
    at: object = None


@dataclass(frozen=True)
class Action:
    """`pose(t)`: the Posture at t seconds, `span` seconds in which something happens."""

    name: str
    pose: object
    span: tuple
    blocks: list = field(default_factory=list)
    prop: Prop | None = None


def ease(x):
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def shoulder(m, pelvis, chest, side):
    return pelvis + chest @ Vector((OUT[side] * m.shoulder, 0.01, m.trunk))


def hanging(m, pelvis, chest, side, swing=0.0, bend=0.04):
    """An arm that hangs, `swing` -1..1 back and forth, its elbow bent by shortening the reach by `bend`."""
    out = OUT[side]
    reach = m.arm * (1 - bend - 0.05 * abs(swing))
    angle = 0.5 * swing
    down = Vector((out * (0.14 + 0.05 * bend), -math.sin(angle) - 0.08, -math.cos(angle)))
    return Hand(shoulder(m, pelvis, chest, side) + chest @ (down.normalized() * reach),
                chest @ Vector((0.35 * out, 1, 0.1)))


def standing_feet(m, width=1.0, heading=0.0, splay=8):
    return {side: Foot(turned(heading) @ Vector((out * m.half * width, 0, 0)) + Vector((0, 0, m.ankle)),
                       heading + splay * out)
            for side, out in OUT.items()}


def sway(rng, size, low=0.2, high=0.7):
    """A smooth random function of seconds, of about +-size."""
    parts = [(rng.uniform(low, high), rng.uniform(0, 6.28), rng.uniform(0.3, 0.7) * size) for _ in range(2)]
    return lambda t: sum(a * math.sin(6.283 * rate * t + phase) for rate, phase, a in parts)
