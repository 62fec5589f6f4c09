"""A bpy's Python runs this: it installs the zip and saves two files. FOLDER/shot.blend has two small shots, `Edit` of
FRAMES frames, through which its rig slides, and `Other` of four. Every plate has a mark. FOLDER/lit/lit.blend has a
shot of LIT frames whose light its scene renders.

    make_shots.py FOLDER FRAMES LIT
"""
import importlib
import os
import shutil
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blender"))
import lit_shot
import shots
import small_shot

MODULE = "bl_ext.user_default.aa2_blender"


def slide(scene, count):
    """Let the rig slide through the shot, so that no two frames are alike."""
    for one in scene.objects:
        if one.type == "ARMATURE":
            one.location.x = 0.2
            one.keyframe_insert("location", frame=1)
            one.location.x = -0.2
            one.keyframe_insert("location", frame=count)


folder, frames, lit = Path(sys.argv[1]), *map(int, sys.argv[2:])
bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default", enable_on_install=True)
bpy.ops.wm.read_homefile(use_empty=True)
plates = importlib.import_module(f"{MODULE}.settings.plates")
for name, count in (("Edit", frames), ("Other", small_shot.FRAMES)):
    scene = bpy.context.scene if name == "Edit" else bpy.data.scenes.new(name)
    scene.name = name
    with bpy.context.temp_override(scene=scene):
        small_shot.make(folder / name, count, scene=scene)
    scene.aa2.output = "//aa2_jobs/"
    slide(scene, count)
    scene.aa2.window, scene.aa2.steps = 8, 1
    plate = shots.strips(scene.sequence_editor)["plate"]
    plates.adopt(plate)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))

bpy.ops.wm.read_homefile(use_empty=True)
(folder / "lit").mkdir()
shutil.copy(Path(__file__).resolve().parents[1] / "demo" / "reference.png", folder / "lit")
scene = lit_shot.make(folder / "lit", lit, (96, 72))
slide(scene, lit)
scene.aa2.light_source = "RENDERED"
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "lit" / "lit.blend"))
