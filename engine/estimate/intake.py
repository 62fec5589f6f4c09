"""A video or a job's own pictures -> source/ and job.json, where shots begin, and what is unusual about the
pictures."""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..conditions.frames import write_picture
from ..contract import files, jobs
from ..contract.errors import JobError
from ..job.progress import Watch
from .appearance import read_record, write_record
from .cuts import CutFinder, is_combed
from .footage import Clock, Footage, open_footage
from .source import Source

STAGE = "read"
_COMBED = 0.3  # of the frames in which something moves must be combed (ours)
_LEAST_COMBED = 3
_FINISHED = (files.FRAMES, files.SHADOW)
_READ_FROM_VIDEO = (files.SOURCE, files.MASK, files.CLEAN)


@dataclass(frozen=True)
class Intake:
    """source/ has `frames` pictures of size (width, height). cuts: the numbers of frames that begin another shot.
    source: an identity of these pictures."""

    frames: int
    size: tuple[int, int]
    fps: float
    cuts: tuple[int, ...]
    source: str

    def shots(self) -> list[range]:
        """Ranges of numbers."""
        starts = [1, *self.cuts, self.frames + 1]
        return [range(a, b) for a, b in pairwise(starts) if a < b]


class _Sights:
    """What is noticed in the pictures while they are read."""

    def __init__(self):
        self._cuts, self._before = CutFinder(), None
        self.cuts, self.repeated, self.moved, self.combed = [], [], 0, 0

    def see(self, number: int, picture: np.ndarray, repeated: bool = False) -> None:
        if repeated:
            return self.repeated.append(number)
        if self._cuts.is_cut(picture):
            self.cuts.append(number)
        elif self._before is not None and number % 4 == 0:
            combed = is_combed(self._before, picture)
            self.moved += combed is not None
            self.combed += bool(combed)
        self._before = picture

    @property
    def interlaced(self) -> bool:
        return self.combed >= max(_LEAST_COMBED, _COMBED * self.moved)


def take_in(folder: str, video: str | None, *, watch: Watch, say: Callable[[str, str, Sequence[int]], None],
            pieces: int) -> Intake:
    """video: a path, or None for the pictures that are in source/ already. Pictures that an earlier, stopped estimate
    has read are used again. Each frame advances watch by `pieces`. say(code, message, frames) warns."""
    source = _identity(Path(video)) if video else _own_identity(folder)
    record = read_record(folder)
    if record.get("source") == source and record.get("whole") and _all_there(folder, record["frames"]):
        watch.advance(STAGE, pieces * record["frames"], reused=True)
    else:
        write_record(folder, {"source": source})
        sights, facts = (_read_movie(folder, video, watch, pieces) if video
                         else _read_source(folder, watch, pieces))
        record = {"source": source, "whole": True, "cuts": sights.cuts, "held": sights.repeated,
                "interlaced": sights.interlaced,
                **facts}
        write_record(folder, record)
    _warn(record, say)
    return Intake(record["frames"], tuple(record["size"]), record["fps"], tuple(record["cuts"]), source)


def expected(folder: str, video: str | None) -> int:
    """About how many frames there will be; 0 if the file does not say. Raises JobError if there is nothing to read."""
    return open_footage(video).frames if video else jobs.read(folder).frames


def _read_movie(folder: str, video: str, watch: Watch, pieces: int) -> tuple[_Sights, dict[str, Any]]:
    """Writes source/ and job.json. Finished frames stay: a video that is too short for them is refused."""
    footage, clock, sights, count = open_footage(video), Clock(), _Sights(), 0
    _refuse_shorter(folder, footage, watch)
    for frame in footage.read(clock):
        watch.check()
        write_picture(files.picture(folder, files.SOURCE, frame.number), frame.picture)
        sights.see(frame.number, frame.picture, frame.repeated)
        count = frame.number
        watch.advance(STAGE, pieces)
    for kind in _READ_FROM_VIDEO:
        _remove_after(folder, kind, count)
    _write_job(folder, footage, count)
    return sights, {"frames": count, "size": footage.size, "fps": footage.fps, "uneven": clock.uneven,
                    "bits": footage.bits, "missing": clock.missing(footage)}


