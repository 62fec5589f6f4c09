"""A clip's folder (a job with its truth, docs/architecture.md) -> what is known of it, and its pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..conditions.frames import as_float, read_colour, read_grey
from ..contract import folder as files
from ..contract import job as jobs
from ..contract import json_reader
from ..contract.errors import JobError

TOLD = "clip.json"
WORLDS = ("fast", "blender")
VARIANTS = ("insertion", "replacement")


class ClipError(Exception):
    """A clip, or a set of them, that cannot be scored; the message says what to do."""


@dataclass(frozen=True)
class Clip:
    """`variant`: nobody ("insertion") or the performer ("replacement") stands in the plate; `identity`: clips of one
    identity are resampled together."""

    folder: Path
    job: jobs.Job
    world: str
    variant: str
    identity: str

    @property
    def name(self) -> str:
        return f"{self.world}-{self.folder.name}"

    def colour(self, kind: str, number: int) -> np.ndarray:
        """(h, w, 3) float32 0..1 of target/, clean/ or source/."""
        return as_float(read_colour(files.picture(self.folder, kind, number), self.job.size))

    def grey(self, kind: str, number: int) -> np.ndarray:
        """(h, w) float32 0..1 of matte/, shade/ or contact/."""
        return as_float(read_grey(files.picture(self.folder, kind, number), self.job.size))


def read_clip(folder: Path) -> Clip:
    """Raises ClipError where the folder holds no finished clip."""
    folder = Path(folder)
    path = folder / TOLD
    try:
        told = json_reader.read(path)
        job = jobs.read(folder)
    except FileNotFoundError:
        raise ClipError(f"{path} does not exist: the clip is unfinished, or none; make it again.") from None
    except (ValueError, OSError, JobError) as error:
        raise ClipError(f"{folder}: the clip cannot be read ({error}); make it again.") from None
    for name, choices in (("world", WORLDS), ("variant", VARIANTS)):
        if told.get(name) not in choices:
            raise ClipError(f"{path}: {name}: expected one of {', '.join(choices)}; make the clip again.")
    if told.get("held_out") is not True:
        raise ClipError(f"{path}: held_out: expected true; a clip that training may have seen cannot be scored.")
    identity = str(told.get("identity", f"{told['world']} {told.get('seed', folder.name)}"))
    return Clip(folder, job, told["world"], told["variant"], identity)


def clips_in(folder: Path) -> list[Clip]:
    """The finished clips of a folder by name; unfinished ones are passed over."""
    return [read_clip(path.parent) for path in sorted(Path(folder).glob(f"*/{TOLD}"))]
