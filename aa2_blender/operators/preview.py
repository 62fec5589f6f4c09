"""What is seen before it is paid for."""
import bpy

from ..embedded.engine.contract import events
from .button import StartButton


class AA2_OT_preview_conditions(StartButton, bpy.types.Operator):
    """Writes what the networks will be shown (skeleton, depth, mask, objects) to the job's folder, without generating"""

    bl_idname = "aa2.preview_conditions"
    bl_label = "Preview Conditions"

    def act(self, context):
        return self.start(context, events.Preview)


CLASSES = (AA2_OT_preview_conditions,)
