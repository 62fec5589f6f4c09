"""Windows prepared beforehand: processors draw them without end, and a stage learns from a bank of them. An accelerator
keeps its bank in its own memory. A processor reads each window from the disk when it is drawn: a step takes seconds
there, and thousands of windows do not fit into its memory. Compressed, a window of four frames takes 1.4 MB instead of
10, and 0.05 s more to read.

A batch made on one core takes longer than an accelerator needs to learn from it, so every window is used several times,
as other frames of it and under other noise, until a newer one takes its place. Which batch comes when depends on the
clock: a run from a bank resumes, but not to the same bits.
"""

import argparse
import contextlib
import logging
import threading
import time
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.engines.compact.nets.sizes import Sizes

from .pool import bring_in, draw
from .pooled_clip import BLENDER, CLEAN, SHAPES, SHARE, PooledClip
from .samples import Window, batch_of, draw_window

log = logging.getLogger(__name__)
A_CLIP = 2  # windows made of each clip drawn: drawing costs about as much as two windows
A_RENDERED_CLIP = 4  # of each of Blender's, which cost far more
FEWEST = 16  # windows of a shape before the first batch
LOOK_EVERY = 2.0  # seconds
NAMES = tuple(field.name for field in fields(Window))


def fill(folder: Path, count: int, frames: int, first_seed: int = 0, stride: int = 1, keep: int | None = None,
         surface: bool = True) -> None:
    """Draws the clips of `count` seeds and writes A_CLIP windows of each, as SEED-K.npz;
    held-out identities are skipped.

    `keep`: how many of its windows stay on disk; older ones are removed, but only from the disk. `surface` as
    draw_window has it.
    """
    import cv2

    from . import world
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    plates, written, started = {}, [], time.monotonic()
    for seed in range(first_seed, first_seed + count * stride, stride):
        if world.held_out(seed):
            continue
        written += _write(folder, f"{seed:07d}", seed, draw(seed, frames), frames, plates, surface=surface)
        while keep and len(written) > keep:
            written.pop(0).unlink(missing_ok=True)
        if len(written) % 50 == 0:
            rate = frames * (seed - first_seed) / stride / (time.monotonic() - started)
            print(f"windows: seed {seed}, {rate:.1f} frames drawn a second", flush=True)


def fill_from(folder: Path, clips: Path, frames: int, surface: bool = True) -> None:
    """A_RENDERED_CLIP windows of every clip of Blender's world that is in `clips` and has none yet;
    they stay on disk."""
    plates = {}
    bring_in(folder, clips,
             lambda number, clip: _write(folder, str(number), number, clip, frames, plates, A_RENDERED_CLIP,
                                         surface=surface))


def _write(folder: Path, name: str, seed: int, clip: PooledClip, frames: int, plates: dict,
           count: int = A_CLIP, *, surface: bool = True) -> list[Path]:
    """Writes `count` windows NAME-K.npz of a clip; `plates`: for each shape, a room of another clip in which the
    references stand."""
    rng, shape, paths = np.random.default_rng(seed), clip.layers.shape[1:3], []
    other = plates.get(shape, clip.layers[0, ..., CLEAN])
    for k in range(count):
        paths.append(folder / f"{name}-{k}.npz")
        with paths[-1].with_suffix(".part").open("wb") as file:
            np.savez_compressed(file, **vars(draw_window(rng, clip, frames, other, surface=surface)))
        paths[-1].with_suffix(".part").rename(paths[-1])
    plates[shape] = clip.layers[0, ..., CLEAN]
    return paths


