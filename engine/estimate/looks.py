"""What was seen of the performer, frame by frame -> small files in the job's estimate/, so that memory stays flat and an
estimate that was stopped goes on from them."""

import json
import os
import shutil
import zlib

import numpy as np

from ..contract import folder as files
from ..contract.errors import writing_failed
from .landmarks import Landmarks
from .lift import Points
from .region import Region

_LOGIT_STEP = 0.1  # of the stored masks' logits, -12.7..12.7: finer than what can be seen
_POINTS, _REGIONS, _CELLS = 33, 10, 256


class Looks:
    """One file a frame, in the folder `estimate/looks`, which belongs to `key`: looks of another key are removed."""

    def __init__(self, folder, key):
        self._folder = files.path(folder, files.LOOKS)
        told = os.path.join(self._folder, "key.json")
        if _read_json(told) != key:
            shutil.rmtree(self._folder, ignore_errors=True)
            files.write_whole(told, json.dumps(key).encode())

    def keep(self, number, found) -> None:
        """found: Landmarks of frame `number`."""
        values = np.concatenate([found.pixels.ravel(), found.world.ravel(), found.visibility.ravel(),
                                 _numbers(found.region), _numbers(found.next_region)]).astype(np.float32)
        mask = np.clip(np.rint(found.mask_logits / _LOGIT_STEP), -127, 127).astype(np.int8)
        files.write_whole(self._path(number), values.tobytes() + zlib.compress(mask.tobytes(), 1))

    def recall(self, number):
        """The Landmarks of a frame, or None where none are kept (or the file is broken)."""
        try:
            with open(self._path(number), "rb") as file:
                data = file.read()
            count = _POINTS * 6 + _REGIONS
            values = np.frombuffer(data, np.float32, count)
            mask = np.frombuffer(zlib.decompress(data[4 * count:]), np.int8).reshape(_CELLS, _CELLS)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, zlib.error):
            return None
        pixels, world, visibility, regions = np.split(values.astype(np.float64), np.cumsum((66, 99, 33)))
        return Landmarks(pixels.reshape(-1, 2), world.reshape(-1, 3), visibility, _region(regions[:5]), _region(regions[5:]),
                         mask.astype(np.float32) * _LOGIT_STEP)

    def points(self, frames):
        """{number: Points} of all frames 1..frames that are kept, without the masks."""
        kept = {}
        for number in range(1, frames + 1):
            found = self.recall(number)
            if found is not None:
                kept[number] = Points(found.pixels, found.world, found.visibility)
        return kept

    def _path(self, number):
        return os.path.join(self._folder, f"{number:04d}.look")


def read_told(folder):
    """estimate/estimate.json as it was left, or {}."""
    told = _read_json(files.path(folder, files.ESTIMATED))
    return told if isinstance(told, dict) else {}


def write_told(folder, told) -> None:
    files.write_whole(files.path(folder, files.ESTIMATED), json.dumps(told, indent=1).encode())


def make_folder(folder) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise writing_failed(error, folder) from None


def _read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def _numbers(region):
    return np.array([*region.centre, region.side, *region.up])


def _region(values):
    x, y, side, up_x, up_y = map(float, values)
    return Region((x, y), side, (up_x, up_y))
