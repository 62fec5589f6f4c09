"""The figure's body: a person and a skeleton in, round cones of skin, hair, clothes and shoes out (numpy)."""

from dataclasses import dataclass

import numpy as np

from .character import FABRIC, Character
from .cones import Primitives
from .rig import SIDES, Skeleton, unit


@dataclass(frozen=True)
class Cones:
    """P round cones in world axes: ends, radii, cross-sections;
    `front` is the direction the angle around starts from."""
    a: np.ndarray          # (F, P, 3)
    b: np.ndarray          # (F, P, 3)
    radii: np.ndarray      # (F, P, 2)
    axis: np.ndarray       # (F, P, 3) unit
    front: np.ndarray      # (F, P, 3)
    section: np.ndarray    # (P, 2) factors on width and depth
    surface: np.ndarray    # (P,)
    origin_v: np.ndarray   # (P,)
    wrap: np.ndarray       # (P,) 0 own texture coordinates, 1 the chest's, 2 the pelvis'
    flat: np.ndarray       # (P,) 1 where the far end is cut off


class Sculptor:
    """Collects cones of one figure. State: the growing lists."""

    def __init__(self, person: Character, skeleton: Skeleton):
        self.person, self.joints, self.frames, self.hands = person, skeleton.joints, skeleton.frames, skeleton.hands
        self.rows = []

    def cone(self, a, b, ra: float, rb: float, front, fabric: str, *, wide=1.0, deep=1.0, v=0.0, wrap=0,
             flat=False) -> None:
        self.rows.append((a, b, ra, rb, unit(b - a), front, wide, deep, FABRIC[fabric], v, wrap, flat))

    def ball(self, centre, frame, radii, fabric: str, v=0.0, wrap=0) -> None:
        """An ellipsoid with half axes (left, up, forward) in the frame's axes."""
        x, y, z = radii
        up = frame[..., 1]
        self.rows.append((centre - 1e-4 * up, centre + 1e-4 * up, y, y, up, frame[..., 2], x / y, z / y,
            FABRIC[fabric], v, wrap, False))

    def finish(self) -> Cones:
        a, b, ra, rb, axis, front, wide, deep, surface, v, wrap, flat = zip(*self.rows, strict=True)
        count = len(a[0])
        radii = np.stack([np.stack(np.broadcast_arrays(p, q, np.zeros(count))[:2], -1)
                          for p, q in zip(ra, rb, strict=True)], 1)
        return Cones(np.stack(a, 1), np.stack(b, 1), radii, np.stack(axis, 1), np.stack(front, 1),
                     np.stack([wide, deep], -1), np.array(surface), np.array(v), np.array(wrap), np.array(flat, float))


def sculpt(person: Character, skeleton: Skeleton) -> Cones:
    """All cones of the figure."""
    s = Sculptor(person, skeleton)
    _trunk(s)
    for k, name in enumerate(("left", "right")):
        _arm(s, name)
        _hand(s, k)
        _leg(s, name)
    if person.skirt:
        _skirt(s)
    _head(s)
    _hair(s)
    if person.hat != "none":
        _hat(s)
    if person.extra != "none":
        _extra(s)
    return s.finish()


CHEST, PELVIS = 1, 2


