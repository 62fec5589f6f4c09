"""A bpy's Python runs this: it installs the zip and saves the small shot. It makes FOLDER, with the .blend in it.

    make_shot.py FOLDER NAME.blend [FRAMES WIDTH HEIGHT]
"""
import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blender"))
import small_shot

folder, name, *numbers = sys.argv[1:]
frames, width, height = map(int, numbers or (small_shot.FRAMES, *small_shot.SIZE))
bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default", enable_on_install=True)
bpy.ops.wm.read_homefile(use_empty=True)
scene = small_shot.make(Path(folder), frames, (width, height))
scene.aa2.output = "//aa2_jobs/"
bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder) / name))
