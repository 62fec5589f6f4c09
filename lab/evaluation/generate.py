"""A clip and weights -> the frames that the product makes of it, in a job folder of their own that a second run reuses."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.door.answer import Engine
from engine.conditions.bundle import plan_shot
from engine.conditions.crop import put_back
from engine.conditions.frames import as_bits, as_float, read_picture, write_picture
from engine.contract import events
from engine.contract import folder as files
from engine.contract import job as jobs
from engine.engines.compact.denoise.clip import five_channels
from engine.job.run import run
from .clips import Clip

DECODED = "decoded"  # what the networks painted, RGB and matte in the crop, before holdouts: for object_psnr and matte_iou


@dataclass(frozen=True)
class Made:
    """One frame, 0..1 in the job's pixels: character (h, w, 4) and shadow (h, w, 3) as the product wrote them; picture
    (h, w, 3) and matte (h, w) as the networks gave them, before holdouts, 0 outside the crop; matte None where the weights
    learnt none."""

    character: np.ndarray
    shadow: np.ndarray
    picture: np.ndarray
    matte: np.ndarray | None


def generate(clip: Clip, engine: Engine, folder: Path, *, alone: bool = False) -> list[Made]:
    """The clip's frames, made by the very run of the product; finished ones are reused.

    alone: the paper's pasted baseline (table 3): the character is made for the clean plate but with an empty environment.
    """
    job = _prepare(clip, folder, alone)
    runtime = Recorder(EmptyEnvironment(engine.runtime) if alone else engine.runtime, folder)
    run(str(folder), engine.pack, runtime, emit=runtime.hear, find_joints=engine.find_joints)
    crops = plan_shot(str(folder), job, engine.pack.manifest.mask).plan.crops
    has_matte = engine.pack.manifest.matte_and_shadow
    return [_read(folder, number, crop, job.size, has_matte) for number, crop in enumerate(crops, 1)]


def _prepare(clip: Clip, folder: Path, alone: bool) -> jobs.Job:
    """A job folder with the clip's inputs linked. What is put on afterwards to match the plate's film and lens stays off:
    the networks are measured."""
    job = replace(clip.job, settings=replace(clip.job.settings, grain=False, blur=False), clean_plate=clip.job.clean_plate or alone)
    for kind in (files.MASK, files.OBJECTS, files.DEPTH):
        _link_all(clip.folder / kind, folder / kind)
    _link_all(clip.folder / ("clean" if alone else files.SOURCE), folder / files.SOURCE)
    for name in (files.POSE, job.reference.file):
        _link(clip.folder / name, folder / name)
    jobs.write(folder, job)
    return job


def _link_all(source: Path, target: Path) -> None:
    for path in sorted(source.glob("*.png")) if source.is_dir() else ():
        _link(path, target / path.name)


def _link(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the disk knows no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _read(folder: Path, number: int, crop, size, has_matte: bool) -> Made:
    def stored(kind):
        return as_float(read_picture(files.picture(folder, kind, number)))
    passed = not os.path.exists(files.picture(folder, DECODED, number))  # nobody is in the frame
    decoded = np.zeros((size[1], size[0], 4), np.float32) if passed else put_back(stored(DECODED), crop, size)
    return Made(stored(files.FRAMES), stored(files.SHADOW), decoded[..., :3], decoded[..., 3] if has_matte else None)


class Recorder:
    """A runtime that keeps what another one decodes, frame by frame, and the ear that hears which frame it was."""

    def __init__(self, runtime, folder: Path):
        self._runtime, self._folder, self._decoded = runtime, folder, None

    def __getattr__(self, name):
        return getattr(self._runtime, name)

    def decode(self, latents):
        self._decoded = self._runtime.decode(latents)
        return self._decoded

    def hear(self, event) -> None:
        """Called by the run after each frame; a frame that was reused has decoded nothing."""
        if isinstance(event, events.Frame) and self._decoded is not None:
            write_picture(files.picture(self._folder, DECODED, event.number), as_bits(self._decoded[0, ..., :4]))
            self._decoded = None


class EmptyEnvironment:
    """A runtime whose networks see nothing of the plate: all of the crop is to be painted, and nothing is known."""

    def __init__(self, runtime):
        self._runtime, self._empty = runtime, None

    def __getattr__(self, name):
        return getattr(self._runtime, name)

    def denoise(self, noisy, levels, environment, masks, **told):
        if self._empty is None or self._empty.shape[1:] != environment.shape[1:]:
            height, width = masks.shape[1:3]
            self._empty = self._runtime.encode(five_channels(np.zeros((1, height, width, 3), np.float32)))
        nothing = np.stack([np.ones_like(masks[..., 0]), np.zeros_like(masks[..., 1])], axis=-1)
        return self._runtime.denoise(noisy, levels, np.repeat(self._empty, len(environment), axis=0), nothing, **told)
