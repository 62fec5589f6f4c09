"""Frames one after the other in; where another shot begins, and whether the picture is interlaced, out."""

import cv2
import numpy as np

_THUMBNAIL = (32, 18)
_BINS = 8
_LEAST_CHANGE = 0.08  # mean of |difference| of thumbnails 0..1; a pan of a tenth of the picture stays below it (ours)
_OUTSTANDING = 3.5  # times the median change of the frames before
_LEAST_COLOUR = 0.25  # of the colours' histogram has to be another's
_MEMORY = 12
_COMBED = 1.6  # neighbouring lines differ so much more than lines of one field where something moves (ours)


class CutFinder:
    """Tells for each frame, in order, whether it begins another shot (ours: a change of thumbnail that stands out from
    those before, together with a change of colours, so that fast motion alone is none)."""

    def __init__(self):
        self._before = None
        self._changes = []

    def is_cut(self, picture) -> bool:
        """picture (h, w, 3) uint8."""
        thumbnail = cv2.resize(picture, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
        colours = _histogram(thumbnail)
        before, self._before = self._before, (thumbnail, colours)
        if before is None:
            return False
        change = float(np.abs(thumbnail - before[0]).mean())
        usual = float(np.median(self._changes)) if self._changes else 0.0
        recoloured = 0.5 * float(np.abs(colours - before[1]).sum())
        found = change > max(_LEAST_CHANGE, _OUTSTANDING * usual) and recoloured > _LEAST_COLOUR
        self._changes = [] if found else [*self._changes[1 - _MEMORY:], change]
        return found


def is_combed(before, picture) -> bool:
    """Whether what moved between two frames (h, w, 3) uint8 is drawn in two fields, line by line."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.int16)
    moved = cv2.absdiff(picture, before).max(axis=2)[1:-1] > 24
    if moved.sum() < 64:
        return False
    across = np.abs(2 * grey[1:-1] - grey[:-2] - grey[2:])[moved].mean()
    within = np.abs(grey[2:] - grey[:-2])[moved].mean()
    return bool(across > 2 * _COMBED * max(within, 1.0))


def _histogram(thumbnail):
    """(512,) parts of the pixels in each of 8 x 8 x 8 colours, smoothed so that a change of light moves little."""
    cells = np.clip((thumbnail * _BINS).astype(int), 0, _BINS - 1).reshape(-1, 3)
    counts = np.zeros((_BINS,) * 3, np.float32)
    np.add.at(counts, tuple(cells.T), 1.0)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="edge")
        counts = sum(w * np.take(padded, range(k, k + _BINS), axis) for k, w in enumerate((0.25, 0.5, 0.25)))
    return counts.ravel() / counts.sum()
