"""A job's source/ -> its pictures one after another, in either direction, read ahead."""

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..conditions.frames import as_bits, as_float, read_colour
from ..contract import files

_AHEAD, _KEPT = 3, 8  # pictures; the limit keeps memory use constant


class Source:
    """Frames 1..frames of `size` (width, height) in the folder's source/, read by its own thread. It is a context
    manager."""

    def __init__(self, folder: str, frames: int, size: tuple[int, int]):
        self._folder, self._frames, self._size = folder, frames, size
        self._waiting, self._last = OrderedDict(), 0
        self._reader = ThreadPoolExecutor(1, "source")

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.shutdown(cancel_futures=True)

    def read(self, number: int) -> np.ndarray:
        """(h, w, 3) uint8 sRGB. Raises JobError if the picture is missing or broken."""
        onwards, self._last = (1 if number >= self._last else -1), number
        for ahead in range(_AHEAD + 1):
            wanted = number + onwards * ahead
            if 1 <= wanted <= self._frames and wanted not in self._waiting:
                self._waiting[wanted] = self._reader.submit(self._read, wanted)
        self._waiting.move_to_end(number)
        while len(self._waiting) > _KEPT:
            self._waiting.popitem(last=False)[1].cancel()
        return self._waiting[number].result()

    def _read(self, number: int) -> np.ndarray:
        picture = read_colour(files.picture(self._folder, files.SOURCE, number), self._size)
        return np.ascontiguousarray(picture if picture.dtype == np.uint8 else as_bits(as_float(picture)))
