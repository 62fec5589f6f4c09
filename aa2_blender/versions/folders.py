"""A shot's folder -> its versions v001, v002 ..., each with its own job folder. No generated frame is overwritten."""
import filecmp
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..embedded.engine.contract import files, jobs, json_reader
from ..embedded.engine.contract.errors import JobError
from ..gather.request import Request
from . import farm, records

REQUEST = files.REQUEST  # the request, with the names of the .blend file; only the add-on reads it
_REQUEST_FORMAT = 1
_VERSION = re.compile(r"v(\d{3,})")
_PICTURES = (files.SOURCE, files.OBJECTS, files.DEPTH)
_COMPOSED = (files.FRONT,)  # pictures that only the composition reads
_LIGHT = (files.BALLS, files.SCENE)  # pictures that only tell one light from another
_LARGEST_SEED = 2**31 - 1  # of a number in Blender's interface


def is_version(folder) -> bool:
    """Whether a folder has the name of a version."""
    return _VERSION.fullmatch(Path(folder).name) is not None


def versions(shot: Path) -> list[Path]:
    """The job folders of a shot, oldest first. A folder without job.json is unfinished and does not count."""
    try:
        found = [path for path in Path(shot).iterdir() if is_version(path) and (path / files.JOB).is_file()]
    except OSError:
        return []
    return sorted(found, key=lambda path: int(path.name[1:]))


def vacant(shot: Path, reserved=()) -> Path:
    """Where to gather the next version: after the last one, or over the last one if it has no frame and neither a queue
    (`reserved`, folders) nor a farm waits for it."""
    there = versions(shot)
    reserved = (*map(Path, reserved), *(path.parent for path in Path(shot).glob(f"v*/{files.FARM}")))
    if there and there[-1] not in reserved and not files.has(there[-1], files.FRAMES):
        return there[-1]
    numbers = [int(path.name[1:]) for path in (*there, *reserved) if is_version(path) and path.parent == Path(shot)]
    return Path(shot) / f"v{max(numbers, default=0) + 1:03}"


def twin(folder: Path):
    """A generator that returns the other version that was gathered from the very same inputs, or None; yields between
    files. One that a farm still works on does not count."""
    for other in versions(folder.parent):
        if other != folder and not farm.is_at_work(other) and (yield from have_the_same_inputs(other, folder)):
            return other
    return None


def have_the_same_inputs(other: Path, folder: Path):
    """A generator that returns whether two folders were gathered from the very same inputs; yields between files."""
    return filecmp.cmp(folder / files.JOB, other / files.JOB, shallow=False) and (
        yield from _have_the_same(_inputs, other, folder))


def kin(folder: Path):
    """A generator that returns the latest other version whose latents this one can use, or None: both were gathered
    from the same inputs, and at most the composition differs (jobs.COMPOSED), or the light. Yields between files."""
    job = jobs.read(folder)
    for other in reversed(versions(folder.parent)):
        if other == folder or not _is_akin(other, job):
            continue
        if (yield from _have_the_same(_denoised, other, folder)):
            return other
    return None


def take_latents(folder: Path, other: Path) -> None:
    """Give a version what was made for its kin, so that nothing is denoised, no performer is looked for and no light is
    rendered again."""
    for name in (*_estimated(other), *_latents(other), *(_rendered(other) if files.has(folder, files.SCENE) else ())):
        share(other / name, folder / name)


def move_inputs(folder: Path, target: Path):
    """A generator that moves what was gathered in a folder to another one, job.json last; yields between files. Each
    is on the disk before it is named there: a machine that dies leaves no short file of a job to others."""
    for name in (*_inputs(folder), files.JOB):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        files.sync_file(folder / name)
        os.replace(folder / name, target / name)
        yield


def has_results(folder: Path) -> bool:
    """Whether anything was generated in a version: frames, latents, parts of a long shot, or output."""
    made = (path for kind in (files.STATE, files.PARTS, files.OUTPUT) for path in (folder / kind).glob("[!.]*"))
    return files.has(folder, files.FRAMES) or any(True for _path in made)


def copied(folder: Path, target: Path):
    """A generator that gives another version the inputs of this one, without copying bytes if the disk can share them;
    yields (stage, step, total). The job itself is written afterwards, by write_changed."""
    files.refuse_links(target)
    names = [*_inputs(folder), *_estimated(folder), *_rendered(folder)]
    for step, name in enumerate(names, 1):
        share(folder / name, target / name)
        yield "copy", step, len(names)


def copied_frames(folder: Path, target: Path, numbers):
    """A generator that gives another version the finished frames `numbers` (1..N) of this one; yields between them."""
    for number in numbers:
        for kind in (files.FRAMES, files.SHADOW):
            if os.path.isfile(files.picture(folder, kind, number)):
                share(Path(files.picture(folder, kind, number)), Path(files.picture(target, kind, number)))
        yield


