"""Which light source a request means, and what keeps it from being known. Quick enough for every redraw."""

import bpy

from ..settings.table import LightSource
from . import light_picture, own_light
from .problem import GatherError
from .request import Request


def meant(source: LightSource, driver: bpy.types.Scene | None) -> LightSource:
    """What Automatic means where the scene `driver` has the rig; None: a performer drives. Without Cycles, nothing can
    be measured."""
    if source is not LightSource.AUTOMATIC:
        return source
    is_known = driver and hasattr(driver, "cycles") and own_light.has_own_light(driver)
    return LightSource.BALL if is_known else LightSource.GUESSED


def problem(request: Request, driver: bpy.types.Scene | None) -> GatherError | None:
    """What keeps the chosen light from being known; quick enough for every redraw."""
    source = request.light_source
    if source in (LightSource.PICTURE, LightSource.HDRI):
        message = light_picture.problem(request.light_picture, source)
        return GatherError(message, "Choose it in Light, or set Light Source to Guessed.") if message else None
    if source not in (LightSource.BALL, LightSource.RENDERED):
        return None
    if driver is None:
        return GatherError("The light of the scene is known only where an armature drives.",
                           "Set Light Source to Guessed, or choose a picture of a gray ball or an HDRI.")
    if not own_light.has_own_light(driver):
        return GatherError(f"Scene {driver.name!r} has no light but that of Blender's startup file.",
                           "Light the scene as the plate was lit, or set Light Source to Guessed.")
    return None
