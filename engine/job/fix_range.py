"""Frames that a range to fix does not touch -> pictures for the engine, as if a window had just made them. The windows
of the range include these frames, so that the range joins them.

What the engine made of every frame is not stored (ours: 200 kB each), and the artist may have painted on a frame. So
the frame's pictures are what counts.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..conditions.bundle import ReferenceBundle, Shot, character_mask
from ..conditions.crop import take
from ..conditions.frames import as_float, read_picture
from ..contract import files, jobs
from ..contract.errors import JobError
from .resume import is_whole_png

KEY = "held"  # of such a frame in frames/made.json, whoever made it
_HINT = "Generate the whole shot, or fix a range of a version that has all frames."


def kept_numbers(job: jobs.Job) -> list[int]:
    """The frames (1..N) that a range to fix does not touch; empty if the whole shot is generated."""
    if job.fix is None:
        return []
    return [number for number in range(1, job.frames + 1) if not job.fix.first <= number <= job.fix.last]


def look_for(folder: str, numbers: Iterable[int]) -> None:
    """Check that every kept frame exists and is whole; raises JobError."""
    for number in numbers:
        for kind in (files.FRAMES, files.SHADOW):
            path = files.picture(folder, kind, number)
            if not os.path.isfile(path):
                raise JobError("held_missing", f"{path} does not exist, but the range to fix needs it.", _HINT)
            if not is_whole_png(Path(path).read_bytes()):
                raise JobError("held_missing", f"{path} is damaged, but the range to fix needs it.", _HINT)


def kept_pictures(shot: Shot, reference: ReferenceBundle, plates: dict, has_matte: bool) -> np.ndarray:
    """(n, H, W, 5): finished frames as Engine.held takes them. plates: {number: (h, w, 3) uint8 or uint16}, not empty.
    has_matte: the layer's alpha is the matte; otherwise the layer is a patch, and the character's mask is used as the
    matte."""
    return np.stack([_five_channels(shot, reference, number, as_float(plate), has_matte)
                     for number, plate in plates.items()])


def _five_channels(shot: Shot, reference: ReferenceBundle, number: int, plate: np.ndarray,
                   has_matte: bool) -> np.ndarray:
    """(H, W, 5): what the engine must have shown for this frame, in its crop, over its plate (h, w, 3)."""
    crop = shot.plan.crops[number - 1]

    def layer(kind: str) -> np.ndarray:
        return as_float(read_picture(files.picture(shot.folder, kind, number), size=shot.job.size))
    character, shadow = layer(files.FRAMES), layer(files.SHADOW)
    alpha = character[..., 3:]
    seen = character[..., :3] * alpha + plate * shadow * (1.0 - alpha)
    in_crop = np.clip(take(np.ascontiguousarray(np.concatenate([seen, alpha, shadow[..., :1]], axis=-1)), crop),
                      0.0, 1.0)
    if not has_matte:
        in_crop[..., 3] = character_mask(shot, number, reference)
    return in_crop.astype(np.float32)
