"""A setting of a scene that may have keyframes -> its value on each frame, without changing the scene's frame."""

import math

import bpy

from ..blender_api import curve
from ..settings.table import Setting


def values(scene: bpy.types.Scene, setting: Setting, frames: range) -> tuple[float, ...] | None:
    """A tuple of floats of the setting on the frames; None where it is 0 on all.

    Keyframes count, cut off at the setting's lowest value where a curve swings beneath it; drivers do not.
    """
    path = f"aa2.{setting.name}"
    keyed = curve(scene, path)
    if keyed:
        found = tuple(float(keyed.evaluate(frame)) for frame in frames)
    else:
        found = (float(scene.path_resolve(path)),) * len(frames)
    lowest = -math.inf if setting.low is None else float(setting.low)
    return tuple(max(value, lowest) for value in found) if any(found) else None
