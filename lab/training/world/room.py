"""Rooms: a generator and the furniture that a motion touches in; walls, boxes, surfaces and light out."""

from dataclasses import dataclass

import numpy as np

from . import fabric
from .motion import Block


@dataclass(frozen=True)
class Light:
    """A distant key light and an ambient one; colours are linear factors."""
    direction: np.ndarray      # (3,) world, towards the light, unit
    key: np.ndarray            # (3,)
    ambient: np.ndarray        # (3,)
    softness: float            # radians-like growth of the penumbra


@dataclass(frozen=True)
class Box:
    """An oriented box with the surface row that it is painted with."""
    centre: np.ndarray
    half: np.ndarray
    yaw: float
    surface: int
    object: bool               # touched by the character or in front of it: belongs to the object mask
    picture: bool = False      # painted with the random collage, scaled to its face


@dataclass(frozen=True)
class Room:
    """Everything that stands still. The room's inside is [-wide, wide] x [front, back] x [0, top]; open: sky."""
    wide: float
    back: float
    top: float
    open: bool
    backdrop: bool             # the walls are replaced by a collage at infinity
    boxes: tuple[Box, ...]
    surfaces: np.ndarray       # (n, columns) rows; 0 floor, 1 back wall, 2 side walls, 3 ceiling
    sky: np.ndarray            # (2, 3) horizon and zenith
    light: Light
    collage: np.ndarray        # (h, w, 3)


def draw_light(rng: np.random.Generator) -> Light:
    azimuth, height = rng.uniform(-np.pi, np.pi), np.radians(rng.uniform(28, 78))
    direction = np.array([np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)])
    if direction[1] > 0 and rng.random() < 0.5:
        direction[1] *= -1                                    # most lights are on the camera's side
    warmth = rng.normal(0, 0.06)
    share = rng.uniform(0.35, 0.72)
    key = share * 1.25 * np.array([1 + warmth, 1, 1 - warmth])
    ambient = (1 - share) * 1.05 * np.array([1 - 0.5 * warmth, 1, 1 + 0.5 * warmth])
    return Light(direction, key, ambient, float(rng.uniform(0.03, 0.3)))


def collage(rng: np.random.Generator, size: int = 160) -> np.ndarray:
    """A random picture (size, size, 3) of gradients, rectangles, discs and noise: clutter, posters, backdrops."""
    y, x = np.mgrid[0:size, 0:size] / size
    a, b, c, d = (fabric.colour(rng) for _ in range(4))
    picture = (a * (1 - x[..., None]) + b * x[..., None]) * (1 - y[..., None]) + (c * (1 - x[..., None]) + d * x[...,
        None]) * y[..., None]
    for _ in range(rng.integers(8, 45)):
        w, h = np.exp(rng.uniform(np.log(0.02), np.log(0.5), 2)) * size
        px, py = rng.uniform(-0.1, 1.0, 2) * size
        x0, x1, y0, y1 = (int(np.clip(v, 0, size)) for v in (px, px + w + 1, py, py + h + 1))
        part, paint, cover = picture[y0:y1, x0:x1], fabric.colour(rng), rng.uniform(0.4, 1)
        inside = np.ones(part.shape[:2] + (1,))
        if rng.random() < 0.4:
            inside = ((((x[y0:y1, x0:x1] * size - px - w / 2) / w) ** 2 + ((y[y0:y1,
                x0:x1] * size - py - h / 2) / h) ** 2) < 0.25)[..., None]
        part += inside * cover * (paint * rng.uniform(0.8, 1.2) - part)
    picture += rng.normal(0, rng.uniform(0, 0.05), picture.shape)
    return np.clip(picture, 0, 1)


def _table(block: Block, surface: int, leg: int) -> list[Box]:
    """A table: its top and four legs."""
    c, s = np.cos(block.yaw), np.sin(block.yaw)
    boxes = [Box(block.centre, block.half, block.yaw, surface, True)]
    under = block.centre[2] - block.half[2]
    for x in (-1, 1):
        for y in (-1, 1):
            off = np.array([x * (block.half[0] - 0.04), y * (block.half[1] - 0.04)])
            place = block.centre + [c * off[0] - s * off[1], s * off[0] + c * off[1], 0]
            boxes.append(Box(np.array([place[0], place[1], under / 2]), np.array([0.025, 0.025, under / 2]),
                             block.yaw, leg, True))
    return boxes


