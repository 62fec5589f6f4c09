"""Step 1, the shot: which frames of the plate, who is in it, and what the artist has made for it."""
import bpy

from ..operators.shot import (
    ROLES,
    AA2_OT_add_clean_plate,
    AA2_OT_add_mask,
    AA2_OT_use_active_strip,
    AA2_OT_use_preview_range,
    Role,
)
from ..settings.plates import settings_of
from ..settings.table import DriverKind, PlateIs
from .drawing import Part, draw_strip_field


class Shot(Part):
    """The plate that the character is put over."""

    bl_label = "Shot"

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        ours = settings_of(scene)
        draw_range(layout, scene)
        row = layout.row()
        row.enabled = ours.driver == DriverKind.ARMATURE  # a performer who drives is in the plate
        row.prop(ours, "plate_is")


def draw_range(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """Whether all of the plate's frames are made, or which."""
    ours = settings_of(scene)
    row = layout.row(align=True)
    row.prop(ours, "use_range")
    row.operator(AA2_OT_use_preview_range.bl_idname, text="", icon="PREVIEW_RANGE")
    if ours.use_range:
        column = layout.column(align=True)
        column.prop(ours, "range_first")
        column.prop(ours, "range_last")


class Beside(Part):
    """What the artist has made for the plate."""

    bl_label = "Mask and Clean Plate"
    parent = Shot

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        ours = settings_of(scene)
        draw_strip(layout, scene, Role.MASK, "MOD_MASK")
        if ours.mask_strip:
            layout.prop(ours, "mask_use")
        draw_strip(layout, scene, Role.FRONT, "MOD_OPACITY")
        row = layout.row()
        row.enabled = ours.driver == DriverKind.PERFORMER or ours.plate_is == PlateIs.PERFORMED
        draw_strip(row, scene, Role.CLEAN, "IMAGE_BACKGROUND")
        row = layout.row(align=True)
        row.operator(AA2_OT_add_mask.bl_idname, icon="ADD")
        row.operator(AA2_OT_add_clean_plate.bl_idname, icon="ADD")


def draw_strip(layout: bpy.types.UILayout, scene: bpy.types.Scene, role: Role, icon: str) -> None:
    """The strip of a role (operators/shot.py), with a button that takes the active one."""
    draw_strip_field(layout, scene, ROLES[role], icon, AA2_OT_use_active_strip.bl_idname).role = role


PARTS = (Shot, Beside)
