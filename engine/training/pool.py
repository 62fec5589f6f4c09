"""A pool of clips on disk, of the fast world or brought in from Blender's: drawn once, in any number of runs, read many times.

A clip is one uncompressed .npz: eleven 8-bit layers a frame, its joints, and one reference picture of the same character
drawn apart. Files are written under a temporary name first, so a killed run leaves no broken clip.
"""

import argparse
import logging
import os
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

log = logging.getLogger(__name__)
# Layers of Clip.layers along its last axis.
FULL, CLEAN, MATTE, SHADOW, OBJECTS, CONTACT = slice(0, 3), slice(3, 6), 6, 7, 8, 9
LAYERS = 10
# Half of the clips are upright, since a standing figure wastes half of a square.
SHAPES = ((192, 352), (256, 256), (192, 352), (256, 256), (192, 352), (352, 192))
BLENDER = 6 * 10**8  # added to the seeds of Blender's world in file names; a multiple of the number of shapes
SHARE = 0.5  # of Blender's world, where a pool has clips of both


@dataclass(frozen=True)
class PooledClip:
    """One clip as stored: F frames of one character in one room, and its reference."""

    layers: np.ndarray  # (F, H, W, LAYERS) uint8; matte is the visible one, after nearer objects
    body: np.ndarray  # (F, 20, 4) float32, as in docs/architecture.md
    hands: np.ndarray  # (F, 2, 21, 4) float32, left then right
    height_px: np.ndarray  # (F,) float32
    reference: np.ndarray  # (H, W, 4) uint8: the picture on its random background, and the character's matte
    reference_body: np.ndarray  # (20, 4) float32
    reference_hands: np.ndarray  # (2, 21, 4) float32
    reference_height_px: float


def draw(seed: int, frames: int) -> PooledClip:
    """The clip of a seed; the shape follows from the seed as well."""
    from . import world
    shape = SHAPES[seed % len(SHAPES)]
    clip, reference = world.draw_clip(seed, frames, shape), world.draw_reference(seed, shape)
    layers = np.concatenate([bytes8(clip.full), bytes8(clip.clean), bytes8(clip.visible), bytes8(clip.shadow),
                             bytes8(clip.objects), bytes8(clip.contact)], axis=-1)
    return PooledClip(
        layers, clip.body.numpy(), clip.hands.numpy(), clip.height_px.numpy(),
        np.concatenate([bytes8(reference.picture), bytes8(reference.matte)], axis=-1),
        reference.body.numpy(), reference.hands.numpy(), float(reference.height_px))


def bytes8(picture) -> np.ndarray:
    """A torch picture 0..1 -> uint8."""
    return (picture.clamp(0, 1) * 255).round().byte().numpy()


class BrokenClip(ValueError):
    """A file of the pool that nothing can be learnt from; the message names it and what is wrong."""


def write(path: Path, clip: PooledClip) -> None:
    unfinished = path.with_suffix(".part")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, **vars(clip))
        os.replace(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def read(path: Path, frames: int = 1) -> PooledClip:
    """Raises BrokenClip where the file is none, or has fewer frames, layers of other frames than joints, or nobody in it."""
    try:
        with np.load(path) as stored:
            clip = PooledClip(**{name: stored[name] for name in stored.files})
    except (OSError, ValueError, TypeError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise BrokenClip(f"{path.name}: no clip ({error})") from None
    fault = fault_of(clip, frames)
    if fault:
        raise BrokenClip(f"{path.name}: {fault}")
    return clip


def fault_of(clip: PooledClip, frames: int) -> str | None:
    """What is wrong with the clip, its frames at least `frames`; None where nothing is."""
    count = len(clip.layers) if clip.layers.ndim == 4 else 0
    height, width = clip.layers.shape[1:3] if count else (0, 0)
    expected = {"layers": (max(count, frames), height, width, LAYERS), "body": (count, 20, 4), "hands": (count, 2, 21, 4),
                "height_px": (count,), "reference": (height, width, 4), "reference_body": (20, 4),
                "reference_hands": (2, 21, 4), "reference_height_px": ()}
    for name, shape in expected.items():
        value = getattr(clip, name)
        if value.shape != shape:
            return f"{name}: expected shape {shape}, got {value.shape}; a frame may be missing"
        if value.dtype != np.uint8 and not np.isfinite(value).all():
            return f"{name}: holds values that are no numbers"
    if not (clip.layers[..., MATTE] > 127).any():
        return "the mask is empty in every frame: no character to learn from"
    return None


def fill(folder: Path, count: int, frames: int, first_seed: int = 0, stride: int = 1) -> None:
    """Draws the clips of `count` seeds that are not there yet; held-out identities are skipped."""
    from . import world
    import torch
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
    """Calls bring(number, clip) for every finished job folder in `clips` that `folder` has no file of yet; broken ones are
    passed over with a warning. number: the clip's seed + BLENDER."""
    from .clip_folder import clips_of, read_clip
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
    parser = argparse.ArgumentParser(prog="engine train pool", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--blender", type=Path, metavar="FOLDER", help="bring in the clips that `build.py clips` rendered, instead")
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
