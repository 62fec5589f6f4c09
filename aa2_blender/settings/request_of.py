"""A scene's settings -> the Request that gathering takes, and the folder its job lies in."""
import itertools
from functools import cached_property
from pathlib import Path

import bpy

from ..blender_api import Strip, content_start
from ..embedded.engine.contract.jobs import Settings
from ..embedded.engine.contract.skeleton import BODY
from ..gather.camera import size_of
from ..gather.job import problems
from ..gather.light_source import meant
from ..gather.names import Name, name_of, names_of
from ..gather.problem import GatherError
from ..gather.request import LightPicture, ReferenceSource, Request
from ..gather.shot import Shot
from . import table
from .plates import (
    adopt,
    file_name,
    folders_of_others,
    keep_folder,
    kept_folder,
    name_with,
    plate_of,
    settings_with,
)
from .preferences import weights_folder
from .table import DriverKind, LightSource, MaskUse, PictureFrom, PlateIs, ReferenceKind
from .weights import generation

NOBODY = (0.0, 0.0, 0.0, 0.0)  # the box of no chosen performer


class Asked:
    """What the artist asks for in a scene, for its plate unless another one is given. Each part is looked up once, when
    it is first wanted, so this lives as long as one redraw or one press of a button: whatever changes in between is not
    seen. `pack`: the folder of weights that replaces the preferences', None for those."""

    def __init__(self, scene: bpy.types.Scene, plate: Strip | None = None, pack: str | None = None) -> None:
        self.scene, self.pack = scene, pack
        if plate is not None:
            self.plate = plate

    @cached_property
    def plate(self) -> Strip | None:
        return plate_of(self.scene)

    @cached_property
    def settings(self) -> bpy.types.PropertyGroup:
        return settings_with(self.scene, self.plate)

    @cached_property
    def folder(self) -> Path:
        """Where the versions of the shot are, or will be: where the plate has them, else in the folder of the setting
        `output`, under its names, and with a number if another plate has that folder."""
        there = self.plate and kept_folder(self.plate)
        if there:
            return there
        name, root = file_name(self.scene.name, name_with(self.scene, self.plate)), self.root
        taken = folders_of_others(self.plate)
        numbered = (root / f"{name} {number}" for number in itertools.count(2))
        return next(folder for folder in itertools.chain([root / name], numbered) if folder not in taken)

    @cached_property
    def root(self) -> Path:
        """The folder for the scene's shots. While the file is not saved, and no other folder is chosen, it is a
        temporary one, in which nothing is generated (`problems`)."""
        return Path(bpy.app.tempdir, "aa2_jobs") if self.has_no_place else Path(
            bpy.path.abspath(self.settings.output or "//")).resolve()

    @cached_property
    def has_no_place(self) -> bool:
        """Whether frames cannot be stored, because they belong beside a file that is not saved."""
        return not bpy.data.filepath and (self.settings.output or "//").startswith("//")

    @cached_property
    def request(self) -> Request:
        """What the settings ask for, by names only."""
        return _request(self.scene, self.plate, self.settings, self.folder.name, self.weights)

    @cached_property
    def weights(self) -> Path:
        """The folder of the weights."""
        return weights_folder(self.settings.engine, self.pack)

    @cached_property
    def light(self) -> LightSource | None:
        """Where the light comes from, with what Automatic means now; None where the shot is not known yet. All lamps
        and materials of the rig's scene are looked through for it."""
        try:
            driver = None if self.request.performer else Shot(self.request).driver
        except GatherError:
            return None
        return meant(self.request.light_source, driver)

    @cached_property
    def problems(self) -> list[GatherError]:
        """All that is known to be missing before the shot can be generated."""
        return _problems(self.has_no_place, self.request)


def request_of(scene: bpy.types.Scene, pack: str | None = None) -> Request:
    """What the settings of `scene` ask for, by names only; `pack` as for Asked."""
    return Asked(scene, pack=pack).request


