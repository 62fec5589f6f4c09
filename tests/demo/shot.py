"""Makes the demo shot: `python shot.py FOLDER` writes FOLDER/shot.blend, plate.mp4 and plate/0001.png ... .

Runs in the bpy module (4.5). Scene "Shot" has the room, the keyed Rigify metarig "Performer" and the camera; scene
"Edit" has the plate as a movie strip, trimmed at both ends, that starts at frame 25. The camera pans and tilts about
its own optical centre (a nodal head), so the room is path-traced once, wider and finer than the frame, and every frame
of the plate is that picture seen through the panned camera: exact, and minutes instead of an hour.
"""
import argparse
import math
import os
import sys
from pathlib import Path

import bpy
from mathutils import Euler, Vector

sys.path.append(str(Path(__file__).resolve().parents[2] / "lab" / "clips"))     # materials and puppet
import room
import walk
from film import encode

SIZE, FPS = (960, 540), 24
SHOT_START = 101                        # the shot scene's frame of the movie's first picture
EDIT_START, TRIM = 25, 3                # the edit scene's first visible frame; pictures trimmed off each end
EYE = Vector((-0.30, -4.95, 1.42))      # the camera's optical centre
LENS, STILL_LENS = 39.0, 31.0           # millimetres on a 36 mm sensor; the still is wider by the pan
STILL_TURN, STILL_FINENESS = -1.2, 1.3  # degrees of pan in the still's middle; its pixels a plate pixel
RIG_SCALE = 0.9                         # the metarig is 1.98 m tall, the performer 1.78 m
PAN = ((1, -2.6), (8, -2.5), (38, 0.2), (54, 0.35))
TILT = ((1, -5.0), (30, -4.6), (54, -4.5))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--percent", type=int, default=100, help="size of the plate")
    parser.add_argument("--threads", type=int, default=0, help="0: all")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    shot = build_shot(args.percent)
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str(args.folder.resolve() / "shot.blend"))
    still = render_still(shot, args.folder / "still.png", args.samples, args.threads)
    render_plate(shot, still, args.folder / "plate", args.threads)
    encode(sorted((args.folder / "plate").glob("*.png")), args.folder / "plate.mp4", shot)
    build_edit(args.percent)
    bpy.ops.wm.save_mainfile()


