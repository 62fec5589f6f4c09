"""Frames one after the other in; where another shot begins, and whether the picture is interlaced, out."""

import cv2
import numpy as np

from .colours import histogram

_THUMBNAIL = (32, 18)
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
        small = cv2.resize(picture, _THUMBNAIL, interpolation=cv2.INTER_AREA)
        thumbnail, colours = small.astype(np.float32) / 255.0, histogram(small.reshape(-1, 3))
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
