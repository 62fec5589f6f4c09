"""The plate's pictures in; what a generation needs of each, taken in one decode, out.

A picture of a large plate takes 25 to 50 MB; what is needed of it takes less than 1 MB. So only that is kept, for as
many frames as a window has: memory stays the same, however long the shot is.
"""
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..conditions.bundle import Shot
from ..conditions.crop import take
from ..conditions.frames import as_float, read_colour
from ..contract import files
from ..layers.blur import measure_blur
from ..layers.compose import canvas_of
from ..layers.grain import measure_grain


@dataclass(frozen=True)
class Plate:
    """What a generation needs of one frame's plate.

    in_crop (H, W, 3) uint8 or uint16, as the networks see it; grain (3,) its deviation and blur its sigma within the
    crop, 0 if not asked for; whole (h, w, 3) as stored, only for frames that are kept, else None.
    """

    in_crop: np.ndarray
    grain: np.ndarray
    blur: float
    whole: np.ndarray | None


class Plates:
    """The plates of a shot by frame (1..N), each decoded when it is first needed.

    most: how many of the last ones stay in memory; blurs: frames whose blur is measured, which also stay (a few of the
    shot, ours: job/run.py); kept: frames whose whole picture is needed; has_grain: whether grain is measured.
    """

    def __init__(self, shot: Shot, *, most: int, blurs: Iterable[int] = (), kept: Iterable[int] = (),
                 has_grain: bool):
        self._shot, self._most, self._has_grain = shot, most, has_grain
        self._blurs, self._kept = frozenset(blurs), frozenset(kept)
        self._measured: dict[int, Plate] = {}
        self._recent: dict[int, Plate] = {}

    def of(self, number: int) -> Plate:
        """The plate of a frame. Raises JobError if the picture is missing or broken."""
        if number in self._blurs:
            if number not in self._measured:
                self._measured[number] = self._read(number)
            return self._measured[number]
        plate = self._recent.pop(number, None) or self._read(number)
        self._recent[number] = plate
        if len(self._recent) > self._most:
            del self._recent[next(iter(self._recent))]
        return plate

    def in_crop(self, number: int) -> np.ndarray:
        """(H, W, 3) float32 0..1, for conditions.bundle."""
        return as_float(self.of(number).in_crop)

    def _read(self, number: int) -> Plate:
        job, crop = self._shot.job, self._shot.plan.crops[number - 1]
        stored = read_colour(files.picture(self._shot.folder, files.SOURCE, number), job.size)
        left, top, right, bottom = canvas_of(job.size, job.bits, crop).box
        inside = stored[top:bottom, left:right]
        has_blur, has_grain = (asked and inside.size > 0 for asked in (number in self._blurs, self._has_grain))
        return Plate(take(stored, crop),
                     measure_grain(as_float(inside)) if has_grain else np.zeros(3, np.float32),
                     measure_blur(as_float(inside)) if has_blur else 0.0,
                     stored if number in self._kept else None)
