"""Blocks that a motion touches, things that stand about, things that are held -> objects in a collection."""

import bpy
import numpy as np
from mathutils import Vector

from . import fabric, materials
from .shapes import add, box, lathe
from .surfaces import draw_surface


def build_block(collection, rng, block):
    """A table with legs, a bench, or a solid box, within the block's corners."""
    low, high = Vector(block.low), Vector(block.high)
    material = draw_surface(rng, block.kind.title())
    if block.kind == "box":
        return box(collection, "Box", low, high, material, 0.008)
    thick, leg = float(rng.uniform(0.025, 0.06)), float(rng.uniform(0.02, 0.045))
    box(collection, "Top", (low.x, low.y, high.z - thick), high, material, 0.006)
    other = material if rng.random() < 0.5 else draw_surface(rng, "Legs")
    for x in (low.x + leg, high.x - leg):
        for y in (low.y + leg, high.y - leg):
            box(collection, "Leg", (x - leg / 2, y - leg / 2, low.z), (x + leg / 2, y + leg / 2, high.z - thick), other)
    if block.kind == "table" and rng.random() < 0.3:
        box(collection, "Front", (low.x + leg, low.y, high.z * 0.35),
            (high.x - leg, low.y + 0.02, high.z - thick), other)
    return None


def build_thing(collection, rng, at, height):
    """Something that stands at `at` (x, y), about `height` metres tall: a chest, a chair, a lamp,
    a vase or a plant's pot."""
    kind, material = rng.integers(5), draw_surface(rng, "Thing")
    x, y = at
    if kind == 0:
        w, d = rng.uniform(0.2, 0.5), rng.uniform(0.15, 0.3)
        box(collection, "Chest", (x - w, y - d, 0), (x + w, y + d, height), material, 0.01)
        for k in range(int(rng.integers(2, 5))):
            z = height * (k + 0.5) / 4
            box(collection, "Handle", (x - 0.1, y - d - 0.015, z), (x + 0.1, y - d, z + 0.02),
                draw_surface(rng, "Handle"))
    elif kind == 1:
        w, seat = 0.22, 0.5 * height
        box(collection, "Seat", (x - w, y - w, seat - 0.03), (x + w, y + w, seat), material, 0.006)
        for dx in (-w + 0.02, w - 0.02):
            for dy in (-w + 0.02, w - 0.02):
                box(collection, "Leg", (x + dx - 0.018, y + dy - 0.018, 0),
                    (x + dx + 0.018, y + dy + 0.018, height if dy > 0 else seat), material)
        for k in range(3):
            z = seat + (height - seat) * (0.3 + 0.3 * k)
            box(collection, "Rail", (x - w, y + w - 0.03, z), (x + w, y + w - 0.01, z + 0.06), material)
    elif kind == 2:
        lathe(collection, "Lamp", ((0.13, 0), (0.13, 0.02), (0.015, 0.03), (0.015, 0.75 * height),
                                   (0.16, 0.76 * height), (0.10, height), (0.0, height)),
              material, (x, y, 0))
    elif kind == 3:
        r = rng.uniform(0.08, 0.2)
        lathe(collection, "Vase", ((0.6 * r, 0), (r, 0.3 * height), (0.9 * r, 0.6 * height), (0.35 * r, 0.85 * height),
                                   (0.5 * r, height), (0.0, 0.98 * height)),
              material, (x, y, 0))
    else:
        _bush(collection, rng, Vector((x, y, 0)), height, material)


def _bush(collection, rng, at, height, pot):
    """A pot with a ball of leaves, each a bent quad."""
    lathe(collection, "Pot", ((0.10, 0), (0.15, 0.28 * height), (0.13, 0.27 * height), (0.0, 0.26 * height)), pot, at)
    points, faces = [], []
    for _ in range(140):
        out = Vector(rng.normal(size=3)).normalized()
        root = at + Vector((0, 0, 0.62 * height)) + out * 0.30 * height * float(rng.uniform(0.5, 1.0))
        side = out.cross(Vector(rng.normal(size=3))).normalized()
        size = 0.10 * height * float(rng.uniform(0.6, 1.2))
        points += [root, root + (out + side) * size * 0.5, root + out * size * 1.4, root + (out - side) * size * 0.5]
        faces.append(tuple(range(len(points) - 4, len(points))))
    mesh = bpy.data.meshes.new("Leaves")
    mesh.from_pydata(points, [], faces)
    add(collection, "Leaves", mesh,
        materials.plain("Leaf", (float(rng.uniform(0.02, 0.12)), float(rng.uniform(0.08, 0.25)), 0.03), 0.5))


def build_prop(collection, rng, prop):
    """What is held, its middle at the origin; the caller moves it."""
    x, y, z = (s / 2 for s in prop.size)
    material = fabric.draw_colour(rng, 0.05, 0.8)
    material = materials.plain("Prop", material,
                               float(rng.uniform(0.2, 0.8))) if rng.random() < 0.6 else draw_surface(rng, "Prop")
    if prop.kind == "box":
        return box(collection, "Prop", (-x, -y, -z), (x, y, z), material, 0.006)
    if prop.kind == "ball":
        angles = np.linspace(-np.pi / 2, np.pi / 2, 13)
        return lathe(collection, "Prop", [(x * np.cos(a) + 1e-4, x * np.sin(a)) for a in angles],
                     material, (0, 0, 0), 24)
    if prop.kind == "cup":
        return lathe(collection, "Prop", ((0.75 * x, -z), (x, z), (0.9 * x, z), (0.68 * x, -0.85 * z),
                                          (0.0, -0.85 * z)), material, (0, 0, 0), 24)
    return lathe(collection, "Prop", ((x, -z), (x, z), (0.0, z)), material, (0, 0, 0), 12)