def write_changed(folder: Path, target: Path, change) -> None:
    """Write job.json and request.json of another version: those of `folder` after `change`(Job) -> Job."""
    job = change(jobs.read(folder))
    request = read_request(folder)
    if request:
        write_request(target, replace(request, settings=job.settings))
    jobs.write(target, job)


def discard(folder: Path) -> None:
    """Remove a version that was never finished: files with the names of a job, and the folders that are then empty. All
    other files belong to the artist; a folder with links stays as it is."""
    with suppress(JobError):
        files.refuse_links(folder)
        for kind in sorted(files.FOLDERS, key=len, reverse=True):
            files.remove_numbered(files.path(folder, kind), ("png", "exr", "look", "parts", "depth", "latents", "npy",
                                                                "light"))
        for name in (*files.FILES, *files.IN_PLACE):
            with suppress(OSError):
                os.remove(files.path(folder, name))
        for kind in (*sorted(files.FOLDERS, key=len, reverse=True), ""):
            with suppress(OSError):
                os.rmdir(os.path.join(folder, kind))


def share(source: Path, target: Path) -> None:
    """Put the same file in another place: as a hard link, or as a copy if that is impossible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def other_seed(folder: Path) -> int:
    """A seed that no version of the shot has: one more than the largest."""
    seeds = [jobs.read(path).settings.seed for path in versions(folder.parent)]
    return (max(seeds, default=0) + 1) % _LARGEST_SEED


def write_request(folder: Path, request: Request) -> None:
    """Store the request of a version; a damaged file of an earlier request is renamed first. Raises JobError."""
    path = files.path(folder, REQUEST)
    if os.path.isfile(path) and read_request(folder) is None:
        json_reader.keep_aside(path)
    records.write(path, request, _REQUEST_FORMAT)


def read_request(folder: Path) -> Request | None:
    """The request of a version; None if it cannot be read any more."""
    return records.read(files.path(folder, REQUEST), Request, _REQUEST_FORMAT)


def _have_the_same(names_of: Callable[[Path], list[str]], other: Path, folder: Path):
    for name in names_of(folder):
        is_same = (other / name).is_file() and filecmp.cmp(folder / name, other / name, shallow=False)
        yield
        if not is_same:
            return False
    return len(names_of(other)) == len(names_of(folder))


def _is_akin(other: Path, job: jobs.Job) -> bool:
    with suppress(JobError):
        return jobs.have_the_same_latents(jobs.read(other), job)
    return False


def _latents(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in sorted((folder / files.STATE).glob("*.latents"))]


def _inputs(folder: Path) -> list[str]:
    """The files that were gathered, relative to the folder. This excludes job.json and what the engine made from a
    performer."""
    return [*_denoised(folder), *_there(folder, (files.LIGHT,)), *_pictures(folder, (*_COMPOSED, *_LIGHT))]


def _denoised(folder: Path) -> list[str]:
    """Those of _inputs that the latents depend on, except the light: with some weights they do, and with others not.
    The engine's keys say which, and latents of another light are no use then, but no harm."""
    job = jobs.read(folder)
    performer = job.driver.performer
    is_given = job.clean_pictures and not (performer and performer.clean)
    kinds = [*_PICTURES, files.GIVEN_MASK if performer else files.MASK, *([files.CLEAN] if is_given else [])]
    return [*_there(folder, (*([] if performer else [files.POSE]), files.REFERENCE)),
            *_pictures(folder, kinds)]


def _estimated(folder: Path) -> list[str]:
    """The files that the engine made from a performer, so that a copy need not look for him again."""
    performer = jobs.read(folder).driver.performer
    if performer is None:
        return []
    kept = [path.relative_to(folder).as_posix() for path in sorted((folder / "estimate").rglob("*"))
            if path.is_file() and path.parent != folder / files.GIVEN_MASK]
    kinds = [files.MASK, *([files.CLEAN] if performer.clean else [])]
    return [*_there(folder, (files.POSE,)), *_pictures(folder, kinds), *kept]


def _rendered(folder: Path) -> list[str]:
    """The light that the driver's scene rendered, and the surface it was rendered on."""
    surface = [path.relative_to(folder).as_posix() for ending in ("npy", "light")
               for path in sorted((folder / files.SURFACE).glob(f"*.{ending}"))]
    return [*_there(folder, (files.MESH,)), *surface,
            *_pictures(folder, (files.IRRADIANCE, files.CAST))]


def _pictures(folder, kinds):
    return [f"{kind}/{number:04d}.png" for kind in kinds for number in files.numbers(folder, kind)]


def _there(folder, names):
    return [name for name in names if (folder / name).is_file()]
