"""What the artist chooses for a shot: `strip.aa2` of its plate, and before its first Generate `scene.aa2` of the scene
whose sequencer holds the plate (settings/plates.py).

Blender reads properties from a class's annotations. Here they are written as a dictionary, so that nobody takes them
for types.
"""
from collections.abc import Callable
from typing import Any, cast

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..blender_api import Strip, sequencer_scene, strips
from ..cost import defaults
from ..gather.names import name_of
from . import automatic
from .plates import settings_of
from .preferences import weights_folder
from .table import SETTINGS, Kind, ReferenceKind, Setting, ZeroIs

ENDS = (("head", "Head", "The joint is where the bone begins"), ("tail", "Tail", "The joint is where the bone ends"))

# Paths that may begin with //; 4.5 began to ask whether they may.
RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"} if (
    "is_path_supports_blend_relative" in bpy.types.Property.bl_rna.properties) else set()


def _offered(kind: str) -> dict[str, Any]:
    """What makes a pointer offer only objects of one type. Without a window nobody chooses, and the module of 4.2
    crashes at exit after any `poll`. So there is none then; gather/shot.py checks the type again."""
    return {} if bpy.app.background else {"poll": lambda _settings, thing: thing.type == kind}


def _calls(update: Callable[[Any, bpy.types.Context], None]) -> dict[str, Any]:
    """What makes a change call `update`; cli/asking.py and settings/request_of.py do without."""
    return {"update": update} if automatic.IS_CALLED else {}


class AA2_PG_joint(bpy.types.PropertyGroup):
    """One joint of the reference picture: `name`, its place in pixels (y down) and how sure it is."""

    __annotations__ = {
        "place": FloatVectorProperty(name="Position", description="Pixels from the left and from the top", size=2),
        "confidence": FloatProperty(name="Seen", description="0 if the joint is not in the picture",
                                   min=0, max=1, default=1)}


class AA2_PG_bone(bpy.types.PropertyGroup):
    """The bone that the artist chose for a joint. `name` is the joint, as in gather/rig.py; without a bone it is
    found."""

    __annotations__ = {
        "bone": StringProperty(name="Bone", description="The bone of this joint (empty: from the preset or the guess)"),
        "end": EnumProperty(name="End", description="Where on the bone the joint is", items=ENDS, default="head")}


class AA2_PG_touched(bpy.types.PropertyGroup):
    """One object, or all of a collection, that the character touches or passes behind."""

    __annotations__ = {
        "thing": PointerProperty(name="Object", description="An object that the character touches or passes behind",
                                 type=bpy.types.Object),
        "collection": PointerProperty(
            name="Collection", description="A collection of objects that the character touches or passes behind",
            type=bpy.types.Collection)}


