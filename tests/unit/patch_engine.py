"""An engine in pure numpy that works as those for graphics cards do: it gives a patch, in windows of 4 k + 1 frames of
crops on a grid of 16 pixels, opens its weights with the first window, and hands pictures on.

What it paints depends on the seed, the frame, the prompt, the reference, the skeleton and, sharply, on the frames
beside: 1e-4 there is everything here. So a wrong window, frame, resume or range, or handing on through 8 bits, changes
the pixels.
"""

import zlib
from pathlib import Path

import numpy as np

from engine.contract.errors import JobError
from engine.engines.base import (
    NOT_OPEN,
    DeviceReport,
    Facts,
    Gives,
    Made,
    Needs,
    Patience,
    RegionRule,
    Want,
    padded_count,
)
from engine.packs.engine_manifest import EngineManifest
from engine.packs.store import Pack, check_files

NAME, GRID, STEP, STEPS = "patches", 16, 4, 2
SHAPES = ((96, 176), (128, 128), (176, 96))
SETTINGS = {"patches": {"prompt": "a dancer"}}
SHARP = 10_000.0


def patch_pack(pack_hash="0" * 64, window=9, overlap=1):
    manifest = EngineManifest(format=3, engine=NAME, name="fake", license="none", window=window, overlap=overlap,
                              default_steps=STEPS, files={}, shapes=SHAPES)
    return Pack(Path("nowhere"), manifest, pack_hash)


class PatchEngine:
    """engines.base.Engine. `opened`: how often; `windows`: those that were made; `follows`: by how much a colour
    follows the frames beside."""

    patience = Patience(silence_s=300.0, cancel_s=240.0)
    follows = 0.3

    def __init__(self, pack=None):
        self.pack = pack or patch_pack()
        self.opened, self.windows = 0, []

    @classmethod
    def of(cls, pack, _options):
        return cls(pack)

    @staticmethod
    def facts(manifest, settings):
        own = settings.own
        if set(own) - {"prompt"} or not isinstance(own.get("prompt", ""), str):
            raise JobError("settings_invalid", f"settings.engines.{NAME}: expected a prompt, got {own}.")
        return Facts(NAME, settings.window or manifest.window, manifest.overlap, SHAPES, manifest.default_steps,
                     frame_step=STEP, size_step=GRID, gives=Gives.PATCH, pose_style="wan",
                     region=RegionRule("exact", grow=0.02, block=GRID, hole=0.5, fade=3.0),
                     wants=frozenset({Want.PROMPT}))

    def open(self, settings, watch):
        if self.pack.manifest.files:
            check_files(self.pack, look=lambda done, total: (watch.tell("load", done, total), watch.check()))
        for file in range(3):
            watch.tell("load", file, 3)
            watch.check()
        self.opened += 1

    def make(self, window, bundle, reference, *, before, after, sampling, watch):
        assert self.opened, "a window came before the weights"
        count, height, width = bundle.plate.shape[:3]
        assert count == len(bundle.numbers) == padded_count(len(window.frames), STEP)
        assert not height % GRID and not width % GRID and bundle.numbers[:len(window.frames)] == tuple(window.frames)
        assert [0 if given is None else len(given) for given in (before, after)] \
            == [len(window.before), len(window.after)]
        self.windows.append(window)
        beside = [float(given.mean()) for given in (before, after) if given is not None]
        tint = (zlib.crc32(sampling.own.get("prompt", "").encode()) / 97 + sum(beside) * SHARP) % 1.0
        with watch.stage("denoise"):
            for _ in range(sampling.steps):
                watch.stepped()
        made = np.stack([self._painted(bundle, len(window.before) + i, number, tint, reference, sampling.seed)
                         for i, number in enumerate(window.made)])
        return Made(made, np.concatenate([*([] if before is None else [before]), made])[-self.pack.manifest.overlap:])

    def _painted(self, bundle, place, number, tint, reference, seed):
        noise = np.random.default_rng((seed, number)).random(3) * 0.2
        colour = (1 - self.follows) * (0.5 * reference.picture.mean(axis=(0, 1)) + noise) + self.follows * tint
        region = blocks(bundle.region[place])
        seen = blocks(bundle.environment[place])
        return (region * (colour + 0.1 * blocks(bundle.skeleton[place])) + (1 - region) * seen).astype(np.float32)

    def held(self, pictures):
        assert pictures.shape[-1] == 5 and pictures.dtype == np.float32
        return np.stack([blocks(one[..., :3]) for one in pictures])

    def show(self, latents):
        yield from self.seen(latents)

    def seen(self, handed_on):
        return handed_on.repeat(GRID, axis=1).repeat(GRID, axis=2)

    def needs(self, size, frames, settings):
        return Needs(1000.0, 8000.0)

    def describe(self):
        return DeviceReport("pytorch", "1", "cuda", 6000.0) if self.opened else DeviceReport("pytorch", "", NOT_OPEN)


def blocks(picture):
    """(H, W, c) -> (H / 16, W / 16, c) averaged."""
    height, width, channels = picture.shape
    return picture.reshape(height // GRID, GRID, width // GRID, GRID, channels).mean(axis=(1, 3)).astype(np.float32)
