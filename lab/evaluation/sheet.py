"""Held-out clips, the first ones by number -> a sheet of them and three moving pictures, to look at."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from engine.conditions.frames import as_bits, read_reference
from engine.contract import files

from .clips import Clip
from .regions import regions_of
from .rows import Row, composite, made_by

ON_SHEET, MOVING = 16, 3
SIDE = 192           # pixels of a picture on the sheet; moving ones keep their own size
CLIPS_A_LINE = 2
FRAMES_A_SECOND = 8
OUTLINE = (1.0, 0.2, 0.9)
TITLES = ("reference", "plate and mask", "generated", "truth")


def draw(clips: list[Clip], row: Row, frames: Path) -> tuple[np.ndarray, list]:
    """The sheet (h, w, 3) uint8 with a middle frame of each clip,
    and the frames (n, h, w, 3) uint8 of the moving pictures.

    Of a row's weights the first are taken; frames: the folder that the table has filled.
    """
    shown = [panels(clip, row, frames) for clip in clips[:ON_SHEET]]
    cells = [_titled(clip, number, [fitted(panel[len(panel) // 2]) for panel in rows])
             for number, (clip, rows) in enumerate(zip(clips, shown, strict=False))]
    blank = np.full_like(cells[0], 255)
    cells += [blank] * (-len(cells) % CLIPS_A_LINE)
    sheet = np.concatenate([np.concatenate(cells[k:k + CLIPS_A_LINE], axis=1)
                            for k in range(0, len(cells), CLIPS_A_LINE)])
    return sheet, [np.stack([np.concatenate(parts, axis=1) for parts in zip(*rows, strict=True)])
                   for rows in shown[:MOVING]]


def write(clips: list[Clip], row: Row, frames: Path, folder: Path) -> list[Path]:
    """heldout.jpg and heldout-0.webp, -1, -2 in the folder; returns their paths."""
    sheet, moving = draw(clips, row, frames)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "heldout.jpg"]
    Image.fromarray(sheet).save(paths[0], quality=76)
    for number, pictures in enumerate(moving):
        paths.append(folder / f"heldout-{number}.webp")
        first, *others = map(Image.fromarray, pictures)
        first.save(paths[-1], save_all=True, append_images=others, duration=1000 // FRAMES_A_SECOND, loop=0, quality=55)
    return paths


def panels(clip: Clip, row: Row, frames: Path) -> list:
    """Of each of TITLES the clip's frames, (h, w, 3) uint8."""
    regions, made = regions_of(clip), made_by(row, row.weights[0], clip, frames)
    numbers = range(1, clip.job.frames + 1)
    reference = _reference(clip)
    return [[reference for _ in numbers], [_outlined(clip.colour("source", k), regions[k - 1].region) for k in numbers],
            [as_bits(composite(row, clip, k, made[k - 1], regions[k - 1].region)[0]) for k in numbers],
            [as_bits(clip.colour("target", k)) for k in numbers]]


def _reference(clip: Clip) -> np.ndarray:
    """The reference in the job's size, letterboxed in grey."""
    picture = as_bits(read_reference(files.path(clip.folder, clip.job.reference.file))[..., :3])
    return fitted(picture, clip.job.size)


def _outlined(plate, region) -> np.ndarray:
    edge = region & ~cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return as_bits(np.where(edge[..., None], np.float32(OUTLINE), plate))


def fitted(picture, size=(SIDE, SIDE)) -> np.ndarray:
    """(h, w, 3) uint8 shrunk or enlarged into (w, h), grey where it does not reach."""
    scale = min(size[0] / picture.shape[1], size[1] / picture.shape[0])
    small = cv2.resize(picture, (round(picture.shape[1] * scale), round(picture.shape[0] * scale)),
                       interpolation=cv2.INTER_AREA)
    canvas = np.full((size[1], size[0], 3), 128, np.uint8)
    top, left = (size[1] - small.shape[0]) // 2, (size[0] - small.shape[1]) // 2
    canvas[top:top + small.shape[0], left:left + small.shape[1]] = small
    return canvas


def _titled(clip: Clip, number: int, pictures) -> np.ndarray:
    """A clip's pictures side by side under a line that says which clip it is."""
    row = np.concatenate(pictures, axis=1)
    head = np.full((18, row.shape[1], 3), 255, np.uint8)
    text = f"{number}: {clip.name}, {clip.variant}: {', '.join(TITLES)}"
    cv2.putText(head, text, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (40, 40, 40), 1, cv2.LINE_AA)
    return np.pad(np.concatenate([head, row]), ((0, 6), (0, 6), (0, 0)), constant_values=255)
