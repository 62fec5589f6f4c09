"""The demo's room: builds floor, walls, window, furniture and light into a scene; returns what is touched.

Metres; the camera looks along +y, the floor is z = 0. The table and its props go into the collection "Touched".
"""
import math
import random
from itertools import pairwise

import bmesh
import bpy  # first: it brings bmesh
import materials
from mathutils import Vector
from shapes import add, box, finished, lathe

TABLE_TOP = 0.90            # height of the table's upper face: a standing table
TABLE_X = (0.16, 1.62)
TABLE_Y = (-0.50, 0.16)
BACK_WALL, LEFT_WALL, RIGHT_WALL, CEILING = 1.75, -2.75, 3.3, 2.9
WINDOW_Y, WINDOW_Z = (-1.25, 0.55), (0.85, 2.35)


def build(scene):
    """Everything that the camera sees, in two collections of `scene`: "Room" and "Touched"."""
    room, touched = (bpy.data.collections.new(name) for name in ("Room", "Touched"))
    for collection in (room, touched):
        scene.collection.children.link(collection)
    shell(room)
    furnish(room)
    table(touched)
    props(touched)
    light(scene, room)
    return touched


# --- shapes ---------------------------------------------------------------------------------------------------------

def leafy(collection, name, material, at, *, stems, height, spread, leaf, seed):
    """A spray of stems with paired oval leaves, one mesh; `leaf` is (length, width)."""
    rng, bm = random.Random(seed), bmesh.new()
    for k in range(stems):
        turn = 2 * math.pi * (k + 0.4 * rng.random()) / stems
        reach, top = spread * rng.uniform(0.6, 1.0), height * rng.uniform(0.75, 1.0)
        path = [Vector((reach * math.cos(turn) * t ** 1.6, reach * math.sin(turn) * t ** 1.6, top * t))
                for t in (i / 9 for i in range(10))]
        for here, there in pairwise(path):
            strip(bm, here, there, 0.003)
        for i, point in enumerate(path[2:], 2):
            for side in (-1, 1):
                along = (path[i] - path[i - 1]).normalized()
                out = along.cross(Vector((math.cos(turn + i), math.sin(turn + i), 0.3))).normalized() * side
                size = (1.1 - 0.05 * i) * rng.uniform(0.8, 1.1)
                oval(bm, point, (out + 0.6 * along + 0.2 * Vector((0, 0, rng.uniform(-1, 1)))).normalized(), along,
                     leaf[0] * size, leaf[1] * size)
    return add(collection, name, finished(bm, name), material, at, smooth=True)


def strip(bm, a, b, half):
    """A thin three-sided stem piece."""
    ring = [Vector((half * math.cos(t), half * math.sin(t), 0)) for t in (0, 2.1, 4.2)]
    low, high = ([bm.verts.new(p + r) for r in ring] for p in (a, b))
    for i in range(3):
        bm.faces.new((low[i], low[(i + 1) % 3], high[(i + 1) % 3], high[i]))


def oval(bm, root, direction, along, length, width):
    """One leaf: a pointed oval of two halves folded along its middle."""
    across = direction.cross(along).cross(direction).normalized()
    up = direction.cross(across)
    middle = [bm.verts.new(root + direction * length * t - up * 0.12 * length * t * t) for t in (0, 0.35, 0.7, 1)]
    for side in (-1, 1):
        edge = [bm.verts.new(root + direction * length * t + across * side * width * w + up * 0.15 * width)
                for t, w in ((0.3, 0.45), (0.65, 0.4))]
        for face in ((middle[0], edge[0], middle[1]), (middle[1], edge[0], edge[1], middle[2]),
                     (middle[2], edge[1], middle[3])):
            bm.faces.new(face if side > 0 else tuple(reversed(face)))


# --- the room -------------------------------------------------------------------------------------------------------

def shell(room):
    sage = materials.plaster("Sage wall", (0.30, 0.36, 0.29))
    white = materials.plain("White paint", (0.72, 0.70, 0.66), 0.45)
    box(room, "Floor", (LEFT_WALL, -6, -0.1), (RIGHT_WALL, BACK_WALL, 0),
        materials.planks("Oak boards", (0.36, 0.20, 0.095), (0.23, 0.12, 0.055)))
    box(room, "Back wall", (LEFT_WALL, BACK_WALL, 0), (RIGHT_WALL, BACK_WALL + 0.1, CEILING), sage)
    box(room, "Right wall", (RIGHT_WALL, -3, 0), (RIGHT_WALL + 0.1, BACK_WALL, CEILING), sage)
    box(room, "Ceiling", (LEFT_WALL, -2.2, CEILING), (RIGHT_WALL, BACK_WALL, CEILING + 0.1), white)
    box(room, "Skirting", (LEFT_WALL, BACK_WALL - 0.018, 0), (RIGHT_WALL, BACK_WALL, 0.13), white, 0.006)
    box(room, "Picture rail", (LEFT_WALL, BACK_WALL - 0.03, 2.42), (RIGHT_WALL, BACK_WALL, 2.46), white, 0.006)
    window(room, sage, white)


