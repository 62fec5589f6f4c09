"""The smallest complete shot: four frames of 64x48, an armature in front of the camera, a reference picture."""
from pathlib import Path

import bpy
import shots
from PIL import Image, ImageDraw

SIZE = (64, 48)
FRAMES = 4


def make(folder: Path, frames: int = FRAMES, size: tuple = SIZE, scene=None):
    """Fills the open, empty file (or another of its scenes) with the shot; its files are in `folder`. Returns the
    scene, with its settings made."""
    scene = scene or bpy.context.scene
    shots.set_size(scene, size)
    scene.frame_end = frames
    names = shots.write_sequence(folder, frames, size, "plate_{:04d}.png")
    scene.aa2.strip = shots.image_strip(scene, folder, names, channel=1).name
    scene.aa2.reference_path = str(_reference(folder / "-reference é.png"))
    scene.aa2.armature = shots.armature(scene, shots.mixamo_bones(), "figure")
    shots.camera(scene)
    scene.aa2.output = str(folder / "jobs")
    return scene


def _reference(path: Path) -> Path:
    picture = Image.new("RGB", (48, 96), (200, 200, 200))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((16, 24, 32, 92), fill=(40, 160, 90))
    draw.ellipse((18, 6, 30, 22), fill=(200, 160, 130))
    picture.save(path)
    return path
