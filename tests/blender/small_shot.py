"""The smallest whole shot: four frames of 64x48, a figure of bare bones in front of the camera, a reference picture."""
import math
from pathlib import Path

import bpy
from PIL import Image

SIZE = (64, 48)
FRAMES = 4
# Mixamo's names -> (parent, head, tail) of a figure 1.75 m tall that faces -y; metres.
BONES = {
    "Hips": ("", (0, 0, 0.95), (0, 0, 1.1)), "Spine": ("Hips", (0, 0, 1.1), (0, 0, 1.45)),
    "Neck": ("Spine", (0, 0, 1.45), (0, 0, 1.55)), "Head": ("Neck", (0, 0, 1.55), (0, 0, 1.75)),
    **{f"{side}{name}": (parent and (parent if parent in ("Spine", "Hips") else side + parent),
                         (sign * a[0], a[1], a[2]), (sign * b[0], b[1], b[2]))
       for side, sign in (("Left", 1), ("Right", -1)) for name, parent, a, b in (
           ("Arm", "Spine", (0.18, 0, 1.42), (0.45, 0, 1.42)), ("ForeArm", "Arm", (0.45, 0, 1.42), (0.7, 0, 1.42)),
           ("Hand", "ForeArm", (0.7, 0, 1.42), (0.8, 0, 1.42)), ("UpLeg", "Hips", (0.1, 0, 0.95), (0.1, 0, 0.5)),
           ("Leg", "UpLeg", (0.1, 0, 0.5), (0.1, 0, 0.08)), ("Foot", "Leg", (0.1, 0, 0.08), (0.1, -0.12, 0.02)),
           ("ToeBase", "Foot", (0.1, -0.12, 0.02), (0.1, -0.2, 0.02)))},
}


def make(folder: Path):
    """Fills the open, empty file with the shot, its files in `folder`; the scene, with its settings made."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.frame_end = FRAMES
    scene.view_settings.view_transform = "Standard"
    scene.aa2.strip = _plate(scene, folder).name
    reference = folder / "reference.png"
    Image.new("RGB", (48, 96), (40, 160, 90)).save(reference)
    scene.aa2.reference_path = str(reference)
    scene.aa2.armature = _rig(scene)
    _camera(scene)
    scene.aa2.output = str(folder / "jobs")
    return scene


def _plate(scene, folder):
    for number in range(1, FRAMES + 1):
        Image.new("RGB", SIZE, (60 + 10 * number, 90, 120)).save(folder / f"plate_{number:04d}.png")
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_image(name="plate", filepath=str(folder / "plate_0001.png"), channel=1, frame_start=1)
    for number in range(2, FRAMES + 1):
        strip.elements.append(f"plate_{number:04d}.png")
    return strip


def _rig(scene):
    data = bpy.data.armatures.new("figure")
    rig = bpy.data.objects.new("figure", data)
    scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name, (parent, head, tail) in BONES.items():
        bone = data.edit_bones.new(f"mixamorig:{name}")
        bone.head, bone.tail = head, tail
        bone.parent = data.edit_bones[f"mixamorig:{parent}"] if parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def _camera(scene):
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location, camera.rotation_euler = (0, -5, 0.95), (math.pi / 2, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
