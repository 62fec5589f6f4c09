"""What the job has of a setting that follows the chosen engine's weights: guidance, the crop's size, and what only that
engine knows."""
import math
from pathlib import Path
from typing import Any

import bpy

from ..cost import defaults, shapes
from .table import GENERATION, OF_ENGINES, Crop, Setting, ZeroIs

# Width over height of the crops that are meant. The nearest of the weights' is taken (ours).
_ASPECTS = {Crop.STANDING: 9 / 16, Crop.SQUARE: 1.0, Crop.LYING: 16 / 9}


def generation(ours: bpy.types.PropertyGroup, pack: Path) -> dict[str, Any]:
    """The values of jobs.Settings, by its fields. pack: the folder of the weights."""
    found = {field: getattr(ours, one.name) for field, one in GENERATION.items()}
    for field, one in GENERATION.items():
        if one.zero_is is not ZeroIs.ZERO and not found[field]:
            found[field] = None if one.zero_is is ZeroIs.NONE else defaults(pack)[one.name]
    own = {field: getattr(ours, one.name) for field, one in known_by(ours.engine).items()}
    changed = {field: value for field, value in own.items() if value != (OF_ENGINES[field].default or "")}
    return {**found, "shape": crop(ours.shape, pack), "engines": {ours.engine: changed} if changed else None}


def known_by(engine: str) -> dict[str, Setting]:
    """The settings that an engine knows beside those of all engines, by their fields."""
    return {field: one for field, one in OF_ENGINES.items() if engine in one.engines}


def crop(chosen: str, pack: Path) -> str:
    """The shape, as jobs.Settings has it, of a chosen form of the crop."""
    if chosen == Crop.AUTOMATIC:
        return chosen
    wanted = math.log(_ASPECTS[Crop(chosen)])
    width, height = min(shapes(pack), key=lambda shape: abs(math.log(shape[0] / shape[1]) - wanted))
    return f"{width}x{height}"
