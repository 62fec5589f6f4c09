"""The folder of a pack -> a Pack whose every file has been checked: against the manifest, then what is in it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..contract.errors import JobError
from .contents import check_contents
from .manifest import File, Manifest, read

DEFAULT = Path(__file__).parent / "compact"
_AGAIN = "Install the weights again."
# What was found right, for as long as this process lives: of files, (path, modification time, size, checksum); of
# packs, the folder, its manifest's hash and these of all files.
_checked: set = set()


@dataclass(frozen=True)
class Pack:
    folder: Path
    manifest: Manifest
    hash: str   # hex, of the manifest and, through it, of every file


def open_pack(folder: Path | str | None = None) -> Pack:
    """The pack in this folder (None: the embedded one). The JobError distinguishes missing, truncated, changed and
    wrong files."""
    folder = Path(folder or DEFAULT)
    manifest, digest = read(folder)
    seen = (str(folder), digest, *(check_file(folder / name, expected) for name, expected in manifest.files.items()))
    if seen not in _checked:
        _check_contents(folder, manifest)
        _checked.add(seen)
    return Pack(folder, manifest, digest)


def _check_contents(folder: Path, manifest: Manifest) -> None:
    try:
        check_contents(folder, manifest.unread)
    except OSError as error:
        raise JobError("pack_corrupt", f"{folder}: cannot be read: {error.strerror}.", _AGAIN) from None
    except ValueError as error:
        raise JobError("pack_invalid", f"{folder}: {error}.", _AGAIN) from None


def check_file(path: Path, expected: File) -> tuple:
    """Compare a file with its entry of the manifest (manifest.File). Returns the file's state, (path, modification
    time, size, checksum). Raises JobError."""
    try:
        status = path.stat()
    except OSError as error:
        raise JobError("pack_missing", f"{path}: a file of the weights cannot be found: {error.strerror}.",
                       _AGAIN) from None
    if status.st_size != expected.bytes:
        raise JobError("pack_truncated", f"{path}: expected {expected.bytes} bytes, got {status.st_size}.", _AGAIN)
    seen = (str(path), status.st_mtime_ns, status.st_size, expected.sha256)
    if seen in _checked:
        return seen
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise JobError("pack_corrupt", f"{path}: cannot be read: {error.strerror}.", _AGAIN) from None
    if found != expected.sha256:
        raise JobError("pack_corrupt", f"{path}: expected sha256 {expected.sha256}, got {found}.", _AGAIN)
    _checked.add(seen)
    return seen
