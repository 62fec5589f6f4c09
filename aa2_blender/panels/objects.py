"""Step 4, objects: what the character touches or passes behind."""
import bpy

from ..operators.objects import AA2_OT_add_selected_objects, AA2_OT_remove_object
from ..settings.plates import settings_of
from .drawing import Part

_ROWS = 3


class AA2_UL_touched(bpy.types.UIList):
    """One object or collection of the list."""

    def draw_item(self, context: bpy.types.Context, layout: bpy.types.UILayout, data: bpy.types.PropertyGroup,
                  item: bpy.types.PropertyGroup, icon: int, active_data: bpy.types.PropertyGroup, active_property: str,
                  index: int = 0, flt_flag: int = 0) -> None:
        """Called by Blender for each row that is seen."""
        shown = item.collection or item.thing
        if shown is None:
            layout.label(text="Gone", icon="ERROR")
        else:
            layout.prop(shown, "name", text="", emboss=False,
                        icon="OUTLINER_COLLECTION" if item.collection else "OBJECT_DATA")


class Objects(Part):
    """What the character touches or passes behind."""

    bl_label = "Objects"

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        ours = settings_of(scene)
        row = layout.row()
        row.template_list(AA2_UL_touched.__name__, "", ours, "touched", ours, "touched_index", rows=_ROWS)
        column = row.column(align=True)
        column.operator(AA2_OT_add_selected_objects.bl_idname, text="", icon="ADD")
        column.operator(AA2_OT_remove_object.bl_idname, text="", icon="REMOVE")
        for name in ("add_object", "objects", "holdouts"):
            layout.prop(ours, name)


LISTS = (AA2_UL_touched,)
PARTS = (Objects,)
