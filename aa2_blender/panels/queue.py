"""Step 8, the queue: a line for every shot."""
import time

import bpy
from bpy.app.translations import pgettext_iface as translated

from ..operators.queue import (
    AA2_OT_clear_finished,
    AA2_OT_queue_cancel,
    AA2_OT_queue_move,
    AA2_OT_queue_pause,
    AA2_OT_queue_place,
    AA2_OT_queue_remove,
    AA2_OT_queue_resume,
)
from ..queue import session
from ..queue.queue import ACTIVE, Row
from ..queue.queue_file import RowState
from ..tasks.task import duration
from ..versions.farm import FarmProgress
from .drawing import Part, draw_text
from .remedies import draw_problem
from .thumbnails import thumbnail_of

_ICONS = {
    RowState.GATHERING: "IMPORT", RowState.WAITING: "TIME", RowState.RUNNING: "PLAY", RowState.PAUSED: "PAUSE",
    RowState.FARM: "NETWORK_DRIVE", RowState.DONE: "CHECKMARK", RowState.FAILED: "ERROR", RowState.CANCELLED: "CANCEL"}


class Queue(Part):
    """The shots that are made one after another."""

    bl_label = "Queue"

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        layout.use_property_split = False
        if not session.queue.rows:
            layout.label(text="No shot is in the queue", icon="INFO")
            return
        column = layout.column(align=True)
        for place, row in enumerate(session.queue.rows):
            draw_row(column, context, place, row)
        layout.operator(AA2_OT_clear_finished.bl_idname, icon="BRUSH_DATA")


def draw_row(layout: bpy.types.UILayout, context: bpy.types.Context, place: int, row: Row) -> None:
    """One shot: its newest frame, its name, how far it is, its buttons. Why it failed stands below it, unless the first
    panel says that already."""
    head = layout.row(align=True)
    thumbnail = thumbnail_of(row.last_frame)
    icon = {"icon_value": thumbnail} if thumbnail else {"icon": "BLANK1"}
    head.label(text=row.name, translate=False, **icon)
    if row.state in ACTIVE:
        head.progress(factor=row.progress.factor, text=shortly(row))
    else:
        head.label(text=shortly(row), icon=_ICONS[row.state], translate=False)
    draw_buttons(head, place, row)
    if row.state is RowState.FARM:
        draw_text(layout, context, of_farm(row.farm, time.time()), icon="BLANK1")
        if row.farm and row.farm.error:
            draw_text(layout, context, row.farm.error, icon="ERROR")
    if row.error and row.state is RowState.FAILED and row.task is not session.current():
        draw_problem(layout, context, row.error)


def shortly(row: Row) -> str:
    """How far a row is, in a few words; the first panel says more."""
    if row.state in ACTIVE:
        frames = row.progress.frames
        return translated("{made} of {frames}").format(made=frames[0], frames=frames[1]) if frames \
            else row.progress.words
    if row.state in (RowState.DONE, RowState.FARM) or not row.frames:
        return translated(row.state.capitalize())
    return translated("{made} of {frames}").format(made=row.made(), frames=row.frames)


def of_farm(farm: FarmProgress | None, now: float) -> str:
    """How far a farm is, and how long ago a machine of it wrote something. `now`: seconds since 1970."""
    if farm is None or farm.heard is None:
        return translated("On a farm: nothing is there yet")
    said = translated("On a farm: {done} of {parts} parts, {time} ago")
    return said.format(done=farm.done, parts=farm.parts, time=duration(max(now - farm.heard, 0.0)))


def draw_buttons(layout: bpy.types.UILayout, place: int, row: Row) -> None:
    """What can be done with a row in its state, and nothing else."""
    if row.state is RowState.WAITING:
        for by, icon in ((-1, "TRIA_UP"), (1, "TRIA_DOWN")):
            button = layout.operator(AA2_OT_queue_move.bl_idname, text="", icon=icon, emboss=False)
            button.row, button.by = place, by
    if row.state in (RowState.WAITING, RowState.RUNNING):
        layout.operator(AA2_OT_queue_pause.bl_idname, text="", icon="PAUSE", emboss=False).row = place
    elif row.is_gathered and row.state in (RowState.PAUSED, RowState.FAILED, RowState.CANCELLED):
        layout.operator(AA2_OT_queue_resume.bl_idname, text="", icon="PLAY", emboss=False).row = place
    if row.state not in (*ACTIVE, RowState.WAITING) and not row.placed and row.last_frame:
        layout.operator(AA2_OT_queue_place.bl_idname, text="", icon="SEQ_STRIP_DUPLICATE", emboss=False).row = place
    if row.state in (*ACTIVE, RowState.WAITING):
        layout.operator(AA2_OT_queue_cancel.bl_idname, text="", icon="X", emboss=False).row = place
    else:
        layout.operator(AA2_OT_queue_remove.bl_idname, text="", icon="TRASH", emboss=False).row = place


PARTS = (Queue,)