def _request(scene: bpy.types.Scene, plate: Strip | None, ours: bpy.types.PropertyGroup, name: str,
             weights: Path) -> Request:
    performer = ours.driver == DriverKind.PERFORMER
    return Request(
        name=name, scene=scene.name, strip=name_with(scene, plate), plate=plate.aa2.uid if plate else "",
        starts=round(content_start(plate)) if plate else None, reference=_reference(ours),
        driver_scene=name_of(ours.driver_scene), rig="" if performer else name_of(ours.armature),
        bone_map=bpy.path.abspath(ours.bone_map),
        bones=own_bones(ours), preset="" if ours.bone_preset == "AUTO" else ours.bone_preset,
        frames=(ours.range_first, ours.range_last) if ours.use_range else None,
        camera=name_of(ours.camera),
        frame_offset=None if ours.derive_offset else ours.frame_offset,
        meshes=() if performer else _meshes(ours),
        objects=names_of([*(one.thing for one in ours.touched), ours.add_object]),
        collections=names_of([*(one.collection for one in ours.touched), ours.objects]), holdouts=ours.holdouts,
        clean_plate=ours.plate_is == PlateIs.EMPTY and not performer, performer=performer,
        performer_box=_box(ours, size_of(scene)) if performer else None,
        performer_frame=ours.performer_frame if performer and tuple(ours.performer_box) != NOBODY else 0,
        mask_strip=ours.mask_strip, mask_use=MaskUse[ours.mask_use], clean_strip=ours.clean_strip,
        front_strip=ours.front_strip, make_clean=performer and ours.make_clean,
        light_source=LightSource(ours.light_source), light_picture=_light(ours),
        settings=Settings(**generation(ours, weights)),
        **{field: getattr(ours, one.name) for field, one in table.PASSED.items()})


def job_folder(scene: bpy.types.Scene) -> Path:
    """Where the versions of the scene's shot are, or will be: the same for the same plate, so that a second run resumes
    the first."""
    return Asked(scene).folder


def keep_settings(scene: bpy.types.Scene) -> None:
    """Give the plate settings and a folder of its own, which it keeps from now on; call it before a version is made."""
    plate = plate_of(scene)
    if plate:
        adopt(plate)
        keep_folder(plate, job_folder(scene))


def jobs_root(scene: bpy.types.Scene) -> Path:
    """The folder for the scene's shots."""
    return Asked(scene).root


def problems_of(scene: bpy.types.Scene, request: Request) -> list[GatherError]:
    """All that is known to be missing before the shot can be generated."""
    return _problems(Asked(scene).has_no_place, request)


def _problems(has_no_place: bool, request: Request) -> list[GatherError]:
    unsaved = [GatherError("The frames are stored beside this file, and it is not saved.", "Save it first.",
                           "save_file")] if has_no_place else []
    return [*unsaved, *problems(request)]


def _reference(ours: bpy.types.PropertyGroup) -> ReferenceSource:
    joints = None
    if len(ours.reference_joints) == len(BODY):
        joints = tuple((*joint.place, joint.confidence) for joint in ours.reference_joints)
    kind, image = ReferenceKind(ours.reference_kind), ours.reference_image
    path, is_nowhere = ours.reference_path, not bpy.data.filepath and ours.reference_path.startswith("//")
    name = {ReferenceKind.FILE: path if is_nowhere else bpy.path.abspath(path),
            ReferenceKind.IMAGE: image.name if image else "", ReferenceKind.STRIP: ours.reference_strip}[kind]
    library = image.library if image and kind is ReferenceKind.IMAGE else None
    return ReferenceSource(
        kind=kind, name=name, library=library.filepath if library else "",
        frame=ours.reference_frame if kind is ReferenceKind.STRIP else 0,
        joints=joints, height_px=ours.reference_height or None if joints else None)


def _light(ours: bpy.types.PropertyGroup) -> LightPicture:
    """The picture that the light comes from; without a name where none is needed."""
    source, kind = LightSource(ours.light_source), PictureFrom(ours.light_from)
    if source not in (LightSource.PICTURE, LightSource.HDRI):
        return LightPicture()
    is_ball = source is LightSource.PICTURE
    path, image = (ours.ball_path, ours.ball_image) if is_ball else (ours.hdri_path, ours.hdri_image)
    is_nowhere = not bpy.data.filepath and path.startswith("//")
    if kind is PictureFrom.FILE:
        named = {"name": path if is_nowhere else bpy.path.abspath(path)}
    else:
        named = {"name": image.name if image else "",
                 "library": image.library.filepath if image and image.library else ""}
    with_it = {"albedo": round(ours.ball_albedo, 6)} if is_ball else {
        "rotation": round(ours.hdri_rotation, 6), "strength": round(ours.hdri_strength, 6)}
    return LightPicture(kind=kind, **named, **with_it)


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
