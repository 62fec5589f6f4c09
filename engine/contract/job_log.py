"""Lines of engine.log and events.jsonl in; files that stay small, however much an engine writes, out.

If a file grows over LARGEST, its middle is removed: the beginning tells how the engine started, the end what happened
last.
"""

import json
import logging
import os

from . import files
from .errors import JobError, writing_failed
from .files import Folder

LARGEST = 4 * 1024 * 1024  # bytes (ours: the events of 30,000 frames)
_BEGINNING, _END = 64 * 1024, LARGEST // 2
_LONGEST_RECORD = 64 * 1024
_GONE = "Older lines were taken out here, so that this file stays small."
# True: for a file of JSON lines; False: for any other.
_NOTES = {True: json.dumps({"type": "shortened", "message": _GONE}).encode() + b"\n",
          False: f"... {_GONE} ...\n".encode()}


class LogFile(logging.Handler):
    """Writes what this process logs to the log of a job."""

    def __init__(self, path: str):
        super().__init__()
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        try:
            append(self._path, self.format(record).encode("utf-8", "backslashreplace")[:_LONGEST_RECORD] + b"\n")
        except JobError:
            return  # stderr still gets the line


def append(path: Folder, data: bytes) -> None:
    """Add to a log; raises JobError. A log that cannot be shortened any more, because another program has it open,
    stays as it is."""
    file = files.open_in_place(path, os.O_WRONLY | os.O_APPEND)
    try:
        size = os.fstat(file).st_size
        if size > 2 * LARGEST:
            return
        os.write(file, data)
    except OSError as error:
        raise writing_failed(error, path) from None
    finally:
        os.close(file)
    if size + len(data) > LARGEST:
        _shorten(path)


def _shorten(path: Folder) -> None:
    with open(path, "rb") as file:
        beginning = file.read(_BEGINNING)
        file.seek(-_END, os.SEEK_END)
        end = file.read()
    beginning = beginning[:beginning.rfind(b"\n") + 1]
    end = end[end.find(b"\n") + 1:]  # everything, if it is one long line
    note = _NOTES[str(path).endswith(".jsonl")]
    files.write_whole(path, beginning.removesuffix(note) + note + end)
