"""What was seen of the performer in each frame -> small files in the job's estimate/. So memory use stays constant, and
a stopped estimate continues from these files."""

import json
import os
import zlib
from typing import Any

import numpy as np

from ..contract import files, json_reader
from ..contract.errors import writing_failed
from ..contract.fields import flag, list_of, number, tuple_of, whole
from .face import POINTS
from .hands import SIDES
from .landmarks import INDEX, LOGIT_STEP, Landmarks
from .lift import Points
from .region import Region

_POINTS, _REGIONS, _CELLS = 33, 10, 256
_PART_ROWS = 3 + 2 * 21
_COUNT = whole(0, 1_000_000)
# The record of footage that was read to its end (intake.py): its fields and their checks.
_TOLD = {"whole": flag, "frames": _COUNT, "size": tuple_of(_COUNT, _COUNT), "fps": number(0, 1e6),
         "cuts": list_of(_COUNT), "held": list_of(_COUNT), "interlaced": flag, "uneven": flag, "bits": _COUNT}
_FACE = [INDEX[name] for name in POINTS]


class Looks:
    """One file for each frame, in the folder `estimate/looks`. The folder belongs to `key`; files made with another key
    are removed."""

    def __init__(self, folder: str, key: dict[str, Any]):
        self._folder = files.path(folder, files.LOOKS)
        empty_unless(self._folder, key)

    def keep(self, number: int, found: Landmarks) -> None:
        """found: Landmarks of frame `number`."""
        values = np.concatenate([found.pixels.ravel(), found.world.ravel(), found.visibility.ravel(),
                                 _numbers(found.region), _numbers(found.next_region)]).astype(np.float32)
        mask = np.clip(np.rint(found.mask_logits / LOGIT_STEP), -127, 127).astype(np.int8)
        files.write_whole(self._path(number), values.tobytes() + zlib.compress(mask.tobytes(), 1))

    def recall(self, number: int) -> Landmarks | None:
        """The Landmarks of a frame, or None if none are stored or the file is broken."""
        kept = self._read(number)
        if kept is None:
            return None
        (pixels, world, visibility, regions), packed = kept
        try:
            mask = np.frombuffer(zlib.decompress(packed), np.int8).reshape(_CELLS, _CELLS)
        except (ValueError, zlib.error):
            return None
        return Landmarks(pixels, world, visibility, _region(regions[:5]), _region(regions[5:]),
                         mask.astype(np.float32) * np.float32(LOGIT_STEP))

    def points(self, frames: int) -> dict[int, Points]:
        """{number: Points} of all stored frames 1..frames, without the masks. Nose and eyes come from the face, if it
        is stored."""
        kept = {}
        for frame in range(1, frames + 1):
            found = self._read(frame)
            if found is not None:
                pixels, world, visibility, _ = found[0]
                face, _ = self.recall_parts(frame) or (None, {})
                if face is not None:
                    pixels[_FACE] = face
                kept[frame] = Points(pixels, world, visibility)
        return kept

    def keep_parts(self, number: int, face: np.ndarray | None, hands: dict[str, np.ndarray]) -> None:
        """face (3, 2) as face.POINTS, or None; hands {side: (21, 4)} as hands.find_hands returns them."""
        rows = np.full((_PART_ROWS, 4), np.nan, np.float32)
        if face is not None:
            rows[:3, :2] = face
        for k, side in enumerate(SIDES):
            if side in hands:
                rows[3 + 21 * k:24 + 21 * k] = hands[side]
        files.write_whole(self._path(number, "parts"), rows.tobytes())

    def recall_parts(self, number: int) -> tuple[np.ndarray | None, dict[str, np.ndarray]] | None:
        """(face, hands) as they were stored; None if none are stored: then nothing was searched for."""
        try:
            rows = np.fromfile(self._path(number, "parts"), np.float32).reshape(_PART_ROWS, 4)
        except (OSError, ValueError):
            return None
        face, hands = rows[:3, :2], {side: rows[3 + 21 * k:24 + 21 * k] for k, side in enumerate(SIDES)}
        return None if np.isnan(face).any() else face, {side: hand for side, hand in hands.items()
                                                        if not np.isnan(hand).any()}

    def _read(self, number: int) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], bytes] | None:
        """((pixels, world, visibility, regions) float64, the packed mask), or None."""
        try:
            with open(self._path(number), "rb") as file:
                data = file.read()
            values = np.frombuffer(data, np.float32, _POINTS * 6 + _REGIONS).astype(np.float64)
        except (OSError, ValueError):
            return None
        pixels, world, visibility, regions = np.split(values, np.cumsum((66, 99, 33)))
        return (pixels.reshape(-1, 2), world.reshape(-1, 3), visibility, regions), data[4 * values.size:]

    def _path(self, number: int, kind: str = "look") -> str:
        return os.path.join(self._folder, f"{number:04d}.{kind}")


def empty_unless(folder: str, key: dict[str, Any]) -> None:
    """Removes our files from a folder unless they were made with this key, a JSON object. The folder then belongs to
    this key."""
    key_file = os.path.join(folder, "key.json")
    if _read_json(key_file) != key:
        files.remove_numbered(folder, ("look", "parts", "depth"))
        files.write_whole(key_file, json.dumps(key).encode())


def read_record(folder: str) -> dict[str, Any]:
    """estimate/estimate.json as it was written; {} if it is missing or damaged, or if its footage was not read to its
    end."""
    record = _read_json(files.path(folder, files.ESTIMATED)) or {}
    try:
        for name, check in _TOLD.items():
            check(record.get(name))
    except ValueError:
        return {}
    return record


def write_record(folder: str, record: dict[str, Any]) -> None:
    files.write_whole(files.path(folder, files.ESTIMATED), json.dumps(record, indent=1).encode())


def make_folder(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise writing_failed(error, folder) from None


def _read_json(path: str) -> dict[str, Any] | None:
    try:
        return json_reader.read(path)
    except (OSError, json_reader.Unreadable):
        return None


def _numbers(region: Region) -> np.ndarray:
    return np.array([*region.centre, region.side, *region.up])


def _region(values: np.ndarray) -> Region:
    x, y, side, up_x, up_y = map(float, values)
    return Region((x, y), side, (up_x, up_y))
