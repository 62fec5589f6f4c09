"""`aa2 engine ARGS`: the engine's own command line, with the extension's Python, packages and weights, for a machine
that has Blender and nothing else. A job of an engine that needs torch runs in the Python of the preferences."""
import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence

import bpy

from ..embedded.engine.contract import files, jobs
from ..embedded.engine.contract.errors import JobError
from ..settings.preferences import engine_launch
from .ending import ENGINE, USAGE


def run(arguments: Sequence[str]) -> int:
    """Runs `python -m engine ARGS` and returns its exit code. Where the system can, the engine takes the place of this
    process, so that signals reach it as they are, and this never returns."""
    if not arguments or arguments[0].startswith("-"):
        print("aa2 engine: name a command of the engine first: parts, run, assemble, deliver, check ...",
              file=sys.stderr, flush=True)
        return USAGE
    try:
        launch = engine_launch(_engine_of(arguments), pack=_pack_of(arguments), arguments=arguments).of_command(
            arguments[0])
    except JobError as error:
        print(f"aa2: {error}", file=sys.stderr, flush=True)
        return ENGINE
    sys.stdout.flush()
    if os.name != "nt":
        _leave()
        os.execve(launch.command[0], launch.command, dict(launch.environment))
    return _run_below(launch.command, dict(launch.environment))


def _engine_of(arguments: Sequence[str]) -> str:
    """The engine of the job folder that the arguments name; the embedded one where they name none. Raises JobError."""
    folder = next((word for word in arguments[1:] if os.path.isfile(files.path(word, files.JOB))), None)
    return jobs.COMPACT if folder is None else jobs.read(folder).settings.engine


def _pack_of(arguments: Sequence[str]) -> str | None:
    """The weights that the arguments name themselves."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--pack")
    return parser.parse_known_args(list(arguments[1:]))[0].pack


def _leave() -> None:
    """Leave nothing of this Blender behind: its temporary folder, and signals that it ignores."""
    session = os.path.normpath(bpy.app.tempdir)
    if os.path.basename(session).startswith("blender_"):    # else it is the system's, where Blender could make none
        shutil.rmtree(session, ignore_errors=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _run_below(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run the engine as a child. Ctrl-C reaches it by itself, since both have one console; SIGTERM is passed on."""
    child = subprocess.Popen(command, env=environment)
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    return child.wait()