def _trunk(s: Sculptor) -> None:
    """Pelvis, waist, chest and neck, in clothes."""
    p, j, f, h, g = s.person, s.joints, s.frames, s.person.height, s.person.girth
    e, top = p.loose, "coat" if p.coat else "top"
    pelvis, middle, chest = f["pelvis"], f["middle"], f["chest"]
    up, forward = chest[..., 1], chest[..., 2]
    low = j["pelvis"] - 0.005 * h * pelvis[..., 1]
    broad = 0.5 * (p.shoulder / (0.110 * h) + 1)
    s.cone(low, j["waist"], 0.058 * h * g + e * 0.6, 0.052 * h * g + e * 0.6, pelvis[..., 2], "bottom", wide=1.42,
        deep=1.05, wrap=PELVIS)
    hem = j["waist"] - (0.05 + p.hem) * pelvis[..., 1]
    s.cone(j["waist"] + 0.03 * h * middle[..., 1], hem, 0.051 * h * g + e, 0.060 * h * g + e * 1.6, middle[..., 2],
        top, wide=1.42, deep=1.17, wrap=PELVIS, flat=True)
    upper = j["neck"] - 0.085 * h * up
    s.cone(j["waist"], upper, 0.052 * h * g + e, 0.058 * h * g + e, forward, top, wide=1.36 * broad,
           deep=1.0, wrap=CHEST)
    s.cone(upper, j["neck"] - 0.055 * h * up, 0.058 * h * g + e, 0.047 * h * g + e, forward, top, wide=1.42 * broad,
        deep=0.98, wrap=CHEST)
    if p.hem < 0.03:
        belt = 0.05 * h * g + e * 1.9
        s.cone(j["waist"] - 0.045 * h * pelvis[..., 1], j["waist"] - 0.04 * h * pelvis[..., 1], belt, belt,
            pelvis[..., 2], "belt", wide=1.5, deep=1.13)
    if p.belly > 0.2:
        s.ball(j["waist"] + 0.02 * h * middle[..., 2], middle, np.array([0.07, 0.07,
            0.045]) * h * g * (1 + 0.2 * p.belly), top, wrap=CHEST)
    for side, name in zip(SIDES, ("left", "right"), strict=True):
        _side(s, side, j[f"{name}_shoulder"], top)
    s.cone(j["neck"] - 0.02 * h * up, j["head"] - 0.25 * p.head * f["head"][..., 1], 0.035 * h * g ** 0.5,
        0.031 * h * g ** 0.5, forward, "skin")
    s.cone(j["neck"] - 0.02 * h * up, j["neck"] + 0.008 * h * up, 0.040 * h * g ** 0.5 + e,
        0.034 * h * g ** 0.5 + e * 0.6, forward, "inner" if p.coat else top, wide=1.15, wrap=CHEST)
    if p.coat:
        ahead = 0.012 * h * forward
        s.cone(j["waist"] + 0.02 * h * up + ahead, j["neck"] - 0.06 * h * up + ahead, 0.047 * h * g + e,
            0.048 * h * g + e, forward, "inner", wide=0.55, deep=1.02, wrap=CHEST)
        hem = j["pelvis"] - 0.1 * h * pelvis[..., 1]
        s.cone(j["waist"], hem, 0.055 * h * g + e * 1.5, 0.068 * h * g + e * 1.8, pelvis[..., 2], "coat", wide=1.45,
            deep=1.15, wrap=PELVIS, flat=True)


def _side(s: Sculptor, side: float, shoulder: np.ndarray, top: str) -> None:
    """One shoulder's slope, breast and buttock."""
    p, j, h, g, e = s.person, s.joints, s.person.height, s.person.girth, s.person.loose
    chest, pelvis = s.frames["chest"], s.frames["pelvis"]
    left, up, forward = (chest[..., k] for k in range(3))
    s.cone(j["neck"] - 0.010 * h * up, shoulder + 0.002 * h * up, 0.030 * h * g + e, 0.024 * h * g + e,
           forward, top, wrap=CHEST)
    s.cone(j["neck"] - 0.06 * h * up + side * 0.03 * h * left, shoulder - 0.02 * h * up - side * 0.01 * h * left,
        0.045 * h * g + e, 0.028 * h * g + e, forward, top, wrap=CHEST)
    if p.bust:
        s.ball(j["neck"] - 0.108 * h * up + side * 0.040 * h * left + 0.034 * h * g * forward, chest,
               np.array([0.040, 0.042, 0.030]) * h * (0.75 + 0.25 * p.bust) + e, top, wrap=CHEST)
    s.ball(j["pelvis"] + side * 0.045 * h * pelvis[..., 0] - 0.012 * h * pelvis[..., 1]
           - 0.027 * h * g * pelvis[..., 2], pelvis,
           np.array([0.046, 0.048, 0.038]) * h * g + e * 0.6, "bottom", wrap=PELVIS)


def _tube(s: Sculptor, a, b, ra, rb, front, fabric, begin: float, end: float, grow: float, *, v=0.0, flare=0.0) -> None:
    """A sleeve or trouser leg over part of a limb."""
    if end <= begin:
        return
    at = lambda t: ra + (rb - ra) * t
    s.cone(a + begin * (b - a), a + end * (b - a), at(begin) + grow, at(end) + grow + flare, front,
           fabric, v=v, flat=True)


