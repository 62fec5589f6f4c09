"""The folder of a pack -> a Pack; and its files, checked against the manifest, then what is in them."""

import functools
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from ..contract.errors import JobError
from ..contract.jobs import COMPACT
from .contents import check_contents
from .engine_manifest import EngineManifest
from .manifest import Manifest, read
from .pack_file import File
from .stamps import Stamps

_PIECE = 8 * 1024 * 1024    # bytes that are hashed between two looks for a stop: about 20 ms
DEFAULT = Path(__file__).parent / "compact"
_AGAIN = "Install the weights again."
# What was found right, for as long as this process lives: of files, (path, modification time, size, checksum); of
# packs, the folder, its manifest's hash and these of all files.
_checked: set = set()


M = TypeVar("M", bound=Manifest | EngineManifest)


@dataclass(frozen=True)
class Pack(Generic[M]):
    folder: Path
    manifest: M
    hash: str   # hex, of the manifest and, through it, of every file


def read_pack(folder: Path | str | None = None) -> Pack[Manifest | EngineManifest]:
    """The pack in this folder (None: the embedded one), of which only the manifest was read. Raises JobError."""
    folder = Path(folder or DEFAULT)
    return Pack(folder, *read(folder))


def open_pack(folder: Path | str | None = None) -> Pack[Manifest]:
    """The pack of the embedded engine in this folder (None: the embedded one), with every file checked."""
    pack = read_pack(folder)
    if not isinstance(pack.manifest, Manifest):
        raise JobError("pack_invalid", f"{pack.folder}: expected weights for {COMPACT}, got some for "
                       f"{pack.manifest.engine}.", "Choose another folder of weights.")
    found = Pack(pack.folder, pack.manifest, pack.hash)
    check_pack(found)
    return found


def check_pack(pack: Pack[Manifest]) -> None:
    """Check the files of the embedded engine's weights and what is in them, once in this process. The JobError
    distinguishes missing, truncated, changed and wrong files."""
    seen = (str(pack.folder), pack.hash,
            *(check_file(pack.folder / name, expected) for name, expected in pack.manifest.files.items()))
    if seen not in _checked:
        _check_contents(pack.folder, pack.manifest)
        _checked.add(seen)


def check_files(pack: Pack[EngineManifest], variant: str | None = None, *, look: Callable[[int, int], None],
                anew: bool = False) -> None:
    """Check the files that a variant of an engine's weights needs (None: all) by their checksums. Those that an earlier
    check found right (stamps.py) are only looked at, unless `anew`.

    look(bytes, of all) is called between two pieces, and may raise to stop. Raises JobError like check_pack.
    """
    wanted, stamps, done = pack.manifest.files_of(variant), Stamps(pack.folder), 0
    total = sum(file.bytes for file in wanted.values())
    for name, expected in wanted.items():
        path = pack.folder / name
        status = _status(path, expected)
        if anew or not stamps.has(name, status, expected.sha256):
            _check_sum(path, expected, functools.partial(_moved, look, done, total))
            stamps.add(name, status, expected.sha256)
        done += expected.bytes
        look(done, total)


def verify(folder: Path) -> str:
    """Check every byte of a pack, of any engine; returns its hash. Raises JobError."""
    pack = read_pack(folder)
    if isinstance(pack.manifest, Manifest):
        return open_pack(folder).hash
    check_files(Pack(pack.folder, pack.manifest, pack.hash), look=lambda done, total: None, anew=True)
    return pack.hash


def _moved(look: Callable[[int, int], None], before: int, total: int, read: int) -> None:
    look(before + read, total)


def _check_contents(folder: Path, manifest: Manifest) -> None:
    try:
        check_contents(folder, manifest.unread)
    except OSError as error:
        raise JobError("pack_corrupt", f"{folder}: cannot be read: {error.strerror}.", _AGAIN) from None
    except ValueError as error:
        raise JobError("pack_invalid", f"{folder}: {error}.", _AGAIN) from None


def check_file(path: Path, expected: File) -> tuple:
    """Compare a file with its entry of the manifest, once in this process. Returns the file's state, (path,
    modification time, size, checksum). Raises JobError."""
    status = _status(path, expected)
    seen = (str(path), status.st_mtime_ns, status.st_size, expected.sha256)
    if seen not in _checked:
        _check_sum(path, expected)
        _checked.add(seen)
    return seen


def _status(path: Path, expected: File) -> os.stat_result:
    """The state of a file that has the right size. Raises JobError."""
    try:
        status = path.stat()
    except OSError as error:
        raise JobError("pack_missing", f"{path}: a file of the weights cannot be found: {error.strerror}.",
                       _AGAIN) from None
    if status.st_size != expected.bytes:
        raise JobError("pack_truncated", f"{path}: expected {expected.bytes} bytes, got {status.st_size}.", _AGAIN)
    return status


def _check_sum(path: Path, expected: File, look: Callable[[int], None] = lambda read: None) -> None:
    """look(bytes read) is called after each piece. Raises JobError if the file's checksum is another."""
    found, read = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                found.update(piece)
                read += len(piece)
                look(read)
    except OSError as error:
        raise JobError("pack_corrupt", f"{path}: cannot be read: {error.strerror}.", _AGAIN) from None
    if found.hexdigest() != expected.sha256:
        raise JobError("pack_corrupt", f"{path}: expected sha256 {expected.sha256}, got {found.hexdigest()}.", _AGAIN)
