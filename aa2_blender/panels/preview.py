"""Step 7, looking before generating: what the networks are shown, or one frame."""
import bpy

from ..blender_api import strips
from ..operators.preview import AA2_OT_preview_conditions, AA2_OT_preview_frame, AA2_OT_show_condition
from ..place import conditions
from ..settings.request_of import job_folder
from .drawing import Part


class Preview(Part):
    """The conditions of all frames, or the character on one."""

    bl_label = "Preview"

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        column = layout.column(align=True)
        column.operator(AA2_OT_preview_frame.bl_idname, icon="IMAGE_DATA")
        column.operator(AA2_OT_preview_conditions.bl_idname, icon="HIDE_OFF")
        draw_conditions(layout, scene)


def draw_conditions(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """A switch for each condition that is drawn."""
    meta = conditions.meta_of(scene, job_folder(scene) / "v001")
    if meta is None:
        return
    grid = layout.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    for strip in strips(meta):
        kind = strip.get(conditions.KIND)
        if kind:
            grid.operator(AA2_OT_show_condition.bl_idname, text=kind.capitalize(), depress=not strip.mute).kind = kind


PARTS = (Preview,)
