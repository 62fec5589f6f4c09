"""`aa2 gather`, `light` and `place`: the stages of a shot as tasks of a render farm, each in a process of its own. The
engine's part of the work lies between them (engine_command.py)."""
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bpy

from ..embedded.engine.contract import files, jobs
from ..embedded.engine.contract.errors import JobError
from ..gather.job import problems
from ..gather.problem import GatherError
from ..gather.request import Request
from ..place.marks import find, is_copy
from ..queue import session
from ..settings.plates import adopt, keep_folder, kept_folder, plate_of
from ..settings.preferences import engine_launch
from ..tasks.gathering import GatheredInto
from ..tasks.preparation import LightRendering, Preparation
from ..tasks.task import TaskState, in_json
from ..versions import folders
from ..versions.shown import lay_version
from .asking import asked
from .ending import CANCELLED, ENGINE, PROBLEMS, code_of, failure, save_file
from .generating import Tell


def gather(stop: threading.Event, tell: Tell, *, job: str, part_windows: int, run_in: int, pack: str | None,
           threads: int | None, engine_python: str | None, **options) -> tuple[int, dict]:
    """Gather a shot into the folder `job`, and let the engine find all that the frames need; (exit code, summary).
    `part_windows` and `run_in` are those of jobs.Parts; `options` are those of generate. The file is not saved."""
    try:
        shot, request = asked(pack=pack, **options)
        request = replace(request, plate=_lasting_mark(shot), parts=jobs.Parts(part_windows, run_in))
        for problem in problems(request):
            raise problem
        launch = engine_launch(request.settings.engine, pack=pack, threads=threads, python=engine_python)
        task = Preparation(GatheredInto(request, Path(job).resolve()), link=session.link, launch=launch)
    except JobError as error:
        return PROBLEMS, failure(error)
    task.run(tell, stop.is_set)
    session.link.close()
    return code_of(task), task.summary()


def _lasting_mark(shot: bpy.types.Scene) -> str:
    """The mark by which `place` finds the plate in this very file; "" if it has to go by the names, because the file
    has no mark yet, or only that of the plate of which this one is a copy."""
    plate = plate_of(shot)
    return plate.aa2.uid if plate and not is_copy(plate) else ""


def light(stop: threading.Event, tell: Tell, *, job: str, frames: tuple[int, int] | None) -> tuple[int, dict]:
    """Render the light of the frames (first, last) of a gathered job, 1..N, or of all; (exit code, summary)."""
    task = LightRendering(Path(job).resolve(), frames).run(tell, stop.is_set)
    return code_of(task), task.summary()


def place(stop: threading.Event, tell: Tell, *, job: Sequence[str], save: str | None) -> tuple[int, dict]:
    """Lay the strips of finished jobs over their plates, and save the file; (exit code, summary). Nothing is changed if
    a frame of any of them is missing."""
    summary: dict = {"state": TaskState.DONE, "jobs": [], "strips": [], "warnings": []}
    try:
        asked_for = [(folder, _request(folder)) for folder in (Path(name).resolve() for name in job)]
        unfinished = next(filter(None, (_missing(folder) for folder, _request in asked_for)), None)
        if unfinished:
            return ENGINE, failure(unfinished)
        for folder, request in asked_for:
            if stop.is_set():
                return CANCELLED, {**summary, "state": TaskState.CANCELLED}
            summary["jobs"].append(str(folder))
            summary["strips"] += _lay(folder, request, summary["warnings"].append)
    except JobError as error:
        return PROBLEMS, {**summary, "state": TaskState.FAILED, "error": in_json(error)}
    return save_file(save, summary), {"error": None, **summary}


def _request(folder: Path) -> Request:
    request = folders.read_request(folder)
    if request is None:
        raise GatherError(f"{folder} holds no {files.REQUEST} that can be read, so its shot is not known.",
                          "Name the folder that was given to: aa2 gather --job.")
    return request


def _missing(folder: Path) -> JobError | None:
    """What to say if a job's frames are not all there."""
    count = jobs.read(folder).frames
    missing = files.missing(folder, files.FRAMES, count)
    if not missing:
        return None
    return JobError("frames_missing", f"{len(missing)} of {count} frames of {folder} are not made yet. The first of "
                                      f"them is {missing[0]}.", "Let the engine make them, and place again.")


def _lay(folder: Path, request: Request, say) -> tuple[str, ...]:
    scene, plate = find(request.plate, request.scene, request.strip)
    if scene is None or plate is None:
        raise GatherError(f"The plate {request.strip!r} of scene {request.scene!r} is not in this file.",
                          "Open the file that was gathered from.")
    adopt(plate)
    if folders.is_version(folder) and kept_folder(plate) is None:
        keep_folder(plate, folder.parent)
    return lay_version(scene, folder, plate, say=say)
