"""Generating: shots put into the queue, and the queue's rows."""
import bpy
from bpy.app.translations import pgettext_iface as translated
from bpy.props import IntProperty

from ..place.marks import find
from ..queue import session
from ..queue.queue import Row
from ..queue.queue_file import RowState
from ..settings.plates import settings_of
from ..settings.preferences import engine_launch
from ..settings.properties import shot_scene
from ..settings.request_of import job_folder
from ..tasks.gathering import Gathered, Version
from ..versions.shown import lay_version
from .button import Button

_TICK_S = 0.2  # how often the status bar tells the progress while the mouse rests


class EnqueueButton(Button):
    """A button that adds a shot to the queue. In a window it goes on as a modal operator while the shot is gathered, so
    that Escape stops that and nothing else."""

    _row = _timer = None

    @classmethod
    def why_not(cls, _context: bpy.types.Context) -> str:
        return "A shot is being gathered; wait or press Escape" if session.queue.gathering() else ""

    def enqueue(self, context: bpy.types.Context, version: Version, engine: str) -> set[str]:
        """engine: the name of the one that will make it."""
        engine_launch(engine)  # where no engine can be started, that is said before anything is gathered
        self._row = row = session.enqueue(version)
        if bpy.app.background or context.window is None:
            return self.ended(row)
        self._timer = context.window_manager.event_timer_add(_TICK_S, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Called with every event of the window while the shot is gathered; lets all of them through but Escape."""
        row = self._row
        if row.state is RowState.GATHERING and row in session.queue.rows:
            context.workspace.status_text_set(f"{row.progress}    Esc: {translated('Stop')}")
            if event.type == "ESC" and event.value == "PRESS":
                session.queue.cancel(row)
                self.finish(context)
                return {"CANCELLED"}
            return {"PASS_THROUGH"}
        self.finish(context)
        return {"FINISHED", "PASS_THROUGH"}

    def finish(self, context: bpy.types.Context) -> None:
        if self._timer:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        context.workspace.status_text_set(None)

    def cancel(self, context: bpy.types.Context) -> None:
        """Called by Blender where it ends the operator itself, as when another file is opened."""
        self.finish(context)

    def ended(self, row: Row) -> set[str]:
        """In background mode the whole job has ended on return, and its end is reported."""
        if row.state is RowState.FAILED:
            return self.refuse(str(row.error))
        return {"FINISHED"} if row.state in (RowState.DONE, RowState.WAITING, RowState.RUNNING) else {"CANCELLED"}


class AA2_OT_generate(EnqueueButton, bpy.types.Operator):
    bl_description = ("Put the character of the reference into the shot, as a strip over the plate: gather the shot "
                      "and add it to the queue")
    bl_idname = "aa2.generate"
    bl_label = "Generate"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        new_seed(settings_of(scene))
        request, missing = self.asked(scene)
        if missing:
            return self.refuse(missing)
        return self.enqueue(context, Gathered(request, job_folder(scene), session.queue.reserved),
                            request.settings.engine)


def new_seed(ours: bpy.types.PropertyGroup) -> None:
    """Where the seed is not locked, every press tries another."""
    if not ours.seed_lock:
        ours.seed = (ours.seed * 1664525 + 1013904223) % 2**31


class AA2_OT_cancel(Button, bpy.types.Operator):
    """Stop the running job; finished frames stay"""

    bl_idname = "aa2.cancel"
    bl_label = "Cancel"

    @classmethod
    def why_not(cls, _context: bpy.types.Context) -> str:
        return "" if session.busy() else "Nothing is running"

    def act(self, _context: bpy.types.Context) -> set[str] | None:
        row, task = session.queue.at_work(), session.at_work()
        if row:
            session.queue.cancel(row)
        elif task:
            task.cancel()


class RowButton(Button):
    """A button of one row of the queue, `row` counted from 0."""

    row: IntProperty(options={"HIDDEN", "SKIP_SAVE"})

    def act(self, _context: bpy.types.Context) -> set[str] | None:
        rows = session.queue.rows
        if not 0 <= self.row < len(rows):
            return self.refuse("That row of the queue is gone.")
        return self.change(rows[self.row])


class AA2_OT_queue_move(RowButton, bpy.types.Operator):
    """Move this shot up or down in the queue"""

    bl_idname = "aa2.queue_move"
    bl_label = "Move in Queue"
    by: IntProperty(default=-1, min=-1, max=1, options={"HIDDEN", "SKIP_SAVE"})

    def change(self, row: Row) -> set[str] | None:
        session.queue.move(row, self.by)


class AA2_OT_queue_pause(RowButton, bpy.types.Operator):
    """Let the next shot go first; finished frames stay, and Resume continues from there"""

    bl_idname = "aa2.queue_pause"
    bl_label = "Pause"

    def change(self, row: Row) -> set[str] | None:
        session.queue.pause(row)


class AA2_OT_queue_resume(RowButton, bpy.types.Operator):
    """Continue where this job stopped; finished frames are not made again"""

    bl_idname = "aa2.queue_resume"
    bl_label = "Resume"

    def change(self, row: Row) -> set[str] | None:
        session.queue.resume(row)
        session.go_on()
        if bpy.app.background and row.state is RowState.FAILED:
            return self.refuse(str(row.error))


class AA2_OT_queue_cancel(RowButton, bpy.types.Operator):
    """Stop this job. It stays in the list, its finished frames stay on the disk, and Resume continues from there"""

    bl_idname = "aa2.queue_cancel"
    bl_label = "Cancel Job"

    def change(self, row: Row) -> set[str] | None:
        session.queue.cancel(row)


class AA2_OT_queue_remove(RowButton, bpy.types.Operator):
    """Remove this job from the list. Its frames stay on the disk, and its strips in the sequencer"""

    bl_idname = "aa2.queue_remove"
    bl_label = "Remove from Queue"

    def change(self, row: Row) -> set[str] | None:
        session.queue.remove(row)


class AA2_OT_clear_finished(Button, bpy.types.Operator):
    """Remove all finished jobs from the list. Their frames stay on the disk, and their strips in the sequencer"""

    bl_idname = "aa2.clear_finished"
    bl_label = "Clear Finished"

    @classmethod
    def why_not(cls, _context: bpy.types.Context) -> str:
        return "" if any(row.is_finished for row in session.queue.rows) else "No job is finished"

    def act(self, _context: bpy.types.Context) -> set[str] | None:
        session.queue.clear()


class AA2_OT_queue_place(RowButton, bpy.types.Operator):
    """Lay the finished frames of this job over the plate"""

    bl_idname = "aa2.queue_place"
    bl_label = "Place Frames"
    bl_options = {"REGISTER", "UNDO"}

    def change(self, row: Row) -> set[str] | None:
        scene, plate = find(row.plate, row.scene, row.strip)
        if scene is None:
            return self.refuse(f"There is no scene {row.scene!r}. Give a scene this name and place again.")
        if plate is None:
            return self.refuse(f"The plate {row.strip!r} is gone. Its frames are in {row.folder}.")
        strips = lay_version(scene, row.folder, plate, say=self.tell)
        row.placed = True
        session.queue.keep(row)
        self.report({"INFO"}, f"Placed {', '.join(strips)}")


CLASSES = (AA2_OT_generate, AA2_OT_cancel, AA2_OT_queue_move, AA2_OT_queue_pause, AA2_OT_queue_resume,
           AA2_OT_queue_cancel, AA2_OT_queue_remove, AA2_OT_clear_finished, AA2_OT_queue_place)
