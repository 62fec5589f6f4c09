"""A bpy's Python runs this: it installs the zip and saves a small shot whose scene has a floor and a sun.

    make_lit.py FOLDER NAME.blend FRAMES WIDTH HEIGHT

FOLDER already contains reference.png.
"""
import math
import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blender"))
import shots
import small_shot

folder, name = Path(sys.argv[1]), sys.argv[2]
frames, width, height = map(int, sys.argv[3:])
bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default", enable_on_install=True)
bpy.ops.wm.read_homefile(use_empty=True)
scene = small_shot.make(folder, frames, (width, height))
scene.aa2.reference_path = str(folder / "reference.png")
scene.aa2.output = "//aa2_jobs/"
scene.camera.location, scene.camera.rotation_euler = (0, -5, 2.6), (math.radians(72), 0, 0)
scene.camera.data.lens = 30
shots.cube(scene, (0, 0, -5), 10, name="floor")
sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
sun.data.energy, sun.rotation_euler = 3.0, (0, math.radians(-50), 0)
scene.collection.objects.link(sun)
scene.view_settings.view_transform = "Standard"
bpy.ops.wm.save_as_mainfile(filepath=str(folder / name))
