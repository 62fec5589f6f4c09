"""Depth arrays -> the job's grey pictures: mask/ of the character,
objects/ and depth/ in 16 bits over one range a shot."""

import os
import shutil

import numpy as np

from ..embedded.engine.contract import files, jobs
from ..embedded.engine.contract.errors import writing_failed
from ..embedded.engine.contract.jobs import DepthRange
from .png import write_grey

_NEAREST, _FURTHEST = 65535, 1


def write_mask(folder: str, number: int, depth: np.ndarray, drawn: np.ndarray | None = None) -> None:
    """mask/NNNN.png: 255 where the character's surface is,
    joined with `drawn` (height, width) uint8 where the artist drew."""
    mask = np.where(np.isfinite(depth), 255, 0).astype(np.uint8)
    write_grey(files.picture(folder, files.MASK, number), mask if drawn is None else np.maximum(mask, drawn))


class DepthPictures:
    """One kind of 16-bit depth pictures. Their common range is known only after the last frame. Until then the arrays
    wait on disk, so that memory does not grow with the shot."""

    def __init__(self, folder: str, kind: str) -> None:
        self._folder, self._kind = folder, kind
        self._waiting = os.path.join(folder, kind, files.own_name("waiting"))
        self._near, self._far, self._count = np.inf, -np.inf, 0

    def add(self, depth: np.ndarray) -> None:
        """The next frame, (height, width) float32, inf where nothing is."""
        there = depth[np.isfinite(depth)]
        if there.size:
            self._near, self._far = min(self._near, float(there.min())), max(self._far, float(there.max()))
        self._count += 1
        try:
            os.makedirs(self._waiting, exist_ok=True)
            np.save(self._path(self._count), depth)
        except OSError as error:
            raise writing_failed(error, self._path(self._count)) from None

    def write(self) -> jobs.DepthRange | None:
        """Write all pictures; returns their DepthRange, or None (and no pictures) where nothing is on any frame."""
        try:
            if not np.isfinite(self._near):
                return None
            near, far = self._near, max(self._far, self._near + 1e-3)
            for number in range(1, self._count + 1):
                picture = encode(np.load(self._path(number)), near, far)
                write_grey(files.picture(self._folder, self._kind, number), picture)
            return DepthRange(near=near, far=far)
        finally:
            shutil.rmtree(self._waiting, ignore_errors=True)

    def _path(self, number: int) -> str:
        return os.path.join(self._waiting, f"{number:04d}.npy")


def encode(depth: np.ndarray, near: float, far: float) -> np.ndarray:
    """(height, width) float32, inf for nothing -> uint16: 65535 at `near`, 1 at `far`, linear, 0 for nothing."""
    scaled = _FURTHEST + (far - depth) / (far - near) * (_NEAREST - _FURTHEST)
    return np.where(np.isfinite(depth), np.clip(np.rint(scaled), _FURTHEST, _NEAREST), 0).astype(np.uint16)
