"""A window's conditions and the net -> the clean latents of its frames."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ...noise import window_noise
from ...windows import Window
from .guidance import guided
from .samplers import ddim_step
from .schedule import Schedule, levels

# The grey behind the warp where no limb covers the frame, and of the empty reference of guidance (as in training).
GREY = 0.5


@dataclass(frozen=True)
class Appearance:
    """The character's look: the features of the reference. Guidance compares them with `without`, the features of an
    empty picture, and `empty_warp`, its latents (1, h, w, c). Both are None if guidance is not used."""

    features: Any
    without: Any | None = None
    empty_warp: np.ndarray | None = None


@dataclass(frozen=True)
class Conditions:
    """What the net reads for one window: arrays and features as in engines/compact/runtimes/base.py."""

    environment: np.ndarray
    masks: np.ndarray
    warp: np.ndarray
    coverage: np.ndarray
    pose: Any
    objects: Any
    maps: np.ndarray | None = None


@dataclass(frozen=True)
class Sampling:
    """How to denoise: with noise from `seed`, in `steps` steps along `schedule`. A `guidance` of 1 means none."""

    schedule: Schedule
    steps: int
    seed: int
    guidance: float = 1.0


def encode_reference(runtime, picture, skeleton, guidance: float = 1.0) -> Appearance:
    """The reference (H, W, 3) and its skeleton (H, W, 3; zeros if no joints are known) -> Appearance, once per shot."""
    features = runtime.reference(picture, skeleton)
    if guidance == 1.0:
        return Appearance(features)
    empty = np.full_like(picture, GREY)
    return Appearance(features, runtime.reference(empty, np.zeros_like(skeleton)),
                      runtime.encode(five_channels(empty[None])))


def encode_conditions(runtime, bundle) -> Conditions:
    """A window's pictures (conditions/bundle.py: Bundle) -> latents and features (paper 3.2 to 3.4; the warp is
    ours)."""
    coverage = bundle.warp[..., 3:]
    warp = bundle.warp[..., :3] + GREY * (1.0 - coverage)
    return Conditions(
        environment=runtime.encode(five_channels(bundle.environment)),
        masks=np.concatenate([bundle.region, bundle.known], axis=-1),
        warp=runtime.encode(five_channels(warp, coverage)),
        coverage=coverage,
        pose=runtime.pose(bundle.skeleton, bundle.depth),
        objects=runtime.objects(_encode_objects(runtime, bundle), bundle.objects),
        maps=bundle.maps if bundle.maps.shape[-1] else None)


def denoise_window(runtime, window: Window, conditions: Conditions, appearance: Appearance, sampling: Sampling, *,
                   before, after=None,
                   after_step=lambda: None) -> tuple[np.ndarray, np.ndarray | None]:
    """The latents (made frames, h, w, c) of the frames that this window makes, and the net's output about the surface
    in the last step, of the frames before too (frames, h/2, w/2, heads.CHANNELS), or None.

    before, after: clean latents of window.before and window.after (None if there are none). The net sees them too, at
    level 0. after_step is called after every step and may raise to stop.
    """
    shape = conditions.environment.shape[1:]
    x = window_noise(sampling.seed, window.made, shape)
    before, after = (np.zeros((0, *shape), np.float32) if fixed is None else fixed for fixed in (before, after))
    for name, fixed, wanted in (("before", before, window.before), ("after", after, window.after)):
        if len(fixed) != len(wanted):
            raise ValueError(f"{name}: expected {len(wanted)} frames of latents, got {len(fixed)}")
    made = slice(len(before), len(before) + len(x))
    grid, heads = levels(sampling.steps), None
    for t, s in pairwise(grid):
        per_frame = np.concatenate([np.zeros(len(before)), np.full(len(x), t), np.zeros(len(after))]).astype(np.float32)
        x0, heads = _predict(runtime, np.concatenate([before, x, after]), per_frame, conditions, appearance,
                             sampling.guidance)
        x = ddim_step(x, x0[made], t, s, sampling.schedule)
        after_step()
    return x, None if heads is None else heads[:made.stop]


def five_channels(pictures, matte=None) -> np.ndarray:
    """(F, H, W, 3), with the given matte (F, H, W, 1) or 0, and a shadow of 1 -> (F, H, W, 5)."""
    matte = np.zeros_like(pictures[..., :1]) if matte is None else matte
    return np.concatenate([pictures, matte, np.ones_like(pictures[..., :1])], axis=-1)


def _encode_objects(runtime, bundle) -> np.ndarray:
    """Latents of the plate under M_o (paper 3.3); windows without objects encode one empty picture for all frames."""
    if bundle.objects.any():
        return runtime.encode(five_channels(bundle.plate * bundle.objects))
    return np.repeat(runtime.encode(five_channels(np.zeros_like(bundle.plate[:1]))), len(bundle.plate), axis=0)


def _predict(runtime, noisy, per_frame, conditions, appearance, guidance) -> tuple:
    shared = dict(environment=conditions.environment, masks=conditions.masks, pose=conditions.pose,
                objects=conditions.objects, maps=conditions.maps)
    x0, heads = runtime.denoise(noisy, per_frame, warp=conditions.warp, coverage=conditions.coverage,
                         reference=appearance.features, **shared)
    if appearance.without is None:
        return x0, heads
    without, _ = runtime.denoise(noisy, per_frame, warp=np.repeat(appearance.empty_warp, len(noisy), axis=0),
                              coverage=np.zeros_like(conditions.coverage), reference=appearance.without, **shared)
    return guided(x0, without, guidance), heads
