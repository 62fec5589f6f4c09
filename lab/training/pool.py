"""A pool of clips on disk, of the fast world or brought in from Blender's: drawn once, in any number of runs,
read many times."""

import argparse
import logging
import time
from pathlib import Path

import numpy as np
import torch

from . import world
from .clip_folder import clips_of, read_clip
from .pooled_clip import BLENDER, SHAPES, BrokenClip, PooledClip, bytes8, write

log = logging.getLogger(__name__)


def draw(seed: int, frames: int) -> PooledClip:
    """The clip of a seed; the shape follows from the seed as well."""
    shape = SHAPES[seed % len(SHAPES)]
    clip, reference = world.draw_clip(seed, frames, shape), world.draw_reference(seed, shape)
    layers = np.concatenate([bytes8(clip.full), bytes8(clip.clean), bytes8(clip.visible), bytes8(clip.shadow),
                             bytes8(clip.objects), bytes8(clip.contact)], axis=-1)
    return PooledClip(
        layers, clip.body.numpy(), clip.hands.numpy(), clip.height_px.numpy(), clip.focal.numpy(), clip.light.numpy(),
        np.concatenate([bytes8(reference.picture), bytes8(reference.matte)], axis=-1),
        reference.body.numpy(), reference.hands.numpy(), float(reference.height_px))


def fill(folder: Path, count: int, frames: int, first_seed: int = 0, stride: int = 1) -> None:
    """Draws the clips of `count` seeds that are not there yet; held-out identities are skipped."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    started, drawn = time.monotonic(), 0
    for seed in range(first_seed, first_seed + count * stride, stride):
        path = folder / f"{seed:07d}.npz"
        if world.held_out(seed) or path.exists():
            continue
        write(path, draw(seed, frames))
        drawn += frames
        if drawn % (frames * 20) == 0:
            print(f"pool: seed {seed}, {drawn / (time.monotonic() - started):.1f} frames/s", flush=True)


def bring_in(folder: Path, clips: Path, bring) -> None:
    """Calls bring(number, clip) for every finished job folder in `clips` for which `folder` has no file yet; broken
    ones are skipped with a warning. number: the clip's seed + BLENDER."""
    folder.mkdir(parents=True, exist_ok=True)
    there = {path.stem.partition("-")[0] for path in folder.glob("*.npz")}
    brought = 0
    for path, seed in clips_of(clips):
        if str(BLENDER + seed) in there:
            continue
        try:
            bring(BLENDER + seed, read_clip(path))
        except BrokenClip as error:
            log.warning("%s: passed over. Remove it, and `build.py clips` renders it again.", error)
            continue
        brought += 1
    print(f"{brought} clips of Blender's world from {clips}, {len(there)} files were there", flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lab train pool", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--blender", type=Path, metavar="FOLDER",
                        help="bring in the clips that `build.py clips` rendered, instead")
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--frames", type=int, default=8, help="a window of the motion stage has 8")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--stride", type=int, default=1, help="take every n-th seed, so that several can draw at once")
    options = parser.parse_args(arguments)
    if options.blender:
        bring_in(options.folder, options.blender, lambda number, clip: write(options.folder / f"{number}.npz", clip))
    else:
        fill(options.folder, options.clips, options.frames, options.first_seed, options.stride)
    return 0
