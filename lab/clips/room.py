"""A generator, a motion's paths and the camera's place -> the set: floor, walls,
furniture behind and in front, light."""

import math
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from . import fabric, materials
from .furniture import build_block, build_prop, build_thing
from .shapes import box
from .surfaces import draw_floor, draw_wall

# CC0, they come with Blender
SKIES = ("city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset")
CLEARANCE = 0.38        # metres between the places that joints reach and furniture that nobody touches


@dataclass(frozen=True)
class Room:
    """`objects`: everything but the performer; `touched`: those that are touched or passed behind; `prop`:
    what moves, or None."""

    objects: list
    touched: list
    prop: object
    outdoors: bool


def build_room(scene, rng, *, action, path, eye):
    """`path` (n, 3): every place a joint comes to; `eye`: the camera's place. Walls stand behind the performer, as seen
    from there, and beside; the camera's own side is open to the sky's light."""
    touched, about = (bpy.data.collections.new(name) for name in ("Touched", "About"))
    for collection in (touched, about):
        scene.collection.children.link(collection)
    for block in action.blocks:
        build_block(touched, rng, block)
    prop = build_prop(touched, rng, action.prop) if action.prop else None
    middle = (path.min(axis=0) + path.max(axis=0)) / 2
    away = middle[:2] - np.array(eye)[:2]
    away = away / np.linalg.norm(away)
    aside = np.array([away[1], -away[0]])                   # to the camera's right
    outdoors = rng.random() < 0.3
    _ground(about, rng, outdoors)
    corners = np.array([(x, y) for block in action.blocks for x in (block.low[0], block.high[0])
                        for y in (block.low[1], block.high[1])]
                       or np.zeros((0, 2))).reshape(-1, 2)
    taken = np.concatenate([path[:, :2], corners])
    back = float(((taken - middle[:2]) @ away).max()) + rng.uniform(0.7, 3.0)
    if not outdoors:
        _walls(about, rng, middle, away, aside, back, float(np.linalg.norm(middle[:2] - np.array(eye)[:2])))
    for _ in range(int(rng.integers(1, 5))):
        spot = middle[:2] + away * rng.uniform(0.3 * back, back - 0.35) + aside * rng.normal(0, 1.3)
        _if_free(about, rng, spot, rng.uniform(0.4, 1.6), taken, action.blocks)
    if rng.random() < 0.4:
        reach = min(1.6, max(0.5, 0.55 * float(np.linalg.norm(middle[:2] - np.array(eye)[:2]))))
        spot = middle[:2] - away * rng.uniform(0.5, reach) + aside * rng.normal(0, 0.3)
        _if_free(touched, rng, spot, rng.uniform(0.35, 0.85), taken, action.blocks)
    light(scene, about, rng, outdoors, math.atan2(away[1], away[0]))
    made = [thing for collection in (touched, about) for thing in collection.all_objects]
    return Room([t for t in made if t.type == "MESH"], [t for t in touched.all_objects if t.type == "MESH"],
                prop, bool(outdoors))


def _if_free(collection, rng, spot, height, taken, blocks):
    """Puts something at the spot, unless a person or another thing stands there."""
    near = np.linalg.norm(taken - spot, axis=1).min() < CLEARANCE + 0.15
    inside = any(b.low[0] - 0.4 < spot[0] < b.high[0] + 0.4 and b.low[1] - 0.4 < spot[1] < b.high[1] + 0.4
                 for b in blocks)
    if not near and not inside:
        build_thing(collection, rng, spot, float(height))


def _ground(about, rng, outdoors):
    size = 30.0 if outdoors else 12.0
    material = draw_floor(rng)
    if outdoors:
        s = materials.Shader("Ground")
        colour = fabric.draw_colour(rng, 0.05, 0.4)
        mixed = s.ramp(s.noise(s.place(), float(rng.uniform(0.5, 4)), 8.0),
                       (0.3, [0.6 * c for c in colour]), (0.7, colour))
        material = s.principled(Base_Color=mixed, Roughness=0.95)
    floor = box(about, "Floor", (-size, -size, -0.1), (size, size, 0), material)
    floor.rotation_euler.z = float(rng.uniform(0, 3.14))


