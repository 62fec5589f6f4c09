"""Step 1, the shot: the plate from the sequencer."""
import bpy

from ..properties import shot_scene
from .button import Button


class AA2_OT_use_active_strip(Button, bpy.types.Operator):
    """Takes the active strip as the plate"""

    bl_idname = "aa2.use_active_strip"
    bl_label = "Use Active Strip"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context):
        scene = shot_scene(context)
        active = scene.sequence_editor.active_strip if scene.sequence_editor else None
        if active is None:
            return self.refuse(f"Scene {scene.name!r} has no active strip. Select the plate in the sequencer.")
        scene.aa2.strip = active.name


CLASSES = (AA2_OT_use_active_strip,)
