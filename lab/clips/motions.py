"""A generator and somebody's measures -> an Action: walk, run, turn, stand, sit, reach, lean, lift, step up,
crouch, dance.

Everything stands about the world's origin and begins facing -y; all are closed formulas of time (ours).
"""

import math

from mathutils import Vector

from .action import GROUND, OUT, Action, Block, Prop, ease, hanging, shoulder, standing_feet, sway
from .posture import UP, Foot, Hand, Posture, turned

DOWN = Vector((0, 0, -1))


def draw_action(rng, m, kind):
    return KINDS[kind](rng, m)


def _held(rng):
    """Something small for one hand, or nothing."""
    if rng.random() < 0.5:
        return None
    kind = ("ball", "stick", "cup", "box")[rng.integers(4)]
    size = {"ball": (0.11,) * 3, "stick": (0.03, 0.03, float(rng.uniform(0.4, 0.9))), "cup": (0.08, 0.08, 0.10),
            "box": (0.10, 0.16, 0.12)}[kind]
    return Prop(kind, ("left", "right")[rng.integers(2)], size)


def _grip(posture_hand, prop, side):
    """A hand that holds a prop closes about it."""
    if prop is None or prop.hand != side:
        return posture_hand
    return Hand(posture_hand.wrist, posture_hand.elbow, posture_hand.along, posture_hand.palm, 0.65)


def _stride(rng, m, *, name, speed, rate, cycle, stance, prop=None):
    """Steps along an arc: `speed` m/s, `rate` degrees/s, `cycle` seconds for two steps,
    each foot down for `stance` of it."""
    k, heel, toes, lift = m.height / 1.7, 36, -14 if stance > 0.5 else -4, 0.07 if stance > 0.5 else 0.16
    start, nod, look = rng.uniform(-60, 60), rng.uniform(-4, 8), sway(rng, 12)
    pump, crook = (0.9, 0.05) if stance > 0.5 else (1.0, 0.35)

    def along(t):
        heading, w = start + rate * t, math.radians(rate)
        a, b = math.radians(start), math.radians(heading)
        if abs(w) < 1e-3:
            return speed * t * Vector((math.sin(a), -math.cos(a), 0)), heading
        return speed / w * Vector((math.cos(a) - math.cos(b), -(math.sin(b) - math.sin(a)), 0)), heading

    def plant(side, n):
        place, heading = along((n + stance / 2 - _PHASE[side]) * cycle)
        out = OUT[side]
        return place + turned(heading) @ Vector((out * 0.75 * m.half, 0, 0)) + UP * m.ankle, heading + 6 * out

    def foot(side, t):
        q = t / cycle + _PHASE[side]
        n = math.floor(q)
        u, (here, heading) = q - n, plant(side, n)
        if u < stance:
            pitch = toes * (1 - u / (0.12 * stance)) if u < 0.12 * stance else heel * ease((u / stance - 0.65) / 0.35)
            return Foot(here, heading, pitch)
        u, (there, after) = (u - stance) / (1 - stance), plant(side, n + 1)
        return Foot(here.lerp(there, ease(u)) + UP * lift * k * math.sin(math.pi * u) ** 1.3,
                    heading + ease(u) * (after - heading), heel + ease(u) * (toes - heel), planted=False)

    def pose(t):
        place, heading = along(t)
        beat = math.cos(2 * math.pi * t / cycle)            # 1 where the left foot lands
        bob = -0.02 * k - 0.016 * k * math.cos(4 * math.pi * t / cycle) * (1 if stance > 0.5 else -2.2)
        vigour = min(1.0, speed / 1.0)
        pelvis = place + UP * (m.hip + bob) + turned(heading) @ Vector((0.015 * k * math.sin(2 * math.pi * t / cycle),
                                                                        0.02, 0))
        hips = turned(heading - 6 * beat * vigour, 2)
        chest = turned(heading + 7 * beat * vigour, 4 + 6 * (stance < 0.5) + nod / 2)
        head = turned(heading + look(t), nod)
        feet = {side: foot(side, t) for side in OUT}
        hands = {side: _grip(hanging(m, pelvis, chest, side, -OUT[side] * beat * pump * vigour, crook), prop, side)
                 for side in OUT}
        return Posture(pelvis, hips, chest, head, feet, hands, frozenset(f"{s}_foot" for s in OUT if feet[s].planted))

    return Action(name, pose, (-0.9 * cycle, 0.9 * cycle), prop=prop)


_PHASE = {"left": 0.0, "right": 0.5}