def window(room, wall, white):
    """The left wall with its window, which the camera does not see but whose light it does."""
    x0, x1 = LEFT_WALL - 0.1, LEFT_WALL
    (y0, y1), (z0, z1) = WINDOW_Y, WINDOW_Z
    for name, low, high in (("Left wall front", (x0, -3, 0), (x1, y0, CEILING)),
                            ("Left wall back", (x0, y1, 0), (x1, BACK_WALL, CEILING)),
                            ("Left wall below", (x0, y0, 0), (x1, y1, z0)),
                            ("Left wall above", (x0, y0, z1), (x1, y1, CEILING))):
        box(room, name, low, high, wall)
    for k in range(4):
        y = y0 + (y1 - y0) * k / 3
        box(room, "Mullion", (x0, y - 0.025, z0), (x1 - 0.03, y + 0.025, z1), white)
    for k in range(3):
        z = z0 + (z1 - z0) * k / 2
        box(room, "Bar", (x0, y0, z - 0.025), (x1 - 0.03, y1, z + 0.025), white)


def furnish(room):
    oak = materials.wood("Pale oak", (0.50, 0.31, 0.16), (0.30, 0.17, 0.08))
    white = materials.plain("Passe-partout", (0.75, 0.73, 0.68), 0.8)
    box(room, "Rug", (-1.75, -1.15, 0), (0.75, 0.85, 0.012),
        materials.woven("Wool rug", (0.42, 0.36, 0.28), (0.20, 0.075, 0.045)), 0.005)
    picture(room, (-0.93, 1.62), (0.62, 0.82), oak, white, "Coast",
            (0.55, 0.42, 0.25), (0.60, 0.20, 0.08), (0.05, 0.16, 0.20), (0.62, 0.55, 0.42))
    picture(room, (-0.16, 1.70), (0.44, 0.58), oak, white, "Dusk",
            (0.04, 0.07, 0.14), (0.50, 0.24, 0.14), (0.66, 0.47, 0.24))
    shelf(room, oak)
    plant(room)


def picture(room, centre, size, frame, mount, name, *colours):
    (x, z), (w, h), y = centre, size, BACK_WALL
    for part, inset, depth, material in (("frame", 0, 0.035, frame), ("mount", 0.025, 0.037, mount),
                                         ("canvas", 0.095, 0.039, materials.painting(name, *colours))):
        box(room, f"{name} {part}", (x - w / 2 + inset, y - depth, z - h / 2 + inset),
            (x + w / 2 - inset, y, z + h / 2 - inset), material, 0.004)


def shelf(room, oak):
    """A wall shelf with books, seeded."""
    rng, z = random.Random(4), 1.52
    box(room, "Shelf", (0.72, BACK_WALL - 0.24, z - 0.035), (2.15, BACK_WALL, z), oak, 0.004)
    cloths = [materials.plain(f"Cloth {i}", c, 0.8) for i, c in enumerate(
        ((0.35, 0.07, 0.05), (0.06, 0.13, 0.20), (0.55, 0.42, 0.20), (0.65, 0.60, 0.50), (0.10, 0.17, 0.11)))]
    x = 0.82
    while x < 1.5:
        wide, tall, deep = rng.uniform(0.022, 0.05), rng.uniform(0.19, 0.28), rng.uniform(0.14, 0.19)
        box(room, "Book", (x, BACK_WALL - 0.03 - deep, z), (x + wide, BACK_WALL - 0.03, z + tall), rng.choice(cloths),
            0.002)
        x += wide + 0.002
    lathe(room, "Bowl", ((0.05, 0), (0.10, 0.03), (0.145, 0.09), (0.138, 0.09), (0.09, 0.035), (0.0, 0.02)),
          materials.glaze("Bowl glaze", (0.62, 0.58, 0.50), (0.45, 0.22, 0.12)), (1.82, BACK_WALL - 0.14, z))


def plant(room):
    """A big pot plant in the right corner."""
    at = Vector((2.35, 1.2, 0))
    lathe(room, "Pot", ((0.13, 0), (0.19, 0.30), (0.21, 0.42), (0.19, 0.42), (0.17, 0.37), (0.0, 0.36)),
          materials.plain("Terracotta", (0.42, 0.16, 0.08), 0.8), at)
    leafy(room, "Ficus", materials.plain("Ficus leaf", (0.035, 0.12, 0.03), 0.35), at + Vector((0, 0, 0.35)),
          stems=9, height=1.15, spread=0.55, leaf=(0.20, 0.15), seed=3)


