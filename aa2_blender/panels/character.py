"""Step 2, the character: its reference picture and the joints in it."""
from pathlib import Path

import bpy

from ..embedded.engine.contract import files
from ..operators.character import AA2_OT_find_reference_joints, AA2_OT_use_frame_as_reference
from ..operators.joints import AA2_OT_edit_reference_joints
from ..settings.plates import settings_of
from ..settings.request_of import Asked
from ..settings.table import ReferenceKind
from .drawing import Part, draw_kinds, draw_strip_field
from .thumbnails import thumbnail_of

_THUMBNAIL = 7.0  # times a button's height


class Character(Part):
    """Who is put into the shot."""

    bl_label = "Reference"

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        ours = settings_of(scene)
        draw_kinds(layout, ours, "reference_kind")
        if ours.reference_kind == ReferenceKind.STRIP:
            draw_strip(layout, scene)
        else:
            layout.prop(ours, "reference_path" if ours.reference_kind == ReferenceKind.FILE else "reference_image")
        thumbnail = reference_icon(layout, Asked(scene))
        if thumbnail:
            layout.template_icon(icon_value=thumbnail, scale=_THUMBNAIL)
        row = layout.row(align=True)
        row.operator(AA2_OT_find_reference_joints.bl_idname, icon="VIEWZOOM")
        row.operator(AA2_OT_edit_reference_joints.bl_idname, icon="ARMATURE_DATA")


def draw_strip(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Which frame of which strip is the reference."""
    draw_strip_field(layout, scene, "reference_strip", "SEQUENCE", AA2_OT_use_frame_as_reference.bl_idname)
    layout.prop(settings_of(scene), "reference_frame")


def reference_icon(layout: bpy.types.UILayout, asked: Asked) -> int:
    """The icon of the reference's picture, 0 where there is none: of a strip's frame, as it was written last."""
    ours = asked.settings
    if ours.reference_kind == ReferenceKind.IMAGE:
        return layout.icon(ours.reference_image) if ours.reference_image else 0
    if ours.reference_kind == ReferenceKind.STRIP:
        return thumbnail_of(Path(files.path(asked.folder, files.REFERENCE))) if ours.reference_strip else 0
    return thumbnail_of(Path(bpy.path.abspath(ours.reference_path))) if ours.reference_path else 0


class ReferenceJoints(Part):
    """The joints of the reference picture, by numbers."""

    bl_label = "Reference Joints"
    parent = Character

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        layout.use_property_split = False
        if not settings_of(scene).reference_joints:
            layout.label(text="None yet: Generate finds them", icon="INFO")
        for joint in settings_of(scene).reference_joints:
            row = layout.row(align=True)
            row.label(text=joint.name.replace("_", " "))
            row.prop(joint, "place", text="")
            row.prop(joint, "confidence", text="")
        if settings_of(scene).reference_joints:
            layout.prop(settings_of(scene), "reference_height")


PARTS = (Character, ReferenceJoints)
