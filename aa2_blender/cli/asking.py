"""The options of a command and the settings of a scene -> the Request for its shot."""
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import bpy

from ..blender_api import sequencer_scene
from ..gather.camera import size_of
from ..gather.problem import GatherError
from ..gather.request import Request
from ..gather.strip import find, frames_of
from ..settings.plates import plate_name, settings_of
from ..settings.properties import another_armature, another_reference
from ..settings.request_of import request_of
from ..settings.table import OF_SCENE, OPTIONS, DriverKind, Kind, PictureFrom, ReferenceKind, Setting
from ..tasks import performer as performers


def asked(*, scene: str = "", performer: bool = False, performer_box: Sequence[float] | None = None,
          performer_frame: int | None = None, meshes: Sequence[str] = (), objects: Sequence[str] = (),
          pack: str | None = None, **options) -> tuple[bpy.types.Scene, Request]:
    """(scene, request) of a shot, as cli.generate describes the arguments. The settings of the scene and its plate
    change as the options say. Raises TypeError for an unknown option, and GatherError."""
    if unknown := options.keys() - OPTIONS.keys():
        raise TypeError(f"expected the options {', '.join(OPTIONS)}; there is no option {', '.join(sorted(unknown))}")
    reference, rig = options.get("reference"), options.get("rig")
    driver = DriverKind.PERFORMER if performer or performer_box else DriverKind.ARMATURE if rig else None
    shot = named(bpy.data.scenes, scene, "scene") if scene else sequencer_scene(bpy.context)
    chosen = {OPTIONS[name].name: _value(OPTIONS[name], given) for name, given in options.items() if given is not None}
    set_values(shot.aa2, {name: chosen.pop(name) for name in OF_SCENE if name in chosen})
    ours = settings_of(shot)
    set_values(ours, {**chosen, "driver": driver, "derive_offset": None if "frame_offset" not in chosen else False,
                      "reference_kind": reference and ReferenceKind.FILE,
                      "light_from": (options.get("ball") or options.get("hdri")) and PictureFrom.FILE})
    if reference:
        another_reference(ours)
    if rig:
        another_armature(ours)
    if performer_box:
        _choose(shot, performer_box, performer_frame)
    request = request_of(shot, pack)
    return shot, replace(request, meshes=(*request.meshes, *meshes), objects=(*request.objects, *objects))


def _choose(shot: bpy.types.Scene, box: Sequence[float], frame: int | None) -> None:
    """The performer in a box of pixels of the render."""
    width, height = size_of(shot)
    left, top, right, bottom = box
    if frame is None:
        frame = frames_of(find(shot, plate_name(shot)))[0]
    performers.choose(shot, (left / width, top / height, right / width, bottom / height), frame)


def _value(one: Setting, given: Any) -> Any:
    """The value that a setting's property takes for what was given on the command line."""
    if one.kind is Kind.FILE:
        return os.path.abspath(given)
    if one.kind is Kind.CHOICE:
        return given.upper()
    if one.kind is Kind.SCENE:
        return named(bpy.data.scenes, given, "scene")
    return named(bpy.data.objects, given, one.only.lower()) if one.kind is Kind.OBJECT else given


def set_values(ours: bpy.types.PropertyGroup, chosen: dict) -> None:
    """Give settings the values that are not None; raises GatherError for a value that a setting cannot have."""
    for name, value in chosen.items():
        if value is not None:
            try:
                setattr(ours, name, value)
            except (TypeError, ValueError) as error:
                raise GatherError(f"The setting {name} cannot be {value!r}: {error}.", "Give another value.") from None


def named(collection: bpy.types.bpy_prop_collection, name: str, kind: str) -> Any:
    """The datablock of a name; raises GatherError if there is none."""
    found = collection.get(name)
    if found is None:
        raise GatherError(f"There is no {kind} {name!r} in this file; it has {', '.join(collection.keys()) or 'none'}.",
                          f"Name the {kind} as the file does.")
    return found
