"""Frames in order -> where another shot begins, and whether the picture is interlaced."""

import cv2
import numpy as np

from .colours import histogram

_THUMBNAIL = (32, 18)
_LEAST_CHANGE = 0.08  # mean of |difference| of thumbnails 0..1; a pan of a tenth of the picture stays below it (ours)
_OUTSTANDING = 3.5  # times the median change of the frames before
_LEAST_COLOUR = 0.25  # of the colours' histogram must change
# The same for a picture whose light and dark areas are elsewhere (correlation of the thumbnails). In fast motion, the
# correlation is still 0.5 (ours)
_ELSEWHERE, _OUTSTANDING_ELSEWHERE, _LEAST_COLOUR_ELSEWHERE = 0.4, 2.5, 0.12
_MEMORY = 12
_COMBED = 1.6  # where something moves, neighbouring lines differ this many times more than lines of one field (ours)


class CutFinder:
    """Decides for each frame, in order, whether it begins another shot (ours: the thumbnail must change much more than
    before, and the colours or the composition must change too, so that fast motion alone is not a cut)."""

    def __init__(self):
        self._before = None
        self._changes = []

    def is_cut(self, picture: np.ndarray) -> bool:
        """picture (h, w, 3) uint8."""
        small = cv2.resize(picture, _THUMBNAIL, interpolation=cv2.INTER_AREA)
        thumbnail, colours = small.astype(np.float32) / 255.0, histogram(small.reshape(-1, 3))
        before, self._before = self._before, (thumbnail, colours)
        if before is None:
            return False
        change = float(np.abs(thumbnail - before[0]).mean())
        usual = float(np.median(self._changes)) if self._changes else 0.0
        recoloured = 0.5 * float(np.abs(colours - before[1]).sum())
        if _correlation(thumbnail, before[0]) < _ELSEWHERE:
            least, outstanding = _LEAST_COLOUR_ELSEWHERE, _OUTSTANDING_ELSEWHERE
        else:
            least, outstanding = _LEAST_COLOUR, _OUTSTANDING
        found = change > max(_LEAST_CHANGE, outstanding * usual) and recoloured > least
        self._changes = [] if found else [*self._changes[1 - _MEMORY:], change]
        return found


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = (thumbnail.mean(axis=-1) for thumbnail in (one, other))
    return float(((one - one.mean()) * (other - other.mean())).mean() / (one.std() * other.std() + 1e-6))


def is_combed(before: np.ndarray, picture: np.ndarray) -> bool | None:
    """Whether what moved between two frames (h, w, 3) uint8 is drawn in two fields, line by line; None if too little
    moved."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.int16)
    moved = cv2.absdiff(picture, before).max(axis=2)[1:-1] > 24
    if moved.sum() < 64:
        return None
    across = np.abs(2 * grey[1:-1] - grey[:-2] - grey[2:])[moved].mean()
    within = np.abs(grey[2:] - grey[:-2])[moved].mean()
    return bool(across > 2 * _COMBED * max(within, 1.0))