def _walls(about, rng, middle, away, aside, back, near):
    """The back wall, turned a little, a side wall often, a skirting, sometimes a window or a picture."""
    turn = float(rng.uniform(-0.35, 0.35))
    wall, white = draw_wall(rng), materials.plain("Skirting", fabric.draw_colour(rng, 0.2, 0.8), 0.5)
    frame = Matrix.Translation((middle[0], middle[1], 0)) @ Matrix.Rotation(math.atan2(away[1], away[0])
                                                                            - math.pi / 2 + turn, 4, "Z")
    tall, wide = float(rng.uniform(2.4, 3.4)), 7.0
    back = back / math.cos(turn) + 0.6 * abs(math.tan(turn))
    pieces = [box(about, "Back wall", (-wide, back, 0), (wide, back + 0.1, tall), wall),
              box(about, "Skirting", (-wide, back - 0.02, 0), (wide, back, float(rng.uniform(0.06, 0.2))), white)]
    for side in (-1, 1):
        if rng.random() < 0.4:
            x = side * rng.uniform(1.9, 3.5)
            pieces.append(box(about, "Side wall", (min(x, x + side * 0.1), -near * 0.5, 0),
                              (max(x, x + side * 0.1), back, tall), wall if rng.random() < 0.6 else draw_wall(rng)))
    for _ in range(int(rng.integers(0, 4))):
        x, z, w, h = rng.uniform(-2.2, 2.2), rng.uniform(1.1, 1.9), rng.uniform(0.15, 0.6), rng.uniform(0.15, 0.5)
        colours = [fabric.draw_colour(rng) for _ in range(3)]
        pieces.append(box(about, "Picture", (x - w, back - 0.03, z - h), (x + w, back, z + h),
                          materials.painting("Picture", *colours)))
    for piece in pieces:
        piece.matrix_world = frame @ Matrix.Translation(piece.location)


def light(scene, collection, rng, outdoors, facing):
    """The sky, from one of Blender's own panoramas or one colour; then a sun, or one or two lamps, or neither."""
    world = bpy.data.worlds.new("Sky")
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    background = nodes["Background"]
    if outdoors or rng.random() < 0.6:
        name = SKIES[rng.integers(len(SKIES))]
        picture, turn, where = (nodes.new(f"ShaderNode{kind}") for kind in ("TexEnvironment", "Mapping", "TexCoord"))
        picture.image = bpy.data.images.load(str(skies() / f"{name}.exr"), check_existing=True)
        turn.inputs["Rotation"].default_value[2] = float(rng.uniform(0, 6.28))
        links.new(where.outputs["Generated"], turn.inputs["Vector"])
        links.new(turn.outputs["Vector"], picture.inputs["Vector"])
        links.new(picture.outputs["Color"], background.inputs["Color"])
    else:
        background.inputs["Color"].default_value = materials.rgba([float(c) for c in rng.uniform(0.6, 1.0, 3)])
    background.inputs["Strength"].default_value = float(rng.uniform(0.35, 1.0))
    # its own choice takes a second or two
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 256
    scene.world = world
    kind = rng.random()
    if kind < 0.6:
        sun = _lamp(collection, "Sun", "SUN", float(rng.uniform(1.0, 5.0)), rng)
        sun.data.angle = math.radians(float(rng.uniform(0.5, 12)))
        azimuth, height = facing + math.pi + rng.uniform(-1.9, 1.9), rng.uniform(0.4, 1.25)
        way = Vector((math.cos(azimuth) * math.cos(height), math.sin(azimuth) * math.cos(height), math.sin(height)))
        sun.rotation_euler = way.to_track_quat("Z", "Y").to_euler()
    elif kind < 0.92:
        for _ in range(int(rng.integers(1, 3))):
            lamp = _lamp(collection, "Lamp", "AREA", float(rng.uniform(60, 260)), rng)
            azimuth = facing + math.pi + rng.uniform(-1.6, 1.6)
            lamp.data.size = float(rng.uniform(0.2, 1.5))
            lamp.location = (2.6 * math.cos(azimuth), 2.6 * math.sin(azimuth), float(rng.uniform(1.8, 3.2)))
            lamp.rotation_euler = (lamp.location - Vector((0, 0, 0.9))).to_track_quat("Z", "Y").to_euler()


def skies() -> Path:
    return Path(bpy.utils.resource_path("LOCAL")) / "datafiles" / "studiolights" / "world"


def _lamp(collection, name, kind, energy, rng):
    thing = bpy.data.objects.new(name, bpy.data.lights.new(name, kind))
    warmth = float(rng.uniform(-0.25, 0.25))
    thing.data.energy, thing.data.color = energy, (1 + min(0, warmth), 1 - 0.15 * abs(warmth), 1 - max(0, warmth))
    collection.objects.link(thing)
    return thing