def walk(rng, m):
    speed = rng.uniform(0.7, 1.5)
    return _stride(rng, m, name="walk", speed=speed, rate=rng.normal(0, 12), cycle=1.42 - 0.28 * speed,
                   stance=0.62, prop=_held(rng))


def run(rng, m):
    return _stride(rng, m, name="run", speed=rng.uniform(2.2, 3.2), rate=rng.normal(0, 8),
                   cycle=rng.uniform(0.66, 0.78), stance=0.40)


def turn(rng, m):
    rate = float(rng.choice((-1, 1)) * rng.uniform(50, 120))
    return _stride(rng, m, name="turn", speed=rng.uniform(0.05, 0.3), rate=rate, cycle=1.1,
                   stance=0.66, prop=_held(rng))


def _gesture(rng, m):
    """Both wrists, in front of the chest, over the head or hanging, moving slowly: (side, t, pelvis, chest) -> Hand."""
    plans = {}
    for side in OUT:
        kind = rng.choice(("hang", "talk", "raise", "hip", "wide"), p=(0.3, 0.3, 0.16, 0.12, 0.12))
        plans[side] = (kind, sway(rng, 0.06, 0.4, 1.2), sway(rng, 0.08, 0.4, 1.2), float(rng.uniform(0.1, 0.6)))

    def hand(side, t, pelvis, chest):
        kind, a, b, curl = plans[side]
        out = OUT[side]
        if kind == "hang":
            plain = hanging(m, pelvis, chest, side, 2 * a(t))
            return Hand(plain.wrist, plain.elbow, curl=curl)
        where = {"talk": (0.10, -0.60, -0.25), "raise": (0.30, -0.25, 0.72), "hip": (0.16, -0.02, -0.62),
                 "wide": (0.80, -0.15, 0.05)}[kind]
        reach = Vector((out * where[0], where[1], where[2])) * m.arm + Vector((out * a(t), b(t), a(t + 1)))
        elbow = Vector((out, 0.5, -0.3 if kind != "hip" else 0.1))
        return Hand(shoulder(m, pelvis, chest, side) + chest @ reach, chest @ elbow, curl=curl)

    return hand


def stand(rng, m):
    lean, side_, yaw, look, nod = sway(rng, 4), sway(rng, 3), sway(rng, 8), sway(rng, 25), sway(rng, 8)
    heading, gesture, prop, width = rng.uniform(-70, 70), _gesture(rng, m), _held(rng), rng.uniform(0.8, 1.8)
    shift = sway(rng, 0.03)

    def pose(t):
        pelvis = turned(heading) @ Vector((shift(t), 0.02, 0)) + UP * (m.hip - 0.01)
        chest = turned(heading + yaw(t), 3 + lean(t), side_(t))
        hands = {side: _grip(gesture(side, t, pelvis, chest), prop, side) for side in OUT}
        return Posture(pelvis, turned(heading + 0.5 * yaw(t), 1, -0.5 * side_(t)), chest,
                       turned(heading + look(t), nod(t)), standing_feet(m, width, heading=heading), hands, GROUND)

    return Action("stand", pose, (0, 3), prop=prop)


def dance(rng, m):
    beat, step = rng.uniform(0.9, 1.4), rng.uniform(0.08, 0.2)
    lean, yaw, raise_ = sway(rng, 6, 0.4, 1), sway(rng, 16, 0.3, 0.9), [rng.uniform(-0.4, 0.8) for _ in OUT]
    wild = [(sway(rng, 0.25, 0.5, 1.4), sway(rng, 0.3, 0.5, 1.4)) for _ in OUT]

    def pose(t):
        phase = 2 * math.pi * beat * t
        weight = math.sin(phase / 2)                        # -1 on the right foot, 1 on the left
        dip = 0.05 + 0.03 * math.cos(phase)
        pelvis = Vector((step * weight, 0.02, m.hip - dip))
        chest = turned(yaw(t) + 8 * math.sin(phase), 4 + lean(t), -5 * weight)
        feet = {}
        for side, out in OUT.items():
            free = max(0.0, -out * weight)
            place = Vector((out * (m.half * 1.3 + step * free * 0.8), -0.1 * free, m.ankle + 0.06 * free))
            feet[side] = Foot(place, 12 * out + 15 * free * out, 25 * free, planted=free < 0.15)
        hands = {}
        for (side, out), up, (a, b) in zip(OUT.items(), raise_, wild, strict=True):
            reach = Vector((out * (0.45 + a(t)), -0.35 + b(t), up * 0.7 + a(t + 2))) * m.arm
            hands[side] = Hand(shoulder(m, pelvis, chest, side) + chest @ reach,
                               chest @ Vector((out, 0.6, -0.4)), curl=0.3)
        return Posture(pelvis, turned(0.4 * yaw(t), 3, 7 * weight), chest,
                       turned(yaw(t + 0.2), 4 * math.sin(phase)), feet, hands,
                       frozenset(f"{s}_foot" for s in OUT if feet[s].planted))

    return Action("dance", pose, (0, 4))


