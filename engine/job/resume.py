"""What an earlier run of a job left: the key that each frame came from, and what its engine made (base.Made).

A frame depends on its window's files and, through what is handed on, on every window before it: the keys
are a chain. Each window's latents are stored in state/. A resumed job continues from them to the same bits, and what
only the composition depends on (grain, exposure ...) changes without denoising again.
"""

import hashlib
import json
import logging
import math
import os
import re
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..contract import files, json_reader
from ..engines.base import Made, Window

log = logging.getLogger(__name__)
STATE_FORMAT = 2
MADE_FORMAT = 2
NO_FILE = "none"    # the digest of a file that does not exist
_LAYERS = (files.FRAMES, files.SHADOW)
_LATENTS = re.compile(r"\d{4,}\.latents")
_PNG = b"\x89PNG\r\n\x1a\n"


class FinishedFrames:
    """frames/made.json: the key of every finished frame, and digests of its pictures' bytes. It is read once and
    written after every window. A frame is on the disk before it is named here."""

    def __init__(self, folder: str):
        self._folder = folder
        self._records = _read_records(files.path(folder, files.MADE))
        self._digests = {}  # of pictures that are written but not in the records yet
        self._is_one_take = False

    def has(self, numbers: Iterable[int], key: str) -> bool:
        """Whether all these frames are finished in frames/ and shadow/, came from this key, and have not changed since
        they were written.

        Each picture is read once per run. This costs less than the digest of its plate, which every run needs anyway.
        """
        return all(self._record(n).get("key") == key and all(self._is_as_written(n, kind) for kind in _LAYERS)
                   for n in numbers)

    def keep_only(self, wanted: dict) -> None:
        """Remove the frames and shadows that did not come from `wanted`'s key for their number. Those without a record
        may be of any take, so they are removed too. Only the first call of a run looks into the folders: after it,
        everything that is written is of this take."""
        if self._is_one_take:
            return
        there = {number for kind in _LAYERS for number in files.numbers(self._folder, kind)}
        others = sorted(number for number in there if self._record(number).get("key", "") != wanted.get(number))
        self.forget(others)
        for path in (files.picture(self._folder, kind, n) for kind in _LAYERS for n in others):
            try:
                Path(path).unlink(missing_ok=True)
            except OSError as error:
                log.warning("%s stays: %s", path, error)
        self._is_one_take = True

    def forget(self, numbers: Iterable[int]) -> None:
        """Call this before frames are overwritten: if the run is killed, the old key must not stay on a new frame."""
        known = [str(n) for n in numbers if str(n) in self._records]
        for number in known:
            del self._records[number]
        if known:
            self._write()

    def write(self, number: int, pictures: dict) -> None:
        """Write the bytes of a frame's pictures, by _LAYERS, to the disk; add() stores their digests."""
        for kind, data in pictures.items():
            files.write_whole(files.picture(self._folder, kind, number), data, synced=True)
        self._digests[number] = {kind: _short_digest(data) for kind, data in pictures.items()}

    def add(self, numbers: Sequence[int], key: str) -> None:
        """Record that these frames are on the disk; the file says so before this returns. Frames that this run did not
        write keep the digests they have; kept frames have none, because the artist may have painted on them."""
        if not numbers:
            return
        for number in numbers:
            known = {kind: digest for kind, digest in self._record(number).items() if kind in _LAYERS}
            self._records[str(number)] = {"key": key, **known, **self._digests.pop(number, {})}
        for kind in _LAYERS:
            files.sync_folder(files.path(self._folder, kind))
        self._write()

    def _record(self, number: int) -> dict:
        return self._records.get(str(number), {})

    def _is_as_written(self, number: int, kind: str) -> bool:
        """Whether the picture has not changed since it was written. If an earlier version of the engine stored no
        digest, the picture counts if it is a whole PNG by its own checksums; its digest is stored then."""
        try:
            data = Path(files.picture(self._folder, kind, number)).read_bytes()
        except OSError:
            return False
        record = self._record(number)
        if kind not in record:
            record.update({kind: _short_digest(data)} if is_whole_png(data) else {})
        return record.get(kind) == _short_digest(data)

    def _write(self) -> None:
        path = files.path(self._folder, files.MADE)
        files.write_whole(path, json.dumps({"version": MADE_FORMAT, "frames": self._records}).encode(), synced=True)
        files.sync_folder(os.path.dirname(path))


def save_latents(folder: str, window: Window, key: str, made: Made) -> None:
    """Store them for the next window, and for composing the same frames again."""
    arrays = {name: np.ascontiguousarray(array, "<f4") for name, array in vars(made).items() if array is not None}
    raw = b"".join(array.tobytes() for array in arrays.values())
    header = {"format": STATE_FORMAT, "key": key, "shapes": {name: array.shape for name, array in arrays.items()},
              "sha256": _digest(raw)}
    files.write_whole(_state_path(folder, window), json.dumps(header).encode() + b"\n" + raw, synced=True)


def load_latents(folder: str, window: Window, key: str) -> Made | None:
    """What save_latents stored under this key; None if there is nothing or it is damaged."""
    try:
        header, _, raw = Path(_state_path(folder, window)).read_bytes().partition(b"\n")
        header = json_reader.parse(header)
        if (header["format"], header["key"], header["sha256"]) != (STATE_FORMAT, key, _digest(raw)):
            return None
        arrays, at = {}, 0
        for name, shape in header["shapes"].items():
            arrays[name] = np.frombuffer(raw, "<f4", math.prod(shape), at).reshape(shape)
            at += arrays[name].nbytes
        return Made(**arrays)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_other_latents(folder: str, windows: Iterable[Window]) -> None:
    """Remove the latents of all other windows: they are of a job that was planned differently. Files with other names
    are not the engine's and stay."""
    kept = {os.path.basename(_state_path(folder, window)) for window in windows}
    there = filter(_LATENTS.fullmatch, os.listdir(files.path(folder, files.STATE)))
    for name in set(there) - kept:
        try:
            os.remove(files.path(folder, f"{files.STATE}/{name}"))
        except OSError as error:
            log.warning("%s/%s stays: %s", files.STATE, name, error)


def file_digest(path: str) -> str:
    """sha256 (hex) of a file; NO_FILE if it does not exist."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return NO_FILE


def _state_path(folder: str, window: Window) -> str:
    return files.path(folder, f"{files.STATE}/{window.stop - 1:04d}.latents")


def _read_records(path: str) -> dict:
    """{number as text: {"key", "frames", "shadow"}}; format 1 had only the keys. A missing or damaged file gives no
    frames, so they are made again."""
    try:
        records = json_reader.read(path)["frames"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if not isinstance(records, dict):
        return {}
    return {number: dict(record) if isinstance(record, dict) else {"key": record} for number, record in records.items()}


def is_whole_png(data: bytes) -> bool:
    """Whether every chunk exists and agrees with its CRC (PNG specification, section 5)."""
    at, kind = len(_PNG), b""
    while data.startswith(_PNG) and kind != b"IEND" and at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if data[end:end + 4] != struct.pack(">I", zlib.crc32(memoryview(data)[at + 4:end])):
            return False
        at = end + 4
    return kind == b"IEND"


def _short_digest(data: bytes) -> str:
    """A fast digest, short in the file. It finds accidental damage; it does not protect against deliberate changes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
