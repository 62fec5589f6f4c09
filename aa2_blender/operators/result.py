"""The result: a job's frames laid into the scene."""
import os

import bpy

from .. import session
from ..asking import job_folder
from ..embedded.engine.contract import folder as files
from ..place.strip import place
from ..properties import shot_scene
from .button import Button


class AA2_OT_place_again(Button, bpy.types.Operator):
    """Lays the job's finished frames over the plate once more, without generating"""

    bl_idname = "aa2.place_again"
    bl_label = "Place Again"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if session.busy():
            cls.poll_message_set("A job is running; cancel it or wait")
            return False
        if not os.path.isfile(files.path(job_folder(shot_scene(context)), files.JOB)):
            cls.poll_message_set("Nothing is generated yet")
            return False
        return True

    def act(self, context):
        scene = shot_scene(context)
        strips = place(scene, job_folder(scene), scene.aa2.strip)
        self.report({"INFO"}, f"Placed {', '.join(strips)}")


CLASSES = (AA2_OT_place_again,)
