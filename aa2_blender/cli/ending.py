"""How a command ends: its exit code, its summary, and the signals that stop it."""
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from ..embedded.engine.contract.errors import JobError
from ..tasks.task import Task, TaskState, in_json

DONE, FAILED, USAGE, PROBLEMS, ENGINE, NOT_SAVED, CANCELLED = 0, 1, 2, 3, 4, 5, 130
EXIT_CODES = """exit codes:
  0    done: gathered, rendered, or placed and saved
  1    a fault in the add-on
  2    the command line is wrong
  3    something of the shot is missing or unusable
  4    the engine failed, or frames are not made yet; what is finished stays in the job's folder
  5    the frames were placed, but the file could not be saved
  130  stopped by Ctrl-C or SIGTERM; what is finished stays in the job's folder"""


def code_of(task: Task) -> int:
    """The exit code of a task that has ended."""
    if task.state is TaskState.CANCELLED:
        return CANCELLED
    if task.error is None:
        return DONE
    if task.engine_job:
        return ENGINE
    return FAILED if task.error.code == "internal" else PROBLEMS


def failure(error: JobError) -> dict:
    """The summary of a command that never began."""
    return {"state": TaskState.FAILED, "error": in_json(error)}


def save_file(path: str | None, summary: dict) -> int:
    """Save the file: as `path`, None over the open one, "" nowhere. Returns DONE or NOT_SAVED, and says in the summary
    where the file is, or why not."""
    if path == "":
        return DONE
    try:
        bpy.ops.wm.save_as_mainfile(filepath=path or bpy.data.filepath)
    except RuntimeError as error:
        summary["error"] = summary.get("error") or in_json(JobError("not_saved", str(error).strip(), "Give --save."))
        return NOT_SAVED
    summary["saved"] = bpy.data.filepath
    return DONE


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Ctrl-C and a farm's SIGTERM set the event that it gives. They interrupt nothing."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
