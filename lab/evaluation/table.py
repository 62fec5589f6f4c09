"""Held-out clips and rows -> everything measured, in processes of one thread; the report written, shown and drawn."""

import hashlib
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2

from engine.contract import files
from engine.contract.errors import JobError

from . import comparables, large, lit, perceptual
from .autoencoder import autoencoder_psnr
from .bootstrap import mean
from .clips import REFERENCES, Clip, ClipError, clips_in, read_clip
from .held_out import draw_fast
from .measure import COLUMNS, measure, read_truth
from .quick import clips_of
from .report import by_clip, markdown, report
from .rows import ABLATIONS, FULL, WITHOUT_SURFACE, Row, beside, engine_of, estimated, made_by, pasted
from .weights import SIZES

# These sources affect a frame's pixels: frames are stored by a digest of them and of the pack.
_SOURCES = ("engine/conditions", "engine/engines", "engine/layers", "engine/job/run.py", "engine/job/subject.py",
            "lab/evaluation/generate.py")


def make_table(options) -> None:
    """options: as score.main parses them. Raises ClipError or JobError."""
    if options.large:
        rows, notes, measure_one, columns = large.choose_rows(options.pack), {}, large.measure_clip, large.COLUMNS
        clips = large.choose_clips(options, notes)
    elif options.light:
        options.references = lit.REFERENCES
        rows, notes, measure_one, columns = lit.choose_rows(options.pack), {}, measure_clip, COLUMNS
        clips = lit.choose_clips(options, notes)
        if options.cut:
            return
    elif options.comparables:
        (rows, notes), columns = comparables.choose_rows(options.comparables), COLUMNS
        measure_one = comparables.measure_clip
        clips = quick_set(options) if options.quick_set else choose_clips(options, notes)
    else:
        (rows, notes), measure_one, columns = choose_rows(options), measure_clip, COLUMNS
        clips = choose_clips(options, notes)
    if not perceptual.available():
        notes["st_lpips"] = "not measured: this Python has no stlpips_pytorch; use `python build.py score`"
    for name, text in notes.items():
        say(f"{name.upper()}: {text}")
    frames = options.cache / "frames" / f"{_sources_digest()}-{options.references}"
    measured = measure_all(clips, rows, frames, options.workers, measure_one)
    plain = comparables.without_features(measured) if options.comparables else measured
    values = {row.name: [found[row.name] for found in plain] for row in rows}
    told = report(clips, values, {**notes, "by_clip": by_clip(clips, values)}, columns)
    if options.comparables:
        comparables.complete(told, clips, measured)
    if options.light:
        told["notes"]["from `surface_only` to `oracle_light`"] = lit.progress_to(told["models"])
    if options.json:
        files.write_whole(str(options.json), json.dumps(told, indent=1).encode() + b"\n")
    text = markdown(told)
    if options.markdown:
        files.write_whole(str(options.markdown), text.encode())
    print(text)
    if options.sheet:
        for path in _write_sheet(options, clips, rows, frames):
            say(f"{path} written")


def _write_sheet(options, clips, rows, frames) -> list[Path]:
    from . import comparable_sheet, sheet  # which need pillow
    if options.comparables:
        return comparable_sheet.write(clips, rows, frames, options.sheet)
    return sheet.write(clips, rows[0], frames, options.sheet)


def choose_rows(options) -> tuple[list[Row], dict]:
    """`full` first, then what it is always compared with, with --all the pasted rows and the ablations that there are,
    and further packs; and notes on what replaces what."""
    packs = options.pack or [None]
    notes, full = {}, (packs[0],)
    if options.ablations:
        full = _forks(options.ablations, FULL)
        notes["full"] = "the ablations' fork of the parent, with the extra steps that every row got"
    rows = [Row(FULL, full), *beside(full)]
    if options.all:
        rows += _further_rows(options.ablations, full, notes)
    if not options.ablations:
        packs = packs[1:]
    rows += [Row("pack" if path is None else Path(path).name, (path,)) for path in packs]
    names = [row.name for row in rows]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ClipError(f"--pack: two rows would be called {', '.join(sorted(twice))}; rename a folder.")
    return rows, notes


