"""A scene with somebody in it -> plate, shadow and figure, by Cycles, as arrays;
leaves the scene's objects as they were.

Three passes (ours). The first is the room alone. The second is the room with a performer whom the camera does not see,
but whose shadow it sees. The third is the performer alone, cut out by the room, with the exact matte. So the picture
with the performer is composed, not rendered, and equals matte * figure + (1 - matte) * plate * shadow apart from
rounding. The second and third passes render only what the performer or the shadow can reach: a box (left, top, right,
bottom), in parts of the picture from its upper left corner.
"""

import tempfile
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np

from aa2_blender.blender_api import render_path, set_picture_format
from aa2_blender.gather import rendering

SAMPLES = 2             # with the denoiser; plate and shadow have the same noise, which their ratio does not show
EDGES = 6               # samples of the performer, whose matte the denoiser leaves as it is
LIT = 0.02              # a shadow fainter than this is noise
WHOLE = (0.0, 0.0, 1.0, 1.0)
BRIGHT = 0.9            # linear, of the figure's lightest tenth: well onto the shoulder
DARK = 0.02             # added to both lights before they are compared, so that black does not divide


def set_up(scene, size, *, threads=1):
    """Cycles with few samples and its denoiser."""
    render, cycles = scene.render, scene.cycles
    render.engine, cycles.device = "CYCLES", "CPU"
    cycles.samples, cycles.use_adaptive_sampling = SAMPLES, False
    cycles.use_denoising, cycles.denoiser, cycles.denoising_prefilter = True, "OPENIMAGEDENOISE", "FAST"
    cycles.use_light_tree, cycles.sampling_pattern = False, "TABULATED_SOBOL"       # as good here, a tenth faster
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces, cycles.transmission_bounces = 2, 2, 1, 0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect, cycles.seed = 4.0, 1
    render.resolution_x, render.resolution_y, render.resolution_percentage = *size, 100
    render.threads_mode, render.threads = "FIXED", threads
    render.use_persistent_data = True
    render.use_compositing = render.use_sequencer = render.use_motion_blur = False
    set_picture_format(render.image_settings, "OPEN_EXR", color_mode="RGBA", color_depth="32")


def plates(scene, figure, frames, box=WHOLE):
    """(frames, h, w, 3) linear: without the figure's objects; of all but the first frame only the box,
    where something moves."""
    with changed(figure, hide_render=True):
        first = rendered(scene, frames[:1], "the plate")[..., :3]
        if len(frames) == 1:
            return first
        others = rendered(scene, frames[1:], "the plate", box)
    return np.concatenate([first, np.where(others[..., 3:] > 0, others[..., :3], first)])


def shadowed(scene, figure, frames, plate, box=WHOLE):
    """(frames, h, w, 3) linear: the plate with the figure's shadow, the figure unseen;
    outside the box just the plate."""
    with changed(figure, visible_camera=False):
        pictures = rendered(scene, frames, "the shadow", box)
    return np.where(pictures[..., 3:] > 0, pictures[..., :3], plate)


def figures(scene, room, frames, box=WHOLE):
    """(frames, h, w, 4) linear, straight alpha: the figure alone, in the room's light, cut out by what is nearer."""
    scene.render.film_transparent, scene.cycles.samples = True, EDGES
    try:
        with changed(room, is_holdout=True):
            pictures = rendered(scene, frames, "the figure", box)
    finally:
        scene.render.film_transparent, scene.cycles.samples = False, SAMPLES
    alpha = np.clip(pictures[..., 3:], 0, 1)
    return np.concatenate([np.where(alpha > 1e-4, pictures[..., :3] / np.maximum(alpha, 1e-4), 0), alpha], axis=-1)


def pictures_with(scene, frames):
    """(frames, h, w, 3) linear: everything, rendered at once; tests compare the composed picture with it."""
    return rendered(scene, frames, "the picture")[..., :3]


def shade_of(plate, shadow):
    """Display-referred plate and shadowed plate (h, w, 3) -> the shadow factor (h, w) 0..1, 1 = lit."""
    factor = (shadow.mean(axis=-1) + DARK) / (plate.mean(axis=-1) + DARK)
    return np.clip(1 - np.maximum(1 - factor - LIT, 0) / (1 - LIT), 0, 1)


def exposure(rng, plate, figure):
    """A factor that brings the plate (h, w, 3) linear to a middling brightness, unless that blows out a tenth of the
    figure (h, w, 4)."""
    light = np.maximum(plate.mean(axis=-1), 1e-4)
    gain = rng.uniform(0.13, 0.26) / np.exp(np.log(light).mean()) ** 0.5 / light.mean() ** 0.5
    solid = figure[figure[..., 3] > 0.5, :3].max(axis=-1)
    return float(min(gain, BRIGHT / max(np.percentile(solid, 90), 1e-4)) if solid.size else gain)


def display(linear, gain):
    """Linear light -> 0..1 sRGB, with a shoulder above 0.7 instead of clipping."""
    light = np.maximum(linear * gain, 0)
    light = np.where(light > 0.7, 1 - 0.3 * np.exp(-(light - 0.7) / 0.3), light)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


def rendered(scene, frames, what, box=WHOLE):
    """(frames, h, w, 4) float32 as Cycles left it: linear, premultiplied, zeros outside the box."""
    render = scene.render
    render.use_border, render.use_crop_to_border = box != WHOLE, False
    render.border_min_x, render.border_max_x = box[0], box[2]
    render.border_min_y, render.border_max_y = 1 - box[3], 1 - box[1]
    with tempfile.TemporaryDirectory() as folder:
        before = scene.frame_start, scene.frame_end
        scene.frame_start, scene.frame_end = frames[0], frames[-1]
        scene.render.filepath = render_path(str(Path(folder) / "####.exr"))
        try:
            rendering.render(scene, what, animation=True)
        finally:
            scene.frame_start, scene.frame_end = before
        return np.stack([_read(Path(folder) / f"{frame:04d}.exr") for frame in frames])


def _read(path):
    image = bpy.data.images.load(str(path), check_existing=False)
    try:
        image.colorspace_settings.is_data = True
        width, height = image.size
        pixels = np.empty(width * height * 4, np.float32)
        image.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)[::-1]


@contextmanager
def changed(objects, **values):
    """All objects have these values inside the block, and their own again afterwards."""
    before = [{name: getattr(thing, name) for name in values} for thing in objects]
    try:
        for thing in objects:
            for name, value in values.items():
                setattr(thing, name, value)
        yield
    finally:
        for thing, old in zip(objects, before, strict=True):
            for name, value in old.items():
                setattr(thing, name, value)
