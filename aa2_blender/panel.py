"""The sidebar's tab "AA2": the shot's settings, what is missing, the running job, and how the last one ended."""
import textwrap

import bpy

from . import session
from .asking import job_folder, request_of
from .gather.job import problems
from .gather.problem import GatherError
from .gather.shot import Shot
from .gather.strip import frames_of
from .operators import (AA2_OT_cancel, AA2_OT_find_reference_joints, AA2_OT_generate, AA2_OT_load_bone_map,
                        AA2_OT_place_again, AA2_OT_preview_conditions, AA2_OT_save_bone_map, AA2_OT_use_active_strip)
from .properties import shot_scene
from .task import remedy

PIXELS_A_LETTER = 6.5  # of Blender's interface font at scale 1 (ours: 5.8 measured in a window, and some to spare)


def draw_shot(layout, scene):
    """What is asked for: plate, character, rig."""
    ours = scene.aa2
    row = layout.row(align=True)
    if scene.sequence_editor:
        name = "strips_all" if hasattr(scene.sequence_editor, "strips_all") else "sequences_all"
        row.prop_search(ours, "strip", scene.sequence_editor, name, icon="SEQUENCE")
    else:
        row.prop(ours, "strip")
    row.operator(AA2_OT_use_active_strip.bl_idname, text="", icon="EYEDROPPER")
    layout.prop(ours, "reference_path")
    layout.prop(ours, "reference_image")
    for name in ("armature", "driver_scene", "camera", "derive_offset"):
        layout.prop(ours, name)
    if not ours.derive_offset:
        layout.prop(ours, "frame_offset")
    frames = frames_told(scene)
    if frames:
        layout.label(text=frames, icon="TIME")


def frames_told(scene):
    """Which frames of the rig's scene stand for the plate's; "" where the scene is one, or something is missing."""
    request = request_of(scene)
    try:
        shot = Shot(request)
        first, last = frames_of(shot.strip, request.frames)
    except GatherError:
        return ""
    if shot.driver == scene and not shot.offset:
        return ""
    return f"{first}-{last} is {first + shot.offset}-{last + shot.offset} of {shot.driver.name}"


def draw_job(layout, context, scene):
    """The problems, the buttons, and below them the running job or the end of the last: no button moves under the mouse
    when a job begins or ends."""
    busy, task = session.busy(), session.current()
    found = [] if busy else problems(request_of(scene))
    for problem in found:
        draw_text(layout, context, problem.message, icon="ERROR")
        draw_text(layout, context, problem.remedy, icon="BLANK1")
    column = layout.column(align=True)
    column.enabled = not (found or busy)
    column.operator(AA2_OT_generate.bl_idname, icon="PLAY")
    column.operator(AA2_OT_preview_conditions.bl_idname, icon="HIDE_OFF")
    layout.operator(AA2_OT_place_again.bl_idname, icon="SEQ_STRIP_DUPLICATE")
    if busy:
        draw_progress(layout, task.progress)
        layout.operator(AA2_OT_cancel.bl_idname, icon="X")
    elif task:
        draw_end(layout, context, task)


def draw_progress(layout, progress):
    factor = min(progress.step / progress.total, 1.0) if progress.total else 0.0
    layout.progress(factor=factor, text=str(progress))


def draw_end(layout, context, task):
    """How the last job ended: its error with the remedy, or its warnings, and where it lies."""
    box = layout.box()
    if task.error:
        draw_text(box, context, task.error.message, icon="CANCEL")
        draw_text(box, context, remedy(task.error), icon="BLANK1")
    elif task.state == "done":
        box.label(text=task.achieved(), icon="CHECKMARK")
    else:
        box.label(text="Cancelled; what is finished stays", icon="X")
    for warning in getattr(task, "warnings", ()):
        draw_text(box, context, warning, icon="INFO")
    box.operator("wm.path_open", text="Open Job Folder", icon="FILE_FOLDER").filepath = str(task.folder)


def draw_text(layout, context, text, icon="NONE"):
    """A text of any length, wrapped to the sidebar; the first line carries the icon."""
    width = context.region.width / (PIXELS_A_LETTER * context.preferences.system.ui_scale) - 6
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, max(int(width), 24))]
    column = layout.column(align=True)
    for line in lines:
        column.label(text=line, icon=icon)
        icon = "BLANK1" if icon != "NONE" else icon


class _Sidebar:
    bl_region_type = "UI"
    bl_category = "AA2"


class _Shot(_Sidebar):
    bl_label = "Character"

    def draw(self, context):
        scene = shot_scene(context)
        if scene != context.scene:
            self.layout.label(text=scene.name, icon="SCENE_DATA")
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        draw_shot(self.layout, scene)
        self.layout.use_property_split = False
        draw_job(self.layout, context, scene)


class _Contact(_Sidebar):
    bl_label = "Body and Objects"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout, ours = self.layout, shot_scene(context).aa2
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("mesh", "meshes", "clothing", "objects", "holdouts", "clean_plate", "bone_map"):
            layout.prop(ours, name)
        row = layout.row(align=True)
        row.operator(AA2_OT_load_bone_map.bl_idname)
        row.operator(AA2_OT_save_bone_map.bl_idname)


class _Joints(_Sidebar):
    bl_label = "Reference Joints"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout, ours = self.layout, shot_scene(context).aa2
        layout.operator(AA2_OT_find_reference_joints.bl_idname, icon="VIEWZOOM")
        for joint in ours.reference_joints:
            row = layout.row(align=True)
            row.label(text=joint.name.replace("_", " "))
            row.prop(joint, "place", text="")
            row.prop(joint, "confidence", text="")
        if ours.reference_joints:
            layout.prop(ours, "reference_height")


class _Quality(_Sidebar):
    bl_label = "Quality and Output"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        scene = shot_scene(context)
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        for name in ("seed", "steps", "window", "shape", "grain", "shadow", "output"):
            self.layout.prop(scene.aa2, name)
        draw_text(self.layout, context, str(job_folder(scene)))


def _panel(part, space, short):
    """One part of the tab as a panel class of one editor."""
    base = f"AA2_PT_{short}"
    name = f"{base}_{part.__name__.strip('_').lower()}"
    parent = {} if part is _Shot else {"bl_parent_id": f"{base}_shot"}
    return type(name, (part, bpy.types.Panel), {"bl_idname": name, "bl_space_type": space, **parent})


CLASSES = tuple(_panel(part, space, short) for space, short in (("SEQUENCE_EDITOR", "sequencer"), ("VIEW_3D", "view"))
                for part in (_Shot, _Contact, _Joints, _Quality))


def register():
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister():
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
