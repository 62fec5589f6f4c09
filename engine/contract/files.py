"""Where each file of a job lies, how frames are numbered (1..N, four digits or more), and how a file is written whole.
Also the one rule about links: no folder or file of a job may be a link, so that nothing outside the job is written or
removed."""

import contextlib
import errno
import functools
import hashlib
import os
import platform
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, get_args

from .errors import JobError, writing_failed

Folder = str | os.PathLike[str]

JOB = "job.json"
POSE = "pose.json"
LIGHT = "light.json"
REFERENCE = "reference.png"
EVENTS = "events.jsonl"
LOG = "engine.log"
LOCK = "engine.lock"
MADE = "frames/made.json"
PART = "part.json"
SEAMS = "seams.json"
REQUEST = "request.json"
RUN = "run.json"
FARM = "farm.json"
MESH = "surface/mesh.npz"

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
PARTS = "parts"
FRONT = "front"
IRRADIANCE = "irradiance"
CAST = "cast"
SURFACE = "surface"
SCENE = "scene"
BALLS = "balls"
ESTIMATE = "estimate"
GIVEN_MASK = "estimate/mask"
LOOKS = "estimate/looks"
DEPTHS = "estimate/depths"
ESTIMATED = "estimate/estimate.json"
MOVIE = "output/character.mov"
MOVIE_LOG = "output/movie.log"
FOUND = "estimate/reference.json"
FOUND_MASK = "estimate/reference.mask"
# The layers that a finished job is written out as, for other programs.
Layer = Literal["character", "shadow", "matte", "skeleton"]
Form = Literal["png8", "png16", "exr"]
Condition = Literal["skeleton", "depth", "surface", "mask", "environment", "objects"]
DELIVERED: tuple[Layer, ...] = get_args(Layer)
FORMS: tuple[Form, ...] = get_args(Form)
PREVIEWS: tuple[Condition, ...] = get_args(Condition)
SHOWN_KINDS = PREVIEWS

# Every name in the job folder, as docs/architecture.md lists them. The folders contain numbered pictures and the like.
FOLDERS = (SOURCE, MASK, CLEAN, FRONT, OBJECTS, DEPTH, BALLS, IRRADIANCE, CAST, SURFACE, SCENE, FRAMES, SHADOW, STATE,
           OUTPUT, PREVIEW, SHOWN, ESTIMATE, GIVEN_MASK, LOOKS, DEPTHS, *(f"{PREVIEW}/{kind}" for kind in PREVIEWS),
           *(f"{SHOWN}/{kind}" for kind in SHOWN_KINDS),
           *(f"{OUTPUT}/{layer}_{form}" for layer in DELIVERED for form in FORMS),
           PARTS, "target", "matte", "shade", "contact")
FILES = (JOB, POSE, LIGHT, REFERENCE, MADE, PART, SEAMS, REQUEST, RUN, FARM, MESH, ESTIMATED, FOUND, FOUND_MASK,
         f"{LOOKS}/key.json", f"{DEPTHS}/key.json",
         f"{FRAMES}/blank.png", f"{SHADOW}/blank.png", "reference_pose.json", "reference_matte.png",
         "reference_v2.png", "clip.json")
# These are written in place. All others are written under a new name and renamed. If such a file had another (hard)
# name, the other file would change with it.
IN_PLACE = (LOCK, EVENTS, LOG, MOVIE, MOVIE_LOG)

# On Windows, a file that a viewer or a scanner has open cannot be replaced; they rarely keep it open this long (ours).
PATIENCE_S = 3.0
OLD_S = 24 * 3600.0  # no writer needs this long for one file (ours)
_NUMBERED = re.compile(r"(\d{4,})\.png")
# In these folders, files with these names are written only by the engine that has the job's lock.
_LOCKED = (FRAMES, SHADOW, STATE, LOOKS, DEPTHS)
_LOCKED_FILE = re.compile(r"\d{4,}\.(png|latents|look|parts|depth)|(made|key)\.json|probe")
# In different containers, the pid and even the host's name may be the same.
_HOST = hashlib.blake2b(platform.node().encode(errors="replace"), digest_size=4).hexdigest()
_TEMPORARY = re.compile(r"\.aa2-([0-9a-f]{8})-[0-9a-f]{16}-(.+)")
_NOT_THROUGH_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_LINK_TAGS = (0xA000000C, 0xA0000003)  # Windows' symbolic links and mount points, which include junctions


