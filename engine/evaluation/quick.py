"""Weights in training -> one line: how near the character and what surrounds it are, on a few clips that score never sees."""

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from .clips import ClipError, clips_in, read_clip
from .generate import generate
from .held_out import draw_fast
from .pictures import psnr_over
from .regions import regions_of
from .rows import FULL, Row, composite
from .weights import open_engine

COUNT, FRAMES = 12, 6


def quick(weights: Path, folder: Path | None, cache: Path) -> str:
    """The line. folder: clips of either world (None: fast clips of a set of its own, kept in `cache`, so that choosing
    weights by this figure does not touch the held-out set). Frames are made anew each time."""
    began = time.monotonic()
    clips = clips_in(folder)[:COUNT] if folder else [read_clip(path) for path in draw_fast(cache / "quick", COUNT, FRAMES, set_=1)]
    if not clips:
        raise ClipError(f"{folder}: holds no finished clip; give the folder of several.")
    engine = open_engine(weights, threads=int(os.environ.get("OMP_NUM_THREADS", 1)))
    found = []
    for clip in clips:
        with tempfile.TemporaryDirectory(prefix="quick-") as scratch:
            made, regions = generate(clip, engine, Path(scratch)), regions_of(clip)
        frames = [(composite(Row(FULL), clip, k, one, r.region)[0], clip.colour("target", k), r)
                  for k, (one, r) in enumerate(zip(made, regions), 1)]
        found.append([psnr_over([(a, b, r.character) for a, b, r in frames]),
                      psnr_over([(a, b, r.band) for a, b, r in frames])])
    insertion = np.array([clip.variant == "insertion" for clip in clips])
    character, band = np.array(found).T
    halves = [f"{name} {np.nanmean(character[chosen]):.2f}" for name, chosen in (("insertion", insertion), ("replacement", ~insertion))
              if chosen.any()]
    return (f"character_psnr {np.nanmean(character):.2f} ({', '.join(halves)}) band_psnr {np.nanmean(band):.2f} "
            f"on {len(clips)} clips, {time.monotonic() - began:.0f} s, {weights}")
