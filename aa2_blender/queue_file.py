"""queue.json beside the shots of a folder of jobs: which versions wait, in which order. The job folders are the truth; a
lost list is made anew from them."""
import json
from dataclasses import dataclass
from pathlib import Path

from . import takes
from .embedded.engine.contract import folder as files
from .embedded.engine.contract import job as contract
from .embedded.engine.contract.errors import JobError

NAME = "queue.json"
STATES = ("waiting", "running", "paused", "done", "failed", "cancelled")


@dataclass(frozen=True)
class Kept:
    """A row as it is kept; `folder` is absolute here and relative to the list on the disk, so that both can move."""

    folder: Path
    scene: str
    strip: str
    state: str
    frames: int
    placed: bool


def read(root: Path) -> list[Kept]:
    """The rows whose job folders are still there, in their order; where the list is damaged, every unfinished version."""
    root = Path(root)
    try:
        entries = json.loads((root / NAME).read_text(encoding="utf-8"))["jobs"]
        kept = [_entry(root, value) for value in entries]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError):
        kept = _found(root)
    return [one for one in kept if (one.folder / files.JOB).is_file()]


def write(root: Path, rows: list[Kept]) -> None:
    """Keeps these rows before those that another Blender has in the same list; raises JobError."""
    ours = {row.folder for row in rows}
    others = [row for row in read(root) if row.folder not in ours]
    _write(root, [*rows, *others])


def forget(folder: Path) -> None:
    """Takes one version out of its list; raises JobError."""
    root = folder.parent.parent
    if (root / NAME).is_file():
        _write(root, [row for row in read(root) if row.folder != folder])


def _write(root, rows) -> None:
    jobs = [{"folder": row.folder.relative_to(root).as_posix(), "scene": row.scene, "strip": row.strip, "state": row.state,
             "frames": row.frames, "placed": row.placed} for row in rows]
    text = json.dumps({"version": 1, "jobs": jobs}, indent=1, ensure_ascii=False)
    files.write_whole(files.path(root, NAME), text.encode())


def _entry(root, value) -> Kept:
    state, folder = value["state"], Path(value["folder"])
    if state not in STATES or folder.is_absolute() or ".." in folder.parts:
        raise ValueError(f"{NAME}: expected a state of {STATES} and a folder inside, got {value!r}")
    return Kept(root / folder, str(value["scene"]), str(value["strip"]), state, int(value["frames"]), bool(value["placed"]))


def _found(root) -> list[Kept]:
    """Every version below a folder of jobs that is not finished, as paused."""
    found = []
    for shot in sorted(path for path in Path(root).iterdir() if path.is_dir()):
        for version in takes.versions(shot):
            request = takes.read_request(version)
            try:
                frames = contract.read(version).frames
            except JobError:
                continue
            if request and len(files.numbers(version, files.FRAMES)) < frames:
                found.append(Kept(version, request.scene, request.strip, "paused", frames, False))
    return found
