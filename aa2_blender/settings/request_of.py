"""A scene's settings -> the Request that gathering takes, and the folder its job lies in."""
import re
from pathlib import Path

import bpy

from ..embedded.engine.contract.jobs import Settings
from ..embedded.engine.contract.skeleton import BODY
from ..gather.camera import size_of
from ..gather.names import Name, name_of, names_of
from ..gather.request import ReferenceSource, Request
from . import table
from .preferences import ADD_ON
from .table import DriverKind, MaskUse, ReferenceKind

NOBODY = (0.0, 0.0, 0.0, 0.0)  # the box of no chosen performer
NOT_IN_FILE_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def request_of(scene: bpy.types.Scene) -> Request:
    """What the settings of `scene` ask for, by names only."""
    ours = scene.aa2
    performer = ours.driver == DriverKind.PERFORMER
    return Request(
        name=job_name(scene), scene=scene.name, strip=plate_name(scene), reference=_reference(ours),
        driver_scene=name_of(ours.driver_scene), rig="" if performer else name_of(ours.armature),
        bone_map=bpy.path.abspath(ours.bone_map),
        bones=own_bones(ours), preset="" if ours.bone_preset == "AUTO" else ours.bone_preset,
        frames=(ours.range_first, ours.range_last) if ours.use_range else None,
        camera=name_of(ours.camera),
        frame_offset=None if ours.derive_offset else ours.frame_offset,
        meshes=() if performer else _meshes(ours),
        objects=names_of([*(one.thing for one in ours.touched), ours.add_object]),
        collections=names_of([*(one.collection for one in ours.touched), ours.objects]), holdouts=ours.holdouts,
        clean_plate=ours.clean_plate and not performer, performer=performer,
        performer_box=_box(ours, size_of(scene)) if performer else None,
        performer_frame=ours.performer_frame if performer and tuple(ours.performer_box) != NOBODY else 0,
        mask_strip=ours.mask_strip, mask_use=MaskUse[ours.mask_use], clean_strip=ours.clean_strip,
        make_clean=performer and ours.make_clean, settings=Settings(**_values(ours, table.GENERATION)),
        **_values(ours, table.PASSED))


def plate_name(scene: bpy.types.Scene) -> str:
    """The chosen plate, else the active strip; "" where there is none."""
    if scene.aa2.strip:
        return scene.aa2.strip
    active = scene.sequence_editor.active_strip if scene.sequence_editor else None
    return active.name if active else ""


def job_name(scene: bpy.types.Scene) -> str:
    """A file name that stays the same for the same plate, so that a second run resumes the first."""
    return NOT_IN_FILE_NAMES.sub("_", f"{scene.name} {plate_name(scene)}".strip()).strip(". ") or "shot"


def job_folder(scene: bpy.types.Scene) -> Path:
    """Where the versions of the scene's shot lie; in the extension's own folder while the file has none."""
    return jobs_root(scene) / job_name(scene)


def jobs_root(scene: bpy.types.Scene) -> Path:
    """The folder that holds the scene's shots."""
    output = scene.aa2.output or "//"
    if output.startswith("//") and not bpy.data.filepath:
        jobs = bpy.utils.extension_path_user(ADD_ON, path="jobs", create=False)
    else:
        jobs = bpy.path.abspath(output)
    return Path(jobs).resolve()


def _reference(ours: bpy.types.PropertyGroup) -> ReferenceSource:
    joints = None
    if len(ours.reference_joints) == len(BODY):
        joints = tuple((*joint.place, joint.confidence) for joint in ours.reference_joints)
    kind, image = ReferenceKind(ours.reference_kind), ours.reference_image
    name = {ReferenceKind.FILE: bpy.path.abspath(ours.reference_path), ReferenceKind.IMAGE: image.name if image else "",
            ReferenceKind.STRIP: ours.reference_strip}[kind]
    library = image.library if image and kind is ReferenceKind.IMAGE else None
    return ReferenceSource(
        kind=kind, name=name, library=library.filepath if library else "",
        frame=ours.reference_frame if kind is ReferenceKind.STRIP else 0,
        joints=joints, height_px=ours.reference_height or None if joints else None)


def _box(ours: bpy.types.PropertyGroup, size: tuple[int, int]) -> tuple[float, ...] | None:
    """The chosen performer's box in pixels of the job; None where nobody was chosen."""
    if tuple(ours.performer_box) == NOBODY:
        return None
    return tuple(round(part * side, 2) for part, side in zip(ours.performer_box, (*size, *size), strict=True))


def own_bones(ours: bpy.types.PropertyGroup) -> tuple:
    """The artist's own (joint, bone, end)."""
    return tuple((one.name, one.bone, one.end) for one in ours.bones if one.bone)


def _meshes(ours: bpy.types.PropertyGroup) -> tuple[Name, ...]:
    chosen = [ours.mesh] if ours.mesh else []
    if ours.meshes:
        chosen += [thing for thing in ours.meshes.all_objects if thing.type == "MESH" and thing != ours.mesh]
    return names_of(chosen)


def _values(ours: bpy.types.PropertyGroup, settings: dict[str, table.Setting]) -> dict:
    """The values of settings by their fields of the job."""
    found = {field: getattr(ours, one.name) for field, one in settings.items()}
    return {field: None if settings[field].zero_is_none and value == 0 else value for field, value in found.items()}
