"""Step 3, the driver: its bone map as a file."""
import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ..gather.problem import GatherError
from ..gather.rig import REQUIRED, find_map, read_map, write_map
from ..properties import shot_scene
from .button import Button


class AA2_OT_load_bone_map(Button, ImportHelper, bpy.types.Operator):
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


class AA2_OT_save_bone_map(Button, ExportHelper, bpy.types.Operator):
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


CLASSES = (AA2_OT_load_bone_map, AA2_OT_save_bone_map)
