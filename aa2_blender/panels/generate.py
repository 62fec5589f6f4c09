"""The first panel: plate, reference and driver in a line each, Generate, and below it how far the work is, or how it
ended, what is missing, and what a shot will cost. So no button moves under the mouse when a job begins."""
import bpy
from bpy.app.translations import pgettext_iface as translated

from ..blender_api import all_strips_name
from ..operators.character import AA2_OT_use_frame_as_reference
from ..operators.performer import AA2_OT_choose_performer
from ..operators.queue import AA2_OT_cancel, AA2_OT_generate
from ..operators.shot import AA2_OT_pin_plate
from ..queue import session
from ..settings.plates import name_with
from ..settings.request_of import Asked
from ..settings.table import DriverKind, ReferenceKind
from ..tasks.task import Progress, Task, TaskState
from .character import reference_icon
from .drawing import Part, draw_text, line
from .look import draw_cost
from .performer import performer_name
from .remedies import draw_problem, draw_problems

_TALL = 1.4  # times a button's height


class Generate(Part):
    """What is put where, the button, and what became of it."""

    bl_label = "Character"
    bl_options = set()

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        layout.use_property_split = False
        if scene != context.scene:
            layout.label(text=scene.name, icon="SCENE_DATA")
        asked, column = Asked(scene), layout.column(align=True)
        draw_plate(column, asked)
        draw_reference(column, asked)
        draw_driver(column, asked)
        found = asked.problems
        row = layout.row()
        row.enabled, row.scale_y = not found, _TALL
        row.operator(AA2_OT_generate.bl_idname, icon="PLAY")
        task = session.at_work()
        if task:
            draw_work(layout, task.progress)
            return
        last = session.current()
        if last and last.state is not TaskState.WORKING:
            draw_end(layout, context, last)
        draw_problems(layout, context, found)
        if not found:
            draw_cost(layout, asked)


def draw_plate(layout: bpy.types.UILayout, asked: Asked) -> None:
    """The plate's name, and whether it follows the active strip."""
    row, scene, editor = line(layout, "Plate"), asked.scene, asked.scene.sequence_editor
    is_pinned = bool(scene.aa2.strip)
    if is_pinned and editor:
        row.prop_search(scene.aa2, "strip", editor, all_strips_name(editor), text="", icon="SEQUENCE")
    else:
        row.label(text=name_with(scene, asked.plate) or translated("No active strip"), icon="SEQUENCE", translate=False)
    row.operator(AA2_OT_pin_plate.bl_idname, text="", icon="PINNED" if is_pinned else "UNPINNED", depress=is_pinned)


def draw_reference(layout: bpy.types.UILayout, asked: Asked) -> None:
    """Which picture shows the character, and the picture."""
    ours, row = asked.settings, line(layout, "Reference")
    row.prop(ours, "reference_kind", text="", icon_only=True)
    if ours.reference_kind == ReferenceKind.STRIP:
        row.prop(ours, "reference_strip", text="")
        row.operator(AA2_OT_use_frame_as_reference.bl_idname, text="", icon="EYEDROPPER")
    else:
        row.prop(ours, "reference_path" if ours.reference_kind == ReferenceKind.FILE else "reference_image", text="")
    thumbnail = reference_icon(layout, asked)
    if thumbnail:
        row.label(text="", icon_value=thumbnail)


def draw_driver(layout: bpy.types.UILayout, asked: Asked) -> None:
    """The rig or the performer."""
    ours, row = asked.settings, line(layout, "Driver")
    row.prop(ours, "driver", text="", icon_only=True)
    if ours.driver == DriverKind.PERFORMER:
        row.label(text=performer_name(ours), translate=False)
        row.operator(AA2_OT_choose_performer.bl_idname, text="", icon="RESTRICT_SELECT_OFF")
        return
    row.prop(ours, "armature", text="")


def draw_work(layout: bpy.types.UILayout, progress: Progress) -> None:
    """How far the work is, with the button that stops it."""
    row = layout.row(align=True)
    row.progress(factor=progress.factor, text=str(progress))
    row.operator(AA2_OT_cancel.bl_idname, text="", icon="X")


def draw_end(layout: bpy.types.UILayout, context: bpy.types.Context, task: Task) -> None:
    """How the last work ended, and the button of its remedy."""
    box = layout.box()
    if task.error:
        draw_problem(box, context, task.error)
    elif task.state is TaskState.DONE:
        draw_text(box, context, task.achieved(), icon="CHECKMARK")
    else:
        box.label(text="Cancelled; what is finished stays", icon="X")
    for warning in task.warnings:
        draw_text(box, context, warning, icon="INFO")


def draw_status(header: bpy.types.Header, _context: bpy.types.Context) -> None:
    """Called by Blender when it draws the status bar."""
    task = session.at_work()
    if task:
        header.layout.progress(factor=task.progress.factor, text=str(task.progress))


def register() -> None:
    bpy.types.STATUSBAR_HT_header.append(draw_status)


def unregister() -> None:
    bpy.types.STATUSBAR_HT_header.remove(draw_status)


PARTS = (Generate,)
