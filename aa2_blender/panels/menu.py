"""Every button of the tab as an entry of a menu too: in Strip and in Object, which is where F3 finds them."""
import bpy

from ..operators.character import AA2_OT_find_reference_joints, AA2_OT_use_frame_as_reference
from ..operators.driver import (
    AA2_OT_add_camera,
    AA2_OT_clear_bones,
    AA2_OT_edit_bones,
    AA2_OT_load_bone_map,
    AA2_OT_save_bone_map,
    AA2_OT_use_active_bone,
    AA2_OT_use_armature,
)
from ..operators.farm import AA2_OT_copy_farm_command, AA2_OT_write_farm_job
from ..operators.joints import AA2_OT_edit_reference_joints
from ..operators.objects import AA2_OT_add_selected_objects
from ..operators.output import (
    AA2_OT_add_background,
    AA2_OT_add_nodes,
    AA2_OT_add_passes,
    AA2_OT_add_plane,
    AA2_OT_write_output,
)
from ..operators.performer import AA2_OT_choose_performer, AA2_OT_make_rig_from_pose
from ..operators.preview import AA2_OT_preview_conditions, AA2_OT_preview_frame
from ..operators.queue import AA2_OT_cancel, AA2_OT_clear_finished, AA2_OT_generate
from ..operators.report import AA2_OT_choose_jobs_folder, AA2_OT_copy_report, AA2_OT_show_log
from ..operators.result import (
    AA2_OT_compare,
    AA2_OT_generate_as_shown,
    AA2_OT_place_again,
    AA2_OT_relink,
    AA2_OT_show_version,
    AA2_OT_vary_seed,
)
from ..operators.shot import (
    AA2_OT_add_clean_plate,
    AA2_OT_add_mask,
    AA2_OT_convert_to_float,
    AA2_OT_pin_plate,
    AA2_OT_use_active_strip,
    AA2_OT_use_preview_range,
)

# In the order of the work; a line between the steps.
STEPS = (
    (AA2_OT_use_active_strip, AA2_OT_pin_plate, AA2_OT_use_preview_range, AA2_OT_add_mask, AA2_OT_add_clean_plate),
    (AA2_OT_use_frame_as_reference, AA2_OT_find_reference_joints, AA2_OT_edit_reference_joints),
    (AA2_OT_choose_performer, AA2_OT_make_rig_from_pose, AA2_OT_use_armature, AA2_OT_add_camera, AA2_OT_edit_bones,
     AA2_OT_use_active_bone, AA2_OT_clear_bones,
     AA2_OT_load_bone_map, AA2_OT_save_bone_map),
    (AA2_OT_add_selected_objects,),
    (AA2_OT_preview_conditions, AA2_OT_preview_frame, AA2_OT_generate, AA2_OT_cancel,
     AA2_OT_clear_finished),
    (AA2_OT_write_farm_job, AA2_OT_copy_farm_command),
    (AA2_OT_place_again, AA2_OT_compare, AA2_OT_generate_as_shown, AA2_OT_vary_seed, AA2_OT_show_version,
     AA2_OT_relink, AA2_OT_convert_to_float),
    (AA2_OT_write_output, AA2_OT_add_passes, AA2_OT_add_nodes, AA2_OT_add_background, AA2_OT_add_plane),
    (AA2_OT_show_log, AA2_OT_copy_report, AA2_OT_choose_jobs_folder))
MENUS = ("SEQUENCER_MT_strip", "VIEW3D_MT_object")


class AA2_MT_character(bpy.types.Menu):
    """All that the tab AA2 does."""

    bl_idname = "AA2_MT_character"
    bl_label = "AA2 Character"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator_context = "INVOKE_REGION_WIN"
        for step in STEPS:
            for operator in step:
                layout.operator(operator.bl_idname)
            layout.separator()


def draw_entry(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """Called by Blender when it draws one of MENUS."""
    menu.layout.separator()
    menu.layout.menu(AA2_MT_character.bl_idname)


def register() -> None:
    bpy.utils.register_class(AA2_MT_character)
    for name in MENUS:
        getattr(bpy.types, name).append(draw_entry)


def unregister() -> None:
    for name in MENUS:
        getattr(bpy.types, name).remove(draw_entry)
    bpy.utils.unregister_class(AA2_MT_character)