def _arm(s: Sculptor, name: str) -> None:
    p, j, h, g = s.person, s.joints, s.person.height, s.person.girth
    front, grow = s.frames[f"{name}_arm"][..., 2], s.person.loose * 0.8 + 0.004
    a, b, c = j[f"{name}_shoulder"], j[f"{name}_elbow"], j[f"{name}_wrist"]
    fabric, sleeve = ("coat", 1.97) if p.coat else ("top", p.sleeve)
    r1, r2, r3 = 0.028 * h * g, 0.023 * h * g, 0.0155 * h * g ** 0.5
    if sleeve < 1:
        s.cone(a, b, r1, r2, front, "skin")
    if sleeve < 1.9:
        swell = b + 0.3 * (c - b)
        s.cone(b, swell, r2, 0.0235 * h * g, front, "skin")
        s.cone(swell, c, 0.0235 * h * g, r3, front, "skin")
    _tube(s, a, b, r1, r2, front, fabric, 0.0, min(1, sleeve), grow, v=0.1)
    _tube(s, b, c, r2, r3, front, fabric, 0.0, sleeve - 1, grow, v=0.1 + p.upper_arm, flare=0.2 * p.loose)


def _hand(s: Sculptor, k: int) -> None:
    points, h = s.hands[:, k], s.person.height
    name = ("left", "right")[k]
    palm = s.frames[f"{name}_hand"][..., 2]
    middle = 0.5 * (points[:, 5] + points[:, 17])
    s.cone(points[:, 0], 0.35 * points[:, 0] + 0.65 * points[:, 9], 0.013 * h, 0.020 * h, palm, "glove",
           wide=1.0, deep=0.62)
    s.cone(0.5 * points[:, 0] + 0.5 * middle, middle + 0.1 * (points[:, 9] - points[:, 0]), 0.018 * h, 0.02 * h,
        palm, "glove", wide=1.1, deep=0.55)
    for first, radius in ((1, 0.0085), (5, 0.0073), (9, 0.0075), (13, 0.0073), (17, 0.0065)):
        r = radius * h
        s.cone(points[:, first], points[:, first + 1], r * 1.1, r, palm, "glove")
        s.cone(points[:, first + 1], points[:, first + 3], r, r * 0.85, palm, "glove")


def _leg(s: Sculptor, name: str) -> None:
    p, j, h, g = s.person, s.joints, s.person.height, s.person.girth
    front, grow = s.frames[f"{name}_leg"][..., 2], s.person.loose * 0.9 + 0.004
    a, b, c = j[f"{name}_hip"], j[f"{name}_knee"], j[f"{name}_ankle"]
    r1, r2, r3 = 0.050 * h * g, 0.032 * h * g, 0.0205 * h * g ** 0.5
    back = -front * 0.012 * h
    calf = b + 0.3 * (c - b) + back
    if p.leg < 1:
        s.cone(a, b, r1, r2, front, "skin")
    if p.leg < 1.9:
        s.cone(b, calf, r2, 0.034 * h * g, front, "skin")
        s.cone(calf, c, 0.034 * h * g, r3, front, "skin")
    fabric = "inner" if p.skirt else "bottom"
    if p.leg > 0:
        _tube(s, a, b, r1, r2, front, fabric, 0.0, min(1, p.leg), grow, v=-0.1)
        _tube(s, b, c + 0.4 * back, r2 * 1.04, r3 * 1.1, front, fabric, 0.0, p.leg - 1, grow, v=-0.1 - p.thigh,
              flare=0.8 * p.loose)
    foot, ankle = s.frames[f"{name}_foot"], c
    down, ahead = -foot[..., 1], foot[..., 2]
    r = 0.021 * h
    heel = ankle + (p.ankle - 0.0215 * h) * down - 0.012 * h * ahead
    tip = ankle + (p.ankle - 0.0165 * h) * down + (p.foot - 0.008 * h) * ahead
    s.cone(heel, tip, r, 0.0155 * h, foot[..., 0], "shoe", wide=0.95, deep=1.1)
    s.cone(ankle + 0.2 * p.ankle * down, heel + 0.04 * h * ahead, 0.021 * h, 0.02 * h, foot[..., 0], "shoe")
    sole = 0.009 * h
    s.cone(heel + (0.0215 * h - sole) * down, tip + (0.0165 * h - sole) * down, sole * 2.5, sole * 2.2, foot[..., 0],
        "sole", wide=0.4, deep=1.05)
    if p.boots:
        _tube(s, c, b, r3, 0.034 * h * g, front, "shoe", 0.0, p.boots, 0.006)


