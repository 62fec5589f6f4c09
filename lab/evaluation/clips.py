"""A clip's folder (a job with its truth, docs/architecture.md) -> what is known of it, and its pictures."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.conditions.frames import as_float, read_colour, read_grey
from engine.contract import files, jobs, json_reader
from engine.contract.errors import JobError

TOLD = "clip.json"
WORLDS = ("fast", "blender")
VARIANTS = ("insertion", "replacement")
REFERENCES = ("first", "second")    # lab/clips/reference.py: how a clip's reference is exposed


class ClipError(Exception):
    """A clip, or a set of them, that cannot be scored; the message says what to do."""


@dataclass(frozen=True)
class Clip:
    """`variant`: nobody ("insertion") or the performer ("replacement") stands in the plate; `identity`: clips of one
    identity are resampled together; `references`: which of REFERENCES the job's reference is."""

    folder: Path
    job: jobs.Job
    world: str
    variant: str
    identity: str
    references: str = REFERENCES[0]

    @property
    def name(self) -> str:
        return f"{self.world}-{self.folder.name}"

    def colour(self, kind: str, number: int) -> np.ndarray:
        """(h, w, 3) float32 0..1 of target/, clean/ or source/."""
        return as_float(read_colour(files.picture(self.folder, kind, number), self.job.size))

    def grey(self, kind: str, number: int) -> np.ndarray:
        """(h, w) float32 0..1 of matte/, shade/ or contact/."""
        return as_float(read_grey(files.picture(self.folder, kind, number), self.job.size))


def read_clip(folder: Path, references: str = REFERENCES[0]) -> Clip:
    """Raises ClipError where the folder holds no finished clip, or one without a reference of that version."""
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
    job = replace(job, reference=replace(job.reference, file=_reference(path, told, references) or job.reference.file))
    return Clip(folder, job, told["world"], told["variant"], identity, references)


def _reference(path: Path, told: dict, references: str) -> str | None:
    """The file of that version; None: the job's own, in clips that are older than the second version."""
    try:
        return told["references"][references]["file"]
    except (KeyError, TypeError):
        if "references" not in told and references == REFERENCES[0]:
            return None
        raise ClipError(f"{path}: references: expected a {references} one; make the clip again.") from None


def clips_in(folder: Path, references: str = REFERENCES[0]) -> list[Clip]:
    """The finished clips of a folder by name; unfinished ones are passed over."""
    return [read_clip(path.parent, references) for path in sorted(Path(folder).glob(f"*/{TOLD}"))]
