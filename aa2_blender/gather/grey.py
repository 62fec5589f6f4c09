"""A grey surface that Blender renders as it renders the plate -> its shading (contract/harmonics.py), in one rule.

Ours. The plate is what the scene's view transform shows. So a surface of a known grey is rendered through the same
transform, and what is shown is decoded as the plate is: by the curve of sRGB. A grey card of the scene and a grey
surface in this shading then look alike, whatever the transform does. Grey and not white, because a view transform rolls
bright colours off, and because a lamp may be five times as bright before anything is cut off.
"""

import bpy
import numpy as np

from ..blender_api import render_path, set_picture_format
from . import display

GREY = 0.18             # of the light that falls on it: a photographer's grey card


def material(name: str = "AA2 grey") -> bpy.types.Material:
    """A new matt material of this grey."""
    made = bpy.data.materials.new(name)
    if not made.node_tree:                                            # from 5.0 every material has nodes
        made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    nodes.clear()
    matt, output = nodes.new("ShaderNodeBsdfDiffuse"), nodes.new("ShaderNodeOutputMaterial")
    matt.inputs["Color"].default_value = (GREY, GREY, GREY, 1)
    matt.inputs["Roughness"].default_value = 0
    links.new(matt.outputs[0], output.inputs["Surface"])
    return made


def show(scene: bpy.types.Scene, path: str) -> None:
    """Let a temporary scene, which has the view settings of the scene with the lights, render to the PNG file `path`
    with 16 bits of what the display shows."""
    render = scene.render
    set_picture_format(render.image_settings, "PNG", color_mode="RGBA", color_depth="16")
    render.image_settings.color_management = "FOLLOW_SCENE"
    render.dither_intensity, render.filepath = 0.0, render_path(path)
    _show_as_srgb(scene)


def read(path: str) -> np.ndarray:
    """(height, width, 4) float32 of a PNG file as it is: what the display shows 0..1, and straight alpha."""
    image = bpy.data.images.load(path, check_existing=False)
    try:
        image.colorspace_settings.is_data, image.alpha_mode = True, "CHANNEL_PACKED"
        width, height = image.size
        pixels = np.empty(width * height * 4, np.float32)
        image.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)[::-1]                     # Blender's rows begin at the bottom


def linear(shown: np.ndarray) -> np.ndarray:
    """Light of sRGB values 0..1 (IEC 61966-2-1)."""
    return np.where(shown <= 0.04045, shown / 12.92, (np.maximum(shown, 0.04045) / 1.055 + 0.055 / 1.055) ** 2.4)


def shown(light: np.ndarray) -> np.ndarray:
    """The sRGB values 0..1 of light, the inverse of linear()."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)


def shading(shown: np.ndarray, albedo: float = GREY) -> np.ndarray:
    """The shading of a matt surface of this albedo that is shown as sRGB values 0..1."""
    return linear(shown) / albedo


def _show_as_srgb(scene: bpy.types.Scene) -> None:
    """The display that shows sRGB, if it has the view that the scene has; else the scene's own display stays."""
    own, view, look = scene.display_settings.display_device, scene.view_settings, scene.view_settings.look
    wanted, shown = view.view_transform, display.exact().display
    if own == shown:
        return
    scene.display_settings.display_device = shown
    try:
        view.view_transform = wanted
    except TypeError:
        scene.display_settings.display_device, view.view_transform = own, wanted
    view.look = look
