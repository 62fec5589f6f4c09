"""What the artist's buttons do; the only file that speaks to the user in reports."""
import os
from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from . import session
from .asking import job_folder, plate_name, request_of
from .embedded.engine.contract import events
from .embedded.engine.contract import folder as files
from .embedded.engine.contract.errors import JobError
from .gather.job import problems
from .gather.problem import GatherError
from .gather.rig import REQUIRED, find_map, read_map, write_map
from .generation import Generation
from .joints import JointSearch
from .place.strip import PlaceError, place
from .preferences import engine_launch
from .properties import shot_scene


class _Button:
    """What our operators share: they report, and never leave Blender with an exception."""

    bl_options = {"REGISTER"}

    def execute(self, context):
        try:
            return self.act(context) or {"FINISHED"}
        except (JobError, GatherError, PlaceError) as error:
            return self.refuse(str(error))
        except OSError as error:
            return self.refuse(f"{error.filename or 'A file'}: {error.strerror or error}.")

    def refuse(self, message):
        self.report({"ERROR"}, message)
        return {"CANCELLED"}

    def begin(self, task):
        """Starts a task; in background mode it has ended on return, and its end is reported."""
        session.begin(task)
        if task.state == "failed":
            return self.refuse(str(task.error))
        return {"CANCELLED"} if task.state == "cancelled" else {"FINISHED"}


class _StartButton(_Button):
    """A button that needs the engine, so it waits for the one before."""

    @classmethod
    def poll(cls, _context):
        if session.busy():
            cls.poll_message_set("A job is running; cancel it or wait")
        return not session.busy()

    def start(self, context, ask):
        scene = shot_scene(context)
        scene.aa2.strip = plate_name(scene)  # placing makes another strip the active one
        request = request_of(scene)
        found = problems(request)
        if found:
            return self.refuse(" ".join(f"{problem.message} {problem.remedy}" for problem in found))
        return self.begin(Generation(request, job_folder(scene), link=session.link, launch=engine_launch(), ask=ask))


class AA2_OT_generate(_StartButton, bpy.types.Operator):
    """Puts the character of the reference into the shot, as a strip over the plate"""

    bl_idname = "aa2.generate"
    bl_label = "Generate"

    def act(self, context):
        return self.start(context, events.Run)


class AA2_OT_preview_conditions(_StartButton, bpy.types.Operator):
    """Writes what the networks will be shown (skeleton, depth, mask, objects) to the job's folder, without generating"""

    bl_idname = "aa2.preview_conditions"
    bl_label = "Preview Conditions"

    def act(self, context):
        return self.start(context, events.Preview)


class AA2_OT_find_reference_joints(_StartButton, bpy.types.Operator):
    """Looks for the character's joints in the reference, for you to correct"""

    bl_idname = "aa2.find_reference_joints"
    bl_label = "Find Joints"

    def act(self, context):
        scene = shot_scene(context)
        image = scene.aa2.reference_image
        name = bpy.path.abspath(image.filepath if image else scene.aa2.reference_path)
        if not Path(name).is_file():
            return self.refuse(f"Expected the reference as a picture file, got {name!r}. Choose a file on the disk.")
        return self.begin(JointSearch(Path(name).resolve(), scene.name, job_folder(scene), link=session.link,
                                      launch=engine_launch()))


class AA2_OT_cancel(_Button, bpy.types.Operator):
    """Stops the running job; finished frames stay"""

    bl_idname = "aa2.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context):
        return session.busy()

    def act(self, _context):
        session.current().cancel()


class AA2_OT_place_again(_Button, bpy.types.Operator):
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


class AA2_OT_use_active_strip(_Button, bpy.types.Operator):
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


class AA2_OT_load_bone_map(_Button, ImportHelper, bpy.types.Operator):
    """Takes a saved map from joints to bones for this shot"""

    bl_idname = "aa2.load_bone_map"
    bl_label = "Load Bone Map"
    bl_options = {"REGISTER", "UNDO"}
    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def act(self, context):
        entries = read_map(self.filepath)
        scene = shot_scene(context)
        if scene.aa2.armature:
            find_map(scene.aa2.armature, entries=entries)
        scene.aa2.bone_map = self.filepath


class AA2_OT_save_bone_map(_Button, ExportHelper, bpy.types.Operator):
    """Writes which bone stands for which joint, to share it, or to fill in what no preset knows"""

    bl_idname = "aa2.save_bone_map"
    bl_label = "Save Bone Map"
    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def act(self, context):
        ours = shot_scene(context).aa2
        if ours.armature is None:
            return self.refuse("Expected an armature, got none. Choose one first.")
        try:
            found = find_map(ours.armature, entries=read_map(ours.bone_map) if ours.bone_map else ())
        except GatherError as error:
            write_map(self.filepath, [(joint, "", "head") for joint in REQUIRED])
            self.report({"WARNING"}, f"{error} Write the bones' names into {self.filepath} and load it.")
        else:
            write_map(self.filepath, [(joint, *place) for joint, place in found.joints.items()])


CLASSES = (AA2_OT_generate, AA2_OT_preview_conditions, AA2_OT_find_reference_joints, AA2_OT_cancel, AA2_OT_place_again,
           AA2_OT_use_active_strip, AA2_OT_load_bone_map, AA2_OT_save_bone_map)


def register():
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister():
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
