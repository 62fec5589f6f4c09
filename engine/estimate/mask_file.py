"""The artist's mask, a movie or a folder of pictures -> the mask of any frame of the shot."""

from collections.abc import Callable

import numpy as np

from ..conditions.frames import as_float, read_picture, write_picture
from ..contract import files
from ..contract.errors import JobError
from .footage import Footage, open_footage
from .intake import Intake


def open_mask(path: str | None, shot: Intake, folder: str) -> Callable[[int], np.ndarray] | None:
    """-> mask(number) -> (h, w) bool, or None if path is None. A movie is first written as pictures to
    files.GIVEN_MASK. Raises JobError if it does not have the shot's size, or has too few pictures."""
    if path is None:
        return None
    footage = open_footage(path)
    if footage.size != shot.size:
        raise JobError("mask_invalid", f"{path}: expected {shot.size[0]}x{shot.size[1]} pixels as the video's, got "
                       f"{footage.size[0]}x{footage.size[1]}.", "Render the mask at the video's size.")
    pictures = footage.pictures or _laid_out(footage, shot, folder)
    if len(pictures) < shot.frames:
        raise JobError("mask_missing", f"{path}: expected a picture for each of {shot.frames} frames, got "
                                       f"{len(pictures)}.",
                       "Choose a mask that is as long as the video and black where the performer is not.")

    def mask(number: int) -> np.ndarray:
        picture = read_picture(pictures[number - 1], missing="mask_missing", unreadable="mask_invalid", size=shot.size)
        return _as_mask(picture)
    return mask


def _as_mask(picture: np.ndarray) -> np.ndarray:
    """(h, w[, 1..4]) uint8 or uint16 -> (h, w) bool: True where it is light and not transparent."""
    values = as_float(picture)
    if values.ndim == 2:
        return values > 0.5
    light = values[..., :3].max(axis=-1)
    return (light * values[..., 3] if values.shape[-1] == 4 else light) > 0.5


def _laid_out(footage: Footage, shot: Intake, folder: str) -> list[str]:
    pictures = []
    for frame in footage.read():
        if frame.number > shot.frames:
            break
        pictures.append(files.picture(folder, files.GIVEN_MASK, frame.number))
        write_picture(pictures[-1], (frame.picture.max(axis=-1) > 127).astype(np.uint8) * 255)
    return pictures
