"""A job folder -> the lock that one engine at a time holds while it generates there.

The lock is the system's, on the open file engine.lock: it goes with the process however that ends, so there are no stale
ones. What the file says is for people and for the message of the engine that is turned away.
"""

import contextlib
import logging
import os
import platform
import time

from .contract import folder as files
from .contract.errors import JobError, writing_failed

log = logging.getLogger(__name__)
# An engine whose Blender is gone may take this long to end (serve.py: a heartbeat, then GRACE_S).
PATIENCE_S = 5.0

if os.name == "nt":
    import msvcrt

    def _take(file):
        """Far behind the text, because nobody else may read the bytes that are locked."""
        os.lseek(file, 1 << 20, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def held(folder: str, check):
    """Inside, no other engine generates in this folder. check() is called while one still does and may raise to stop.

    Raises JobError(job_busy) where the other one stays.
    """
    path = files.path(folder, files.LOCK)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise writing_failed(error, path) from None
    try:
        _wait(file, folder, check)
        _sign(file, path)
        yield
    finally:
        os.close(file)


def _wait(file, folder, check) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not _taken(file, folder):
        check()
        if time.monotonic() > deadline:
            os.lseek(file, 0, os.SEEK_SET)
            holder = os.read(file, 200).decode(errors="replace") or "another engine"
            raise JobError("job_busy", f"{folder}: {holder} is generating in this folder.",
                           "Wait until it is done, or end it, and generate again; finished frames are kept.")
        time.sleep(0.1)


def _taken(file, folder) -> bool:
    try:
        _take(file)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:  # some network drives know no locks
        log.warning("%s cannot be locked (%s): no second engine must generate there", folder, error)
    return True


def _sign(file, path) -> None:
    try:
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, f"process {os.getpid()} on {platform.node()}".encode())
    except OSError as error:
        raise writing_failed(error, path) from None
