"""A movie, a folder of pictures or one picture -> its frames on an even timeline, read ahead by a thread."""

import logging
import math
import queue
import re
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..conditions.frames import as_bits, as_colour, as_float, read_picture
from ..contract.errors import JobError
from ..contract.fields import is_whole_text
from ..contract.picture_file import MOST_SIDE, Unreadable, open_regular

log = logging.getLogger(__name__)
PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"}
_AHEAD = 6  # the most frames that wait for their reader, so that memory use stays constant
_STILL_FPS = 24.0
_LEAST_FPS, _MOST_FPS = 1.0, 240.0
# In frames: a picture that comes earlier by more is left out; before one that comes later by more, the last is repeated
# (ours)
_EARLY, _LATE = 0.4, 0.5
_TRIES = 40  # reads that may fail in a row: a decoder fails at a damaged frame and continues after it
_SMALLEST = 16  # pixels on a side, the least that a job may have
# A container's count of pictures may be wrong: encoders count dropped pictures, and the sound may be longer. So there
# is no warning if only so many are missing, by count or by time: two, or one in a hundred, but at most a second of them
# (ours).
_MISCOUNTED, _MISCOUNTED_PART = 2, 0.01
_UNEVEN = 0.2  # in frames: a picture further off the even clock counts as uneven (ours)
_MANY = 0.02  # of the pictures: if more come at uneven times, the movie is uneven


@dataclass(frozen=True)
class Frame:
    """Frame `number` (1..N) as (h, w, 3) uint8 sRGB; `repeated`: none was there, so this is the one before."""

    number: int
    picture: np.ndarray
    repeated: bool = False


@dataclass(frozen=True)
class Footage:
    """Footage that can be read. size (width, height): as shown, after the file's own rotation; frames: the file's own
    count, 0 if it has none; fewer may be readable; still: one picture."""

    path: Path
    size: tuple[int, int]
    fps: float
    frames: int
    still: bool
    pictures: tuple[Path, ...] = ()
    bits: int = 8

    def read(self, clock: "Clock | None" = None) -> Iterator[Frame]:
        """Yields every Frame. Its own thread decodes ahead, and ends with the generator. clock: a Clock that records
        when each picture came."""
        source = self._pictures() if self.pictures else self._movie(clock or Clock())
        yield from _ahead(source)

    def _pictures(self) -> Generator[Frame, None, None]:
        picture = np.empty((0, 0, 3), np.uint8)
        for number, path in enumerate(self.pictures, 1):
            try:
                picture, repeated = read_rgb(path), False
            except JobError as error:
                if number == 1:
                    raise
                log.warning("%s", error)
                repeated = True
            if picture.shape[1::-1] != self.size:
                raise JobError("footage_unreadable",
                               f"{path}: expected {self.size[0]}x{self.size[1]} pixels as in the first "
                               f"picture, got {picture.shape[1]}x{picture.shape[0]}.", "Give pictures of one size.")
            yield Frame(number, picture, repeated)

    def _movie(self, clock: "Clock") -> Generator[Frame, None, None]:
        """Yields the picture at each tick of an even clock, as a player shows it (ours: pictures that come too close
        together are left out, and where the file has a hole, a picture is repeated)."""
        capture = _opened(self.path)
        try:
            step, number, began, last = 1000.0 / self.fps, 0, None, None
            for picture, time in _decoded(capture):
                began = time if began is None else began
                due = (time - began) / step
                if not math.isfinite(due) or due < 0 or (due == 0 and number):
                    due = float(number)  # a file without times: one picture per tick
                clock.tell(due)
                while last is not None and number < due - _LATE:
                    number += 1
                    yield Frame(number, last, True)
                if number and due < number - _EARLY:
                    continue
                last = self._sized(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
                number += 1
                yield Frame(number, last)
        finally:
            capture.release()

    def _sized(self, picture: np.ndarray) -> np.ndarray:
        if picture.shape[1::-1] == self.size:
            return picture
        return cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)


class Clock:
    """When a movie's pictures come. uneven: many come between the ticks of a clock with the file's own rate. pictures:
    how many came."""

    def __init__(self):
        self._last, self._steps, self._off = None, 0, 0
        self.pictures = 0

    def tell(self, due: float) -> None:
        """due: when a picture should be shown, in frames of the even clock."""
        self.pictures += 1
        if self._last is not None:
            step = due - self._last
            self._steps += 1
            self._off += abs(step - round(step)) > _UNEVEN
        self._last = due

    @property
    def uneven(self) -> bool:
        return self._off > max(1, _MANY * self._steps)

    def missing(self, footage: Footage) -> int:
        """How many of the pictures that the file announces did not come; 0 if they are so few that the file may have
        miscounted. A picture is missing only if both the number of pictures and the time of the last one say so,
        because a file with uneven times has fewer pictures than its rate says."""
        counted = footage.frames
        if not counted or self._last is None:
            return 0
        lacking = counted - max(self.pictures, round(self._last) + 1)
        return lacking if lacking > max(_MISCOUNTED, min(_MISCOUNTED_PART * counted, footage.fps)) else 0


def open_footage(path: str | Path) -> Footage:
    """A movie file, a picture, or a folder of pictures in the order of their numbers. Raises JobError that names what
    is wrong."""
    path = Path(path)
    if path.is_dir():
        return _folder(path)
    _check_file(path)
    if path.suffix.lower() in PICTURES:
        return _large_enough(_of_pictures(path, (path,)))
    return _large_enough(_movie_of(path))


