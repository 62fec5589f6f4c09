"""A clip as a pool keeps it: one uncompressed .npz of eleven 8-bit layers a frame, its joints, and one reference
picture of the same character, drawn separately. Files are written under a temporary name first, so that a killed run
leaves no broken clip.
"""

import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
    focal: np.ndarray  # (F,) float32 pixels
    light: np.ndarray  # (F, 9, 3) float32, on the character, as contract/harmonics.py has it
    reference: np.ndarray  # (H, W, 4) uint8: the picture on its random background, and the character's matte
    reference_body: np.ndarray  # (20, 4) float32
    reference_hands: np.ndarray  # (2, 21, 4) float32
    reference_height_px: float


def bytes8(picture) -> np.ndarray:
    """A torch picture 0..1 -> uint8."""
    return (picture.clamp(0, 1) * 255).round().byte().numpy()


class BrokenClip(ValueError):
    """A file of the pool that cannot be used; the message names it and what is wrong."""


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
    """Raises BrokenClip if this is no such file, has too few frames, has layers for other frames than joints, or shows
    nobody."""
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
    """What is wrong with the clip, which needs at least `frames` frames; None if nothing is."""
    count = len(clip.layers) if clip.layers.ndim == 4 else 0
    height, width = clip.layers.shape[1:3] if count else (0, 0)
    expected = {"layers": (max(count, frames), height, width, LAYERS), "body": (count, 20, 4),
                "hands": (count, 2, 21, 4),
                "height_px": (count,), "focal": (count,), "light": (count, 9, 3),
                "reference": (height, width, 4), "reference_body": (20, 4),
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
