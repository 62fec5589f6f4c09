"""The command line's options. Those of a shot follow from the table of settings."""
import argparse
from typing import Any

from ..embedded.engine.contract import jobs, telling
from ..settings.automatic import explained
from ..settings.table import OPTIONS, SETTINGS, FarmTarget, Kind, Setting, ZeroIs
from .ending import EXIT_CODES

_TYPES = {Kind.WHOLE: int, Kind.NUMBER: float}
_METAVARS = {Kind.WHOLE: "N", Kind.NUMBER: "X", Kind.TEXT: "STRIP", **{kind: kind.name for kind in (
    Kind.FILE, Kind.FOLDER, Kind.SCENE, Kind.OBJECT)}}
_AS_IN_FILE = "What is not given stays as the file says."
_ANSWER = "One JSON object with the result goes to stdout."


def parser() -> argparse.ArgumentParser:
    """Reads the words after `--command aa2`; `task` is the command."""
    whole = argparse.ArgumentParser(prog="blender -b SHOT.blend --command aa2",
                                    description="Shots without a window, and the stages of a shot for a render farm.")
    tasks = whole.add_subparsers(dest="task", required=True, metavar="COMMAND")
    one = _add(tasks, "generate", "generate the shot and save the file", _AS_IN_FILE)
    _add_shot(one)
    _add_save(one)
    one = _add(tasks, "gather", "gather the shot into a job's folder, for `aa2 engine` on any machine",
               f"{_AS_IN_FILE} The file is not saved.")
    one.add_argument("--job", required=True, metavar="FOLDER",
                     help="The job's folder: a new or an empty one, or one that was gathered from the same shot")
    one.add_argument("--part-windows", type=_at_least(1), default=jobs.Parts().windows, metavar="N",
                     help="Windows of a part of a shot of more than 100 frames (default: %(default)s)")
    one.add_argument("--run-in", type=_at_least(0), default=jobs.Parts().run_in, metavar="N",
                     help="Windows that a part makes before its first and throws away (default: %(default)s)")
    _add_shot(one)
    one = _add(tasks, "light", "render the light of a gathered job's frames", "The file is not saved.")
    one.add_argument("--job", required=True, metavar="FOLDER", help="The folder that was gathered")
    one.add_argument("--frames", type=_frames, metavar="FIRST-LAST", help="Frames of the job, from 1 (default: all)")
    one = _add(tasks, "place", "lay the strips of finished jobs over their plates and save the file", "")
    one.add_argument("--job", required=True, nargs="+", metavar="FOLDER", help="The folders that were gathered")
    _add_save(one)
    _add_farm(_add(tasks, "farm", "write the job that a render farm runs", f"{_AS_IN_FILE} The file is not saved."))
    one = tasks.add_parser("engine", help="run a command of the engine with the extension's Python and weights",
                           description="What follows is the engine's own command line, with its exit codes.")
    one.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS",
                     help="parts JOB, run JOB --part K, assemble JOB, deliver JOB --form F ...")
    return whole


def _add_farm(one: argparse.ArgumentParser) -> None:
    one.add_argument("--bundle", dest="folder", required=True, metavar="FOLDER", help="The folder to write")
    one.add_argument("--scene", default="", help="The scene with the plate in its sequencer")
    one.add_argument("--strip", metavar="STRIP", help=OPTIONS["strip"].tooltip)
    one.add_argument("--target", choices=[target.lower() for target in FarmTarget], help=_said("farm_target"))
    one.add_argument("--job", metavar="FOLDER", help="The version's folder to make (default: the next one)")
    one.add_argument("--save", metavar="BLEND", help="The file that the farm saves with the strips (default: one "
                                                     "beside the open file)")
    one.add_argument("--pack", metavar="FOLDER", help="Weights (the preferences' or the embedded ones)")
    for option, name, least in (("--part-frames", "farm_frames", 1), ("--run-in", "farm_run_in", 0),
                                ("--parts-a-task", "farm_each", 1)):
        one.add_argument(option, dest=name, type=_at_least(least), metavar="N", help=_said(name))
    for option, name in (("--all", "farm_all"), ("--gpu", "farm_gpu")):
        one.add_argument(option, dest=name, default=None, action=argparse.BooleanOptionalAction, help=_said(name))
    one.add_argument("--project", dest="farm_project", metavar="FOLDER", help=_said("farm_project"))


def _said(name: str) -> str:
    """The tooltip of a setting."""
    return next(one.tooltip for one in SETTINGS if one.name == name)


def _add(tasks, name: str, what: str, more: str) -> argparse.ArgumentParser:
    one = tasks.add_parser(name, help=what, epilog=EXIT_CODES, description=f"{what.capitalize()}. {more} {_ANSWER}",
                           formatter_class=argparse.RawDescriptionHelpFormatter)
    one.add_argument("--progress", choices=telling.KINDS, default=telling.KINDS[0],
                     help="Progress for people on stderr, or for programs and farms on stdout (default: %(default)s)")
    return one


def _add_shot(one: argparse.ArgumentParser) -> None:
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


def _add_save(one: argparse.ArgumentParser) -> None:
    one.add_argument("--save", metavar="BLEND",
                     help="Save here and not over the open file; an empty name saves nothing")


def _add_option(parser: argparse.ArgumentParser, one: Setting) -> None:
    """The option of a setting. What is not given is None, so that it stays as the file says."""
    kind: dict[str, Any] = {"action": argparse.BooleanOptionalAction} if one.kind is Kind.FLAG else {
        "type": _TYPES.get(one.kind, str), "metavar": _METAVARS.get(one.kind),
        "choices": [choice[0].lower() for choice in one.choices] or None}
    parser.add_argument(f"--{one.option.replace('_', '-')}", default=None,
                        help=one.tooltip if one.zero_is is ZeroIs.ZERO else explained(one.tooltip), **kind)


def _at_least(least: int):
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"expected at least {least}, got {value}")
        return value
    return number


def _frames(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)
