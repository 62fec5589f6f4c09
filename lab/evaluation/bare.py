"""A clip -> its frames without a network: the bare surface laid on the plate,
as it is or in a light fitted to the truth.

The fitted ones are ceilings: what a light that is right could make of this surface. Nothing but the colour is fitted.
"""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.conditions.bundle import build_reference, frame_holdout, plan_shot, plate_maps
from engine.conditions.character import frame_picture
from engine.conditions.frames import as_bits, as_float, bleed
from engine.door.answer import Host
from engine.engines.compact.engine import CompactEngine
from engine.job.subject import find_subject

from .clips import Clip, read_clip
from .generate import Made, as_given

AS_IT_IS, GAIN, LIGHT = "as it is", "gain", "light"     # one factor a channel and clip; colour x (1, normal)
COVERED = 0.5           # of the coverage and of the visible matte: what a light is fitted to


@dataclass(frozen=True)
class Laid:
    """One frame: colour and normal (h, w, 3), normal a unit vector or 0; alpha, holdout and confidence (h, w) 0..1;
    limb_warp as in Made."""

    colour: np.ndarray
    normal: np.ndarray
    alpha: np.ndarray
    holdout: np.ndarray
    confidence: np.ndarray
    limb_warp: bool


def bare(clip: Clip, host: Host[CompactEngine], light: str = AS_IT_IS) -> list[Made]:
    """The clip's frames: coverage as alpha, without what the product holds out; no shadow, and no gain except a fitted
    one."""
    laid = laid_frames(clip.folder, clip.references, host)
    if light != AS_IT_IS:
        laid = relit(laid, clip, light)
    return [_made(one) for one in laid]


@functools.lru_cache(maxsize=1)
def laid_frames(folder: Path, references: str, host: Host[CompactEngine]) -> list[Laid]:
    """Kept for the rows of one clip, which are measured one after another."""
    clip = read_clip(folder, references)
    job = as_given(clip, host)
    shot = plan_shot(folder, job)
    reference = build_reference(shot,
                                *find_subject(folder, job, find_joints=host.find_joints, emit=lambda event: None))
    return [_laid(shot, reference, number) for number in range(1, job.frames + 1)]


def relit(laid: list[Laid], clip: Clip, light: str) -> list[Laid]:
    """The frames with colours that least squares bring nearest to the truth, inside its matte and the coverage."""
    pairs = [(_terms(one, light), clip.colour("target", number), _fitted_where(one, clip.grey("matte", number)))
             for number, one in enumerate(laid, 1)]
    terms, truth = (np.concatenate([pair[k][pair[2]] for pair in pairs]).astype(np.float64) for k in (0, 1))
    if not len(terms):
        return laid
    solved = [np.linalg.lstsq(terms[:, channel], truth[:, channel], rcond=None)[0] for channel in range(3)]
    return [replace(one, colour=np.clip(np.einsum("hwck,ck->hwc", of, np.stack(solved)), 0, 1).astype(np.float32))
            for one, (of, _, _) in zip(laid, pairs, strict=True)]


def _terms(one: Laid, light: str) -> np.ndarray:
    """(h, w, 3, k): the terms whose sum each channel is."""
    colour = one.colour[..., None]
    return colour if light == GAIN else np.concatenate([colour, colour * one.normal[:, :, None, :]], axis=-1)


def _fitted_where(one: Laid, matte) -> np.ndarray:
    return (one.alpha > COVERED) & (one.holdout < 1 - COVERED) & (matte > COVERED)


def _laid(shot, reference, number) -> Laid:
    width, height = size = shot.job.size
    figure = shot.figures[number - 1] if shot.plan.present[number - 1] else None
    maps = None if figure is None else plate_maps(shot, reference, number, (0, 0, width, height))
    if figure is None:
        picture = np.zeros((height, width, 4), np.float32)
    else:
        picture = frame_picture(reference.character, maps, figure, size)
    normal = np.zeros((height, width, 3), np.float32) if maps is None else maps.normal
    alpha = np.ascontiguousarray(picture[..., 3])
    whole = np.maximum(alpha, 1e-3)[..., None]
    holdout = frame_holdout(shot, number, maps, (0, 0, width, height))
    return Laid(bleed(picture[..., :3] / whole, alpha), normal / whole, alpha,
                np.zeros_like(alpha) if holdout is None else holdout,
                np.zeros_like(alpha) if maps is None else maps.confidence / whole[..., 0],
                figure is not None and maps is None)


def _made(one: Laid) -> Made:
    """Rounded to 8 bits, as the product's layers are."""
    def layer(alpha):
        return as_float(as_bits(np.dstack([one.colour, alpha])))
    character = layer(np.minimum(one.alpha, 1 - one.holdout))
    return Made(character, np.ones_like(one.colour), layer(one.alpha), character[..., 3], one.limb_warp)
