"""The display, the view and the colour space in which Blender shows sRGB bytes as they are, whatever the OCIO
configuration calls them."""
import functools
import itertools
import os
import re
import tempfile
from collections.abc import Iterable
from typing import NamedTuple

import bpy
import numpy as np

from ..blender_api import set_picture_format
from .problem import GatherError
from .restore import temporary_scene

_BLENDERS = ("sRGB", "Standard", "sRGB")
_FIRST_VIEWS = ("Standard", "Un-tone-mapped", "Raw")    # what studios call a view without a tone curve
_MOST = 400             # tries; each takes some milliseconds
_LEVELS = 1             # how far a byte may be from what it was


class Exact(NamedTuple):
    """Bytes of the colour space `space` look on this display, by this view, as they are."""

    display: str
    view: str
    space: str


@functools.cache
def exact() -> Exact:
    """The names in the configuration that this Blender runs with. They are tried out on a small picture, unless they
    are those of Blender's own configuration. Raises GatherError if no display and view change nothing."""
    with temporary_scene() as scene:
        if _set(scene, *_BLENDERS):
            return Exact(*_BLENDERS)
        displays = _by_likeness(_names(scene.display_settings, "display_device"), ("sRGB",))
        ramps = [_ramp(is_float=False), _ramp(is_float=True)]
        space = ramps[0].colorspace_settings.name   # of new byte pictures: what the configuration has for sRGB
        tries = ((display, view) for display in displays for view in _views(scene, display))
        for display, view in itertools.islice(tries, _MOST):
            if _set(scene, display, view, space) and all(_is_exact(scene, ramp) for ramp in ramps):
                return Exact(display, view, space)
    raise GatherError(f"The OCIO configuration has no view that shows sRGB pictures as they are; its displays are "
                      f"{', '.join(displays)}.",
                      "Add a view without a tone curve to the configuration, or start Blender without it.")


def make_exact(scene: bpy.types.Scene) -> None:
    """Let a temporary scene show sRGB bytes as they are."""
    names, view = exact(), scene.view_settings
    _set(scene, *names)
    view.exposure, view.gamma = 0.0, 1.0
    for curves in ("use_curve_mapping", "use_white_balance"):
        if hasattr(view, curves):
            setattr(view, curves, False)


def _set(scene: bpy.types.Scene, display: str, view: str, space: str) -> bool:
    try:
        scene.display_settings.display_device = display
        scene.view_settings.view_transform, scene.view_settings.look = view, "None"
        scene.sequencer_colorspace_settings.name = space
    except TypeError:
        return False
    return True


def _names(settings: bpy.types.bpy_struct, name: str) -> list[str]:
    """The values that an enumeration takes now; only Blender's complaint lists all of them."""
    try:
        setattr(settings, name, "?")
    except TypeError as error:
        return re.findall(r"'((?:[^'\\]|\\.)*)'", str(error).partition(" not found in ")[2])
    return []


def _views(scene: bpy.types.Scene, display: str) -> list[str]:
    scene.display_settings.display_device = display
    return _by_likeness(_names(scene.view_settings, "view_transform"), _FIRST_VIEWS)


def _by_likeness(names: Iterable[str], first: tuple[str, ...]) -> list[str]:
    """The likely names before the others."""
    def rank(name: str) -> int:
        return next((number for number, one in enumerate(first) if one.lower() in name.lower()), len(first))
    return sorted(names, key=rank)


def _ramp(*, is_float: bool) -> bpy.types.Image:
    """A picture with 256 levels of grey and of each colour, in bytes or in linear floats."""
    levels = np.arange(256, dtype=np.float32) / 255
    rows = np.zeros((4, 256, 4), np.float32)
    rows[..., 3] = 1
    rows[0, :, :3] = levels[:, None]
    for channel in range(3):
        rows[1 + channel, :, channel] = levels
    image = bpy.data.images.new("AA2 ramp", 256, 4, float_buffer=is_float)
    image.pixels.foreach_set(rows.ravel())
    return image


def _is_exact(scene: bpy.types.Scene, image: bpy.types.Image) -> bool:
    """Whether a ramp is saved as it is, in bytes, and by the curve of sRGB, in floats. (The view Raw does only the
    former.)"""
    set_picture_format(scene.render.image_settings, "PNG", color_mode="RGBA", color_depth="8")
    scene.render.dither_intensity = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "ramp.png")
        image.save_render(path, scene=scene)
        saved = bpy.data.images.load(path, check_existing=False)
        saved.colorspace_settings.is_data = True
        before, after = (np.empty(4 * 256 * 4, np.float32) for _ in range(2))
        image.pixels.foreach_get(before)
        saved.pixels.foreach_get(after)
    if image.is_float:
        colours = before.reshape(-1, 4)[:, :3]
        curve = 1.055 * np.maximum(colours, 1e-6) ** (1 / 2.4) - 0.055
        colours[:] = np.where(colours <= 0.0031308, 12.92 * colours, curve)
    return float(np.abs(before - after).max()) * 255 <= _LEVELS + 0.5
