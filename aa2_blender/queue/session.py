"""The work of this Blender: a queue of shots, and one task beside it. A timer advances both, and they end whatever
happens."""
import logging
import time

import bpy
from bpy.app.handlers import persistent

from .. import stalls
from ..link.engine_job import Link
from ..place.marks import marked
from ..place.strip import refresh
from ..settings.plates import kept_folder
from ..settings.preferences import engine_launch
from ..settings.request_of import jobs_root
from ..tasks.gathering import Version
from ..tasks.task import SLICE_S, Task, TaskState
from .farm_watch import LOOKED_EVERY_S
from .queue import Queue, Row

SHOWN_IN = {"SEQUENCE_EDITOR", "VIEW_3D"}
logger = logging.getLogger(__name__)
link = Link()
_current: Task | None = None  # the last that was begun, of the queue or beside it
_beside: Task | None = None  # the last that was begun beside the queue


def _began(task: Task) -> None:
    global _current
    _current = task


queue = Queue(link, engine_launch, _began)


def current() -> Task | None:
    """The last task that was begun, running or ended."""
    return _current


def at_work() -> Task | None:
    """The task that works now: that of the queue, else the one beside it."""
    row = queue.at_work()
    return row.task if row else _beside if _working(_beside) else None


def busy() -> bool:
    """Whether anything is being gathered, or the engine has a request."""
    return _working(_beside) or queue.busy()


def begin(task: Task) -> None:
    """Run a task beside the queue, from a timer; in background mode, where timers never fire, run it to its end."""
    global _beside
    _beside = task
    _began(task)
    if bpy.app.background:
        task.run()
    else:
        _tick_soon()


def enqueue(version: Version) -> Row:
    """Put a version to make into the queue; in background mode, it is done when this returns."""
    row = queue.add(version)
    go_on()
    return row


def go_on() -> None:
    """Call this after something was put into the queue or resumed."""
    if not bpy.app.background:
        return _tick_soon()
    while queue.advance():
        if link.job and not link.job.ended:
            time.sleep(SLICE_S)


def watch_farms() -> None:
    """Follow the rows that a farm makes; call this after one was added. In background mode nobody watches."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_look_at_farms):
        bpy.app.timers.register(_look_at_farms, first_interval=0.0, persistent=True)


def _look_at_farms() -> float | None:
    shown = _shown()
    more = queue.look_at_farms()
    if _shown() != shown or more:  # how long ago something was heard is shown too
        redraw("UI")
    return LOOKED_EVERY_S if more else None


def forget() -> None:
    """Stop all tasks and the engine, and forget them; the queue stays on the disk."""
    global _current, _beside
    for timer in (_tick, _look_at_farms):
        if not bpy.app.background and bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    for task in (_beside, *(row.task for row in queue.rows)):
        if task is not None and task.state is TaskState.WORKING:
            task.cancel()
    link.close()
    queue.rows.clear()
    _current = _beside = None


def _working(task) -> bool:
    return task is not None and task.state is TaskState.WORKING


def _tick_soon() -> None:
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=0.0, persistent=True)


def _tick() -> float | None:
    """Blender's timer calls this on the main thread, never during a render or a save. Returns the seconds to the next
    call."""
    shown = _shown()
    watched = [task for task in (_beside, *(row.task for row in queue.rows)) if _working(task)]
    with stalls.slice("timer"):
        more = _beside.advance() if _beside is not None and _working(_beside) else False
        more = queue.advance() or more
    for task in dict.fromkeys(watched):
        if not _working(task):
            _ended(task)
    if _shown() != shown:
        redraw("UI")
    if more:
        return SLICE_S
    redraw()
    return None


def _shown() -> list:
    """What the panels show of the work: when it changes, they are drawn again."""
    return [str(_beside.progress) if _beside else "", *((row.state, str(row.progress)) for row in queue.rows)]


def _ended(task) -> None:
    if task.error:
        logger.error("%s", task.error)
    if task.undo_name:
        with stalls.slice("undo step"):
            bpy.ops.ed.undo_push(message=task.undo_name)
    redraw()


def redraw(kind: str = "") -> None:
    """Redraw all areas, or only our editors' regions of one kind: drawing a preview at each check would slow the engine
    down."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if not kind or area.type in SHOWN_IN:
                for region in area.regions:
                    if kind in ("", region.type):
                        region.tag_redraw()


@persistent
def _file_is_left(_path) -> None:
    """Called before another file is opened, because then the scene of a running task goes away."""
    forget()


@persistent
def _file_is_there(_path) -> None:
    """Called after a file was opened: offer again what an earlier Blender left in its jobs."""
    restore()


def restore() -> None:
    """Read the lists of the scenes' job folders, and show frames that were finished after the file was saved."""
    scenes = {scene.name for scene in bpy.data.scenes}
    kept = [kept_folder(plate) for scene in bpy.data.scenes for plate in marked(scene)]
    for root in dict.fromkeys([*map(jobs_root, bpy.data.scenes), *(folder.parent for folder in kept if folder)]):
        queue.restore(root, scenes)
    watch_farms()
    for scene in bpy.data.scenes:
        refresh(scene)


def _is_enabled() -> None:
    """A timer calls this soon after the extension is enabled; that may be an upgrade in the middle of a job."""
    restore()


@persistent
def _stepped_back(_scene, _depsgraph=None) -> None:
    """Called after undo and redo: the strips show every finished frame, whatever the undo step contains."""
    for scene in bpy.data.scenes:
        refresh(scene)


_HANDLERS = (("load_pre", _file_is_left), ("load_post", _file_is_there), ("undo_post", _stepped_back),
             ("redo_post", _stepped_back))


def register():
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    if not bpy.app.background:
        bpy.app.timers.register(_is_enabled, first_interval=0.1)


def unregister():
    if bpy.app.timers.is_registered(_is_enabled):
        bpy.app.timers.unregister(_is_enabled)
    for name, handler in reversed(_HANDLERS):
        getattr(bpy.app.handlers, name).remove(handler)
    forget()
