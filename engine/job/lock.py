"""A job folder -> the lock that only one engine at a time has while it generates there.

It is the system's lock on the open file engine.lock. It ends with the process, however that ends, so no stale lock can
remain. The text in the file is for people, and for the message of an engine that is refused.
"""

import contextlib
import logging
import os
import platform
import time
from collections.abc import Callable, Iterator

from ..contract import files
from ..contract.errors import JobError, writing_failed

log = logging.getLogger(__name__)
# Environment variable: "1" lets an engine generate on a drive that has no locks.
WITHOUT = "AA2_NO_LOCK"
# An engine whose Blender is gone may take this long to end (serve.py: a heartbeat, then GRACE_S).
PATIENCE_S = 5.0
_NO_FILE = -1

if os.name == "nt":
    import msvcrt

    def _take(file: int) -> None:
        """Locks a byte far after the text, because nobody else can read locked bytes."""
        os.lseek(file, 1 << 20, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """engine.lock of one folder. Somebody may delete the file while it is locked; then a lock on the nameless file
    stops nobody. So a lock counts only while the name leads to the locked file."""

    def __init__(self, folder: str):
        self._folder, self._path = folder, files.path(folder, files.LOCK)
        self._file = _NO_FILE

    def wait(self, check: Callable[[], None]) -> None:
        """Take the lock. If another engine has it, wait PATIENCE_S for that engine to end."""
        deadline = time.monotonic() + PATIENCE_S
        while not self._is_taken():
            check()
            if time.monotonic() > deadline:
                raise self._busy(f"{self._holder()} is generating in this folder.")
            time.sleep(0.1)

    def look(self) -> None:
        """Call this between pieces of work. If the lock's file was deleted, it is made and locked again, so that a
        stray deletion does no harm. If another engine was faster, raises JobError(job_busy), before anything more is
        written."""
        if not self._is_at_its_name() and not self._is_taken():
            raise self._busy(f"{files.LOCK} was deleted while this engine was generating, and {self._holder()} has "
                             "begun to generate in this folder.")

    def release(self) -> None:
        if self._file != _NO_FILE:
            os.close(self._file)
        self._file = _NO_FILE

    def _is_taken(self) -> bool:
        """Try once to lock the file that has the name now."""
        self.release()
        self._file = files.open_in_place(self._path, os.O_RDWR)
        if not _taken(self._file, self._folder) or not self._is_at_its_name():
            return False
        _sign(self._file, self._path)
        return True

    def _is_at_its_name(self) -> bool:
        """Whether the name still leads to the locked file. On Windows it always does: nobody can delete or rename a
        file that is open like this."""
        if os.name == "nt":
            return True
        try:
            return os.path.samestat(os.fstat(self._file), os.lstat(self._path))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise writing_failed(error, self._path) from None

    def _holder(self) -> str:
        os.lseek(self._file, 0, os.SEEK_SET)
        return os.read(self._file, 200).decode(errors="replace") or "another engine"

    def _busy(self, reason: str) -> JobError:
        return JobError("job_busy", f"{self._folder}: {reason}",
                        "Wait until it is done, or end it, and generate again; finished frames are kept.")


@contextlib.contextmanager
def locked(folder: str, check: Callable[[], None]) -> Iterator[Lock]:
    """Inside the block, no other engine generates in this folder. Yields the Lock; call its look() between pieces of
    work. While another engine has the lock, check() is called, and it may raise to stop.

    Raises JobError before anything is written: job_linked if a link in the folder leads elsewhere, job_busy if the
    other engine stays, no_locks if the drive has no locks and WITHOUT does not allow that.
    """
    files.refuse_links(folder)
    lock = Lock(folder)
    try:
        lock.wait(check)
        files.remove_left_over(folder)
        yield lock
    finally:
        lock.release()


def _taken(file: int, folder: str) -> bool:
    try:
        _take(file)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:  # some network drives have no locks
        if os.environ.get(WITHOUT) != "1":
            raise JobError("no_locks", f"{folder} cannot be locked against a second engine: {error.strerror}.",
                           f"Mount the drive with locks, choose another folder, or set the environment variable "
                           f"{WITHOUT} to 1 and let only one engine at a time generate in a folder.") from None
        log.warning("%s cannot be locked (%s): do not let a second engine generate there", folder, error)
    return True


def _sign(file: int, path: str) -> None:
    try:
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, f"process {os.getpid()} on {platform.node()}".encode())
    except OSError as error:
        raise writing_failed(error, path) from None