def _skirt(s: Sculptor) -> None:
    """A central cone that holds both legs, and one about each thigh, so that it follows sitting and striding."""
    p, j, f, h, g = s.person, s.joints, s.frames, s.person.height, s.person.girth
    pelvis, e = f["pelvis"], s.person.loose
    ends, long = [], p.skirt > 1
    for name in ("left", "right"):
        a, b, c = j[f"{name}_hip"], j[f"{name}_knee"], j[f"{name}_ankle"]
        end, below = a + min(p.skirt, 1.0) * (b - a), b + 0.9 * (p.skirt - 1) * (c - b)
        s.cone(a + 0.02 * h * pelvis[..., 1], end, 0.052 * h * g + e, 0.05 * h + p.flare * 0.45, pelvis[..., 2],
            "bottom", flat=not long)
        if long:
            s.cone(end, below, 0.05 * h + p.flare * 0.45, 0.05 * h + p.flare * 0.55, pelvis[..., 2],
                   "bottom", v=p.thigh, flat=True)
        ends.append(below if long else end)
    low = 0.5 * (ends[0] + ends[1])
    apart = np.linalg.norm(ends[0] - ends[1], axis=-1)
    s.cone(j["pelvis"] + 0.03 * h * pelvis[..., 1], low, 0.058 * h * g + e, 0.045 * h + 0.7 * p.flare + 0.25 * apart,
        pelvis[..., 2], "bottom",
           wide=1.4, deep=1.05, flat=True)


def _head(s: Sculptor) -> None:
    """Skull, jaw, nose and ears at the places that contract.skeleton.HEAD_POINTS names."""
    p, u, frame = s.person, s.person.head, s.frames["head"]
    centre = s.joints["head"]
    at = lambda x, y, z: centre + u * (x * frame[..., 0] + y * frame[..., 1] + z * frame[..., 2])
    jaw = 0.9 + 0.2 * p.face[5]
    s.ball(at(0, 0.10, -0.03), frame, u * np.array([0.335, 0.39, 0.445]), "skin")
    s.cone(at(0, -0.03, 0.08), at(0, -0.34, 0.17), 0.30 * u, 0.155 * u * jaw, frame[..., 2], "skin",
           wide=0.98, deep=0.93)
    size = 0.8 + 0.5 * p.face[4]
    s.cone(at(0, 0.03, 0.355), at(0, -0.10, 0.41), 0.03 * u, 0.058 * u * size, frame[..., 2], "skin", wide=0.95)
    for side in SIDES:
        s.cone(at(side * 0.335, 0.04, -0.02), at(side * 0.325, -0.07, 0.0), 0.065 * u, 0.05 * u,
               frame[..., 2], "skin", wide=0.5)


def _hair(s: Sculptor) -> None:
    p, u, frame, chest = s.person, s.person.head, s.frames["head"], s.frames["chest"]
    at = lambda x, y, z: s.joints["head"] + u * (x * frame[..., 0] + y * frame[..., 1] + z * frame[..., 2])
    if p.hair == "bald":
        return
    thick = 0.5 + 0.5 * p.face[2]
    s.ball(at(0, 0.175, -0.085), frame, u * np.array([0.355, 0.355 + 0.04 * thick, 0.43]), "hair")
    s.ball(at(0, 0.0, -0.18), frame, u * np.array([0.345, 0.34, 0.33]), "hair")
    if p.hair == "curly" and p.hat == "none":
        s.ball(at(0, 0.18, -0.12), frame, u * np.array([0.50, 0.46, 0.46]), "hair")
        s.ball(at(0, -0.05, -0.2), frame, u * np.array([0.48, 0.4, 0.36]), "hair")
    elif p.hair in ("bob", "long"):
        for side in SIDES:
            s.cone(at(side * 0.27, 0.15, -0.06), at(side * 0.31, -0.38, -0.05), 0.12 * u, 0.11 * u,
                   frame[..., 2], "hair", deep=1.7)
        s.cone(at(0, 0.05, -0.2), at(0, -0.38, -0.22), 0.28 * u, 0.25 * u, frame[..., 2], "hair", wide=1.25, deep=0.8)
        if p.hair == "long":
            drop = s.joints["neck"] - (0.10 + 0.12 * thick) * p.height * chest[..., 1] \
                - 0.062 * p.height * p.girth * chest[..., 2]
            s.cone(at(0, -0.25, -0.24), drop, 0.24 * u, 0.17 * u, chest[..., 2], "hair", wide=1.35, deep=0.6)
    elif p.hair == "bun":
        s.ball(at(0, 0.42, -0.30), frame, u * np.array([0.2, 0.19, 0.19]), "hair")
    elif p.hair == "tail":
        s.ball(at(0, 0.2, -0.47), frame, u * np.array([0.09, 0.1, 0.1]), "hair")
        s.cone(at(0, 0.18, -0.52), at(0, -0.55, -0.55), 0.10 * u, 0.06 * u, frame[..., 2], "hair")


