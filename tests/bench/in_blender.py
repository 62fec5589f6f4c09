"""The bench's part inside Blender: `python in_blender.py JOB PACK ANSWER` in a bpy with the zip of AA2_ZIP.

Measures gathering the armature compared with only its frame loop, gathering the plate compared with only its render,
a ball of the light compared with the start of a render, and the engine through the link. Writes the numbers as JSON to
ANSWER. PACK "" means the embedded weights.
"""
import importlib
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import bpy
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "demo"))
MODULE = "bl_ext.user_default.aa2_blender"
TURNS, POSE_FRAMES, PLATE_FRAMES, PLATE = 5, 240, 24, (1920, 1080)
BALL_TURNS = 25             # of some 20 ms each, which vary
PUMP_S = 0.05


def main():
    job, pack, answer = sys.argv[1:]
    bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default",
                                             enable_on_install=True)
    numbers = {"pose_vs_frame_set": pose_ratio(), **link_times(Path(job), pack)}
    numbers["plate_vs_render"] = plate_ratio()
    numbers |= ball_ratios()
    Path(answer).write_text(json.dumps(numbers))


def addon(name):
    return importlib.import_module(f"{MODULE}.{name}")


def pose_ratio():
    """The time from armature to pose.json divided by the time of the frame_set loop alone, in turns; the median of the
    ratios.

    The rig is Rigify's metarig of 159 bones with a key on every bone in every tenth frame, as captured motion has.
    """
    from shot import performer
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
    scene = bpy.context.scene
    rig = performer(scene)
    wriggle(rig)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = (0, -5, 1.4), (1.5, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    frames = range(1, POSE_FRAMES + 1)
    pose = addon("gather.pose")
    skeleton = pose.skeleton_of(rig, addon("gather.rig").find_map(rig).joints)

    def bare():
        for frame in frames:
            scene.frame_set(frame)

    def ours():
        with tempfile.TemporaryDirectory() as folder:
            pose.write(folder, pose.people(scene, rig, skeleton, frames=frames, size=(960, 540)))
    return ratio(ours, bare)


def wriggle(rig):
    """Small turns of every bone."""
    random = np.random.default_rng(5)
    for bone in rig.pose.bones:
        bone.rotation_mode = "QUATERNION"
        for frame in range(1, POSE_FRAMES + 11, 10):
            bone.rotation_quaternion = (1, *random.normal(0, 0.03, 3))
            bone.keyframe_insert("rotation_quaternion", frame=frame)


def plate_ratio():
    """The time to get the plate's frames out of the sequencer divided by that of a bare render of the same strip to
    PNG, 1080p, in turns."""
    from film import encode
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = PLATE
    scene.view_settings.view_transform = "Standard"
    scene.frame_start, scene.frame_end = 1, PLATE_FRAMES
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        pictures = [noisy_picture(folder / f"{number:04}.png", number) for number in range(1, PLATE_FRAMES + 1)]
        encode(pictures, folder / "plate.mp4", scene)
        strip = scene.sequence_editor_create().strips.new_movie("Plate", str(folder / "plate.mp4"), 1, 1)
        plate = addon("gather.strip")
        (folder / "source").mkdir()

        def bare():
            scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGB"
            scene.render.filepath = str(folder / "bare") + "/"
            bpy.ops.render.render(animation=True, scene=scene.name)

        def ours():
            plate.write_plate(scene, strip, str(folder), first=1, last=PLATE_FRAMES, start=1, bits=8)
        return ratio(ours, bare)


def ball_ratios():
    """The time of one ball of the light, with all that its slice does, divided by that of a picture of the same scene
    with one sample and as few pixels, in turns: in the demo's room, and with an object of a million faces in it."""
    from shot import build_shot
    scene = build_shot()
    small = ball_ratio(scene)
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=1000, y_subdivisions=1000, size=8, location=(0, 0, -1))
    return {"ball_vs_start": small, "ball_vs_start_large": ball_ratio(scene)}


def ball_ratio(scene):
    ball, lit_scene, stand = (addon(f"gather.{name}") for name in ("ball", "lit_scene", "stand"))
    rig = bpy.data.objects["Performer"]
    here = stand.Stand(np.array(rig.location) + (0, 0, 1.3), 0.12, np.array(scene.camera.matrix_world))
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 1, False
    scene.render.resolution_x = scene.render.resolution_y = ball.SIZE
    scene.render.resolution_percentage = 100
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder, "bare.png"))

        def bare():
            bpy.ops.render.render(write_still=True)

        def ours():
            character = addon("gather.carried").carried_by(rig)
            with lit_scene.lit_scene(scene, character) as lit:
                ball.rendered(lit, here, str(Path(folder, "ball.png")), frame=scene.frame_current, character=character)
        return ratio(ours, bare, BALL_TURNS)


def noisy_picture(path, number):
    """A gradient that moves, with the grain of a camera."""
    width, height = PLATE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    light = 90 + 60 * np.sin((x + 12 * number) / 170) + 40 * np.cos(y / 140)
    grain = np.random.default_rng(number).normal(0, 2, (height, width, 1))
    picture = np.clip(light[..., None] + (10, 0, -12) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(picture).save(path, compress_level=1)
    return path


def ratio(ours, bare, count=TURNS):
    """The median over turns of seconds(ours) / seconds(bare), after one turn to warm up."""
    turns = []
    for _ in range(count + 1):
        first, other = seconds(bare), seconds(ours)
        turns.append(other / first)
    return statistics.median(turns[1:])


def seconds(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def link_times(job, pack):
    """From engine start to hello; from the press to the first finished frame, without and with a running engine; the
    longest pump."""
    jobs = addon("link.engine_job")
    launch = addon("link.interpreter").launch(pack=pack)
    runs, pumps = [], []
    for number in range(3):
        link = jobs.Link()
        cold, warm = (one_run(link, launch, job, seed) for seed in (2 * number, 2 * number + 1))
        link.close()
        runs.append((cold["hello"], cold["frame"], warm["frame"]))
        pumps += [cold["pump"], warm["pump"]]
    hello, cold, warm = (statistics.median(values) for values in zip(*runs, strict=True))
    return {"hello_s": hello, "first_frame_cold_s": cold, "first_frame_warm_s": warm,
            "longest_pump_ms": 1000 * max(pumps)}


def one_run(link, launch, job, seed):
    """One whole job through the link, pumped as the add-on's timer does; with another seed, every frame is made
    again."""
    contract = addon("embedded.engine.contract.jobs")
    messages = addon("embedded.engine.contract.messages")
    told = json.loads((job / "job.json").read_text())
    told["settings"]["seed"] = seed
    (job / "job.json").write_text(json.dumps(told))
    contract.read(job)
    began = time.perf_counter()
    running = link.start(launch, messages.Run(str(job)), job)
    seen = {}
    while not running.ended:
        link.pump()
        now = time.perf_counter() - began
        if link.hello:
            seen.setdefault("hello", now)
        if running.frames:
            seen.setdefault("frame", now)
        time.sleep(0.002 if "frame" not in seen else PUMP_S)
    if running.error:
        sys.exit(f"The engine failed: {running.error}")
    return {**seen, "pump": running.longest_pump_s}


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
