"""A shot's pictures and the performer's masks -> clean/: each picture with what other frames show behind the performer.

Ours: the median over time of what is not covered. With a locked camera, it is taken over the whole shot; with a moving
one, over nearby frames, each warped onto the frame by a homography. Pixels that nobody covers stay exactly as they were
shot.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from ..conditions.frames import read_colour, read_grey, write_picture
from ..conditions.mask import grown
from ..contract import files
from ..job.progress import Watch
from .camera import Camera
from .intake import Intake

STAGE = "clean"
_SAMPLES = 31  # pictures in the median of a locked shot
_NEAR = 12  # pictures on each side, in a moving shot
_NEAR_S = 0.2  # seconds between these pictures
_MARGIN, _LEAST_MARGIN = 0.03, 3  # by how much a mask is widened: a part of its height, but at least so many pixels
_BAND = 64  # rows at a time, so that memory use stays constant
_INPAINTED = 5


def write_clean(folder: str, shot: Intake, *, watch: Watch, say: Callable[[str, str, Sequence[int]], None],
                pieces: int) -> None:
    """Writes clean/ for every frame of the intake.Intake; mask/ must exist. say(code, message, frames) warns of
    holes."""
    unseen = []
    for numbers in shot.shots():
        camera = Camera(folder, shot.size, numbers, check=watch.check)
        samples = _Samples(folder, shot.size)
        behind = _Locked(samples, numbers) if camera.locked else _Moving(samples, camera, numbers, shot.fps)
        for number in numbers:
            watch.check()
            if _write(folder, shot, number, samples, behind):
                unseen.append(number)
            watch.advance(STAGE, pieces)
    if unseen:
        say("clean_holes",
            f"In {len(unseen)} frames the performer stands before something that is never seen; it was filled in "
            "from around it.", unseen)


def _write(folder: str, shot: Intake, number: int, samples: "_Samples", behind: "_Locked | _Moving") -> bool:
    """Write one picture of clean/. Returns whether something had to be invented."""
    picture = read_colour(files.picture(folder, files.SOURCE, number), shot.size)
    covered = samples.covered(number)
    box, made_up = _box(covered), False
    if box is not None:
        here = np.s_[box[1]:box[3], box[0]:box[2]]
        colour, known = behind.of(number, box)
        hole = covered[here] & ~known
        made_up = bool(hole.any())
        if made_up:
            colour = _inpainted(colour, hole, picture[here], covered[here])
        cover = _faded(covered)[here][..., None]
        picture[here] = np.rint(_as(colour, picture.dtype) * cover
                                + picture[here] * (1.0 - cover)).astype(picture.dtype)
    write_picture(files.picture(folder, files.CLEAN, number), picture if picture.dtype == np.uint8
                  else _as(picture, np.uint8))
    return made_up


class _Samples:
    """Pictures (h, w, 3) uint8 of the shot, each with the performer's mask. The last few stay in memory."""

    def __init__(self, folder: str, size: tuple[int, int], kept: int = 2 * _NEAR + 4):
        self._folder, self._size, self._most = folder, size, kept
        self._kept = OrderedDict()

    def get(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """(picture, covered)."""
        if number not in self._kept:
            picture = read_colour(files.picture(self._folder, files.SOURCE, number), self._size)
            self._kept[number] = _as(picture, np.uint8), self.covered(number)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return self._kept[number]

    def covered(self, number: int) -> np.ndarray:
        """(h, w) bool: the mask with a margin for motion blur and hair."""
        mask = read_grey(files.picture(self._folder, files.MASK, number), self._size) > 0
        box = _box(mask)
        if box is None:
            return mask
        radius = max(_LEAST_MARGIN, round(_MARGIN * (box[3] - box[1])))
        return grown(mask, radius) > 0


class _Locked:
    """One plate for the whole shot."""

    def __init__(self, samples: _Samples, numbers: Sequence[int]):
        chosen = sorted({numbers[round(i)] for i in np.linspace(0, len(numbers) - 1, min(_SAMPLES, len(numbers)))})
        pictures, covered = zip(*(samples.get(number) for number in chosen), strict=True)
        self._colour = np.empty_like(pictures[0])
        self._known = np.empty(pictures[0].shape[:2], bool)
        for top in range(0, len(self._colour), _BAND):
            rows = np.s_[top:top + _BAND]
            self._colour[rows], self._known[rows] = _median(np.stack([p[rows] for p in pictures]),
                                                            np.stack([c[rows] for c in covered]))

    def of(self, number: int, box: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
        here = np.s_[box[1]:box[3], box[0]:box[2]]
        return self._colour[here], self._known[here]


class _Moving:
    """For each frame, a plate from nearby frames that are warped onto it."""

    def __init__(self, samples: _Samples, camera: Camera, numbers: Sequence[int], fps: float):
        self._samples, self._camera = samples, camera
        self._chosen = np.array(numbers[::max(1, round(_NEAR_S * fps))])

    def of(self, number: int, box: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
        nearest = np.argsort(np.abs(self._chosen - number), kind="stable")[:2 * _NEAR]
        pictures, covered = [], []
        corner = np.array([[1.0, 0, -box[0]], [0, 1, -box[1]], [0, 0, 1]])
        size = (box[2] - box[0], box[3] - box[1])
        for other in np.sort(self._chosen[nearest]).tolist():
            picture, hidden = self._samples.get(other)
            onto = np.matmul(corner, self._camera.onto(other, number))
            pictures.append(cv2.warpPerspective(picture, onto, size, flags=cv2.INTER_LINEAR))
            seen = cv2.warpPerspective((~hidden).astype(np.uint8) * 255, onto, size, flags=cv2.INTER_LINEAR)
            covered.append(seen < 255)
        return _median(np.stack(pictures), np.stack(covered))


def _median(pictures: np.ndarray, covered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, h, w, 3) uint8 and (n, h, w) bool -> (h, w, 3) uint8, the median of the uncovered ones, and (h, w) bool:
    where there are any."""
    values = np.where(covered[..., None], np.uint16(256), pictures.astype(np.uint16))
    values.sort(axis=0)
    count = (~covered).sum(axis=0)
    middle = np.maximum(count - 1, 0) // 2
    return np.take_along_axis(values, middle[None, ..., None], axis=0)[0].clip(0, 255).astype(np.uint8), count > 0


def _faded(covered: np.ndarray) -> np.ndarray:
    """(h, w) 0..1: rises inside the covered area, over its margin, so that a shadow at the feet does not end in a hard
    edge."""
    inside = cv2.distanceTransform(np.pad(covered.astype(np.uint8), 1, mode="edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.clip(inside / _LEAST_MARGIN, 0.0, 1.0)


def _inpainted(colour: np.ndarray, hole: np.ndarray, picture: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """The colours with never-seen pixels filled from their surroundings."""
    around = np.where(covered[..., None], colour, _as(picture, np.uint8))
    return cv2.inpaint(np.ascontiguousarray(around), hole.astype(np.uint8), _INPAINTED, cv2.INPAINT_TELEA)


def _as(picture: np.ndarray, kind: np.dtype | type) -> np.ndarray:
    if picture.dtype == kind:
        return picture
    return (picture >> 8).astype(np.uint8) if kind == np.uint8 else picture.astype(np.uint16) * 257


def _box(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1) if rows.size else None
