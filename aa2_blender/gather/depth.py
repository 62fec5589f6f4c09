"""Objects of a driver's scene -> their planar depth at each pixel's centre, one array a frame,
by Cycles with one sample.

Depth is rendered as light: a material that glows as brightly as it is far. So it needs neither compositor nor GPU, and
the picture's alpha is the silhouette.
"""

import os
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np

from ..blender_api import render_path, set_picture_format
from . import rendering
from .camera import camera_at, pixel_aspect
from .names import Name
from .problem import GatherError
from .restore import scene_kept, shown_in_renders, temporary_scene

_SURFACES = {"MESH", "CURVE", "SURFACE", "FONT", "META", "CURVES", "POINTCLOUD", "EMPTY"}


def surfaces(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Those of `objects` that can be seen: meshes, curves, hair, and empties that show a collection."""
    return [thing for thing in objects
            if thing.type in _SURFACES and (thing.type != "EMPTY" or thing.instance_collection)]


def render(objects: list[bpy.types.Object], driver: bpy.types.Scene, *, frames: Sequence[int], size: tuple[int, int],
           camera: Name = "") -> Generator[np.ndarray, None, None]:
    """Yields for each of `frames` (of the driver's scene) a (height, width) float32 depth; inf where nothing is.

    Nothing but `objects` is in the picture. `size`: (width, height) of the job.
    """
    # `driver` is kept too: evaluating frames in any scene writes animated values into the objects both share.
    with (tempfile.TemporaryDirectory() as folder, scene_kept(driver), shown_in_renders(objects),
          temporary_scene() as scene):
        _set_up(scene, driver, objects, size)
        path = os.path.join(folder, "depth.exr")
        scene.render.filepath = render_path(path)
        for frame in frames:
            scene.camera = camera_at(driver, frame, camera)
            scene.frame_set(frame)
            rendering.render(scene, f"the depth of frame {frame}")
            yield _read(path, size)


def _set_up(scene: bpy.types.Scene, driver: bpy.types.Scene, objects: list[bpy.types.Object],
            size: tuple[int, int]) -> None:
    if not hasattr(scene, "cycles"):
        raise GatherError("Cycles is switched off, which draws masks and object depth.",
                          "Switch on the add-on 'Cycles Render Engine' in the preferences.")
    for thing in objects:
        scene.collection.objects.link(thing)
    render, cycles = scene.render, scene.cycles
    render.engine, cycles.device = "CYCLES", "CPU"
    cycles.samples, cycles.use_adaptive_sampling, cycles.use_denoising = 1, False, False
    cycles.max_bounces, cycles.sample_clamp_direct, cycles.sample_clamp_indirect = 0, 0.0, 0.0
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01       # through the centres of pixels only
    # Persistent data would spare rebuilding the scene, but 4.5 crashes in frame_set once this scene has been removed.
    render.film_transparent, render.use_persistent_data = True, False
    render.use_motion_blur = render.use_compositing = render.use_sequencer = False
    render.resolution_x, render.resolution_y, render.resolution_percentage = *size, 100
    render.pixel_aspect_x, render.pixel_aspect_y = pixel_aspect(driver, size)
    set_picture_format(render.image_settings, "OPEN_EXR", color_mode="RGBA", color_depth="32")
    scene.view_layers[0].material_override = _glowing_depth()


def _glowing_depth() -> bpy.types.Material:
    material = bpy.data.materials.new("AA2 depth")
    if not material.node_tree:                                        # from 5.0 every material has nodes
        material.use_nodes = True
    material.cycles.emission_sampling = "NONE"                        # it glows for the camera alone
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    camera, glow, output = map(nodes.new, ("ShaderNodeCameraData", "ShaderNodeEmission", "ShaderNodeOutputMaterial"))
    links.new(camera.outputs["View Z Depth"], glow.inputs["Strength"])
    links.new(glow.outputs[0], output.inputs["Surface"])
    glow.inputs["Color"].default_value = (1, 1, 1, 1)
    return material


def _read(path: str, size: tuple[int, int]) -> np.ndarray:
    """The EXR's red channel where its alpha is there; Blender's rows begin at the bottom."""
    with _image(path) as image:
        pixels = np.empty(size[0] * size[1] * 4, np.float32)
        image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(size[1], size[0], 4)[::-1]
    return np.where(pixels[..., 3] > 0.5, pixels[..., 0], np.float32(np.inf))


@contextmanager
def _image(path: str) -> Iterator[bpy.types.Image]:
    image = bpy.data.images.load(path, check_existing=False)
    image.colorspace_settings.is_data = True
    try:
        yield image
    finally:
        bpy.data.images.remove(image)
