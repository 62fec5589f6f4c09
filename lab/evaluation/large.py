"""`score --large`: a few of Blender's held-out clips at 1024x1024, measured by what shows only there: outlines and
detail."""

from pathlib import Path

import numpy as np

from engine.contract.errors import JobError

from . import perceptual
from .bare import laid_frames
from .clips import REFERENCES, Clip, ClipError, clips_in, read_clip
from .edges import detail, edge_error, tiles, well_inside
from .rows import FULL, Row, beside, composite, engine_of, made_by

CLIPS, FRAMES, SIDE = 8, 4, 1024
COLUMNS = ("st_lpips_tiles", "edge_error", "sharpness", "gradient_correlation")
FOLDER = "large"            # in the cache


def choose_rows(packs: list) -> list[Row]:
    """`full`, `surface_only` and `shipped`."""
    weights = (packs[0] if packs else None,)
    return [Row(FULL, weights), *(row for row in beside(weights) if row.name in ("surface_only", "shipped"))]


def choose_clips(options, notes: dict) -> list[Clip]:
    folder = options.blender or options.cache / FOLDER
    count = min(options.clips, CLIPS)
    clips = clips_in(folder, options.references)[:count]
    if not clips:
        raise ClipError(f"{folder}: holds no finished clip; make them with `python build.py score --large`.")
    if len(clips) < count:
        notes["clips are missing"] = (f"{count} were expected in {folder}, {len(clips)} are there; the figures are of "
                                      "these alone")
    return clips


def measure_clip(folder: Path, rows, frames: Path, references: str = REFERENCES[0]) -> dict:
    """{row: {column: value}}, called in a worker. Raises ClipError."""
    try:
        clip = read_clip(folder, references)
        return {row.name: measure(clip, row, frames) for row in rows}
    except JobError as error:  # which cannot travel between processes
        raise ClipError(f"{folder}: {error}") from None


def measure(clip: Clip, row: Row, frames: Path) -> dict:
    """{column: value}, NaN where there is nothing to measure."""
    (weights,) = row.weights
    made = made_by(row, weights, clip, frames)
    numbers = range(1, clip.job.frames + 1)
    mattes = [clip.grey("matte", number) for number in numbers]
    pairs = [(composite(row, clip, number, one, None)[0], clip.colour("target", number))
             for number, one in zip(numbers, made, strict=True)]
    surface = laid_frames(clip.folder, clip.references, engine_of(weights))
    inside = [well_inside(matte, one.alpha) for matte, one in zip(mattes, surface, strict=True)]
    sharpness, correlation = detail([(*pair, where) for pair, where in zip(pairs, inside, strict=True)])
    return {"st_lpips_tiles": _in_tiles(pairs, mattes),
            "edge_error": edge_error([(_alpha(one, row), matte) for one, matte in zip(made, mattes, strict=True)]),
            "sharpness": sharpness, "gradient_correlation": correlation, "parts": {}}


def _alpha(one, row: Row) -> np.ndarray:
    if one.visible is None:
        raise ClipError(f"{row.name}: weights without a matte have no outline to measure; give others with --pack.")
    return one.visible


def _in_tiles(pairs, mattes) -> float:
    """ST-LPIPS of the tiles that the character is in, at full resolution."""
    if not perceptual.available():
        return float("nan")
    made, true = ([tile for pair, matte in zip(pairs, mattes, strict=True) for tile in tiles(pair[k], matte > 0)]
                  for k in (0, 1))
    return perceptual.st_lpips(made, true) if made else float("nan")
