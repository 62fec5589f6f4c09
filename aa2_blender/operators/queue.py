"""Generating: begun and stopped."""
import bpy

from .. import session
from ..embedded.engine.contract import events
from .button import Button, StartButton


class AA2_OT_generate(StartButton, bpy.types.Operator):
    """Puts the character of the reference into the shot, as a strip over the plate"""

    bl_idname = "aa2.generate"
    bl_label = "Generate"

    def act(self, context):
        return self.start(context, events.Run)


class AA2_OT_cancel(Button, bpy.types.Operator):
    """Stops the running job; finished frames stay"""

    bl_idname = "aa2.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context):
        return session.busy()

    def act(self, _context):
        session.current().cancel()


CLASSES = (AA2_OT_generate, AA2_OT_cancel)
