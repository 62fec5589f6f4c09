"""Step 3, the driver: what a performer in the plate needs in place of a rig."""
import bpy
from bpy.app.translations import pgettext_iface as translated

from ..gather.shot import needs_camera
from ..operators.performer import AA2_OT_choose_performer, AA2_OT_forget_performer, AA2_OT_make_rig_from_pose
from ..settings.request_of import NOBODY, Asked


def draw_performer(layout: bpy.types.UILayout, asked: Asked) -> None:
    """Which person in the plate is the performer, and whether a clean plate is made."""
    ours = asked.settings
    row = layout.row(align=True)
    row.operator(AA2_OT_choose_performer.bl_idname, icon="RESTRICT_SELECT_OFF")
    if tuple(ours.performer_box) != NOBODY:
        row.operator(AA2_OT_forget_performer.bl_idname, text="", icon="X")
    layout.label(text=performer_text(ours), icon="USER")
    row = layout.row()
    row.enabled = not ours.clean_strip
    row.prop(ours, "make_clean")
    layout.operator(AA2_OT_make_rig_from_pose.bl_idname, icon="ARMATURE_DATA")
    if needs_camera(asked.request):  # objects are seen through it
        for name in ("driver_scene", "camera"):
            layout.prop(ours, name)


def performer_name(ours: bpy.types.PropertyGroup) -> str:
    """Who drives, as short as the first panel's line at the default width of the sidebar."""
    if tuple(ours.performer_box) != NOBODY:
        return translated("Person, frame {frame}").format(frame=ours.performer_frame)
    return translated("Person in the mask" if ours.mask_strip else "Nearest person")


def performer_text(ours: bpy.types.PropertyGroup) -> str:
    """Who drives, in words."""
    if tuple(ours.performer_box) != NOBODY:
        return translated("Chosen on frame {frame}").format(frame=ours.performer_frame)
    return translated("The person in the white of the mask strip" if ours.mask_strip
                      else "The nearest person in the plate")