def _further_rows(ablations: Path | None, full: tuple, notes: dict) -> list[Row]:
    """The rows of --all. ablations: what `train ablations` made, or None."""
    if ablations is None:
        notes["pasted rows"] = ("no without_environment weights were given (--ablations): the weights of `full` run "
                                "with an empty "
                                "environment instead, which they were not trained for")
        return [*estimated(full), *pasted(full)]
    there = [name for name in ABLATIONS if any(ablations.glob(f"{name}-*"))]
    if missing := [name for name in ABLATIONS if name not in there]:
        notes["rows that were not trained"] = ", ".join(missing)
    parts_off = [Row(name, _forks(ablations, name), surface=name not in WITHOUT_SURFACE) for name in there]
    return [*estimated(full), *pasted(_forks(ablations, "without_environment")), *parts_off]


def _forks(folder: Path, name: str) -> tuple:
    """The row's folder for each seed; sizes.json is written last and says that it is finished."""
    found = tuple(sorted(path.parent for path in Path(folder).glob(f"{name}-*/{SIZES}")))
    if not found:
        raise ClipError(f"{folder}: holds no finished {name}-SEED; let `python -m lab train ablations` end first.")
    return found


def choose_clips(options, notes: dict) -> list[Clip]:
    """The first clips of the set, fast and Blender's in turn."""
    if options.references != REFERENCES[0]:
        notes["references"] = f"the {options.references} version, exposed by their own light"
    folder = options.blender or options.cache / "blender"
    half = options.clips // 2
    blender = clips_in(folder, options.references)[:half]
    if len(blender) < half:
        notes["blender's world is missing"] = (
            f"{half} held-out clips of it were expected in {folder}, {len(blender)} are there; the figures are of "
            "the others "
            "alone. Make them with `python build.py clips`.")
    count = options.clips - half
    say(f"the fast world's {count} clips")
    fast = [read_clip(path, options.references) for path in draw_fast(options.cache / "fast", count)]
    return _in_turn(fast, blender)


def quick_set(options) -> list[Clip]:
    """The fast world's quick clips, and as many of --blender's."""
    folders = (None, options.blender) if options.blender else (None,)
    return [clip for folder in folders for clip in clips_of(folder, options.cache, options.references)]


def _in_turn(fast, blender) -> list[Clip]:
    paired = [clip for pair in zip(fast, blender, strict=False) for clip in pair]
    return paired + fast[len(blender):]


def measure_all(clips, rows, frames: Path, workers: int, measure_one) -> list[dict]:
    """[{row: {column: value}}] by clip. measure_one: as measure_clip. Worker processes are started, not forked: a
    forked one would share torch's locks."""
    began, found = time.monotonic(), {}
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=cv2.setNumThreads,
                             initargs=(1,)) as pool:
        waiting = {pool.submit(measure_one, clip.folder, rows, frames, clip.references): k
                   for k, clip in enumerate(clips)}
        try:
            for done in as_completed(waiting):
                found[waiting[done]] = done.result()
                left = (time.monotonic() - began) / len(found) * (len(clips) - len(found))
                say(f"clip {len(found)} of {len(clips)}, {left / 60:.0f} min left")
        except BrokenProcessPool:
            raise ClipError(
                "a worker process died, as a rule for want of memory; start again with fewer --workers.") from None
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [found[k] for k in range(len(clips))]


def measure_clip(folder: Path, rows, frames: Path, references: str = REFERENCES[0]) -> dict:
    """Called in a worker: one clip by all rows; frames that two rows share are made once. Raises ClipError."""
    try:
        clip, first = read_clip(folder, references), rows[0]
        host = engine_of(first.weights[0])
        truth = read_truth(clip, host)
        found = {row.name: _mean_of([measure(truth, row, made_by(row, weights, truth.clip, frames))
                                     for weights in row.weights])
                 if row.measures(truth.clip) else nothing(COLUMNS) for row in rows}
        found[first.name]["parts"]["autoencoder"] = autoencoder_psnr(
            host.engine.runtime, truth.clip, truth.regions, truth.looked_at)
        return found
    except JobError as error:  # which cannot travel between processes
        raise ClipError(f"{folder}: {error}") from None


def nothing(columns) -> dict:
    """Of a clip that a row does not measure."""
    return {**dict.fromkeys(columns, float("nan")), "parts": {}}


def _mean_of(found: list[dict]) -> dict:
    """The mean of a clip's values over seeds of a row's training."""
    parts = dict.fromkeys(name for one in found for name in one["parts"])
    return {**{column: mean([one[column] for one in found]) for column in COLUMNS},
            "parts": {name: mean([one["parts"][name] for one in found if name in one["parts"]]) for name in parts}}


def _sources_digest() -> str:
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for name in _SOURCES:
        for path in sorted([root / name] if name.endswith(".py") else (root / name).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def say(text: str) -> None:
    print(f"score: {text}", file=sys.stderr, flush=True)
