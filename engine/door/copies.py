"""The files that the engine keeps open, its libraries and weights -> a copy outside the extension, so that an upgrade
can replace the originals.

On Windows nobody can replace a library that is loaded, or weights that are mapped. So the extension could not be
upgraded or removed while any Blender's engine runs. The copy is named after its content; a new version makes a new
copy.
"""

import hashlib
import os
import shutil
import sys
import time
from pathlib import Path

from ..packs.store import DEFAULT

HOME = Path(__file__).absolute().parents[2]      # contains engine/ and packages/
ABANDONED_S = 3600      # a copy that was begun longer ago than this was given up


def use(folder: Path, home: Path = HOME, pack: Path = DEFAULT) -> Path:
    """Copy the packages below `home` that sys.path names, and the pack, unless `folder` has such a copy already. Point
    sys.path to the copies. Returns the pack's copy. Raises OSError if nothing can be written.

    Call this before anything is imported from the packages.
    """
    packages = [Path(path) for path in sys.path if home / "packages" in Path(path).parents]
    sources = [*packages, *([pack] if pack.is_dir() else [])]
    target = folder / _name(sources)
    if not target.is_dir():
        _copy(sources, home, target)
    _clear(folder, keep=target)
    sys.path[:] = [str(target / Path(path).relative_to(home)) if Path(path) in packages else path for path in sys.path]
    return target / pack.relative_to(home)


def _name(sources: list[Path]) -> str:
    """Made of the files' names, sizes and times, which differ from one installation to the next."""
    digest = hashlib.sha256()
    for source in sources:
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            state = file.stat()
            digest.update(f"{file.relative_to(source.parent)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _copy(sources: list[Path], home: Path, target: Path) -> None:
    scratch = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        for source in sources:
            shutil.copytree(source, scratch / source.relative_to(home))
        os.rename(scratch, target)
    except OSError:
        shutil.rmtree(scratch, ignore_errors=True)
        if not target.is_dir():     # otherwise another engine was faster
            raise


def _clear(folder: Path, keep: Path) -> None:
    """Remove older copies, except those that are in use, which Windows does not let anybody rename, and those that are
    just being made."""
    for old in folder.iterdir():
        if old == keep or old.suffix and time.time() - old.stat().st_mtime < ABANDONED_S:
            continue
        gone = old.with_name(f"{old.stem}.gone")
        try:
            os.rename(old, gone)
        except OSError:
            continue
        shutil.rmtree(gone, ignore_errors=True)
