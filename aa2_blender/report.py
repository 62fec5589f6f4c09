"""A job's folder -> a text that tells a developer what is needed, and no path of the artist's outside the job."""
import json
import os
import platform
import sys
from pathlib import Path

import bpy

from .anonymous import anonymous
from .embedded.engine.contract import files, json_reader, version
from .embedded.engine.contract.errors import JobError
from .versions import runs

LOG_LINES = 40
_TAIL_BYTES = 32_768


def report(folder: Path, error: JobError | None = None) -> str:
    """What happened to the job in `folder`; `error`: the JobError it ended with."""
    parts = [("Software", software()), ("Error", _error_text(error)), ("Last run", _plain(runs.read(folder))),
             ("Job", _job(folder)), ("Events", _events(folder)),
             ("Log", tail(files.path(folder, files.LOG), LOG_LINES))]
    text = "\n\n".join(f"{title}\n{'-' * len(title)}\n{said}" for title, said in parts if said)
    return anonymous(text, folder) + "\n"


def software() -> str:
    """The releases of everything that runs here."""
    return "\n".join((f"AA2 {version.ENGINE}, protocol {version.PROTOCOL}, job {version.JOB}",
                      f"Blender {bpy.app.version_string} ({bpy.app.build_hash.decode()})",
                      f"Python {sys.version.split()[0]}", f"{platform.platform()}, {os.cpu_count()} cores"))


def tail(path: str | Path, lines: int) -> str:
    """The last lines of a file, "" if there is none. It reads only the end, so a panel may ask."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(file.tell() - _TAIL_BYTES, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _error_text(error: JobError | None) -> str:
    if error is None:
        return ""
    return f"{error.code}: {error.message}\n{error.remedy}".strip()


def _job(folder: str | Path) -> str:
    """job.json without the artist's joints, which are long, and without names of things."""
    try:
        value = json_reader.read(files.path(folder, files.JOB))
        value["reference"]["joints"] = bool(value["reference"].get("joints"))
        for name in ("name", "driver"):
            value.pop(name, None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "job.json cannot be read"
    made = len(files.numbers(folder, files.FRAMES))
    return f"{made} frames are made\n{_plain(value)}"


def _events(folder: str | Path) -> str:
    """The last events. Their texts are written out, because paths are hard to recognise within JSON's escapes."""
    return "\n".join(map(_event, tail(files.path(folder, files.EVENTS), 12).splitlines()))


def _event(line: str) -> str:
    try:
        value = json_reader.parse(line.encode())
        return ", ".join(f"{name}: {entry}" for name, entry in value.items())
    except ValueError:
        return line


def _plain(value: dict) -> str:
    return "\n".join(f"{name}: {json.dumps(entry, ensure_ascii=False)}" for name, entry in value.items())