def _refuse_shorter(folder: str, footage: Footage, watch: Watch) -> None:
    """Raises JobError if the video is shorter than the finished frames, whether it is another one or was cut off. If it
    was cut off, frames that were read from it before are protected too. If there are any such frames, the video is read
    once in advance, before the first picture is overwritten."""
    finished, read = (max((number for kind in kinds for number in files.numbers(folder, kind)), default=0)
                      for kinds in (_FINISHED, (files.SOURCE,)))
    if not finished and not read:
        return
    count, clock = 0, Clock()
    for frame in footage.read(clock):
        watch.check()
        count = frame.number
    last = max(finished, read if clock.missing(footage) else 0)
    if last > count:
        raise JobError("footage_shorter", f"{footage.path} has {count} frames that can be read, but {folder} holds "
                       f"{last} frames of a longer one.",
                       "Copy or export the video again, or choose another folder for the job.")


def _read_source(folder: str, watch: Watch, pieces: int) -> tuple[_Sights, dict[str, Any]]:
    """Looks at the job's own pictures, and writes nothing."""
    job, sights = jobs.read(folder), _Sights()
    with Source(folder, job.frames, job.size) as source:
        for number in range(1, job.frames + 1):
            watch.check()
            sights.see(number, source.read(number))
            watch.advance(STAGE, pieces)
    return sights, {"frames": job.frames, "size": job.size, "fps": job.fps, "uneven": False, "bits": 8,
                    "missing": 0}


def _all_there(folder: str, frames: int) -> bool:
    return files.numbers(folder, files.SOURCE)[:frames] == list(range(1, frames + 1))


def _write_job(folder: str, footage: Footage, count: int) -> None:
    """Writes a new job.json. An existing one keeps its settings and reference."""
    facts: dict[str, Any] = {"name": footage.path.stem or "shot", "size": footage.size, "frames": count, "bits": 8,
                             "fps": min(max(footage.fps, 0.001), 1000.0), "clean_plate": False}
    try:
        job = jobs.read(folder)
    except JobError as error:
        if error.code != "job_missing":
            raise
        return jobs.write(folder, jobs.Job(**facts))
    unfit: dict[str, Any] = {"mask_grow": None, "mask_feather": None, "fix": None} if job.frames != count else {}
    unfit |= {"objects": None, "depth": None} if (job.frames, tuple(job.size)) != (count, footage.size) else {}
    jobs.write(folder, dataclasses.replace(job, **facts, **unfit))


def _warn(record: dict[str, Any], say: Callable[[str, str, Sequence[int]], None]) -> None:
    if record.get("missing"):
        say("footage_cut_off", f"The video's file should have {record['frames'] + record['missing']} frames, but only "
            f"{record['frames']} can be read: it was cut off, or it is damaged at its end. Copy or export it again if "
            "frames are missing.", ())
    if record["cuts"]:
        say("cut_found",
            f"Another shot begins at frame {', '.join(map(str, record['cuts']))}; the engine finds the performer "
            "in each shot by his clothes, and does not smooth across a cut.", record["cuts"])
    if record["held"]:
        say("frames_held", f"{len(record['held'])} pictures of the video are missing or damaged; the picture "
            "before is shown instead.", record["held"])
    if record["interlaced"]:
        say("interlaced",
            "The video is interlaced: moving limbs are drawn in two fields. Deinterlace it for a better pose.", ())
    if record["uneven"]:
        say("frames_uneven",
            f"The video has an uneven frame rate; it was converted to {record['fps']:.3g} frames a second, as "
            "a player shows it.", ())
    if record["bits"] > 8:
        say("colour_reduced",
            f"The video has {record['bits']} bits a channel, and 8 of them are used; HDR looks pale. In Blender, "
            "the strip keeps its depth.", ())


def _identity(path: Path) -> str:
    """The identity of a movie file or a folder of pictures: a digest of names, sizes and modification times."""
    there = sorted(path.iterdir()) if path.is_dir() else [path]
    return _digest([(str(p.resolve()), p) for p in there])


def _own_identity(folder: str) -> str:
    source = Path(files.path(folder, files.SOURCE))
    return _digest([(p.name, p) for p in sorted(source.glob("*.png"))])


def _digest(named: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, path in named:
        try:
            about = path.stat()
        except OSError:
            continue
        digest.update(f"{name} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _remove_after(folder: str, kind: str, last: int) -> None:
    """Removes the pictures of an earlier, longer video."""
    for number in files.numbers(folder, kind):
        if number > last:
            os.remove(files.picture(folder, kind, number))