def sit(rng, m):
    """Down onto a bench or a box, resting there, or up again; hands on the thighs, or one gesturing."""
    k = m.height / 1.7
    seat = float(rng.uniform(0.40, 0.52)) * k
    wide, deep = rng.uniform(0.24, 0.7), rng.uniform(0.36, 0.5)
    down, rise, gesture = rng.uniform(-0.6, 1.0), rng.uniform(2.0, 3.4), _gesture(rng, m)
    talks, look, slouch = rng.choice((None, "left", "right")), sway(rng, 20), rng.uniform(-4, 14)
    back = 0.92 * m.thigh                                   # the pelvis behind the ankles
    table = rng.random() < 0.3
    bench = Block("bench" if rng.random() < 0.6 else "box", (-wide, back - 0.16 * k, 0),
                  (wide, back - 0.16 * k + deep, seat))

    def pose(t):
        u = ease((t - down) / 1.1) * (1 - ease((t - rise) / 1.1))
        low = seat + 0.085 * k
        pelvis = Vector((0, 0.03 + (back - 0.03) * ease(1.25 * u), m.hip + (low - m.hip) * u))
        stoop = 34 * math.sin(math.pi * u) + slouch * u
        chest = turned(0.3 * look(t), 3 + stoop)
        hands = {}
        for side, out in OUT.items():
            hang = hanging(m, pelvis, chest, side)
            knee = Vector((out * (m.half + 0.02), pelvis.y - 0.72 * m.thigh, low + 0.075 * k))
            rest = Hand(hang.wrist.lerp(knee, u), hang.elbow, Vector((-0.15 * out, -1, -0.25)), DOWN,
                        0.25) if u > 0.55 else Hand(hang.wrist.lerp(knee, u), hang.elbow)
            hands[side] = gesture(side, t, pelvis, chest) if talks == side and u > 0.9 else rest
        touching = GROUND | ({"seat"} if u > 0.97 else set())
        return Posture(pelvis, turned(0, -8 * u + 0.8 * stoop * (1 - u)), chest, turned(look(t), 0.4 * stoop),
                       standing_feet(m, 1.25), hands, frozenset(touching))

    blocks = [bench]
    if table:
        blocks.append(Block("table", (-0.6, -0.85 * k - 0.5, 0), (0.6, -0.32 * k, seat + 0.28 * k)))
    return Action("sit", pose, (down - 0.1, rise + 1.0), blocks)


def _over_table(rng, m, both):
    """Stands before a table; one hand or both go down onto it, palms flat, the trunk leaning with them."""
    k = m.height / 1.7
    top, edge = float(rng.uniform(0.70, 0.95)) * k, -0.24 * k
    width, depth = rng.uniform(0.45, 0.9), rng.uniform(0.45, 0.75)
    chosen = tuple(OUT) if both else (("left", "right")[rng.integers(2)],)
    when, twist, look = {s: rng.uniform(0.0, 0.7) for s in OUT}, rng.uniform(-15, 15), sway(rng, 15)
    spots = {s: Vector((OUT[s] * rng.uniform(0.14, 0.32) * k, edge - rng.uniform(0.09, 0.22) * k, top + 0.032))
             for s in OUT}
    stoop, slide = (rng.uniform(22, 38) if both else rng.uniform(10, 24)), sway(rng, 0.05)
    gesture = _gesture(rng, m)

    def pose(t):
        reach = {s: ease((t - when[s]) / 0.9) * (1 - ease((t - 3.4 - when[s]) / 0.9)) if s in chosen
                 else 0.0 for s in OUT}
        most = max(reach.values())
        pelvis = Vector((0.02 * twist / 15, 0.03 + 0.10 * k * most * stoop / 30, m.hip - 0.01 - 0.01 * most))
        chest = turned(twist * most, 3 + stoop * most)
        hands = {}
        for side, out in OUT.items():
            hang = hanging(m, pelvis, chest, side) if side in chosen else gesture(side, t, pelvis, chest)
            u = reach[side]
            spot = spots[side] + Vector((slide(t), 0.4 * slide(t + 1), 0)) * (not both)
            wrist = hang.wrist.lerp(spot, u) + (UP * 0.16 + Vector((0, 0.05, 0))) * math.sin(math.pi * u) ** 2
            lay = u > 0.6
            hands[side] = Hand(wrist, hang.elbow, Vector((-0.3 * out, -1, -0.06)) if lay else None,
                               DOWN if lay else None, 0.2 if lay else hang.curl)
        touching = GROUND | {f"{s}_hand" for s in chosen if reach[s] > 0.98}
        return Posture(pelvis, turned(0.3 * twist * most, 0.55 * stoop * most), chest,
                       turned(look(t), 0.8 * stoop * most), standing_feet(m, 1.2), hands, frozenset(touching))

    table = Block("table", (-width + 0.1 * twist / 15, edge - depth, 0), (width + 0.1 * twist / 15, edge, top))
    return Action("lean" if both else "reach", pose, (0.3, 4.2), [table])