def picture(folder: Folder, kind: str, number: int) -> str:
    """The path of picture `number` (1..N) of one kind, e.g. `.../source/0001.png`."""
    return os.path.join(folder, *kind.split("/"), f"{number:04d}.png")


def part_folder(folder: Folder, number: int) -> str:
    """Where part `number` (1, 2 ...) of a long shot is made, with the same names as in the job's own folder."""
    return os.path.join(folder, PARTS, f"{number:04d}")


def delivered(folder: Folder, layer: Layer, form: Form, number: int) -> str:
    """The path of frame `number` of one of DELIVERED in one of FORMS, e.g. `.../output/matte_exr/0001.exr`."""
    return os.path.join(folder, OUTPUT, f"{layer}_{form}", f"{number:04d}.{form[:3]}")


def vertices(folder: Folder, number: int) -> str:
    """The path of the posed surface of frame `number`, `.../surface/0001.npy`."""
    return os.path.join(folder, SURFACE, f"{number:04d}.npy")


def light_key(folder: Folder, number: int) -> str:
    """The path of what the light of frame `number` was rendered from, `.../surface/0001.light`."""
    return os.path.join(folder, SURFACE, f"{number:04d}.light")


def path(folder: Folder, name: str) -> str:
    """The path of one of the job's files by its name above, e.g. `.../frames/made.json`."""
    return os.path.join(folder, *name.split("/"))


def has(folder: Folder, kind: str) -> bool:
    """Whether the job has pictures of this kind, all of them or only some. The first is asked for by its name: a
    network drive may list late what another machine has written."""
    return os.path.isfile(picture(folder, kind, 1)) or bool(numbers(folder, kind))


def numbers(folder: Folder, kind: str) -> list[int]:
    """The numbers of the existing pictures of one kind, ascending; other files are ignored."""
    try:
        names = os.listdir(os.path.join(folder, *kind.split("/")))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(m[1]) for m in map(_NUMBERED.fullmatch, names) if m)


def missing(folder: Folder, kind: str, count: int) -> list[int]:
    """Which of the pictures 1..count of one kind are not there. What the listing lacks is asked for by its name: a
    network drive may list late what another machine has written."""
    unlisted = sorted(set(range(1, count + 1)) - set(numbers(folder, kind)))
    return [number for number in unlisted if not os.path.isfile(picture(folder, kind, number))]


def refuse_links(folder: Folder) -> None:
    """Call this before the first write. Raises JobError(job_linked) if a folder or file of the job is a link or a
    junction, or if a file of IN_PLACE is not an ordinary file with only one name.

    The job's folder itself may be reached through a link, because the artist set this up. A single numbered picture may
    also be a link. It is read through the link, but a new picture is written beside it and replaces only the link.
    """
    for name in (*FOLDERS, *FILES, *IN_PLACE):
        there = path(folder, name)
        about = _about(there)
        if about is None:
            continue
        if _is_link(about):
            raise _linked(there)
        if name in IN_PLACE:
            _refuse_odd(there, about)


def open_in_place(path: Folder, flags: int) -> int:
    """The descriptor of an ordinary file that is written in place; the file is created if it does not exist. `flags`
    are those of os.open. A link is not followed. Raises JobError."""
    try:
        before = _about(path)
        if before is not None and _is_link(before):
            raise _linked(path)
        file = os.open(path, flags | os.O_CREAT | _NOT_THROUGH_LINKS, 0o666)
    except OSError as error:
        raise _linked(path) if error.errno == errno.ELOOP else writing_failed(error, path) from None
    try:
        _refuse_odd(path, os.fstat(file))
    except JobError:
        os.close(file)
        raise
    return file


def own_name(name: str) -> str:
    """A unique name for a temporary file beside `name`. It keeps the extension, so that writers know the format."""
    return f".aa2-{_HOST}-{secrets.token_hex(8)}-{name}"


@contextlib.contextmanager
def unfinished(path: Folder) -> Iterator[str]:
    """The path of a new, empty file beside `path`. At the end of the block it replaces `path`; if the block raises, it
    is removed. Makes the folder; raises JobError for an OSError."""
    folder, name = os.path.split(path)
    beside = os.path.join(folder, own_name(name))
    try:
        os.makedirs(folder or ".", exist_ok=True)
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        yield beside
        _replace(beside, path)
    except OSError as error:
        raise writing_failed(error, path) from None
    finally:
        with contextlib.suppress(OSError):
            os.remove(beside)


