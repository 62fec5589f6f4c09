"""The words of a command line in; an exit code, a summary and lines about the progress out."""
import json
import logging
import os
import sys
import threading

from ..embedded.engine.contract.errors import JobError
from . import engine_command, farming, generating, stages
from .ending import DONE, FAILED, failure, stop_signals
from .parser import parser
from .told import Teller

_COMMANDS = {"generate": generating.run, "gather": stages.gather, "light": stages.light, "place": stages.place,
             "farm": farming.farm}
logger = logging.getLogger(__name__)


def command(arguments: list[str]) -> int:
    """Called by `blender --command aa2 ...` with the file loaded, and by build.py; the exit code."""
    try:
        given = vars(parser().parse_args(arguments))
    except SystemExit as end:
        return int(end.code or DONE)
    name = given.pop("task")
    if name == "engine":
        return engine_command.run(given["arguments"])
    with stop_signals() as stop, os.fdopen(_kept_stdout(), "w", encoding="utf-8") as answers:
        job = given.get("job") or ""
        teller = Teller(given.pop("progress"), job if isinstance(job, str) else job[0], answers)
        code, summary = _done(name, given, stop, teller)
        teller.end(summary)
        if summary.get("error"):
            print(f"aa2: {summary['error']['message']} {summary['error']['hint']}", file=sys.stderr, flush=True)
        print(json.dumps(summary), file=answers)
    return code


def _done(name: str, options: dict, stop: threading.Event, teller: Teller) -> tuple[int, dict]:
    try:
        return _COMMANDS[name](stop, teller, **options)
    except Exception as error:  # a door: the farm gets an exit code and the reason
        logger.exception("aa2 %s failed", name)
        return FAILED, failure(JobError("internal", f"{type(error).__name__}: {error}",
                                        "Report it with the text above."))


def _kept_stdout() -> int:
    """A copy of stdout for what the command says. Until the process ends, Blender's own lines about renders and saves
    go to stderr."""
    sys.stdout.flush()
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers
