"""Where each file of a job lies, and how frames are numbered (1..N, four digits or more)."""

import os
import re

JOB = "job.json"
POSE = "pose.json"
REFERENCE = "reference.png"
EVENTS = "events.jsonl"
LOG = "engine.log"
MADE = "frames/made.json"

SOURCE = "source"
MASK = "mask"
OBJECTS = "objects"
DEPTH = "depth"
FRAMES = "frames"
SHADOW = "shadow"
PREVIEW = "preview"
STATE = "state"
PREVIEWS = ("skeleton", "depth", "warp", "mask", "environment", "objects")

_NUMBERED = re.compile(r"(\d{4,})\.png")


def picture(folder, kind, number):
    """The path of picture `number` (1..N) of one kind, e.g. `.../source/0001.png`."""
    return os.path.join(folder, *kind.split("/"), f"{number:04d}.png")


def path(folder, name):
    """The path of one of the job's files by its name above, e.g. `.../frames/made.json`."""
    return os.path.join(folder, *name.split("/"))


def has(folder, kind):
    """Whether the job has pictures of this kind."""
    return os.path.isfile(picture(folder, kind, 1))


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