def table(touched):
    oak = materials.wood("Table oak", (0.44, 0.24, 0.11), (0.22, 0.10, 0.04))
    iron = materials.plain("Black iron", (0.02, 0.02, 0.022), 0.4, Metallic=0.6)
    (x0, x1), (y0, y1) = TABLE_X, TABLE_Y
    box(touched, "Table top", (x0, y0, TABLE_TOP - 0.045), (x1, y1, TABLE_TOP), oak, 0.006)
    for x in (x0 + 0.07, x1 - 0.07):
        for y in (y0 + 0.07, y1 - 0.07):
            box(touched, "Table leg", (x - 0.02, y - 0.02, 0), (x + 0.02, y + 0.02, TABLE_TOP - 0.045), iron, 0.003)
        box(touched, "Table rail", (x - 0.015, y0 + 0.07, 0.16), (x + 0.015, y1 - 0.07, 0.19), iron)
    box(touched, "Table rail", (x0 + 0.07, (y0 + y1) / 2 - 0.015, 0.16), (x1 - 0.07, (y0 + y1) / 2 + 0.015, 0.19), iron)


def props(touched):
    """A vase with eucalyptus, two books and a cup."""
    z = TABLE_TOP
    vase = Vector((1.14, -0.16, z + 0.075))
    lathe(touched, "Vase", ((0.055, -0.075), (0.09, -0.02), (0.105, 0.05), (0.085, 0.12), (0.045, 0.165), (0.05, 0.20),
                            (0.043, 0.20), (0.038, 0.165), (0.0, 0.13)),
          materials.glaze("Vase glaze", (0.07, 0.20, 0.23), (0.50, 0.30, 0.19)), vase)
    leaf = materials.plain("Eucalyptus leaf", (0.16, 0.27, 0.20), 0.6)
    leafy(touched, "Eucalyptus", leaf, vase + Vector((0, 0, 0.15)),
          stems=7, height=0.46, spread=0.24, leaf=(0.062, 0.055), seed=11)
    paper = materials.plain("Paper", (0.75, 0.71, 0.62), 0.9)
    for name, height, turn, colour in (("Red book", 0.0, 0.15, (0.40, 0.06, 0.04)),
                                       ("Blue book", 0.034, -0.1, (0.05, 0.12, 0.22))):
        book(touched, name, (0.74, -0.30, z + height), turn, materials.plain(f"{name} cloth", colour, 0.7), paper)
    cup = materials.plain("White china", (0.78, 0.76, 0.72), 0.15)
    lathe(touched, "Cup", ((0.03, 0), (0.042, 0.012), (0.046, 0.085), (0.042, 0.085), (0.038, 0.015), (0.0, 0.012)),
          cup, (0.76, -0.29, z + 0.068))


def book(touched, name, at, turn, cloth, paper):
    for part, size, shift, material in (("cover", (0.115, 0.085, 0.017), (0, 0, 0.017), cloth),
                                        ("pages", (0.117, 0.081, 0.013), (0.004, -0.006, 0.017), paper)):
        ob = box(touched, f"{name} {part}", [-s for s in size], size, material, 0.002)
        ob.location, ob.rotation_euler.z = Vector(at) + Vector(shift), turn


# --- light ----------------------------------------------------------------------------------------------------------

def light(scene, room):
    """A low sun through the window, sky through it as well, and a dim even fill from behind the camera."""
    sun = lamp(room, "Sun", "SUN", 9.0, (1.0, 0.74, 0.47))
    sun.data.angle = math.radians(0.8)
    sun.rotation_euler = Vector((-1.0, -0.62, 0.36)).to_track_quat("Z", "Y").to_euler()
    sky = lamp(room, "Window sky", "AREA", 110.0, (0.80, 0.90, 1.0))
    sky.data.shape, sky.data.size, sky.data.size_y = "RECTANGLE", WINDOW_Y[1] - WINDOW_Y[0], WINDOW_Z[1] - WINDOW_Z[0]
    sky.location = (LEFT_WALL + 0.02, sum(WINDOW_Y) / 2, sum(WINDOW_Z) / 2)
    sky.rotation_euler = (0, math.radians(-90), 0)
    world = bpy.data.worlds.new("Daylight")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.85, 0.90, 1.0, 1.0)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.42
    scene.world = world


def lamp(room, name, kind, energy, colour):
    ob = bpy.data.objects.new(name, bpy.data.lights.new(name, kind))
    ob.data.energy, ob.data.color = energy, colour
    room.objects.link(ob)
    return ob