def _clutter(rng: np.random.Generator, tops: list[Block], add) -> list[Box]:
    """Small things at the far ends of tables, out of the hands' way."""
    boxes = []
    for block in tops:
        for end in (-1, 1):
            if rng.random() < 0.35:
                half = rng.uniform(0.025, 0.09, 3)
                along, across = end * (block.half[0] - 0.10), rng.uniform(-0.6, 0.6) * block.half[1]
                c, s = np.cos(block.yaw), np.sin(block.yaw)
                place = block.centre + [c * along - s * across, s * along + c * across, block.half[2] + half[2]]
                boxes.append(Box(place, half, rng.uniform(0, 3), add("plain"), True))
    return boxes


def draw_room(rng: np.random.Generator, blocks: list[Block], around: np.ndarray, camera: np.ndarray) -> Room:
    """A room about the character's path `around` (n, 2): its floor positions, which free furniture keeps clear of.

    The camera's position (3,) lies inside."""
    reach = np.abs(around).max(0)
    kind = rng.choice(["room", "outdoors", "backdrop"], p=[0.68, 0.15, 0.17])
    wide, back = rng.uniform(1.3, 4.0) + reach[0], rng.uniform(0.9, 4.5) + max(0, around[:, 1].max())
    wide = max(wide, abs(camera[0]) + 0.3)
    rows = [fabric.surface(rng) for _ in range(4)]
    if rng.random() < 0.6:
        rows[2] = rows[1]
    boxes = []
    add = lambda kind=None: rows.append(fabric.surface(rng, kind)) or len(rows) - 1
    for block in blocks:
        surface = add()
        boxes += _table(block, surface, add("plain")) if block.table else [Box(block.centre, block.half,
                                                                               block.yaw, surface, True)]
    middle, lower = around.mean(0), around.min(0)
    if rng.random() < 0.28:                                   # something in front of the legs
        half = np.array([rng.uniform(0.15, 0.7), rng.uniform(0.12, 0.3), rng.uniform(0.12, 0.45)])
        place = np.array([middle[0] + rng.uniform(-0.6, 0.6), lower[1] - half[1] - rng.uniform(0.3, 0.8), half[2]])
        boxes.append(Box(place, half, float(rng.normal(0, 0.15)), add(), True))
    for _ in range(rng.integers(0, 4)):                       # furniture along the walls
        half = np.array([rng.uniform(0.2, 0.8), rng.uniform(0.15, 0.35), rng.uniform(0.2, 1.0)])
        place = np.array([rng.uniform(-wide, wide), back - half[1] - rng.uniform(0, 0.1), half[2]])
        if place[1] - half[1] > around[:, 1].max() + 0.45:
            boxes.append(Box(place, half, float(rng.normal(0, 0.05)), add(), False))
    boxes += _clutter(rng, [b for b in blocks if b.table or b.half[2] > 0.3], add)
    if kind == "room":
        for _ in range(rng.integers(0, 4)):                   # pictures, windows and doors on the back wall
            half = np.array([rng.uniform(0.15, 0.7), 0.015, rng.uniform(0.15, 0.7)])
            boxes.append(Box(np.array([rng.uniform(-wide, wide), back, rng.uniform(0.9, 2.0)]), half, 0.0,
                add("plain"), False, picture=True))
        if rng.random() < 0.5:                                # a skirting board
            boxes.append(Box(np.array([0, back, 0.05]), np.array([wide, 0.015, 0.05]), 0.0, add("plain"), False))
    sky = np.stack([fabric.colour(rng, (0.7, 1), (0, 0.3)), np.array([rng.uniform(.3, .7), rng.uniform(.5, .8),
        rng.uniform(.75, 1)])])
    return Room(float(wide), float(back), float(max(rng.uniform(2.4, 3.4), camera[2] + 0.3)), kind != "room",
        kind == "backdrop", tuple(boxes),
                np.stack(rows), sky, draw_light(rng), collage(rng))
