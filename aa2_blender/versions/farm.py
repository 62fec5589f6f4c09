"""A version that a render farm makes: the mark in its folder, and how far the farm is, by what its machines write
there."""
import os
import time
from dataclasses import dataclass
from pathlib import Path

from ..embedded.engine.contract import files, jobs, json_reader, messages
from ..embedded.engine.contract.errors import JobError
from ..embedded.engine.contract.fields import checked, number, whole, whole_text
from . import records

_FORMAT = 1
_TAIL = 64 * 1024  # bytes of an events file that are read for the last one (ours: a line is shorter)


@dataclass(frozen=True)
class FarmMark:
    """farm.json of a job's folder: `target` is the kind of farm that the job was written for, `parts` how many parts
    its frames are made in, `written` when, in seconds since 1970."""

    target: str = checked(whole_text)
    parts: int = checked(whole(1, 1_000_000), 1)
    written: float = checked(number(0, 1e12), 0.0)


@dataclass(frozen=True)
class FarmProgress:
    """How far a farm is: `done` of `parts` parts, `made` of `frames` frames of the whole shot (0 of 0 before it is
    gathered). `heard`: when a machine wrote last, in seconds since 1970; None if none has. `error`: why the last one
    failed, "" if it did not."""

    done: int
    parts: int
    made: int
    frames: int
    heard: float | None = None
    error: str = ""

    @property
    def is_home(self) -> bool:
        """Whether all frames are in the job's folder."""
        return 0 < self.frames == self.made


def write_mark(folder: Path, target: str, parts: int) -> None:
    """Say that a farm makes the version in this folder, from now until all of its frames are there. Makes the folder;
    raises JobError."""
    records.write(files.path(folder, files.FARM), FarmMark(target, parts, round(time.time(), 3)), _FORMAT)


def mark_of(folder: Path) -> FarmMark | None:
    """The mark of a version; None if no farm makes it, or the mark cannot be read."""
    return records.read(files.path(folder, files.FARM), FarmMark, _FORMAT)


def is_marked(folder: Path) -> bool:
    """Whether a farm was asked to make the version in this folder, finished or not."""
    return os.path.isfile(files.path(folder, files.FARM))


def is_at_work(folder: Path) -> bool:
    """Whether a farm makes this version, and not all of its frames are there."""
    return is_marked(folder) and not progress_of(folder).is_home


def progress_of(folder: Path) -> FarmProgress:
    """How far the farm is with a version. Reads few bytes, but maybe over a slow network; takes no lock."""
    mark = mark_of(folder)
    parts = mark.parts if mark else 1
    homes = [files.part_folder(folder, part) for part in range(1, parts + 1)]
    done = sum(os.path.isfile(files.path(home, files.PART)) for home in homes)
    try:
        frames = jobs.read(folder).frames
    except JobError:  # not gathered yet
        frames = 0
    made = frames - len(files.missing(folder, files.FRAMES, frames))
    heard, newest = max((_changed(files.path(home, files.EVENTS)), home) for home in (*homes, str(folder)))
    return FarmProgress(done, parts, made, frames, heard or None, _error_in(files.path(newest, files.EVENTS)))


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _error_in(path: str) -> str:
    """The message of the last event in a file, if that says that a request failed."""
    try:
        with open(path, "rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - _TAIL, 0))
            last = file.read(_TAIL).rstrip(b"\n").rpartition(b"\n")[2]
        event = messages.event(json_reader.parse(last))
    except (OSError, ValueError, JobError):  # nothing is written yet, or the line is being written
        return ""
    return event.message if isinstance(event, messages.Failed) else ""
