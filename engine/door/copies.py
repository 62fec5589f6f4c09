"""What the engine holds open, its libraries and weights -> a copy outside of the extension,
which an upgrade may replace.

On Windows nobody can replace a library that is loaded or weights that are mapped, so the extension could not be
upgraded or removed while any Blender's engine runs. The copy is named after what is in it; a new version makes another.
"""

import hashlib
import os
import shutil
import sys
import time
from pathlib import Path

from ..packs.store import DEFAULT

HOME = Path(__file__).absolute().parents[2]      # holds engine/ and packages/
ABANDONED_S = 3600      # a copy that was begun so long ago is nobody's any more


def use(folder: Path, home: Path = HOME, pack: Path = DEFAULT) -> Path:
    """Copies, where `folder` has no such copy yet, the packages below `home` that sys.path names, and the pack; turns
    sys.path to them. Returns the pack's copy. Raises OSError where nothing can be written.

    Called before anything of the packages is imported.
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
    """Of the files' names, sizes and times, which differ from one installation to the next."""
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
        if not target.is_dir():     # else another engine was quicker
            raise


def _clear(folder: Path, keep: Path) -> None:
    """Older copies go, but those in use, which Windows does not let be renamed, and those that are being made."""
    for old in folder.iterdir():
        if old == keep or old.suffix and time.time() - old.stat().st_mtime < ABANDONED_S:
            continue
        gone = old.with_name(f"{old.stem}.gone")
        try:
            os.rename(old, gone)
        except OSError:
            continue
        shutil.rmtree(gone, ignore_errors=True)