def build_shot(percent=100):
    """The shot scene: room, performer, camera, frame range."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    shot = bpy.context.scene
    shot.name = "Shot"
    size_scene(shot, percent)
    shot.frame_start, shot.frame_end = SHOT_START, SHOT_START + walk.FRAMES - 1
    room.build(shot)
    walk.perform(performer(shot), room.TABLE_TOP, SHOT_START)
    shot.camera = camera(shot)
    shot.frame_set(SHOT_START)
    return shot


def size_scene(scene, percent):
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = percent
    scene.render.fps = FPS


def performer(scene):
    """A Rigify human metarig, at the origin."""
    if "rigify" not in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_enable(module="rigify")
    bpy.ops.object.armature_human_metarig_add()
    rig = bpy.context.object
    rig.name = rig.data.name = "Performer"
    rig.location, rig.scale = (0, 0, 0), [RIG_SCALE] * 3
    return rig


def camera(scene):
    """A camera that follows the walk by turning only, with a little of the hand that turns it."""
    ob = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(ob)
    ob.data.lens, ob.location = LENS, EYE
    for frame in range(1, walk.FRAMES + 1):
        shake = [0.05 * math.sin(frame / 5.3) + 0.03 * math.sin(frame / 2.9 + 1), 0.05 * math.sin(frame / 6.1 + 2)]
        ob.rotation_euler = aim(walk.through(frame, PAN) + shake[0], walk.through(frame, TILT) + shake[1])
        ob.keyframe_insert("rotation_euler", frame=SHOT_START + frame - 1)
    return ob


def aim(pan, tilt):
    """Camera rotation: degrees to the right of +y and above the horizon."""
    return Euler((math.radians(90 + tilt), 0, math.radians(-pan)))


# --- the plate ------------------------------------------------------------------------------------------------------

def render_still(shot, path, samples, threads):
    """Path-trace the room once through a wider lens; returns (picture, camera rotation)."""
    eye, percent = shot.camera, shot.render.resolution_percentage
    wide = bpy.data.objects.new("Still", bpy.data.cameras.new("Still"))
    wide.data.lens, wide.location = STILL_LENS, EYE
    wide.rotation_euler = aim(STILL_TURN, -4.6)
    shot.collection.objects.link(wide)
    shot.camera = wide
    cycles(shot, samples, threads)
    shot.cycles.use_denoising = True
    shot.cycles.max_bounces, shot.cycles.diffuse_bounces, shot.cycles.glossy_bounces = 5, 4, 2
    shot.cycles.caustics_reflective = shot.cycles.caustics_refractive = False
    shot.view_settings.view_transform, shot.view_settings.exposure = "AgX", 0.6
    shot.view_settings.look = "AgX - Medium High Contrast"
    shot.render.image_settings.color_depth = "16"
    shot.render.resolution_percentage = round(percent * STILL_FINENESS * LENS / STILL_LENS)
    write(shot, path)
    bpy.ops.render.render(write_still=True, scene=shot.name)
    shot.camera, shot.render.resolution_percentage = eye, percent
    rotation = wide.rotation_euler.copy()
    bpy.data.cameras.remove(wide.data)
    return path, rotation


def cycles(scene, samples, threads):
    scene.render.engine = "CYCLES"
    scene.cycles.samples = samples
    scene.render.threads_mode, scene.render.threads = ("FIXED", threads) if threads else ("AUTO", 0)


def write(scene, path):
    scene.render.filepath = str(Path(path).resolve())
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGB"


def render_plate(shot, still, folder, threads):
    """Photograph the still with the panning camera, frame by frame."""
    stage = bpy.data.scenes.new("Stage")
    size_scene(stage, shot.render.resolution_percentage)
    stage.collection.objects.link(card(*still))
    stage.camera = shot.camera
    stage.collection.objects.link(shot.camera)
    stage.frame_start, stage.frame_end = shot.frame_start, shot.frame_end
    cycles(stage, 6, threads)
    stage.cycles.use_denoising, stage.cycles.max_bounces, stage.cycles.pixel_filter_type = False, 0, "BLACKMAN_HARRIS"
    stage.cycles.filter_width = 1.2
    stage.view_settings.view_transform = "Standard"
    bpy.context.window.scene = stage                        # else its animation is not evaluated
    for number in range(1, walk.FRAMES + 1):
        stage.frame_set(SHOT_START + number - 1)
        write(stage, folder / f"{number:04}.png")
        bpy.ops.render.render(write_still=True, scene=stage.name)
    bpy.context.window.scene = shot
    bpy.data.scenes.remove(stage)


def card(path, rotation):
    """The still as a luminous card at ten metres, filling exactly the view that it was rendered with."""
    far, half = 10.0, 10.0 * 18.0 / STILL_LENS
    tall = half * SIZE[1] / SIZE[0]
    mesh = bpy.data.meshes.new("Card")
    corners = [(-half, -tall, -far), (half, -tall, -far), (half, tall, -far), (-half, tall, -far)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    mesh.uv_layers.new().uv.foreach_set("vector", (0, 0, 1, 0, 1, 1, 0, 1))
    material = bpy.data.materials.new("Card")
    material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    picture, light, out = (nodes.new(f"ShaderNode{kind}") for kind in ("TexImage", "Emission", "OutputMaterial"))
    picture.image, picture.interpolation = bpy.data.images.load(str(path)), "Cubic"
    material.node_tree.links.new(picture.outputs["Color"], light.inputs["Color"])
    material.node_tree.links.new(light.outputs["Emission"], out.inputs["Surface"])
    mesh.materials.append(material)
    ob = bpy.data.objects.new("Card", mesh)
    ob.location, ob.rotation_euler = EYE, rotation
    return ob


def build_edit(percent=100):
    """The edit scene: the plate on channel 1, trimmed, its first visible picture on frame EDIT_START."""
    edit = bpy.data.scenes.new("Edit")
    size_scene(edit, percent)
    edit.view_settings.view_transform = "Standard"
    strip = edit.sequence_editor_create().strips.new_movie("Room", "//plate.mp4", 1, EDIT_START - TRIM)
    strip.frame_offset_start = strip.frame_offset_end = TRIM
    edit.frame_start, edit.frame_end = strip.frame_final_start, strip.frame_final_end - 1
    bpy.context.window.scene = edit
    return edit


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
