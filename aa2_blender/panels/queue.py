"""Step 6, generating: what is missing, the buttons, and a row for every shot in the queue."""
import bpy
from bpy.app.translations import pgettext_iface as translated

from ..blender_api import strips
from ..operators.preview import AA2_OT_preview_conditions, AA2_OT_preview_frame, AA2_OT_show_condition
from ..operators.queue import (
    AA2_OT_cancel,
    AA2_OT_generate,
    AA2_OT_queue_cancel,
    AA2_OT_queue_move,
    AA2_OT_queue_pause,
    AA2_OT_queue_place,
    AA2_OT_queue_resume,
)
from ..place import conditions
from ..queue import session
from ..queue.queue import ACTIVE, Row
from ..queue.queue_file import RowState
from ..settings.request_of import job_folder, problems_of, request_of
from ..tasks.task import Progress, TaskState
from .drawing import Part
from .look import draw_cost
from .remedies import draw_problem
from .thumbnails import thumbnail_of

_ICONS = {
    RowState.GATHERING: "IMPORT", RowState.WAITING: "TIME", RowState.RUNNING: "PLAY", RowState.PAUSED: "PAUSE",
    RowState.DONE: "CHECKMARK", RowState.FAILED: "ERROR", RowState.CANCELLED: "X"}
_THUMBNAIL = 4.0  # times a button's height


class Queue(Part):
    """What is missing, the buttons, and the queue below them. So no button moves under the mouse when a job begins."""

    bl_label = "Generate"

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        found = problems_of(scene, request_of(scene))
        for problem in found:
            draw_problem(layout, context, problem)
        if not found:
            draw_cost(layout, context, scene)
        column = layout.column(align=True)
        column.enabled = not found
        column.operator(AA2_OT_generate.bl_idname, icon="PLAY")
        row = column.row(align=True)
        row.operator(AA2_OT_preview_conditions.bl_idname, icon="HIDE_OFF")
        row.operator(AA2_OT_preview_frame.bl_idname, icon="IMAGE_DATA")
        draw_conditions(layout, scene)
        beside = session.current()
        if beside and beside.state is TaskState.WORKING and beside not in [row.task for row in session.queue.rows]:
            draw_progress(layout, beside.progress)
            layout.operator(AA2_OT_cancel.bl_idname, icon="X")
        for place, row in enumerate(session.queue.rows):
            draw_row(layout, context, place, row)


def draw_conditions(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """A switch for each condition that is drawn."""
    meta = conditions.meta_of(scene, job_folder(scene) / "v001")
    if meta is None:
        return
    grid = layout.grid_flow(row_major=True, columns=3, even_columns=True, align=True)
    for strip in strips(meta):
        kind = strip.get(conditions.KIND)
        if kind:
            grid.operator(AA2_OT_show_condition.bl_idname, text=kind.capitalize(), depress=not strip.mute).kind = kind


def draw_row(layout: bpy.types.UILayout, context: bpy.types.Context, place: int, row: Row) -> None:
    """One shot: what it is, its buttons, how far it is, its newest frame."""
    box = layout.box()
    head = box.row(align=True)
    version = row.folder.name if row.state is not RowState.GATHERING else ""
    head.label(text=f"{row.strip} {version}", icon=_ICONS[row.state], translate=False)
    draw_buttons(head, place, row)
    if row.state in ACTIVE:
        draw_progress(box, row.progress)
    elif row.frames:
        made = row.made()
        text = translated("{state}, {made} of {frames} frames")
        box.label(text=text.format(state=row.state.capitalize(), made=made, frames=row.frames), translate=False)
        if made and not row.placed and row.state is not RowState.WAITING:
            box.operator(AA2_OT_queue_place.bl_idname, icon="SEQ_STRIP_DUPLICATE").row = place
    if row.error and row.state is RowState.FAILED:
        draw_problem(box, context, row.error)
    thumbnail = thumbnail_of(row.last_frame) if row.state in ACTIVE else 0
    if thumbnail:
        box.template_icon(icon_value=thumbnail, scale=_THUMBNAIL)


def draw_buttons(layout: bpy.types.UILayout, place: int, row: Row) -> None:
    move = AA2_OT_queue_move.bl_idname
    if row.state is RowState.WAITING:
        for by, icon in ((-1, "TRIA_UP"), (1, "TRIA_DOWN")):
            button = layout.operator(move, text="", icon=icon, emboss=False)
            button.row, button.by = place, by
    if row.state in (RowState.WAITING, RowState.RUNNING):
        layout.operator(AA2_OT_queue_pause.bl_idname, text="", icon="PAUSE", emboss=False).row = place
    elif row.state in (RowState.PAUSED, RowState.FAILED, RowState.CANCELLED):
        layout.operator(AA2_OT_queue_resume.bl_idname, text="", icon="PLAY", emboss=False).row = place
    layout.operator(AA2_OT_queue_cancel.bl_idname, text="", icon="X", emboss=False).row = place


def draw_progress(layout: bpy.types.UILayout, progress: Progress) -> None:
    factor = min(progress.step / progress.total, 1.0) if progress.total else 0.0
    layout.progress(factor=factor, text=str(progress))


def draw_status(header: bpy.types.Header, _context: bpy.types.Context) -> None:
    """Called by Blender when it draws the status bar: the row of the queue that is at work,
    else what runs beside it."""
    row, beside = session.queue.at_work(), session.current()
    progress = row.progress if row else beside.progress if beside and beside.state is TaskState.WORKING else None
    if progress:
        header.layout.progress(factor=progress.step / progress.total if progress.total else 0.0, text=str(progress))


def register() -> None:
    bpy.types.STATUSBAR_HT_header.append(draw_status)


def unregister() -> None:
    bpy.types.STATUSBAR_HT_header.remove(draw_status)


PARTS = (Queue,)
