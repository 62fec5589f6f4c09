"""A shot generated without a window: `blender -b SHOT.blend --command aa2 generate ...`, or generate() from Python."""
import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import bpy

from .blender_api import sequencer_scene
from .embedded.engine.contract.errors import JobError
from .gather.camera import size_of
from .gather.problem import GatherError
from .gather.strip import find, frames_of
from .queue import session
from .settings.automatic import explained
from .settings.plates import plate_name, settings_of
from .settings.preferences import engine_launch
from .settings.properties import another_armature, another_reference
from .settings.request_of import job_folder, keep_settings, problems_of, request_of
from .settings.table import OF_SCENE, OPTIONS, DriverKind, Kind, PictureFrom, ReferenceKind, Setting
from .tasks import performer as performers
from .tasks.gathering import Gathered
from .tasks.generation import Generation
from .tasks.task import Progress, TaskState, in_json

PLACED, FAILED, USAGE, PROBLEMS, ENGINE, NOT_SAVED, CANCELLED = 0, 1, 2, 3, 4, 5, 130
EXIT_CODES = """exit codes:
  0    the frames were placed and the file was saved
  1    a fault in the add-on
  2    the command line is wrong
  3    something of the shot is missing or unusable
  4    the engine failed; finished frames were placed and stay in the job's folder
  5    the frames were placed, but the file could not be saved
  130  stopped by Ctrl-C or SIGTERM; finished frames stay in the job's folder"""
_TYPES = {Kind.WHOLE: int, Kind.NUMBER: float}
_METAVARS = {Kind.WHOLE: "N", Kind.NUMBER: "X", Kind.TEXT: "STRIP", **{kind: kind.name for kind in (
    Kind.FILE, Kind.FOLDER, Kind.SCENE, Kind.OBJECT)}}
logger = logging.getLogger(__name__)
_handle = None


def generate(*, scene: str = "", performer: bool = False, performer_box: Sequence[float] | None = None,
             performer_frame: int | None = None, meshes: Sequence[str] = (), objects: Sequence[str] = (),
             pack: str | None = None, threads: int | None = None, engine_python: str | None = None,
             save: str | None = None, tell: Callable[[Progress], None] = lambda progress: None,
             **options) -> tuple[int, dict]:
    """Generates the shot of a scene and saves the file; (exit code, summary). Blocks.

    `options` are settings: `strip`, `reference`, `rig`, `seed` ... Their names and meanings are in settings/table.py. A
    setting that is None stays as the file has it. Names are names of datablocks. `meshes` and `objects` are lists of
    objects' names, in addition to those in the file. `performer` lets a person in the plate drive: the one in
    `performer_box` (left, top, right, bottom), pixels of the render, on the frame `performer_frame` (None: the first).
    A `rig` makes the armature the driver. `pack`, `threads` and `engine_python` replace the preferences. `save` is the
    .blend to write, None the open one, "" none. `tell` gets each Progress.
    """
    if unknown := options.keys() - OPTIONS.keys():
        raise TypeError(f"generate() takes {', '.join(OPTIONS)}; it has no option {', '.join(sorted(unknown))}")
    reference, rig = options.get("reference"), options.get("rig")
    driver = DriverKind.PERFORMER if performer or performer_box else DriverKind.ARMATURE if rig else None
    try:
        shot = _named(bpy.data.scenes, scene, "scene") if scene else sequencer_scene(bpy.context)
        chosen = {OPTIONS[name].name: _value(OPTIONS[name], given) for name, given in options.items()
                  if given is not None}
        _set(shot.aa2, {name: chosen.pop(name) for name in OF_SCENE if name in chosen})
        ours = settings_of(shot)
        _set(ours, {**chosen, "driver": driver, "derive_offset": None if "frame_offset" not in chosen else False,
                    "reference_kind": reference and ReferenceKind.FILE,
                    "light_from": (options.get("ball") or options.get("hdri")) and PictureFrom.FILE})
        if reference:
            another_reference(ours)
        if rig:
            another_armature(ours)
        if performer_box:
            _choose(shot, performer_box, performer_frame)
        request = request_of(shot)
        request = replace(request, meshes=(*request.meshes, *meshes), objects=(*request.objects, *objects))
        found = problems_of(shot, request)
        if found:
            raise found[0]
        keep_settings(shot)
        request = replace(request, plate=settings_of(shot).uid)
        launch = engine_launch(request.settings.engine, pack=pack, threads=threads, python=engine_python)
        task = Generation(Gathered(request, job_folder(shot)), link=session.link, launch=launch)
    except JobError as error:
        return PROBLEMS, failure(error)
    return _run(task, save, tell)


def _choose(shot: bpy.types.Scene, box: Sequence[float], frame: int | None) -> None:
    """The performer in a box of pixels of the render."""
    width, height = size_of(shot)
    left, top, right, bottom = box
    if frame is None:
        frame = frames_of(find(shot, plate_name(shot)))[0]
    performers.choose(shot, (left / width, top / height, right / width, bottom / height), frame)


def failure(error: JobError) -> dict:
    """The summary of a generation that never began."""
    return {"state": TaskState.FAILED, "error": in_json(error)}


