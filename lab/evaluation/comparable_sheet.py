"""Eight held-out clips, the first by number -> one sheet: a line a clip, a column a row of `score --comparables`."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from engine.conditions.frames import as_bits, read_reference
from engine.contract import files

from .clips import Clip
from .regions import regions_of
from .rows import Row, composite, made_by
from .sheet import fitted

CLIPS, SIDE, HEAD = 8, 160, 20  # SIDE, HEAD: pixels of a picture, and of the line of titles


def draw(clips: list[Clip], rows: list[Row], frames: Path) -> np.ndarray:
    """(h, w, 3) uint8: reference, each row's middle frame by the first of its weights, truth."""
    lines = [np.concatenate(_line(clip, rows, frames), axis=1) for clip in clips[:CLIPS]]
    head = np.full((HEAD, lines[0].shape[1], 3), 255, np.uint8)
    for place, title in enumerate(("reference", *(row.name for row in rows), "truth")):
        cv2.putText(head, title, (place * SIDE + 3, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (40, 40, 40), 1, cv2.LINE_AA)
    return np.concatenate([head, *lines])


def write(clips: list[Clip], rows: list[Row], frames: Path, folder: Path) -> list[Path]:
    """comparables.jpg in the folder; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "comparables.jpg"
    Image.fromarray(draw(clips, rows, frames)).save(path, quality=80)
    return [path]


def _line(clip: Clip, rows: list[Row], frames: Path) -> list[np.ndarray]:
    number, size = clip.job.frames // 2 + 1, (SIDE, SIDE)
    region = regions_of(clip)[number - 1].region
    made = [composite(row, clip, number, made_by(row, row.weights[0], clip, frames)[number - 1], region)[0]
            for row in rows]
    reference = as_bits(read_reference(files.path(clip.folder, clip.job.reference.file))[..., :3])
    return [fitted(reference, size), *(fitted(as_bits(one), size) for one in (*made, clip.colour("target", number)))]