def read_rgb(path: Path) -> np.ndarray:
    """A picture file with any number of bits -> (h, w, 3) uint8 sRGB; transparency is ignored."""
    picture = as_colour(read_picture(path, missing="footage_missing", unreadable="footage_unreadable"))[..., :3]
    return np.ascontiguousarray(picture if picture.dtype == np.uint8 else as_bits(as_float(picture)))


def _check_file(path: Path) -> None:
    """Raises JobError for files that OpenCV must not open: it waits forever for a pipe, and crashes on a name that is
    not UTF-8."""
    if not is_whole_text(str(path)):
        raise JobError("footage_unreadable", f"{str(path)!r} is a name that OpenCV cannot open.", "Rename the file.")
    try:
        with open_regular(path) as file:
            empty = not file.read(1)
    except Unreadable as why:
        code = "footage_missing" if why.kind == "missing" else "footage_unreadable"
        raise JobError(code, why.message, "Give a movie, a picture or a folder of pictures.") from None
    if empty:
        raise JobError("footage_unreadable", f"{path} is empty (0 bytes).", "Export or copy the video again.")


def _folder(folder: Path) -> Footage:
    pictures = sorted((p for p in folder.iterdir() if p.suffix.lower() in PICTURES and not p.name.startswith(".")),
                      key=lambda p: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", p.name)])
    if not pictures:
        raise JobError("footage_missing", f"{folder} contains no pictures ({', '.join(sorted(PICTURES))}).",
                       "Give a movie, a picture or a folder of pictures.")
    return _large_enough(_of_pictures(folder, tuple(pictures)))


def _of_pictures(path: Path, pictures: tuple[Path, ...]) -> Footage:
    first = read_picture(pictures[0], missing="footage_missing", unreadable="footage_unreadable")
    return Footage(path, (first.shape[1], first.shape[0]), _STILL_FPS, len(pictures), len(pictures) == 1, pictures,
                   8 * first.dtype.itemsize)


def _movie_of(path: Path) -> Footage:
    capture = _opened(path)
    try:
        _check_size(path, [int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)])
        picture, _ = next(_decoded(capture), (None, 0.0)) if capture.isOpened() else (None, 0.0)
        if picture is None:
            raise JobError("footage_unreadable",
                           f"{path}: none of its pictures can be read. It is damaged or of an unknown kind.",
                           "Export it as MP4 (H.264) or as a folder of PNG pictures.")
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        fps, bits = _rate(capture, capture.get(cv2.CAP_PROP_FPS)), _bits(capture)
    finally:
        capture.release()
    frames = int(count) if math.isfinite(count) and 0 < count < 1e7 else 0
    return Footage(path, (picture.shape[1], picture.shape[0]), fps, frames, frames == 1, bits=bits)


def _check_size(path: Path, size: Sequence[int]) -> None:
    """Raises JobError if the size is too large, before a picture is decoded."""
    if max(size) > MOST_SIDE:
        raise JobError("footage_unreadable", f"{path}: expected at most {MOST_SIDE} pixels on a side, got "
                       f"{size[0]}x{size[1]}.", "Export it smaller.")


def _opened(path: Path) -> cv2.VideoCapture:
    """A capture that rotates its pictures as the file says."""
    capture = cv2.VideoCapture(str(path))
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def _decoded(capture: cv2.VideoCapture) -> Iterator[tuple[np.ndarray, float]]:
    """Yields (picture BGR, its time in ms) for all pictures that can be decoded."""
    failed = 0
    while failed < _TRIES:
        there, picture = capture.read()
        failed = 0 if there else failed + 1
        if there:
            yield picture, capture.get(cv2.CAP_PROP_POS_MSEC)


def _rate(capture: cv2.VideoCapture, named: float) -> float:
    """Frames per second: as the file says, or else from the times of its first pictures."""
    if math.isfinite(named) and _LEAST_FPS <= named <= _MOST_FPS:
        return float(named)
    times = [capture.get(cv2.CAP_PROP_POS_MSEC)]
    while len(times) < 50 and capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC))
    steps = np.diff(times)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1000.0 / _STILL_FPS
    return float(np.clip(1000.0 / step, _LEAST_FPS, _MOST_FPS))


def _bits(capture: cv2.VideoCapture) -> int:
    """The file's bits per channel. In FFmpeg's tag of a deep pixel format, this is the last byte; in other tags, that
    is a letter, which means 8."""
    last = int(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) >> 24
    return last if 8 < last <= 16 else 8


def _large_enough(footage: Footage) -> Footage:
    if min(footage.size) < _SMALLEST:
        raise JobError("footage_unreadable", f"{footage.path}: expected at least {_SMALLEST} pixels on each side, got "
                       f"{footage.size[0]}x{footage.size[1]}.", "Give a larger video.")
    return footage


def _ahead(source: Generator[Frame, None, None]) -> Iterator[Frame]:
    """The items of a generator that runs on a thread. Its exception is raised here, and it stops if nobody reads on."""
    waiting, done = queue.Queue(_AHEAD), threading.Event()
    end = object()

    def put(item: object) -> None:
        while not done.is_set():
            try:
                return waiting.put(item, timeout=0.1)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in source:
                put(item)
                if done.is_set():
                    break
            put(end)
        except Exception as error:  # passed to the reader, who raises it
            put(error)
        finally:
            source.close()
    thread = threading.Thread(target=work, name="footage", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not end:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        done.set()
        thread.join()
