"""Step 3, the driver: which bone is which joint, in a table of the scene's and as a file."""
import math
from collections.abc import Sequence

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper
from mathutils import Vector

from ..gather.problem import GatherError
from ..gather.rig import JOINTS, REQUIRED, find_map, read_map, write_map
from ..gather.shot import bone_map
from ..settings.plates import settings_of
from ..settings.properties import shot_scene
from ..settings.request_of import own_bones, request_of
from .button import Button

_AWAY = 2.5  # times the rig's largest side; Blender's default camera sees 0.72 of its distance (ours: room to move)


class OfRig:
    """A button that needs an armature."""

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return "" if settings_of(shot_scene(context)).armature else "Choose an armature first"


class AA2_OT_use_armature(Button, bpy.types.Operator):
    """Use the active armature as the driver, or else the only one that is selected or in the file"""

    bl_idname = "aa2.use_armature"
    bl_label = "Use Armature"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return "" if offered(shot_scene(context), "ARMATURE") else "Several armatures or none: select one"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        settings_of(scene).armature = offered(scene, "ARMATURE")


class AA2_OT_add_camera(Button, bpy.types.Operator):
    """Add a camera to the rig's scene that sees the whole rig, if the scene has none; a camera that is there is used"""

    bl_idname = "aa2.add_camera"
    bl_label = "Add Camera"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        ours = settings_of(scene)
        there = scene_of_rig(scene)
        ours.camera = None
        there.camera = offered(scene, "CAMERA", [there]) or new_camera(there, ours.armature)
        self.report({"INFO"}, f"{there.camera.name} is the camera of {there.name}")


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
    bl_label = "Load Bone Map..."
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
    bl_label = "Save Bone Map..."
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


def scene_of_rig(scene: bpy.types.Scene) -> bpy.types.Scene:
    """The scene of rig and camera: the chosen one, else the first that holds the rig, else the shot's own."""
    ours = settings_of(scene)
    holding = [one for one in (scene, *bpy.data.scenes) if ours.armature and ours.armature.name in one.objects]
    return ours.driver_scene or next(iter(holding), scene)


def offered(scene: bpy.types.Scene, kind: str, scenes: Sequence[bpy.types.Scene] = ()) -> bpy.types.Object | None:
    """The object of a type that is meant if none is chosen: the active one, else the only selected one, else the only
    one, of the rig's scene, or without that of the shot's and then all others."""
    ours = settings_of(scene)
    scenes = scenes or ([ours.driver_scene] if ours.driver_scene else dict.fromkeys((scene, *bpy.data.scenes)))
    layers = [(one, one.view_layers[0]) for one in scenes]
    for _one, layer in layers:
        if layer.objects.active and layer.objects.active.type == kind:
            return layer.objects.active
    there = [(thing, layer) for one, layer in layers for thing in one.objects if thing.type == kind]
    for found in ([thing for thing, layer in there if thing.select_get(view_layer=layer)],
                  [thing for thing, _layer in there]):
        if len(set(found)) == 1:
            return found[0]
    return None


def new_camera(scene: bpy.types.Scene, rig: bpy.types.Object | None) -> bpy.types.Object:
    """A camera in front of a rig, as far away as it needs to see the whole rig."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    corners = [rig.matrix_world @ Vector(corner) for corner in rig.bound_box] if rig else [Vector((-1, 0, 0)),
                                                                                           Vector((1, 0, 2))]
    low, high = (Vector(map(least, *corners)) for least in (min, max))
    camera.location = (low + high) / 2 + Vector((0, -_AWAY * max(high - low), 0))
    camera.rotation_euler = (math.pi / 2, 0, 0)
    return camera


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


CLASSES = (AA2_OT_use_armature, AA2_OT_add_camera, AA2_OT_edit_bones, AA2_OT_clear_bones, AA2_OT_use_active_bone,
           AA2_OT_load_bone_map, AA2_OT_save_bone_map)
