"""queue.json beside the shots of a folder of jobs: which versions wait, and in which order. The job folders are the
truth; if a part of the list is damaged, it is made again from them."""
import json
import logging
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from ..embedded.engine.contract import files, jobs, json_reader
from ..embedded.engine.contract.errors import JobError
from ..embedded.engine.contract.fields import FieldError, build, checked, choice, flag, path_name, shown, text, whole
from ..versions import farm, folders

NAME = "queue.json"
_FORMAT = 1
logger = logging.getLogger(__name__)


class RowState(StrEnum):
    """The state of a shot in the queue. All but the first are stored in the list."""

    GATHERING = "gathering"
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    FARM = "farm"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_KEPT = tuple(state.value for state in RowState if state is not RowState.GATHERING)


@dataclass(frozen=True)
class Kept:
    """A row as it is stored. `folder` is absolute here and relative to the list on the disk, so that both can be
    moved."""

    folder: Path
    scene: str
    strip: str
    state: RowState
    frames: int
    placed: bool
    plate: str = ""


def _inside(value):
    folder = Path(path_name(value))
    if folder.is_absolute() or ".." in folder.parts or len(folder.parts) != 2:
        raise ValueError("the folder of a version in the folder of its shot")
    return value


@dataclass(frozen=True)
class _Entry:
    """A Kept as it is in the file; `folder` is SHOT/VERSION."""

    folder: str = checked(_inside)
    scene: str = checked(text)
    strip: str = checked(text)
    state: str = checked(choice(*_KEPT))
    frames: int = checked(whole(0, 1_000_000))
    placed: bool = checked(flag)
    plate: str = checked(text, "")


def read(root: Path) -> list[Kept]:
    """The rows whose job folders still exist, in their order. If a part of the list is damaged, every unfinished
    version that the rest does not list comes after them."""
    return _read(Path(root))[0]


def write(root: Path, rows: list[Kept]) -> None:
    """Write these rows, followed by those that another Blender has in the same list; raises JobError. A damaged list is
    renamed first."""
    root, ours = Path(root), {row.folder for row in rows}
    there, is_damaged = _read(root)
    _write(root, [*rows, *(row for row in there if row.folder not in ours)], is_damaged)


def forget(folder: Path) -> None:
    """Take one version out of its list; raises JobError."""
    root = folder.parent.parent
    if (root / NAME).is_file():
        there, is_damaged = _read(root)
        _write(root, [row for row in there if row.folder != folder], is_damaged)


def _read(root) -> tuple[list[Kept], bool]:
    """(rows, whether a part of the list is damaged)."""
    try:
        kept, faults = _entries(root, json_reader.read(root / NAME))
    except (FileNotFoundError, NotADirectoryError):
        return [], False
    except (OSError, json_reader.Unreadable) as error:
        kept, faults = [], [str(error)]
    if faults:
        logger.warning("%s is damaged: %s; unfinished versions are looked for in the folders", root / NAME, faults[0])
        listed = {row.folder for row in kept}
        kept += [row for row in _found(root) if row.folder not in listed]
    return [one for one in kept if (one.folder / files.JOB).is_file() or farm.is_marked(one.folder)], bool(faults)


def _entries(root, value) -> tuple[list[Kept], list[str]]:
    """(rows of the correct entries, what is wrong with the file and with the other entries)."""
    jobs, version = value.get("jobs"), value.get("version")
    if version != _FORMAT or isinstance(version, bool) or not isinstance(jobs, list):
        return [], [f"expected format {_FORMAT} and a list of jobs, got format {shown(version)}"]
    kept, faults = {}, []
    for place, entry in enumerate(jobs):
        try:
            row = build(_Entry, entry, f"jobs[{place}]")
        except FieldError as error:
            faults.append(str(error))
            continue
        kept.setdefault(row.folder, Kept(**{
            **asdict(row), "folder": root / row.folder, "state": RowState(row.state)}))
    return list(kept.values()), faults


def _write(root, rows, is_damaged) -> None:
    jobs = [{**asdict(row), "folder": row.folder.relative_to(root).as_posix()} for row in rows]
    if is_damaged:
        json_reader.keep_aside(root / NAME)
    files.write_whole(files.path(root, NAME), json.dumps({"version": _FORMAT, "jobs": jobs}, indent=1).encode())


def _found(root) -> list[Kept]:
    """Every unfinished version below a folder of jobs, as a paused row."""
    found = []
    for version in _versions(root):
        request = folders.read_request(version)
        try:
            frames = jobs.read(version).frames
            made = len(files.numbers(version, files.FRAMES))
        except (JobError, OSError):
            continue
        if request and made < frames:
            found.append(Kept(version, request.scene, request.strip, RowState.PAUSED, frames, False, request.plate))
    return found


def _versions(root) -> list[Path]:
    try:
        shots = sorted(path for path in root.iterdir() if path.is_dir())
        return [version for shot in shots for version in folders.versions(shot)]
    except OSError:
        return []