def reach(rng, m):
    return _over_table(rng, m, False)


def lean(rng, m):
    return _over_table(rng, m, True)


def lift(rng, m):
    """A box taken from the floor, a bench or a table with both hands, up to the chest, perhaps carried on the spot."""
    k = m.height / 1.7
    size = Vector((rng.uniform(0.26, 0.42), rng.uniform(0.2, 0.32), rng.uniform(0.16, 0.32))) * k
    ground = float(rng.choice([0.0, rng.uniform(0.3, 0.5), rng.uniform(0.65, 0.85)])) * k
    low = Vector((0, -(0.36 * k + size.y / 2), ground + size.z / 2))
    high = Vector((0, -(0.17 * k + size.y / 2), m.hip + 0.28 * k))
    when, sway_ = rng.uniform(0.7, 1.2), sway(rng, 0.02)

    def held(t):
        u = ease((t - when) / 1.3)
        return low.lerp(high, u) + Vector((0, -0.06 * math.sin(math.pi * u), sway_(t) * (u > 0.99)))

    def pose(t):
        u, reach_ = ease((t - when) / 1.3), ease((t - when + 0.9) / 0.8)
        grip = held(t)
        need = reach_ * (1 - u)                             # how far down
        drop = max(0.0, m.hip + 0.05 - ground - size.z / 2 - 0.42 * m.arm) * need
        squat = 0.62 * min(drop, 0.5 * m.leg)
        stoop = 8 + 55 * need * min(1.0, drop / (0.45 * k) + 0.15)
        pelvis = Vector((0, 0.03 + 0.30 * squat + 0.10 * need, m.hip - 0.01 - squat))
        chest = turned(0, stoop - 10 * u)
        hands = {}
        for side, out in OUT.items():
            hang = hanging(m, pelvis, chest, side)
            side_of = grip + Vector((out * (size.x / 2 + 0.025), 0.07 * k, 0))
            holds = reach_ > 0.6
            hands[side] = Hand(hang.wrist.lerp(side_of, reach_), chest @ Vector((out, 0.8, -0.2)),
                               Vector((-0.1 * out, -1, -0.15)) if holds else None,
                               Vector((-out, 0, 0)) if holds else None, 0.2)
        touching = GROUND | ({"left_hand", "right_hand"} if reach_ > 0.98 else set())
        return Posture(pelvis, turned(0, 0.6 * stoop), chest, turned(0, 0.7 * stoop), standing_feet(m, 1.5),
                       hands, frozenset(touching))

    blocks = []
    if ground > 0:
        blocks.append(Block("table" if ground > 0.6 * k else "bench", (-0.5, low.y - 0.3 * k, 0),
                            (0.5, low.y + size.y / 2 + 0.05, ground)))
    return Action("lift", pose, (when - 0.6, when + 1.8), blocks, Prop("box", "both", tuple(size), held))


