"""A bpy's Python runs this: it installs the zip and saves a shot whose plate shows a performer, without a rig or a
camera.

    make_performer.py FOLDER NAME.blend FRAMES

FOLDER already contains reference.png and the plate's pictures plate/0001.png ...
"""
import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blender"))
import shots

folder, name, frames = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default", enable_on_install=True)
bpy.ops.wm.read_homefile(use_empty=True)
scene = bpy.context.scene
image = bpy.data.images.load(str(folder / "plate" / "0001.png"))
shots.set_size(scene, tuple(image.size))
bpy.data.images.remove(image)
pictures = [f"{number:04}.png" for number in range(1, frames + 1)]
scene.aa2.strip = shots.image_strip(scene, folder / "plate", pictures, channel=1).name
scene.aa2.reference_path = str(folder / "reference.png")
scene.aa2.output = "//aa2_jobs/"
bpy.ops.wm.save_as_mainfile(filepath=str(folder / name))
