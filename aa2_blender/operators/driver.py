"""Step 3, the driver: which bone is which joint, in a table of the scene's and as a file."""
import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ..gather.problem import GatherError
from ..gather.rig import JOINTS, REQUIRED, find_map, read_map, write_map
from ..gather.shot import bone_map
from ..settings.plates import settings_of
from ..settings.properties import shot_scene
from ..settings.request_of import own_bones, request_of
from .button import Button


class OfRig:
    """A button that needs an armature."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if settings_of(shot_scene(context)).armature is None:
            cls.poll_message_set("Choose an armature first")
            return False
        return True


class AA2_OT_edit_bones(OfRig, Button, bpy.types.Operator):
    """Open the table of joints and choose bones yourself where one is missing or wrong"""

    bl_idname = "aa2.edit_bones"
    bl_label = "Edit Bones"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        fill_table(settings_of(shot_scene(context)))


class AA2_OT_clear_bones(OfRig, Button, bpy.types.Operator):
    """Forget the bones that you chose and the loaded map, and find all bones again"""

    bl_idname = "aa2.clear_bones"
    bl_label = "Clear Own Bones"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        ours = settings_of(shot_scene(context))
        ours.bone_map = ""
        for one in ours.bones:
            one.bone, one.end = "", "head"


class AA2_OT_use_active_bone(OfRig, Button, bpy.types.Operator):
    """Use the armature's active bone for the joint that is selected in the table"""

    bl_idname = "aa2.use_active_bone"
    bl_label = "Use Active Bone"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        ours = settings_of(shot_scene(context))
        active = ours.armature.data.bones.active
        if active is None:
            return self.refuse(f"{ours.armature.name!r} has no active bone. Click one in Pose Mode.")
        fill_table(ours)
        ours.bones[min(ours.bones_index, len(ours.bones) - 1)].bone = active.name


class AA2_OT_load_bone_map(Button, ImportHelper, bpy.types.Operator):
    """Load the bones of a saved map into the table"""

    bl_idname = "aa2.load_bone_map"
    bl_label = "Load Bone Map"
    bl_options = {"REGISTER", "UNDO"}
    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def act(self, context: bpy.types.Context) -> set[str] | None:
        entries = read_map(self.filepath)
        ours = settings_of(shot_scene(context))
        if ours.armature:
            find_map(ours.armature, entries=entries)
        fill_table(ours)
        ours.bone_map = ""
        chosen = {joint: (bone, end) for joint, bone, end in entries}
        for one in ours.bones:
            one.bone, one.end = chosen.get(one.name, ("", "head"))


class AA2_OT_save_bone_map(OfRig, Button, ExportHelper, bpy.types.Operator):
    """Save which bone stands for which joint, to share the map or to fill in bones that no preset knows"""

    bl_idname = "aa2.save_bone_map"
    bl_label = "Save Bone Map"
    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        try:
            found = bone_map(request_of(scene), settings_of(scene).armature)
        except GatherError as error:
            own = {joint: (bone, end) for joint, bone, end in own_bones(settings_of(scene))}
            write_map(self.filepath,
                      [(joint, *own.get(joint, ("", "head"))) for joint in dict.fromkeys((*REQUIRED, *own))])
            self.report({"WARNING"}, f"{error} Write the bones' names into {self.filepath} and load it.")
        else:
            write_map(self.filepath, [(joint, *place) for joint, place in found.joints.items()])


def fill_table(ours: bpy.types.PropertyGroup) -> None:
    """A row of the table for each joint, in their order; those that are there keep their bones."""
    if [one.name for one in ours.bones] == list(JOINTS):
        return
    own = {one.name: (one.bone, one.end) for one in ours.bones}
    ours.bones.clear()
    for joint in JOINTS:
        one = ours.bones.add()
        one.name = joint
        one.bone, one.end = own.get(joint, ("", "head"))


CLASSES = (AA2_OT_edit_bones, AA2_OT_clear_bones, AA2_OT_use_active_bone, AA2_OT_load_bone_map, AA2_OT_save_bone_map)