def step_up(rng, m):
    """Up onto one step, or two of a stair, or down again where time runs backwards."""
    k = m.height / 1.7
    rise, tread, count = float(rng.uniform(0.14, 0.30)) * k, rng.uniform(0.30, 0.42), int(rng.integers(1, 4))
    back, first, tempo, look = rng.random() < 0.35, rng.integers(2), rng.uniform(0.75, 1.0), sway(rng, 10)
    edge = -0.22
    # where each foot stands after its k-th step: (x, y, z)
    order = list(OUT) if first else list(OUT)[::-1]
    # how far the ankle is onto a tread: toes clear of the next riser
    on = min(0.5 * tread + 0.02, tread - m.ball - 0.09 * k)
    levels = list(range(1, count + 1)) + [count]            # the last foot joins the other
    stops = {side: [(0.0, Vector((OUT[side] * m.half, 0, m.ankle)))] for side in OUT}
    for i, level in enumerate(levels):
        side = order[i % 2]
        stops[side].append((i + 1.0,
                            Vector((OUT[side] * m.half, edge - (level - 1) * tread - on, level * rise + m.ankle))))

    def foot(side, s):
        here = stops[side][0]
        for stop in stops[side][1:]:
            if s >= stop[0]:
                here = stop
            elif s > stop[0] - 0.8:
                u = (s - stop[0] + 0.8) / 0.8
                place = here[1].lerp(stop[1], ease(u))
                place.z = here[1].z + (stop[1].z - here[1].z) * ease(1.8 * u) + 0.09 * math.sin(math.pi * u)
                place.y = here[1].y + (stop[1].y - here[1].y) * ease(1.4 * u - 0.4)
                return Foot(place, 5 * OUT[side], 20 * math.sin(math.pi * (1 - u)) * (1 - u), planted=False)
            else:
                break
        after = next((stop for stop in stops[side] if stop[0] > s), None)
        near = ease((s - after[0] + 1.1) / 0.3) if after else 0.0
        return Foot(here[1], 5 * OUT[side], 28 * near)

    def pose(t):
        s = (3 - t if back else t) / tempo
        feet = {side: foot(side, s) for side in OUT}
        a, b = (feet[side].ankle for side in OUT)
        mean, low, chest = (a + b) / 2, min(a.z, b.z), turned(0, 8)
        pelvis = Vector((mean.x + 0.3 * (a.x + b.x) / 2, mean.y - 0.02,
                         m.hip - 0.02 + low - m.ankle + 0.6 * abs(a.z - b.z)))
        hands = {side: hanging(m, pelvis, chest, side, 0.5 * math.sin(2.2 * s + OUT[side])) for side in OUT}
        return Posture(pelvis, turned(0, 5), chest, turned(look(t), 14), feet, hands,
                       frozenset(f"{q}_foot" for q in OUT if feet[q].planted))

    blocks = [Block("box", (-0.5, edge - (count + 1.2) * tread if level == count else edge - level * tread,
                            (level - 1) * rise),
                    (0.5, edge - (level - 1) * tread, level * rise)) for level in range(1, count + 1)]
    blocks = [Block("box", (-0.5, edge - (count + 1.2) * tread, b.low[2]), b.high) for b in blocks]
    return Action("step up", pose, (0.1, tempo * (count + 1)) if not back else (3 - tempo * (count + 1), 2.9), blocks)


def crouch(rng, m):
    """Down on the heels, a hand to the floor."""
    k = m.height / 1.7
    side_ = ("left", "right")[rng.integers(2)]
    spot = Vector((OUT[side_] * rng.uniform(0.0, 0.3), -rng.uniform(0.35, 0.5) * k, 0.04))
    look = sway(rng, 10)

    def pose(t):
        u = ease(t / 1.2) * (1 - ease((t - 2.6) / 1.2))
        pelvis = Vector((0, 0.03 + 0.14 * k * u, m.hip - 0.01 - 0.62 * m.leg * u))
        chest = turned(0, 3 + 42 * u)
        feet = {s: Foot(f.ankle + Vector((0, 0.08 * k * u * (s != side_), 0)), f.heading, 38 * u * (s != side_))
                for s, f in standing_feet(m, 1.4).items()}
        hands = {}
        for side, out in OUT.items():
            hang = hanging(m, pelvis, chest, side)
            goal = spot if side == side_ else pelvis + Vector((out * 0.18 * k, -0.40 * k, 0.12 * k))
            lay = side == side_ and u > 0.7
            hands[side] = Hand(hang.wrist.lerp(goal, u), chest @ Vector((out, 0.6, 0)),
                               Vector((0, -1, -0.2)) if lay else None, DOWN if lay else None, 0.2)
        return Posture(pelvis, turned(0, 25 * u), chest, turned(look(t), 30 * u), feet, hands,
                       frozenset(GROUND | ({f"{side_}_hand"} if u > 0.98 else set())))

    return Action("crouch", pose, (0.2, 3.4))


KINDS = {"walk": walk, "turn": turn, "sit": sit, "reach": reach, "lift": lift, "lean": lean,
         "step up": step_up, "dance": dance, "run": run, "stand": stand, "crouch": crouch}
