"""`aa2 generate`: a shot is gathered, generated, placed and saved in one process."""
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..embedded.engine.contract.errors import JobError
from ..queue import session
from ..settings.plates import settings_of
from ..settings.preferences import engine_launch
from ..settings.request_of import job_folder, keep_settings, problems_of
from ..tasks.gathering import Gathered
from ..tasks.generation import Generation
from ..tasks.task import Progress
from .asking import asked
from .ending import DONE, ENGINE, PROBLEMS, code_of, failure, save_file, stop_signals

Tell = Callable[[Progress], None]


def generate(*, scene: str = "", performer: bool = False, performer_box: Sequence[float] | None = None,
             performer_frame: int | None = None, meshes: Sequence[str] = (), objects: Sequence[str] = (),
             pack: str | None = None, threads: int | None = None, engine_python: str | None = None,
             save: str | None = None, tell: Tell = lambda progress: None, **options) -> tuple[int, dict]:
    """Generates the shot of a scene and saves the file; (exit code, summary). Blocks.

    `options` are settings: `strip`, `reference`, `rig`, `seed` ... Their names and meanings are in settings/table.py. A
    setting that is None stays as the file has it. Names are names of datablocks. `meshes` and `objects` are lists of
    objects' names, in addition to those in the file. `performer` lets a person in the plate drive: the one in
    `performer_box` (left, top, right, bottom), pixels of the render, on the frame `performer_frame` (None: the first).
    A `rig` makes the armature the driver. `pack`, `threads` and `engine_python` replace the preferences. `save` is the
    .blend to write, None the open one, "" none. `tell` gets each Progress.
    """
    with stop_signals() as stop:
        return run(stop, tell, scene=scene, performer=performer, performer_box=performer_box,
                   performer_frame=performer_frame, meshes=meshes, objects=objects, pack=pack, threads=threads,
                   engine_python=engine_python, save=save, **options)


def run(stop: threading.Event, tell: Tell, *, pack: str | None, threads: int | None, engine_python: str | None,
        save: str | None, **options) -> tuple[int, dict]:
    """As generate; `stop` is set to stop it."""
    try:
        shot, request = asked(pack=pack, **options)
        found = problems_of(shot, request)
        if found:
            raise found[0]
        keep_settings(shot)
        request = replace(request, plate=settings_of(shot).uid)
        launch = engine_launch(request.settings.engine, pack=pack, threads=threads, python=engine_python)
        task = Generation(Gathered(request, job_folder(shot)), link=session.link, launch=launch)
    except JobError as error:
        return PROBLEMS, failure(error)
    task.run(tell, stop.is_set)
    session.link.close()
    code, summary = code_of(task), task.summary()
    if code == DONE and not task.placed:
        code = ENGINE
    saved = save_file(save, summary) if task.placed else DONE
    return code or saved, summary
