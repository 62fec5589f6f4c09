"""Looking before generating: the conditions of all frames, or the character on one frame."""
from dataclasses import replace

import bpy
from bpy.props import EnumProperty

from ..embedded.engine.contract import files, messages
from ..gather.strip import find, frames_of
from ..place import conditions
from ..queue import session
from ..settings.preferences import engine_launch
from ..settings.properties import shot_scene
from ..settings.request_of import job_folder
from ..tasks.gathering import TriedFrame
from ..tasks.generation import FramePreview
from .button import Button, StartButton


class AA2_OT_preview_conditions(StartButton, bpy.types.Operator):
    bl_description = ("Draw what the networks are shown (skeleton, depth, mask, environment, objects) and lay it over "
                      "the plate in one meta strip, without generating. The skeleton is shown at once")
    bl_idname = "aa2.preview_conditions"
    bl_label = "Preview Conditions"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        return self.start(context, messages.Preview)


class AA2_OT_preview_frame(StartButton, bpy.types.Operator):
    """Generate only the current frame and lay it over the plate"""

    bl_idname = "aa2.preview_frame"
    bl_label = "Preview Frame"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        request, missing = self.asked(scene)
        if missing:
            return self.refuse(missing)
        first, last = frames_of(find(scene, request.strip))
        frame = scene.frame_current
        if not first <= frame <= last:
            return self.refuse(f"The plate shows the frames {first} to {last}, not {frame}. Move the playhead over "
                               "the plate.")
        request = replace(request, name=f"{request.name} frame", frames=(frame, frame))
        tried = TriedFrame(request, job_folder(scene))
        return self.begin(FramePreview(tried, link=session.link, launch=engine_launch(request.settings.engine)))


class AA2_OT_show_condition(Button, bpy.types.Operator):
    """Show or hide one of the drawn conditions over the plate"""

    bl_idname = "aa2.show_condition"
    bl_label = "Show Condition"
    bl_options = {"REGISTER", "UNDO"}
    kind: EnumProperty(name="Condition", description="What is shown or hidden", items=[
        (kind, kind.capitalize(), f"The {kind} that the networks are shown") for kind in files.SHOWN_KINDS])

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return "" if conditions.metas(shot_scene(context)) else "Press Preview Conditions first"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        meta = conditions.meta_of(scene, job_folder(scene) / "v001") or conditions.metas(scene)[0]
        conditions.switch(meta, self.kind)


CLASSES = (AA2_OT_preview_conditions, AA2_OT_preview_frame, AA2_OT_show_condition)