class Bank:
    """The newest `capacity` windows of a folder, a ring or shelf for each shape and world; a thread brings new ones
    in."""

    def __init__(self, folder: Path, device: str, capacity: int, share: float = SHARE):
        """Reads what is there, then waits until every shape has FEWEST windows; the folder may still be being filled.
        From one that is full, a run's batches are the same each time."""
        self.folder, self.device, self.share = folder, device, share
        kept = _Shelf if device == "cpu" else _Ring
        self.needed = kept.needed
        self.rings, self.blender = ({shape: kept(device, max(FEWEST, capacity * SHAPES.count(shape) // len(SHAPES)))
                                     for shape in set(SHAPES)} for _ in range(2))
        self.loaded = set()
        self._load_new()
        threading.Thread(target=self._watch, daemon=True).start()
        while any(ring.count < FEWEST for ring in self.rings.values()):
            time.sleep(0.1)

    def batch(self, rng: np.random.Generator, size: int, frames: int, sizes: Sizes) -> dict[str, Tensor]:
        """`size` windows of one shape, each with `frames` of its frames in a row; `share` of them of Blender's world,
        by chance, as soon as there are FEWEST of that shape."""
        shape = SHAPES[rng.integers(len(SHAPES))]
        rings = [self.rings[shape], self.blender[shape]]
        if rings[1].count < FEWEST:
            return batch_of(rings[0].drawn(rng, size, frames), sizes)
        others = int(rng.binomial(size, self.share))
        parts = [ring.drawn(rng, count, frames)
                 for ring, count in zip(rings, (size - others, others), strict=True) if count]
        return batch_of({name: torch.cat([part[name] for part in parts]) for name in parts[0]}, sizes)

    def _watch(self) -> None:
        while True:
            self._load_new()
            time.sleep(LOOK_EVERY)

    def _load_new(self) -> None:
        for path in sorted(self.folder.glob("*.npz"), key=lambda path: path.stem):
            if path.name not in self.loaded:
                self.loaded.add(path.name)
                window = _read(path, self.needed)
                if window:
                    height, width = window["reference"].shape[1:]
                    rings = self.rings if int(path.stem.partition("-")[0]) < BLENDER else self.blender
                    rings[width, height].put(window, path)


def _read(path: Path, names: tuple[str, ...] = NAMES) -> dict[str, np.ndarray] | None:
    """These of a window's arrays; None if its writer has removed it since, or, with a warning, if it is no such
    file."""
    try:
        return _stored(path, names)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        log.warning("%s: no window (%s); passed over", path.name, error)
        return None


def _stored(path: Path, names: tuple[str, ...] = NAMES) -> dict[str, np.ndarray]:
    """Raises KeyError if the file lacks any array of a window."""
    with np.load(path) as stored:
        if missing := set(NAMES) - set(stored.files):
            raise KeyError(f"no {', '.join(sorted(missing))}")
        return {name: stored[name] for name in names}


@lru_cache(maxsize=1)
def bank_of(folder: Path, device: str, capacity: int, share: float) -> Bank:
    """The one bank of a process: all stages and rows learn from it."""
    return Bank(folder, device, capacity, share)


class _Ring:
    """Up to `capacity` windows of one shape, the oldest overwritten."""

    needed = NAMES

    def __init__(self, device: str, capacity: int):
        self.device, self.capacity = device, capacity
        self.tensors: dict[str, Tensor] = {}
        self.of_frames: set[str] = set()
        self.count, self.next = 0, 0

    def put(self, window: dict[str, np.ndarray], _path: Path) -> None:
        if not self.tensors:
            self.of_frames = {name for name, value in window.items() if value.ndim == 4}
            # Empty, not zeros: a processor's memory is only taken as windows come.
            self.tensors = {name: torch.empty((self.capacity, *value.shape), dtype=torch.uint8, device=self.device)
                            for name, value in window.items()}
        for name, value in window.items():
            self.tensors[name][self.next].copy_(torch.from_numpy(np.asarray(value)))
        self.next = (self.next + 1) % self.capacity
        self.count = max(self.count, self.next or self.capacity)

    def drawn(self, rng: np.random.Generator, size: int, frames: int) -> dict[str, Tensor]:
        """`size` windows, each with `frames` of its frames in a row: (size, frames, ...) and (size, ...) uint8."""
        which = torch.from_numpy(rng.integers(0, self.count, size)).to(self.device)
        span = self.tensors["target"].shape[1]
        start = torch.from_numpy(rng.integers(0, span - frames + 1, size)).to(self.device)
        numbers = start[:, None] + torch.arange(frames, device=self.device)
        return {name: tensor[which[:, None], numbers] if name in self.of_frames else tensor[which]
                for name, tensor in self.tensors.items()}


class _Shelf:
    """The files of up to `capacity` windows of one shape, read when they are drawn. What is drawn is what a _Ring with
    the same windows gives."""

    needed = ("reference",)     # which tells the shape: thousands of windows are more than a disk reads in a minute

    def __init__(self, _device: str, capacity: int):
        self.paths: deque[Path] = deque(maxlen=capacity)

    @property
    def count(self) -> int:
        return len(self.paths)

    def put(self, _window: dict[str, np.ndarray], path: Path) -> None:
        self.paths.append(path)

    def drawn(self, rng: np.random.Generator, size: int, frames: int) -> dict[str, Tensor]:
        windows = [self._read_or_another(which, rng) for which in rng.integers(0, self.count, size)]
        span = len(windows[0]["target"])
        starts = rng.integers(0, span - frames + 1, size)
        return {name: torch.from_numpy(np.stack([
            window[name][start:start + frames] if value.ndim == 4 else window[name]
            for window, start in zip(windows, starts, strict=True)])) for name, value in windows[0].items()}

    def _read_or_another(self, which: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """A window; another one if its file is gone or damaged. Raises ValueError if there is no other."""
        while self.paths:
            path = self.paths[which % len(self.paths)]
            window = _read(path)
            if window:
                return window
            with contextlib.suppress(ValueError, IndexError):   # the thread that looks for new ones got here first
                self.paths.remove(path)
            which = int(rng.integers(0, max(1, self.count)))
        raise ValueError("every window of one shape is gone from the disk; make new ones with `lab train windows`.")


def batches(bank: Bank, recipe, seed: int, step: int, sizes: Sizes) -> Iterator[dict[str, Tensor]]:
    """Without end, from step `step` on."""
    while True:
        yield bank.batch(np.random.default_rng((seed, step)), recipe.batch, recipe.frames, sizes)
        step += 1


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lab train windows", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--blender", type=Path, metavar="FOLDER",
                        help="make windows of the clips that `build.py clips` rendered, instead")
    parser.add_argument("--clips", type=int, default=10**6)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--stride", type=int, default=1, help="take every n-th seed, so that several can draw at once")
    parser.add_argument("--keep", type=int, help="windows of this process that stay on disk; older ones are removed")
    parser.add_argument("--limbs", action="store_true",
                        help="carry the reference limb by limb, for `ablations --limb-windows`")
    options = parser.parse_args(arguments)
    if options.blender:
        fill_from(options.folder, options.blender, options.frames, not options.limbs)
        return 0
    fill(options.folder, options.clips, options.frames, options.first_seed, options.stride, options.keep,
         not options.limbs)
    return 0
