"""Step 3, the driver: the rig that says how the character moves, its camera, and its body's shape."""
import bpy
from bpy.app.translations import pgettext_iface as translated

from ..gather.doubts import doubts
from ..gather.problem import GatherError
from ..gather.rig import GUESSED, REQUIRED, JointState, Row, read_map, rows_of
from ..gather.shot import Shot
from ..gather.strip import frames_of
from ..operators.driver import (
    AA2_OT_clear_bones,
    AA2_OT_edit_bones,
    AA2_OT_load_bone_map,
    AA2_OT_save_bone_map,
    AA2_OT_use_active_bone,
)
from ..settings.plates import settings_of
from ..settings.properties import shot_scene
from ..settings.request_of import Asked, own_bones
from ..settings.table import DriverKind
from .drawing import Part, draw_kinds, draw_text
from .performer import draw_performer

# A joint's state in the table -> its icon, and how it is said below it.
STATES = {JointState.OWN: ("USER", "your own"), JointState.PRESET: ("CHECKMARK", "as in the preset"),
          JointState.GUESS: ("QUESTION", "guessed; look at it"),
          JointState.DOUBT: ("QUESTION", "its name says another bone; look at it"),
          JointState.MISSING: ("ERROR", "missing, and needed"),
          JointState.WRONG: ("CANCEL", "wrong: not there, or hangs from another limb"),
          JointState.NONE: ("BLANK1", "none, and none needed")}
BAD = (JointState.MISSING, JointState.WRONG)


class Driver(Part):
    """What moves the character."""

    bl_label = "Driver"

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        asked = Asked(scene)
        ours = asked.settings
        draw_kinds(layout, ours, "driver")
        if ours.driver == DriverKind.PERFORMER:
            draw_performer(layout, asked)
        else:
            draw_rig(layout, asked)
        layout.prop(ours, "retarget")
        for doubt in doubts(asked.request):
            draw_text(layout, context, doubt, icon="INFO")


def draw_rig(layout: bpy.types.UILayout, asked: Asked) -> None:
    """The armature, its camera and their time."""
    ours = asked.settings
    for name in ("armature", "driver_scene", "camera", "derive_offset"):
        layout.prop(ours, name)
    if not ours.derive_offset:
        layout.prop(ours, "frame_offset")
    frames = frames_text(asked)
    if frames:
        layout.label(text=frames, icon="TIME")


class OfRig(Part):
    """A part of the step that only an armature needs."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return settings_of(shot_scene(context)).driver == DriverKind.ARMATURE


class Bones(OfRig):
    """Which bone is which joint."""

    bl_label = "Bones"
    parent = Driver

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        ours = settings_of(scene)
        layout.prop(ours, "bone_preset")
        if ours.armature is None or ours.armature.type != "ARMATURE":
            return
        name, rows = table_of(ours)
        draw_summary(layout, name, rows)
        if len(ours.bones) == len(rows):
            draw_table(layout, ours, {row.joint: row for row in rows})
        else:
            layout.operator(AA2_OT_edit_bones.bl_idname, icon="BONE_DATA")
        row = layout.row(align=True)
        row.operator(AA2_OT_load_bone_map.bl_idname, text="Load...", icon="IMPORT")
        row.operator(AA2_OT_save_bone_map.bl_idname, text="Save...", icon="EXPORT")
        row.operator(AA2_OT_clear_bones.bl_idname, text="Clear", icon="X")


class AA2_UL_bones(bpy.types.UIList):
    """One joint of the table."""

    rows = {}  # joint -> gather.rig.Row, put here by the panel just before it draws the list

    def draw_item(self, context: bpy.types.Context, layout: bpy.types.UILayout, data: bpy.types.PropertyGroup,
                  item: bpy.types.PropertyGroup, icon: int, active_data: bpy.types.PropertyGroup, active_property: str,
                  index: int = 0, flt_flag: int = 0) -> None:
        """Called by Blender for each row that is seen."""
        found = self.rows.get(item.name)
        row = layout.split(factor=0.45)
        row.label(text=_words(item.name), icon=STATES[found.state if found else JointState.NONE][0])
        row.label(text=found.bone if found else "", translate=False)


def table_of(ours: bpy.types.PropertyGroup) -> tuple[str, list[Row]]:
    """(the preset's name, a gather.rig.Row for each joint) of the chosen armature."""
    try:
        saved = read_map(bpy.path.abspath(ours.bone_map)) if ours.bone_map else ()
    except GatherError:
        saved = ()  # said above Generate
    return rows_of(ours.armature, preset="" if ours.bone_preset == "AUTO" else ours.bone_preset,
                   entries=(*saved, *own_bones(ours)))


def draw_summary(layout: bpy.types.UILayout, name: str, rows: list[Row]) -> None:
    """Whose names the bones have, and how many of those that are needed are there."""
    bad = [row for row in rows if row.state in BAD]
    found = sum(row.joint in REQUIRED and row.state not in BAD for row in rows)
    title = translated("Guessed by structure") if name == GUESSED else name
    text = translated("{preset}: {found} of {needed} joints")
    layout.label(text=text.format(preset=title, found=found, needed=len(REQUIRED)),
                 icon="ERROR" if bad else "CHECKMARK", translate=False)


def draw_table(layout: bpy.types.UILayout, ours: bpy.types.PropertyGroup, rows: dict[str, Row]) -> None:
    """The joints, and below them the bone of the selected one."""
    AA2_UL_bones.rows = rows
    layout.template_list(AA2_UL_bones.__name__, "", ours, "bones", ours, "bones_index", rows=6)
    item = ours.bones[min(ours.bones_index, len(ours.bones) - 1)]
    layout.label(text=f"{_words(item.name)}: {translated(STATES[rows[item.name].state][1])}",
                 translate=False)
    row = layout.row(align=True)
    row.prop_search(item, "bone", ours.armature.data, "bones")
    row.operator(AA2_OT_use_active_bone.bl_idname, text="", icon="RESTRICT_SELECT_OFF")
    row = layout.row()
    row.enabled = bool(item.bone)
    row.prop(item, "end", expand=True)


def _words(joint: str) -> str:
    return joint.replace("_", " ")


class Body(OfRig):
    """The character's silhouette."""

    bl_label = "Body"
    parent = Driver

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        for name in ("mesh", "meshes", "clothing"):
            layout.prop(settings_of(scene), name)


def frames_text(asked: Asked) -> str:
    """Which frames of the rig's scene stand for the plate's; "" where the scene is one, or something is missing."""
    request = asked.request
    try:
        shot = Shot(request)
        first, last = frames_of(shot.strip, request.frames)
    except GatherError:
        return ""
    if shot.driver == asked.scene and not shot.offset:
        return ""
    return f"{first}-{last} is {first + shot.offset}-{last + shot.offset} of {shot.driver.name}"


LISTS = (AA2_UL_bones,)
PARTS = (Driver, Bones, Body)
