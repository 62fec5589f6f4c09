"""Eyes, brows, lashes, hair or a cap on a figure's head, each carried by the head's bone."""

import math

import bpy
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from . import fabric, materials
from .parts import add_part, apply, dressed
from .rig import carry, face_points

STYLES = ("bob", "long", "short", "short", "crop", "bun", "cap", "bald")
_HANG = {"bob": 0.125, "long": 0.30, "short": 0.03, "crop": 0.012, "bun": 0.02, "cap": 0.0}
_THICK = {"bob": 0.013, "long": 0.013, "short": 0.014, "crop": 0.004, "bun": 0.008, "cap": 0.012}


def add_head(scene, figure, rig, rng, size):
    """The objects; `size`: the figure's height as a part of 1.7 m."""
    face = {name: Vector(place) for name, place in face_points(figure).items()}
    colour = fabric.draw_hair_colour(rng)
    made = _eyes(scene, figure, rig, rng)
    skin = BVHTree.FromPolygons([Vector(p) for p in figure.points], [c for g, c, _ in figure.faces if g == "body"])
    lash = materials.plain("Lash", [0.3 * c for c in colour], 0.6)
    lashes = [f for f in figure.faces if "eyelashes" in f[0]]
    made.append(add_part(scene, figure, rig, "Lashes", lashes, lash))
    for side, out in (("left", 1), ("right", -1)):
        made.append(_brow(scene, rig, skin, face[f"{side}_eye"], out, size, colour))
    style = STYLES[rng.integers(len(STYLES))]
    if style != "bald":
        centre = Vector((0, face["left_eye"].y + 0.085 * size, face["left_eye"].z + 0.012 * size))
        material = fabric.draw_cloth(rng, "Cap") if style == "cap" else fabric.hair(colour)
        made.append(_hair(scene, rig, skin, centre, size, style, material, parting=float(rng.uniform(-40, 40))))
        if style == "bun":
            made.append(_bun(scene, rig, centre, size, material))
    return made


def _eyes(scene, figure, rig, rng):
    iris = [float(c)
            for c in ((0.14, 0.07, 0.03), (0.06, 0.03, 0.015), (0.10, 0.18, 0.28), (0.10, 0.15, 0.07))[rng.integers(4)]]
    made = []
    for side in "lr":
        group = f"helper-{side}-eye"
        thing = add_part(scene, figure, rig, f"Eye {side}", [f for f in figure.faces if f[0] == group], None)
        thing.data.attributes.remove(thing.data.attributes[fabric.REST])
        made.append(dressed(thing, fabric.eye(iris), figure.points[figure.groups[group]].mean(axis=0)))
    return made


def _brow(scene, rig, skin, eye, out, size, colour):
    """A tapering band a millimetre over the skin, arched above the eye."""
    points, faces = [], []
    for k in range(13):
        t = k / 12
        x = eye.x + size * out * (-0.017 + 0.043 * t)
        z = eye.z + size * (0.0225 + 0.0045 * (1 - (2 * t - 1.2) ** 2))
        half = size * 0.0032 * (1 - 0.75 * t ** 2)
        for dz in (-half, half):
            hit, normal, _, _ = skin.ray_cast(Vector((x, -1, z + dz)), Vector((0, 1, 0)))
            points.append(hit + normal * 0.0012 if hit else eye)
        if k:
            faces.append((2 * k - 2, 2 * k, 2 * k + 1, 2 * k - 1))
    return _carried(scene, rig, "Brow", points, faces, materials.plain("Brow", [0.7 * c for c in colour], 0.8))


def _hair(scene, rig, skin, centre, size, style, material, parting):
    """A shell: over the skull, then hanging; open before the face, its fringe swept to one side.

    `centre`: the middle of the skull. Angles run around it from straight ahead (-y) towards the figure's left;
    `parting` in degrees, where the fringe is highest.
    """
    around, dome, hang = 48, 12, 6
    points, faces = [], []
    for row in range(dome + hang):
        for k in range(around):
            way = row / (dome - 1) if row < dome else 1 + (row - dome + 1) / hang
            points.append(_lock(skin, centre, 2 * math.pi * k / around, way, size, style))
    open_at = 0.086 if style in ("crop", "short", "bun") else 0.072
    for row in range(dome + hang - 1):
        for k in range(around):
            corners = [row * around + k, row * around + (k + 1) % around]
            corners += [corners[1] + around, corners[0] + around]
            middle = (sum((points[c] for c in corners), Vector()) / 4 - centre) / size
            ahead = math.degrees(math.atan2(middle.x, -middle.y))
            fringe = open_at - 0.00045 * abs(ahead - parting) if style != "cap" else 0.045
            wide = 66 if style in ("bob", "long") else 80
            if not (abs(ahead) < wide and middle.z < fringe):
                faces.append(corners)
    return _carried(scene, rig, "Hair", points, faces, material, thick=0.8 * _THICK[style])


def _lock(skin, centre, angle, way, size, style):
    """A point of the hair: `way` 0 at the crown, 1 at the skull's widest, 2 at the tips; waved, seen from above."""
    out = Vector((math.sin(angle), -math.cos(angle), 0))
    polar = min(way, 1.0) * math.pi / 2
    direction = out * math.sin(polar) + Vector((0, 0, math.cos(polar)))
    radius = size / math.sqrt((direction.x / 0.080) ** 2 + (direction.y / 0.108) ** 2 + (direction.z / 0.106) ** 2)
    hit = skin.ray_cast(centre + direction * 0.25, -direction, 0.25)[0]
    if hit is not None:                                     # the skull where it is outside the ideal one, ears left out
        radius = min(max(radius, (hit - centre).length), 1.08 * radius)
    point = centre + direction * (radius + _THICK[style] + 0.0025 * math.sin(9 * angle))
    if way > 1:
        behind = 0.5 - 0.5 * math.cos(angle)                # short hair ends above the nape
        point += out * 0.016 * math.sin(2.6 * (way - 1)) * (1 if style in ("bob", "long") else -0.3)
        point += Vector((0, 0, -size * _HANG[style] * (way - 1) * (0.4 + 0.6 * behind)))
    return point


def _bun(scene, rig, centre, size, material):
    points, faces, n = [], [], 10
    middle = centre + Vector((0, 0.115, 0.045)) * size
    for i in range(n + 1):
        for k in range(n):
            a, b = math.pi * i / n, 2 * math.pi * k / n
            points.append(middle
                          + 0.042 * size * Vector((math.sin(a) * math.cos(b), math.sin(a) * math.sin(b), math.cos(a))))
            if i:
                faces.append((i * n - n + k, i * n - n + (k + 1) % n, i * n + (k + 1) % n, i * n + k))
    return _carried(scene, rig, "Bun", points, faces, material)


def _carried(scene, rig, name, points, faces, material, thick=0.0):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points, [], faces)
    thing = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(thing)
    if thick:
        loose, solid = thing.modifiers.new("Loose", "SMOOTH"), thing.modifiers.new("Thick", "SOLIDIFY")
        loose.iterations, solid.thickness = 3, thick
        apply(thing, [loose, solid])
    dressed(thing, material)
    carry(rig, thing, "head")
    return thing