def _run(task: Generation, save: str | None, tell: Callable[[Progress], None]) -> tuple[int, dict]:
    with _stop_signals() as stop:
        task.run(tell, stop.is_set)
    session.link.close()
    code = _code(task)
    summary = task.summary()
    if task.placed and save != "":
        try:
            bpy.ops.wm.save_as_mainfile(filepath=save or bpy.data.filepath)
            summary["saved"] = bpy.data.filepath
        except RuntimeError as error:
            code = code or NOT_SAVED
            summary["error"] = summary["error"] or in_json(JobError("not_saved", str(error).strip(), "Give --save."))
    return code, summary


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Ctrl-C and a farm's SIGTERM set the event that it gives. They interrupt nothing."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _code(task: Generation) -> int:
    if task.state is TaskState.CANCELLED:
        return CANCELLED
    if task.error and task.engine_job:
        return ENGINE
    if task.error:
        return FAILED if task.error.code == "internal" else PROBLEMS
    return PLACED if task.placed else ENGINE


def _value(one: Setting, given: Any) -> Any:
    """The value that a setting's property takes for what was given on the command line."""
    if one.kind is Kind.FILE:
        return os.path.abspath(given)
    if one.kind is Kind.CHOICE:
        return given.upper()
    if one.kind is Kind.SCENE:
        return _named(bpy.data.scenes, given, "scene")
    return _named(bpy.data.objects, given, one.only.lower()) if one.kind is Kind.OBJECT else given


def _set(ours: bpy.types.PropertyGroup, chosen: dict) -> None:
    for name, value in chosen.items():
        if value is not None:
            try:
                setattr(ours, name, value)
            except (TypeError, ValueError) as error:
                raise GatherError(f"The setting {name} cannot be {value!r}: {error}.", "Give another value.") from None


def _named(collection: bpy.types.bpy_prop_collection, name: str, kind: str) -> Any:
    found = collection.get(name)
    if found is None:
        raise GatherError(f"There is no {kind} {name!r} in this file; it has {', '.join(collection.keys()) or 'none'}.",
                          f"Name the {kind} as the file does.")
    return found


def command(arguments: list[str]) -> int:
    """Called by `blender --command aa2 ...` with the file loaded, and by build.py; the exit code."""
    try:
        given = _parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or PLACED)
    options = vars(given)
    options.pop("task")
    answers = _keep_stdout()
    try:
        code, summary = generate(tell=Teller(), **options)
    except Exception as error:
        logger.exception("aa2 generate failed")
        code, summary = FAILED, failure(JobError("internal", f"{type(error).__name__}: {error}",
                                                 "Report it with the text above."))
    if summary.get("error"):
        print(f"aa2: {summary['error']['message']} {summary['error']['hint']}", file=sys.stderr, flush=True)
    os.write(answers, json.dumps(summary).encode() + b"\n")
    return code


def _keep_stdout() -> int:
    """Keeps stdout for the summary alone. Until the process ends, Blender's own lines about renders and saves go to
    stderr."""
    sys.stdout.flush()
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


class Teller:
    """Writes progress to stderr: each stage when it begins, then at most a line a second."""

    def __init__(self) -> None:
        self.stage, self.shown_at = "", 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.stage == self.stage and time.monotonic() - self.shown_at < 1.0:
            return
        self.stage, self.shown_at = progress.stage, time.monotonic()
        print(f"aa2: {progress}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="blender -b SHOT.blend --command aa2", description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True)
    one = tasks.add_parser("generate", help="generate the shot and save the file", epilog=EXIT_CODES,
                           description="What is not given stays as the file says. Progress goes to stderr, one JSON "
                                       "object with the result to stdout.",
                           formatter_class=argparse.RawDescriptionHelpFormatter)
    one.add_argument("--scene", default="", help="The scene with the plate in its sequencer")
    for setting in OPTIONS.values():
        _add_option(one, setting)
    one.add_argument("--performer", action="store_true",
                     help="A person in the plate drives, whom the character replaces")
    one.add_argument("--performer-box", nargs=4, type=float, metavar=("LEFT", "TOP", "RIGHT", "BOTTOM"),
                     help="Where that person stands, in pixels of the render; without it the nearest person drives")
    one.add_argument("--performer-frame", type=int, metavar="N", help="The frame of the box (the plate's first)")
    one.add_argument("--meshes", nargs="+", default=(), metavar="OBJECT", help="The character's meshes")
    one.add_argument("--objects", nargs="+", default=(), metavar="OBJECT", help="What it touches or stands behind")
    one.add_argument("--pack", metavar="FOLDER", help="Weights (the preferences' or the embedded ones)")
    one.add_argument("--threads", type=int, help="Processor threads of the engine")
    one.add_argument("--engine-python", metavar="FILE", help="A Python with torch for the engine")
    one.add_argument("--save", metavar="BLEND",
                     help="Save here and not over the open file; an empty name saves nothing")
    return parser


def _add_option(parser: argparse.ArgumentParser, one: Setting) -> None:
    """The option of a setting. What is not given is None, so that it stays as the file says."""
    kind: dict[str, Any] = {"action": argparse.BooleanOptionalAction} if one.kind is Kind.FLAG else {
        "type": _TYPES.get(one.kind, str), "metavar": _METAVARS.get(one.kind),
        "choices": [choice[0].lower() for choice in one.choices] or None}
    parser.add_argument(f"--{one.option.replace('_', '-')}", default=None,
                        help=explained(one.tooltip) if one.zero_is_none else one.tooltip, **kind)


def register() -> None:
    global _handle
    _handle = bpy.utils.register_cli_command("aa2", command)


def unregister() -> None:
    bpy.utils.unregister_cli_command(_handle)
