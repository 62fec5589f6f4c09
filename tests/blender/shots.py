"""Small scenes for the tests of gathering and placing: coded plates, rigs made by a script, cameras, and readers for
the results."""
import json
import subprocess
import sys
import zlib
from importlib import import_module
from pathlib import Path

import bpy
import numpy as np
from PIL import Image


def strips(editor):
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def coded(number, size=(64, 48)):
    """(height, width, 3) uint8 that encodes its own number: blocks of bits in red, a gradient in green, noise in
    blue."""
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    for bit in range(8):
        picture[:, bit * width // 8:(bit + 1) * width // 8, 0] = 255 * (number >> bit & 1)
    picture[..., 1] = np.linspace(0, 255, height)[:, None]
    picture[..., 2] = np.random.default_rng(number).integers(0, 256, (height, width))
    return picture


def number_in(picture):
    """The number that `coded` wrote."""
    row = picture[picture.shape[0] // 2]
    width = picture.shape[1]
    return sum((row[(2 * bit + 1) * width // 16][0] > 127) << bit for bit in range(8))


def write_sequence(folder, count, size=(64, 48), name="{:04d}.png"):
    """Coded pictures 1..count; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [name.format(i) for i in range(1, count + 1)]
    for i, file in enumerate(names, 1):
        Image.fromarray(coded(i, size)).save(folder / file)
    return names


def image_strip(scene, folder, names, *, start=1, channel=2, name="plate"):
    editor = scene.sequence_editor or scene.sequence_editor_create()
    strip = strips(editor).new_image(name=name, filepath=str(folder / names[0]), channel=channel, frame_start=start,
                                     fit_method="ORIGINAL")
    for file in names[1:]:
        strip.elements.append(file)
    return strip


def set_size(scene, size, percentage=100):
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = percentage


def read(path):
    """(height, width, channels) with the file's own 8 or 16 bits."""
    image = Image.open(path)
    return np.array(image)


def png_bits(path):
    return Path(path).read_bytes()[24]


def read_rgb16(path):
    """(height, width, 3) uint16 of a 16-bit RGB PNG whose rows have any filter; Pillow reads only 8 bits of it."""
    data = Path(path).read_bytes()
    width, height = (int.from_bytes(data[i:i + 4], "big") for i in (16, 20))
    packed, at = b"", 8
    while at < len(data):
        length = int.from_bytes(data[at:at + 4], "big")
        if data[at + 4:at + 8] == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    raw = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, width * 6 + 1)
    rows, above = np.zeros((height, width * 6), np.uint8), np.zeros(width * 6, int)
    for y in range(height):
        rows[y] = above = _unfiltered(raw[y, 0], raw[y, 1:].astype(int), above)
    return rows.reshape(height, width, 3, 2).astype(np.uint16) @ np.array([256, 1], np.uint16)


def _unfiltered(kind, line, above, step=6):
    out = np.zeros(len(line), int)
    for i in range(len(line)):
        left, up = (out[i - step] if i >= step else 0), above[i]
        corner = above[i - step] if i >= step else 0
        if kind == 4:
            p = left + up - corner
            guess = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))[2]
        else:
            guess = (0, left, up, (left + up) // 2)[kind]
        out[i] = (line[i] + guess) % 256
    return out


# Bones of a person 1.8 m tall who faces -Y: name -> (parent, head, tail); {S} is L at +x and R at -x.
PERSON = {
    "hips": ("", (0, 0, 1.0), (0, 0, 1.2)),
    "spine": ("hips", (0, 0, 1.2), (0, 0, 1.5)),
    "neck": ("spine", (0, 0, 1.5), (0, 0, 1.58)),
    "head": ("neck", (0, 0, 1.58), (0, 0, 1.8)),
    "upper_arm.{S}": ("spine", (.18, 0, 1.46), (.45, 0, 1.46)),
    "forearm.{S}": ("upper_arm.{S}", (.45, 0, 1.46), (.70, -.02, 1.46)),
    "hand.{S}": ("forearm.{S}", (.70, -.02, 1.46), (.78, -.02, 1.46)),
    "thigh.{S}": ("hips", (.1, 0, 1.0), (.1, -.01, .52)),
    "shin.{S}": ("thigh.{S}", (.1, -.01, .52), (.1, .02, .09)),
    "foot.{S}": ("shin.{S}", (.1, .02, .09), (.1, -.1, .03)),
    "toe.{S}": ("foot.{S}", (.1, -.1, .03), (.1, -.17, .02)),
}
RIGIFY_NAMES = {"hips": "spine", "spine": "spine.003", "neck": "spine.004", "head": "spine.006"}
MIXAMO_NAMES = {"hips": "Hips", "spine": "Spine", "neck": "Neck", "head": "Head", "upper_arm": "{S}Arm",
                "forearm": "{S}ForeArm", "hand": "{S}Hand", "thigh": "{S}UpLeg", "shin": "{S}Leg", "foot": "{S}Foot",
                "toe": "{S}ToeBase"}
FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")


def metarig_bones(prefix=""):
    """PERSON with Rigify's names."""
    def name(bone):
        return prefix + RIGIFY_NAMES.get(bone, bone) if bone else ""
    return _both_sides({name(bone): (name(parent), head, tail) for bone, (parent, head, tail) in PERSON.items()},
                       {"L": "L", "R": "R"})


def generated_bones():
    """PERSON as Rigify generates it: DEF- bones, arms and legs in two pieces, and control bones with other names."""
    whole, bones = metarig_bones("DEF-"), {}
    for bone, (parent, head, tail) in whole.items():
        split = any(part in bone for part in ("upper_arm", "forearm", "thigh", "shin"))
        parent = parent + ".001" if any(part in parent
                                        for part in ("upper_arm", "forearm", "thigh", "shin")) else parent
        middle = tuple((a + b) / 2 for a, b in zip(head, tail, strict=True))
        bones[bone] = (parent, head, middle if split else tail)
        if split:
            bones[bone + ".001"] = (bone, middle, tail)
    bones["hand_ik.L"] = ("", (.70, -.02, 1.46), (.78, -.02, 1.46))
    bones["torso"] = ("", (0, 0, 1), (0, .3, 1))
    return bones


def mixamo_bones(prefix="mixamorig:", fingers=True):
    """PERSON with Mixamo's names, with three bones for each finger."""
    def name(bone):
        base, dot, _ = bone.partition(".")
        return prefix + MIXAMO_NAMES[base] if bone else ""
    person = {name(bone): (name(parent), head, tail) for bone, (parent, head, tail) in PERSON.items()}
    for i, finger in enumerate(FINGERS if fingers else ()):
        parent = prefix + "{S}Hand"
        for k in (1, 2, 3):
            at = (.75 + .03 * k, -.06 + .02 * i, 1.46)
            person[f"{prefix}{{S}}Hand{finger}{k}"] = (parent, at, (at[0] + .03, *at[1:]))
            parent = f"{prefix}{{S}}Hand{finger}{k}"
    return _both_sides(person, {"L": "Left", "R": "Right"})


def _both_sides(bones, names):
    made = {}
    for bone, (parent, head, tail) in bones.items():
        if "{S}" not in bone:
            made[bone] = (parent, head, tail)
            continue
        for side, x in (("L", 1), ("R", -1)):
            made[bone.format(S=names[side])] = (parent.format(S=names[side]), (x * head[0], *head[1:]),
                                                (x * tail[0], *tail[1:]))
    return made


def blenders_metarig():
    """The 159 bones of Rigify's human metarig. A child process makes them: with Rigify enabled, the 4.2 module crashes
    at exit."""
    code = ("import bpy, json, os\n"
            "bpy.ops.preferences.addon_enable(module='rigify')\n"
            "bpy.ops.object.armature_human_metarig_add()\n"
            "bones = {b.name: (b.parent.name if b.parent else '', list(b.head_local), list(b.tail_local))\n"
            "         for b in bpy.context.object.data.bones}\n"
            "print('BONES' + json.dumps(bones), flush=True)\n"
            "os._exit(0)\n")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return json.loads(next(line[5:] for line in said.splitlines() if line.startswith("BONES")))


def armature(scene, bones, name="rig"):
    """An armature object of `bones` in `scene`."""
    data = bpy.data.armatures.new(name)
    thing = bpy.data.objects.new(name, data)
    scene.collection.objects.link(thing)
    window = bpy.context.window
    before, window.scene = window.scene, scene
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    for bone, (_, head, tail) in bones.items():
        edit = data.edit_bones.new(bone)
        edit.head, edit.tail = head, tail
    for bone, (parent, _, _) in bones.items():
        if parent:
            data.edit_bones[bone].parent = data.edit_bones[parent]
    bpy.ops.object.mode_set(mode="OBJECT")
    window.scene = before
    return thing


def camera(scene, location=(0, -5, 1), rotation=(np.pi / 2, 0, 0), name="camera"):
    thing = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    scene.collection.objects.link(thing)
    thing.location, thing.rotation_euler = location, rotation
    scene.camera = scene.camera or thing
    return thing


def cube(scene, location=(0, 0, 1), size=1.0, name="cube"):
    half = size / 2
    corners = [(x, y, z) for x in (-half, half) for y in (-half, half) for z in (-half, half)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], faces)
    thing = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(thing)
    thing.location = location
    return thing


def poses(folder):
    return [frame["people"] for frame in json.loads((Path(folder) / "pose.json").read_text())["frames"]]


def placed(scene):
    return {strip.name: strip for strip in strips(scene.sequence_editor) if strip.get("aa2_job")}


def folder_of(scene):
    return Path(next(iter(placed(scene).values()))["aa2_job"])


def ours(scene):
    """The settings of a scene's plate: its own from its first Generate on."""
    return import_module("bl_ext.user_default.aa2_blender.settings.plates").settings_of(scene)
