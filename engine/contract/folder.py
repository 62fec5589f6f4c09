"""Where each file of a job lies, how frames are numbered (1..N, four digits or more), and how a file is written whole."""

import contextlib
import os
import re
import time

from .errors import writing_failed

JOB = "job.json"
POSE = "pose.json"
REFERENCE = "reference.png"
EVENTS = "events.jsonl"
LOG = "engine.log"
LOCK = "engine.lock"
MADE = "frames/made.json"

SOURCE = "source"
MASK = "mask"
OBJECTS = "objects"
DEPTH = "depth"
FRAMES = "frames"
SHADOW = "shadow"
PREVIEW = "preview"
SHOWN = "shown"
STATE = "state"
OUTPUT = "output"
CLEAN = "clean"
GIVEN_MASK = "estimate/mask"
LOOKS = "estimate/looks"
DEPTHS = "estimate/depths"
ESTIMATED = "estimate/estimate.json"
FOUND = "estimate/reference.json"
FOUND_MASK = "estimate/reference.mask"
# What a finished job is written out as, for other programs.
DELIVERED = ("character", "shadow", "matte", "skeleton")
FORMS = ("png8", "png16", "exr")
PREVIEWS = ("skeleton", "depth", "warp", "mask", "environment", "objects")
SHOWN_KINDS = ("skeleton", "depth", "mask", "environment", "objects")

# A viewer or a scanner that has a file open keeps Windows from replacing it, as a rule for much less than this (ours).
PATIENCE_S = 3.0
_NUMBERED = re.compile(r"(\d{4,})\.png")


def picture(folder, kind, number):
    """The path of picture `number` (1..N) of one kind, e.g. `.../source/0001.png`."""
    return os.path.join(folder, *kind.split("/"), f"{number:04d}.png")


def delivered(folder, layer, form, number):
    """The path of frame `number` of one of DELIVERED in one of FORMS, e.g. `.../output/matte_exr/0001.exr`."""
    return os.path.join(folder, OUTPUT, f"{layer}_{form}", f"{number:04d}.{form[:3]}")


def path(folder, name):
    """The path of one of the job's files by its name above, e.g. `.../frames/made.json`."""
    return os.path.join(folder, *name.split("/"))


def has(folder, kind):
    """Whether the job has pictures of this kind, be they all or some."""
    return bool(numbers(folder, kind))


def numbers(folder, kind):
    """The numbers of the pictures of one kind that exist, ascending; other files are passed over."""
    try:
        names = os.listdir(os.path.join(folder, *kind.split("/")))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(m[1]) for m in map(_NUMBERED.fullmatch, names) if m)


def temporary(target):
    """A name beside `target` to write to before renaming: same extension, so that writers know the format."""
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{os.getpid()}-{name}")


def write_whole(path, data: bytes) -> None:
    """Write a file under a temporary name and rename it: whole or not at all. Makes its folder; raises JobError."""
    unfinished = temporary(path)
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(unfinished, "wb") as file:
            file.write(data)
        _replace(unfinished, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.remove(unfinished)
        raise writing_failed(error, path) from None


def _replace(source, target) -> None:
    """os.replace, tried again while somebody has the target open."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return os.replace(source, target)
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
