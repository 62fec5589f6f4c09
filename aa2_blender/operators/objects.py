"""Step 4, objects: the list of what the character touches or passes behind."""
import bpy

from ..gather.depth import surfaces
from ..settings.plates import settings_of
from ..settings.properties import shot_scene
from .button import Button


class AA2_OT_add_selected_objects(Button, bpy.types.Operator):
    """Add the selected objects to those that the character touches, holds or passes behind"""

    bl_idname = "aa2.add_selected_objects"
    bl_label = "Add Selected Objects"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        ours = settings_of(shot_scene(context))
        there = [one.thing for one in ours.touched]
        scene = ours.driver_scene or context.scene
        selected = [thing for thing in surfaces(scene.objects) if thing.select_get(view_layer=scene.view_layers[0])]
        added = [thing for thing in selected if thing not in there]
        if not added:
            return self.refuse(f"No selected object of scene {scene.name!r} with a surface is missing from the list. "
                               "Select one in the 3D View.")
        for thing in added:
            ours.touched.add().thing = thing
        ours.touched_index = len(ours.touched) - 1


class AA2_OT_remove_object(Button, bpy.types.Operator):
    """Remove the selected row from the list; the object or collection itself stays"""

    bl_idname = "aa2.remove_object"
    bl_label = "Remove from Objects"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return "" if len(settings_of(shot_scene(context)).touched) else "The list is empty"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        ours = settings_of(shot_scene(context))
        ours.touched.remove(min(ours.touched_index, len(ours.touched) - 1))
        ours.touched_index = max(min(ours.touched_index, len(ours.touched) - 1), 0)


CLASSES = (AA2_OT_add_selected_objects, AA2_OT_remove_object)
