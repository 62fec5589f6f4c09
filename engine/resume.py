"""What an earlier run of a job left: which key each frame came from, and the latents that the next window starts from.

A frame depends on its window's files and, through the latents handed on, on every window before it: the keys are a
chain. So that a resumed job gives the same bits without making earlier windows again, each window's last latents are
kept in state/.
"""

import hashlib
import json
import logging
import os
from pathlib import Path

import numpy as np

from .contract import folder as files
from .contract import json_reader

log = logging.getLogger(__name__)
STATE_FORMAT = 1


class Made:
    """frames/made.json: the key of every finished frame. Read once, written after every window."""

    def __init__(self, folder: str):
        self._folder = folder
        self._keys = _read_keys(files.path(folder, files.MADE))
        self._is_one_take = False

    def has(self, numbers, key: str) -> bool:
        """Whether all these frames lie finished in frames/ and shadow/ and came from this key."""
        return all(self._keys.get(str(n)) == key and _whole(files.picture(self._folder, files.FRAMES, n))
                   and _whole(files.picture(self._folder, files.SHADOW, n)) for n in numbers)

    def keep_only(self, wanted: dict) -> None:
        """Remove the frames and shadows that did not come from `wanted`'s key for their number; those without a record may
        be of any take. Looks into the folders once a run: afterwards all that is written is of this take."""
        if self._is_one_take:
            return
        there = {number for kind in (files.FRAMES, files.SHADOW) for number in files.numbers(self._folder, kind)}
        others = sorted(number for number in there if self._keys.get(str(number), "") != wanted.get(number))
        self.forget(others)
        for path in (files.picture(self._folder, kind, n) for kind in (files.FRAMES, files.SHADOW) for n in others):
            try:
                Path(path).unlink(missing_ok=True)
            except OSError as error:
                log.warning("%s stays: %s", path, error)
        self._is_one_take = True

    def forget(self, numbers) -> None:
        """Before frames are overwritten: a run that is killed must not leave the old key on a new frame."""
        known = [str(n) for n in numbers if str(n) in self._keys]
        for number in known:
            del self._keys[number]
        if known:
            self._write()

    def add(self, numbers, key: str) -> None:
        """These frames are on disk; the file says so before this returns."""
        self._keys.update({str(n): key for n in numbers})
        self._write()

    def _write(self) -> None:
        files.write_whole(files.path(self._folder, files.MADE), json.dumps({"version": 1, "frames": self._keys}).encode())


def save_latents(folder, window, key: str, latents) -> None:
    """Keep the last latents (n, h, w, c) of a window for the one that follows."""
    array = np.ascontiguousarray(latents, "<f4")
    header = {"format": STATE_FORMAT, "key": key, "shape": array.shape, "sha256": _digest(array.tobytes())}
    files.write_whole(_state_path(folder, window), json.dumps(header).encode() + b"\n" + array.tobytes())


def load_latents(folder, window, key: str):
    """The latents that save_latents kept under this key, or None where there are none or they are damaged."""
    try:
        header, _, raw = Path(_state_path(folder, window)).read_bytes().partition(b"\n")
        header = json_reader.parse(header)
        right = (header["format"], header["key"], header["sha256"]) == (STATE_FORMAT, key, _digest(raw))
        return np.frombuffer(raw, "<f4").reshape(header["shape"]) if right else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_other_latents(folder, windows) -> None:
    """Only what these windows hand on stays; the rest is of a job that was planned otherwise."""
    kept = {os.path.basename(_state_path(folder, window)) for window in windows}
    for name in set(os.listdir(files.path(folder, files.STATE))) - kept:
        try:
            os.remove(files.path(folder, f"{files.STATE}/{name}"))
        except OSError as error:
            log.warning("%s/%s stays: %s", files.STATE, name, error)


def file_digest(path) -> str:
    """sha256 (hex) of a file; "none" where it is not there."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "none"


def _state_path(folder, window) -> str:
    return files.path(folder, f"{files.STATE}/{window.stop - 1:04d}.latents")


def _read_keys(path) -> dict:
    """A missing or damaged file knows no frames: they are made again."""
    try:
        keys = json_reader.read(path)["frames"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(keys) if isinstance(keys, dict) else {}


def _whole(path) -> bool:
    """Pictures are renamed into place when they are complete; an empty one is a machine's crash."""
    try:
        return os.path.getsize(path) > 0
    except OSError:
        return False


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
