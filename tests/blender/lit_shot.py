"""A small shot whose scene has a floor and a sun."""
import math
from pathlib import Path

import bpy
import shots
import small_shot


def make(folder: Path, frames: int, size: tuple):
    """As small_shot.make, with folder/reference.png, which is there already: a picture of a person."""
    scene = small_shot.make(folder, frames, size)
    scene.aa2.reference_path = str(folder / "reference.png")
    scene.aa2.output = "//aa2_jobs/"
    scene.camera.location, scene.camera.rotation_euler = (0, -5, 2.6), (math.radians(72), 0, 0)
    scene.camera.data.lens = 30
    shots.cube(scene, (0, 0, -5), 10, name="floor")
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 3.0, (0, math.radians(-50), 0)
    scene.collection.objects.link(sun)
    scene.view_settings.view_transform = "Standard"
    return scene