def write_whole(path: Folder, data: bytes | memoryview, *, synced: bool = False) -> None:
    """Write a file under a temporary name and rename it: whole or not at all. Makes its folder; raises JobError.
    synced: its bytes are on the disk before it gets its name."""
    with unfinished(path) as beside, open(beside, "wb") as file:
        file.write(data)
        if synced:
            file.flush()
            os.fsync(file.fileno())


def sync_file(path: Folder) -> None:
    """Write the bytes of a file to the disk, so that what names it later never names a short file. Raises OSError."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Folder) -> None:
    """Write the names in a folder to the disk, if the system can: Windows cannot open folders, and some drives cannot
    sync them."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def remove_left_over(folder: Folder) -> None:
    """Remove temporary files of writers that were killed. Only the process with the job's lock calls this.

    A temporary file of this machine is removed at once if only the lock's holder writes such files, because nobody else
    can be writing it. All others are removed when they are old: the add-on and a delivery write without the lock, and
    on a drive without locks an engine on another machine may be working.
    """
    for kind in ("", *FOLDERS):
        _remove_temporary(path(folder, kind) if kind else folder, functools.partial(_is_ours, kind))


def remove_unfinished(folder: Folder) -> None:
    """Remove temporary files of writers that were killed, from a folder in which only the caller writes; those of
    other machines when they are old, because containers change their names."""
    _remove_temporary(folder, lambda host, _name: host == _HOST)


def remove_numbered(folder: Folder, endings: Iterable[str]) -> None:
    """Remove files of one folder that are named as the engine names them, 0001.<one of endings>. Files with other names
    belong to the artist and stay. Raises JobError."""
    form = re.compile(rf"\d{{4,}}\.({'|'.join(endings)})")
    try:
        for name in filter(form.fullmatch, os.listdir(folder)):
            os.remove(os.path.join(folder, name))
    except FileNotFoundError:
        return
    except OSError as error:
        raise writing_failed(error, folder) from None


def _about(path: Folder) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise writing_failed(error, path) from None


def _is_link(about: os.stat_result) -> bool:
    """Whether it is a symbolic link, or on Windows a junction. A file that a cloud drive stores elsewhere is not a
    link."""
    return stat.S_ISLNK(about.st_mode) or getattr(about, "st_reparse_tag", None) in _LINK_TAGS


def _linked(path: Folder) -> JobError:
    try:
        target = f" to {os.readlink(path)}"
    except OSError:
        target = ""
    return JobError("job_linked", f"{path} is a link{target}: writing there would change files outside of the job.",
                    "Replace the link by the file or folder itself; only the job's folder may be a link.")


def _refuse_odd(path: Folder, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise JobError("job_linked", f"{path}: expected an ordinary file, got a folder or a device.", "Remove it.")
    if about.st_nlink > 1:
        raise JobError("job_linked",
                       f"{path} is the same file as another one elsewhere (a hard link), which would change "
                       "with it.", "Remove it; the engine makes a new one.")


def _remove_temporary(folder: Folder, is_ours: Callable[[str, str], bool]) -> None:
    """Remove the temporary files that are old, or of which is_ours(host, name of the file that they were for)."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        form, whole = _TEMPORARY.fullmatch(name), os.path.join(folder, name)
        if form and (is_ours(*form.groups()) or _is_old(whole)):
            _remove(whole)


def _is_ours(kind: str, host: str, name: str) -> bool:
    return kind in _LOCKED and host == _HOST and _LOCKED_FILE.fullmatch(name) is not None


def _is_old(path: str) -> bool:
    about = _about(path)
    return about is not None and time.time() - about.st_mtime > OLD_S


def _remove(path: str) -> None:
    """Remove a file, or a folder in which the add-on rendered. What cannot be removed stays until the next time."""
    if os.path.isdir(path) and not os.path.islink(path):
        return shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        os.remove(path)


def _replace(source: str, target: Folder) -> None:
    """os.replace, tried again while another program has the target open."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return os.replace(source, target)
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
