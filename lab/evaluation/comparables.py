"""`score --comparables`: the rows of lab/comparables, all trained alike, against ours (docs/evaluation.md,
"Comparables")."""

from pathlib import Path

import numpy as np

from ..comparables.titles import IN_THE_PLATE, TITLES
from . import perceptual
from .bootstrap import holm, two_sided, weights
from .clips import REFERENCES, WORLDS, Clip, ClipError, read_clip
from .kernel_distance import clip_features, discrepancies, kernel_distance
from .measure import LOOKED_AT
from .regions import regions_of
from .report import number
from .rows import FULL, Row, composite, made_by
from .weights import SIZES

FEATURES = "features"       # of a clip by a row: a vector for each of its weights; under TRUE the true one
TRUE = "true"
KERNEL_DISTANCE = "kernel_distance"
SAID = "None of these is the published system; all are small networks from our blocks after 6,000 frames."


def choose_rows(folder: Path) -> tuple[list[Row], dict]:
    """Ours first, then the others that `lab train comparables --run FOLDER` has finished; and notes on those that it
    has not. Raises ClipError without ours."""
    rows, notes = [], {"comparables": SAID}
    for name, title in TITLES.items():
        found = tuple(sorted(path.parent for path in Path(folder).glob(f"{name}-*/{SIZES}")))
        if found:
            rows.append(_row(name, title, found))
        else:
            notes[title] = "not trained yet"
    if not rows or rows[0].name != FULL:
        raise ClipError(f"{folder}: holds no finished ours-SEED; let `python -m lab train comparables` end first.")
    return rows, notes


def _row(name: str, title: str, found: tuple) -> Row:
    """Ours is made by the product; what does not see the plate is pasted over it, as the paper's own baseline."""
    if title == FULL:
        return Row(FULL, found)
    pasted = name not in IN_THE_PLATE
    return Row(title, found, alone=pasted, plate="inpainted" if pasted else "source", surface=False, idea=name)


def measure_clip(folder: Path, rows, frames: Path, references: str = REFERENCES[0]) -> dict:
    """As table.measure_clip, and FEATURES beside each row's values."""
    from . import table  # which chooses this function
    found = table.measure_clip(folder, rows, frames, references)
    if not perceptual.available():
        return found
    clip = read_clip(folder, references)
    numbers, regions = neighbours(clip.job.frames), regions_of(clip)
    true = clip_features([clip.colour("target", k) for k in numbers], perceptual.pooled)
    for row in rows:
        made = [made_by(row, one, clip, frames) for one in row.weights]
        found[row.name][FEATURES] = np.stack([clip_features(
            [composite(row, clip, k, frame[k - 1], regions[k - 1].region)[0] for k in numbers], perceptual.pooled)
            for frame in made])
        found[row.name][FEATURES + TRUE] = true
    return found


def neighbours(count: int) -> list[int]:
    """Numbers (1..count) of LOOKED_AT pairs of neighbouring frames, evenly spaced; a single frame is its own
    neighbour."""
    if count < 2:
        return [1, 1]
    firsts = sorted({1 + int((k + 0.5) * (count - 1) / LOOKED_AT) for k in range(LOOKED_AT)})
    return [number for first in firsts for number in (first, first + 1)]


def without_features(measured: list[dict]) -> list[dict]:
    """The values that evaluation/report.py takes."""
    return [{row: {column: value for column, value in one.items() if not column.startswith(FEATURES)}
             for row, one in clip.items()} for clip in measured]


def complete(told: dict, clips: list[Clip], measured: list[dict]) -> None:
    """Add the kernel distance to what report() says of these rows, and correct every column's p for the number of
    rows."""
    pairs = {row: _pairs(row, measured) for row in told["models"]}
    if all(of is not None for of in pairs.values()):
        worlds = [clip.world for clip in clips]
        taken = weights(worlds, [clip.identity for clip in clips])
        for row, of in pairs.items():
            told["models"][row][KERNEL_DISTANCE] = _summary(of, worlds, taken)
            if row != FULL:
                told["paired_p"][row][KERNEL_DISTANCE] = number(two_sided(_known(kernel_distance(pairs[FULL] - of,
                                                                                                 taken))))
    for column in told["models"][FULL]:
        corrected = holm({row: float("nan") if of.get(column) is None else of[column]
                          for row, of in told["paired_p"].items()})
        for row, p in corrected.items():
            told["paired_p"][row][column] = number(p)
    told["notes"]["paired_p"] = "corrected by Holm's method for the number of rows, in each column by itself"


def _pairs(row: str, measured: list[dict]) -> np.ndarray | None:
    """(clips, clips) of discrepancies, the mean over a row's seeds; None if nothing was measured."""
    found = [clip[row] for clip in measured]
    if not all(FEATURES in one for one in found):
        return None
    true = np.stack([one[FEATURES + TRUE] for one in found])
    seeds = zip(*(one[FEATURES] for one in found), strict=True)
    return np.mean([discrepancies(np.stack(made), true) for made in seeds], axis=0)


def _summary(pairs: np.ndarray, worlds: list[str], taken: np.ndarray) -> dict:
    resampled = _known(kernel_distance(pairs, taken))
    low, high = np.percentile(resampled, (2.5, 97.5)) if resampled.size else (float("nan"), float("nan"))
    once = {world: np.array([[float(of == world) for of in worlds]]) for world in WORLDS}
    whole = kernel_distance(pairs, np.ones((1, len(worlds))))[0]
    return {"mean": number(whole), "low": number(low), "high": number(high),
            **{world: number(kernel_distance(pairs, of)[0]) for world, of in once.items()}}


def _known(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]
