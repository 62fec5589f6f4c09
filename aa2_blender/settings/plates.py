"""Which strip is the plate of a shot, which settings are its own, and where its versions are.

The active strip is the plate unless one is chosen. With its first Generate, a plate gets settings of its own, which are
stored on the strip; until then, the scene's are used.
"""
import re
import uuid
from contextlib import suppress
from pathlib import Path

import bpy

from ..blender_api import Strip, all_strips
from ..place.marks import JOB, PLATE, is_copy, is_laid, laid_for, marked, of_laid
from .table import OF_SCENE, SETTINGS

# The settings of properties.py that are not in the table.
_BESIDE = ("performer_box", "performer_frame", "reference_height", "reference_joints_of", "objects", "add_object")
_NOT_IN_FILE_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def plate_of(scene: bpy.types.Scene) -> Strip | None:
    """The chosen plate, else the active strip; of a strip that was laid for a plate, that plate. None if there is none,
    or it is gone."""
    editor = scene.sequence_editor
    if editor is None:
        return None
    if scene.aa2.strip:
        return all_strips(editor).get(scene.aa2.strip) or _once_called(scene, scene.aa2.strip)
    active = editor.active_strip
    if active is None or not is_laid(active):
        return active
    return of_laid(active) or _by_folder(active)


def plate_name(scene: bpy.types.Scene) -> str:
    """The name of the plate; "" where there is none, and the chosen name where no strip has it any more."""
    return name_with(scene, plate_of(scene))


def name_with(scene: bpy.types.Scene, plate: Strip | None) -> str:
    """`plate_name` where the plate is known."""
    return plate.name if plate else scene.aa2.strip


def settings_of(scene: bpy.types.Scene) -> bpy.types.PropertyGroup:
    """The settings of the plate; the scene's, with which the next plate begins, while it has none of its own."""
    return settings_with(scene, plate_of(scene))


def settings_with(scene: bpy.types.Scene, plate: Strip | None) -> bpy.types.PropertyGroup:
    """`settings_of` where the plate is known."""
    return plate.aa2 if plate and plate.aa2.uid else scene.aa2


def holder(scene: bpy.types.Scene, name: str) -> bpy.types.PropertyGroup:
    """The group that has the setting `name`: some are the scene's for all of its plates."""
    return scene.aa2 if name in OF_SCENE else settings_of(scene)


def adopt(plate: Strip) -> None:
    """Give a plate a mark and settings of its own, which begin as the scene's. A copy of another plate keeps the
    settings that were copied with it and gets its own mark, as do the laid strips that were copied with it."""
    ours, scene = plate.aa2, plate.id_data
    if not ours.uid:
        _copy_settings(scene.aa2, ours)
        ours.uid = uuid.uuid4().hex
    elif is_copy(plate):
        with_it = laid_for(plate)
        ours.uid, ours.folder, ours.folder_in_blend = uuid.uuid4().hex, "", ""
        for strip in with_it:
            strip[PLATE] = ours.uid
    ours.known_scene, ours.known_strip = scene.name, plate.name


def keep_folder(plate: Strip, folder: Path) -> None:
    """Remember where the versions of a plate are: as an absolute path, and relative to the file for a project that is
    moved as a whole."""
    ours = plate.aa2
    ours.folder, ours.folder_in_blend, ours.folder_for = str(folder), "", ours.output
    if bpy.data.filepath:
        with suppress(ValueError):      # another drive
            ours.folder_in_blend = bpy.path.relpath(str(folder))


def kept_folder(plate: Strip) -> Path | None:
    """Where the versions of a plate are; None if it has none yet, or was told to put them elsewhere."""
    ours = plate.aa2
    if not ours.folder or ours.folder_for != ours.output or is_copy(plate):
        return None
    inside = Path(bpy.path.abspath(ours.folder_in_blend)) if ours.folder_in_blend and bpy.data.filepath else None
    return next((path.resolve() for path in (inside, Path(ours.folder)) if path and path.is_dir()), None)


def folders_of_others(plate: Strip | None) -> set[Path]:
    """The folders in which the other plates of the file have their versions."""
    others = [strip for scene in bpy.data.scenes for strip in marked(scene) if strip != plate]
    return {folder for folder in map(kept_folder, others) if folder}


def file_name(scene: str, strip: str) -> str:
    """The name of the folder of a plate's versions."""
    return _NOT_IN_FILE_NAMES.sub("_", f"{scene} {strip}".strip()).strip(". ") or "shot"


def _once_called(scene: bpy.types.Scene, name: str) -> Strip | None:
    """The plate that was chosen by a name that it has no longer."""
    return next((strip for strip in marked(scene) if strip.aa2.known_strip == name and not is_copy(strip)), None)


def _by_folder(strip: Strip) -> Strip | None:
    """The plate of a strip that an older release laid, without a mark: the folder of its versions is named after it."""
    if not strip.get(JOB) or strip.get(PLATE):
        return None
    shot, scene = Path(bpy.path.abspath(strip[JOB])).parent.name, strip.id_data
    return next((plate for plate in all_strips(scene.sequence_editor)
                 if not plate.get(JOB) and file_name(scene.name, plate.name) == shot), None)


def _copy_settings(source: bpy.types.PropertyGroup, target: bpy.types.PropertyGroup) -> None:
    """Give one group of settings the values of another. What has keyframes stays with the scene (settings/table.py)."""
    names = [one.name for one in SETTINGS if one.name not in OF_SCENE]
    for name in (*names, *_BESIDE):
        setattr(target, name, getattr(source, name))
    _copy_rows(source.touched, target.touched, ("thing", "collection"))
    _copy_rows(source.bones, target.bones, ("name", "bone", "end"))
    _copy_rows(source.reference_joints, target.reference_joints, ("name", "place", "confidence"))


def _copy_rows(source: bpy.types.bpy_prop_collection, target: bpy.types.bpy_prop_collection, names) -> None:
    target.clear()
    for row in source:
        other = target.add()
        for name in names:
            setattr(other, name, getattr(row, name))
