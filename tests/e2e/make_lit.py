"""A bpy's Python runs this: it installs the zip and saves a small shot whose scene has a floor and a sun.

    make_lit.py FOLDER NAME.blend FRAMES WIDTH HEIGHT

FOLDER already contains reference.png.
"""
import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blender"))
import lit_shot

folder, name = Path(sys.argv[1]), sys.argv[2]
frames, width, height = map(int, sys.argv[3:])
bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default", enable_on_install=True)
bpy.ops.wm.read_homefile(use_empty=True)
lit_shot.make(folder, frames, (width, height))
bpy.ops.wm.save_as_mainfile(filepath=str(folder / name))