def _hat(s: Sculptor) -> None:
    p, u, frame = s.person, s.person.head, s.frames["head"]
    at = lambda x, y, z: s.joints["head"] + u * (x * frame[..., 0] + y * frame[..., 1] + z * frame[..., 2])
    s.ball(at(0, 0.24, -0.07), frame, u * np.array([0.40, 0.33, 0.45]), "hat", v=0.2)
    if p.hat == "cap":
        s.ball(at(0, 0.20, 0.42), frame, u * np.array([0.28, 0.035, 0.28]), "hat")
    elif p.hat == "brim":
        s.ball(at(0, 0.20, -0.03), frame, u * np.array([0.78, 0.035, 0.78]), "hat")


def _extra(s: Sculptor) -> None:
    p, j, f, h = s.person, s.joints, s.frames, s.person.height
    chest, pelvis = f["chest"], f["pelvis"]
    if p.extra == "backpack":
        s.cone(j["waist"] - 0.115 * h * chest[..., 2], j["neck"] - 0.07 * h * chest[..., 1] - 0.11 * h * chest[...,
            2], 0.06 * h, 0.055 * h,
               chest[..., 2], "extra", wide=1.5, deep=0.9)
        for side in SIDES:
            s.cone(j["neck"] - 0.005 * h * chest[..., 1] + side * 0.06 * h * chest[..., 0],
                j["waist"] + (0.09 * h) * chest[..., 1] + side * 0.075 * h * chest[..., 0]
                   + 0.055 * h * p.girth * chest[..., 2],
                   0.03 * h * p.girth, 0.014 * h, chest[..., 2], "extra", wide=0.6)
    else:
        side = 1.0 if p.face[0] > 0.5 else -1.0
        s.ball(j["pelvis"] + side * (0.105 * h * p.girth) * pelvis[..., 0] + 0.02 * h * pelvis[..., 1], pelvis,
            np.array([0.035, 0.065, 0.08]) * h, "extra")


def wraps(person: Character, skeleton: Skeleton, rotation: np.ndarray, position: np.ndarray) -> np.ndarray:
    """(F, 3, 3, 4) camera point -> metres (left, up, forward): in the head in head heights, at the neck, at the waist.

    The last two run on into each other when the back is straight, so that a pattern goes over the waist unbroken.
    """
    maps = []
    below = 0.58 * person.spine
    for joint, frame, scale, lift in (("head", "head", 1 / person.head, 0.0), ("neck", "chest", 1.0, 0.45), ("waist",
        "pelvis", 1.0, 0.45 - below)):
        rows = np.swapaxes(skeleton.frames[frame], -1, -2) @ rotation.T * scale
        origin = (skeleton.joints[joint] - position) @ rotation.T
        maps.append(np.concatenate([rows, np.array([[0], [lift], [0]]) - rows @ origin[..., None]], -1))
    return np.stack(maps, 1).astype(np.float32)


def in_camera(cones: Cones, rotation: np.ndarray, position: np.ndarray) -> Primitives:
    """Cones in world axes -> primitives of `cones.render`; rows of `rotation` are the camera's right, down, forward."""
    turn = lambda v: v @ rotation.T
    a, b, y, front = turn(cones.a - position), turn(cones.b - position), turn(cones.axis), turn(cones.front)
    z = unit(front - (front * y).sum(-1, keepdims=True) * y)
    x = np.cross(y, z)
    rows = np.stack([x / cones.section[:, 0, None], y, z / cones.section[:, 1, None]], -2)
    to_local = np.concatenate([rows, -(rows @ a[..., None])], -1)
    length = np.linalg.norm(b - a, axis=-1)
    length = np.where(length < 1e-3, 0.0, length)        # a ball
    spread = np.maximum(cones.section.max(-1), 1.0)[:, None]
    reach = np.concatenate([np.stack([a, b], -2), (cones.radii * spread)[..., None]], -1)
    shape = np.concatenate([length[..., None], cones.radii], -1)
    return Primitives(to_local.astype(np.float32), shape.astype(np.float32), reach, cones.surface, cones.origin_v,
        cones.wrap, cones.flat)
