"""Weights in training -> one line: how close the character and its surroundings are to the truth, on a few clips that
score never sees."""

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import perceptual
from .clips import REFERENCES, Clip, ClipError, clips_in, read_clip
from .generate import generate
from .held_out import draw_fast
from .pictures import psnr_over
from .regions import regions_of
from .rows import FULL, Row, composite
from .weights import open_engine

COUNT, FRAMES = 12, 6


def quick(weights: Path, folder: Path | None, cache: Path, *, steps: int | None = None,
          references: str = REFERENCES[0]) -> str:
    """The line. folder: clips of either world (None: fast clips of a set of its own, kept in `cache`, so that choosing
    weights by this figure does not touch the held-out set); steps: denoising steps (None: the pack's default);
    references: one of REFERENCES. Frames are generated again each time. The perceptual distance, of one frame for each
    clip, is shown if this Python can measure it."""
    began = time.monotonic()
    clips = clips_of(folder, cache, references)
    host = open_engine(weights, threads=int(os.environ.get("OMP_NUM_THREADS", 1)))
    found, middle = [], []
    for clip in clips:
        settings = replace(clip.job.settings, steps=steps)
        with tempfile.TemporaryDirectory(prefix="quick-") as scratch:
            made = generate(replace(clip, job=replace(clip.job, settings=settings)), host, Path(scratch))
        frames = [(composite(Row(FULL), clip, k, one, r.region)[0], clip.colour("target", k), r)
                  for k, (one, r) in enumerate(zip(made, regions_of(clip), strict=True), 1)]
        found.append([psnr_over([(a, b, r.character) for a, b, r in frames]),
                      psnr_over([(a, b, r.band) for a, b, r in frames])])
        middle.append(frames[len(frames) // 2][:2])
    insertion = np.array([clip.variant == "insertion" for clip in clips])
    character, band = np.array(found).T
    halves = [f"{name} {np.nanmean(character[chosen]):.2f}"
              for name, chosen in (("insertion", insertion), ("replacement", ~insertion))
              if chosen.any()]
    distance = f" st_lpips {perceptual.st_lpips(*zip(*middle, strict=True)):.4f}" if perceptual.available() else ""
    return (f"character_psnr {np.nanmean(character):.2f} ({', '.join(halves)}) band_psnr "
            f"{np.nanmean(band):.2f}{distance} "
            f"on {len(clips)} clips, {steps or 'default'} steps, {time.monotonic() - began:.0f} s, {weights}")


def clips_of(folder: Path | None, cache: Path, references: str) -> list[Clip]:
    """The quick set: of a folder, or the fast world's own. Raises ClipError if there are none."""
    if folder is None:
        return [read_clip(path, references) for path in draw_fast(cache / "quick", COUNT, FRAMES, set_=1)]
    clips = clips_in(folder, references)[:COUNT]
    if not clips:
        raise ClipError(f"{folder}: holds no finished clip; give the folder of several.")
    return clips