def _add_touched(name: str) -> Callable[[Any, bpy.types.Context], None]:
    """An update that moves what was picked in the field `name` into the list,
    so that the field is free for the next."""
    def update(ours: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
        picked = getattr(ours, name)
        if picked is None:
            return
        kind = "collection" if isinstance(picked, bpy.types.Collection) else "thing"
        if picked not in [getattr(one, kind) for one in ours.touched]:
            setattr(ours.touched.add(), kind, picked)
        ours.touched_index = len(ours.touched) - 1
        setattr(ours, name, None)
    return update


def another_armature(ours: bpy.types.PropertyGroup, _context: bpy.types.Context | None = None) -> None:
    """Keeps those of the artist's own bones that the other armature has too."""
    there = ours.armature.data.bones if ours.armature and ours.armature.type == "ARMATURE" else ()
    for one in ours.bones:
        if one.bone not in there:
            one.bone = ""


def picture_named(ours: bpy.types.PropertyGroup) -> str:
    """The picture that is the reference, as a text that changes with it."""
    named = {ReferenceKind.FILE: ours.reference_path,
             ReferenceKind.IMAGE: str(name_of(ours.reference_image)),
             ReferenceKind.STRIP: f"{ours.reference_frame} {ours.reference_strip}"}
    return f"{ours.reference_kind} {named[ours.reference_kind]}"


def another_reference(ours: bpy.types.PropertyGroup, _context: bpy.types.Context | None = None) -> None:
    """Removes the joints if they belong to another picture. If the same picture is chosen again, they stay."""
    if ours.reference_joints_of != picture_named(ours):
        ours.reference_joints.clear()
        ours.reference_height = 0


class AA2_PG_settings(bpy.types.PropertyGroup):
    """One shot: the settings of the table, and here what buttons and lists keep beside them. Empty pointers mean what
    the tooltip says."""

    __annotations__ = {
        "performer_box": FloatVectorProperty(
            name="Performer",
            description="Where the performer stands, in parts of the picture: left, top, right, bottom (all 0: the "
            "nearest person)", size=4, min=0, max=1),
        "performer_frame": IntProperty(name="On Frame",
                                       description="The frame of the timeline on which the performer was chosen"),
        "touched": CollectionProperty(type=AA2_PG_touched),
        "touched_index": IntProperty(name="Objects", description="What the character touches, holds or passes behind"),
        "objects": PointerProperty(
            name="Add Collection",
            description="Add all objects of a collection to those that the character touches, holds or passes behind",
            type=bpy.types.Collection, **_calls(_add_touched("objects"))),
        "add_object": PointerProperty(
            name="Add Object", description="Add an object to those that the character touches, holds or passes behind",
            type=bpy.types.Object, **_calls(_add_touched("add_object"))),
        "bones": CollectionProperty(type=AA2_PG_bone),
        "bones_index": IntProperty(name="Joint", description="The joint whose bone is chosen below"),
        "reference_joints": CollectionProperty(type=AA2_PG_joint),
        "reference_joints_of": StringProperty(
            name="Joints Of", description="The picture in which the joints were found"),
        "reference_height": FloatProperty(
            name="Height", description="The character's standing height in the reference, in pixels", min=0),
        # Of a plate with settings of its own: its mark, its scene and name when it got that, and where its versions are
        # (absolute, relative to the file, and the setting `output` that led there).
        "uid": StringProperty(), "known_scene": StringProperty(), "known_strip": StringProperty(),
        "folder": StringProperty(), "folder_in_blend": StringProperty(), "folder_for": StringProperty()}


UPDATES = {"armature": another_armature, **dict.fromkeys(
    ("reference_kind", "reference_path", "reference_image", "reference_strip", "reference_frame"), another_reference)}
_NUMBERS = {Kind.WHOLE: IntProperty, Kind.NUMBER: FloatProperty}
_TEXTS = {Kind.TEXT: {}, Kind.FILE: {"subtype": "FILE_PATH", "options": RELATIVE},
          Kind.FOLDER: {"subtype": "DIR_PATH", "options": RELATIVE}}

# Of choices that a panel shows as icons.
_ICONS = {"reference_kind": ("FILE_IMAGE", "IMAGE_DATA", "SEQUENCE"), "driver": ("ARMATURE_DATA", "USER")}


def with_icons(one: Setting) -> tuple:
    """The choices of a setting as an EnumProperty takes them."""
    icons = _ICONS.get(one.name)
    return one.choices if icons is None else tuple(
        (*choice, icon, number) for number, (choice, icon) in enumerate(zip(one.choices, icons, strict=True)))


def property_of(one: Setting) -> Any:
    """The property of a line of the table."""
    words = {"name": one.label,
             "description": one.tooltip if one.zero_is is ZeroIs.ZERO else automatic.explained(one.tooltip),
            **(_calls(UPDATES[one.name]) if one.name in UPDATES else {})}
    if one.kind is Kind.FLAG:
        return BoolProperty(default=bool(one.default), **words)
    if one.kind in _NUMBERS:
        span = {"min": one.low, "max": one.high, "soft_max": one.soft_high}
        return _NUMBERS[one.kind](default=one.default or 0, subtype=one.subtype, **words,
                                  **{name: value for name, value in span.items() if value is not None})
    if one.kind in _TEXTS:
        return StringProperty(default=one.default or "", **_TEXTS[one.kind], **words)
    if one.kind is Kind.CHOICE:
        return EnumProperty(items=with_icons(one), default=one.default or one.choices[0][0], **words)
    return PointerProperty(type=getattr(bpy.types, one.kind), **words, **(_offered(one.only) if one.only else {}))


def _of_weights(one: Setting) -> Callable[[Any], float]:
    """What says the number that a setting left to the weights stands for, with the engine that is chosen beside it."""
    return lambda ours: defaults(weights_folder(ours.engine))[one.name]


AA2_PG_settings.__annotations__ |= {one.name: property_of(one) for one in SETTINGS}
for _one in SETTINGS:
    if _one.zero_is is not ZeroIs.ZERO:
        AA2_PG_settings.__annotations__ |= automatic.beside(
            _one.name, _one.label, _one.tooltip, cast("float", _one.high), _of_weights(_one),
            is_whole=_one.kind is Kind.WHOLE, soft_most=_one.soft_high)


def shot_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose settings a panel or operator means (an edit is often not the shot): the sequencer's; where it has
    no strips, the one that names it as its rig's scene, else the only one that has strips."""
    scene = sequencer_scene(context)
    if _has_strips(scene):
        return scene
    edits = [other for other in bpy.data.scenes if _has_strips(other)]
    naming = [edit for edit in edits if settings_of(edit).driver_scene == scene]
    return naming[0] if naming else edits[0] if len(edits) == 1 else scene


def _has_strips(scene: bpy.types.Scene) -> bool:
    return scene.sequence_editor is not None and len(strips(scene.sequence_editor)) > 0


CLASSES = (AA2_PG_joint, AA2_PG_bone, AA2_PG_touched, AA2_PG_settings)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.aa2 = PointerProperty(type=AA2_PG_settings)
    Strip.aa2 = PointerProperty(type=AA2_PG_settings)


def unregister() -> None:
    del Strip.aa2
    del bpy.types.Scene.aa2
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
