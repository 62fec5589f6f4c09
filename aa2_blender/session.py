"""The one task of this Blender: begun by an operator, ticked by a timer, ended whatever happens."""
import logging

import bpy
from bpy.app.handlers import persistent

from .link.jobs import Link
from .task import SLICE_S, Task

SHOWN_IN = {"SEQUENCE_EDITOR", "VIEW_3D"}
logger = logging.getLogger(__name__)
link = Link()
_current: Task | None = None


def current() -> Task | None:
    """The last task that was begun, running or ended."""
    return _current


def busy() -> bool:
    return _current is not None and _current.state == "working"


def begin(task: Task) -> None:
    """Runs it from a timer; in background mode, where timers never fire, until its end."""
    global _current
    _current = task
    if bpy.app.background:
        task.run()
    else:
        bpy.app.timers.register(_tick, first_interval=0.0, persistent=True)


def forget() -> None:
    """Stops the running task with its engine and forgets it."""
    global _current
    if not bpy.app.background and bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    if busy():
        _current.cancel()
    link.close()
    _current = None


def _tick() -> float | None:
    """Called by Blender's timer on the main thread, never during a render or a save; seconds to the next call."""
    shown = str(_current.progress)
    if _current.advance():
        if str(_current.progress) != shown:
            _redraw("UI")
        return SLICE_S
    if _current.error:
        logger.error("%s", _current.error)
    _redraw()
    if _current.undo_name:
        bpy.ops.ed.undo_push(message=_current.undo_name)
    return None


def _redraw(kind: str = "") -> None:
    """Redraws our editors, or only their regions of one kind: a preview drawn at each look slows the engine down."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in SHOWN_IN:
                for region in area.regions:
                    if kind in ("", region.type):
                        region.tag_redraw()


@persistent
def _file_is_left(_path) -> None:
    """Called before another file is opened: the scene of a running task goes away."""
    forget()


def register():
    bpy.app.handlers.load_pre.append(_file_is_left)


def unregister():
    bpy.app.handlers.load_pre.remove(_file_is_left)
    forget()
