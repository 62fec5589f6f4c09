"""A row's networks and a shot's conditions -> the pictures of the shot, in the way the idea joins its windows."""

from collections.abc import Callable

import torch
from torch import Tensor

from engine.engines.noise import window_noise
from engine.engines.windows import plan

from .idea import HANDED_ON, PROGRESSIVE

WINDOW = 8      # frames, as the shipped pack's
OF_THE_CLIP = ("reference", "reference_skeleton")   # of a batch; all others are of frames


def pictures(model, batch: dict[str, Tensor], seed: int, numbers: range) -> Tensor:
    """(frames, 5, H, W) 0..1 of a batch with one clip, whose frames have these `numbers` (1..N) in a row. One step from
    noise, as the product's default."""
    with torch.inference_mode():
        if not hasattr(model, "predict"):      # no diffusion: frame by frame
            return torch.cat([model.first_guess(taken(batch, range(k, k + 1))) for k in range(len(numbers))])
        height, width = batch["skeleton"].shape[-2:]
        shape = model.sizes.latent_channels, height // 4, width // 4
        noise = torch.from_numpy(window_noise(seed, numbers, shape))

        def predict(frames: range, before: Tensor) -> Tensor:
            """x0 of the frames (0..), of which the first ones are made: `before` (k, c, h, w)."""
            noisy = torch.cat([before, noise[frames.start + len(before):frames.stop]])
            levels = torch.ones(len(noisy))
            levels[:len(before)] = 0.0
            return model.predict(taken(batch, frames), noisy, levels)[len(before):]

        joined = handed_on if model.joined == HANDED_ON else fused
        latents = joined(predict, noise, model)
        return torch.cat([model.decoder(one[None]) for one in latents])


def handed_on(predict: Callable, noise: Tensor, model) -> Tensor:
    """Each window begins with the last `overlap` frames of the one before, clean."""
    made = noise[:0]
    for window in plan(range(1, len(noise) + 1), WINDOW, model.overlap):
        made = torch.cat([made, predict(range(window.first - 1, window.stop - 1), made[window.first - 1:])])
    return made


def fused(predict: Callable, noise: Tensor, model) -> Tensor:
    """Windows that overlap, each made by itself, and the weighted mean where two of them make a frame."""
    total, weight = torch.zeros_like(noise), torch.zeros(len(noise), 1, 1, 1)
    for frames in overlapping(len(noise), WINDOW, model.overlap):
        each = shares(frames, len(noise), model.overlap, model.joined == PROGRESSIVE)
        share = torch.tensor(each)[:, None, None, None]
        total[frames.start:frames.stop] += share * predict(frames, noise[:0])
        weight[frames.start:frames.stop] += share
    return total / weight


def overlapping(count: int, size: int, overlap: int) -> list[range]:
    """Ranges of at most `size` frames (0..count-1), each `overlap` frames into the one before."""
    starts = range(0, max(count - overlap, 1), size - overlap)
    return [range(start, min(start + size, count)) for start in starts]


def shares(frames: range, count: int, overlap: int, progressive: bool) -> list[float]:
    """How much each frame of a window counts: alike, or progressively less towards an end that another window
    shares."""
    if not progressive:
        return [1.0] * len(frames)
    inwards = [k - frames.start + 1 if frames.start else overlap + 1 for k in frames]
    outwards = [frames.stop - k if frames.stop < count else overlap + 1 for k in frames]
    return [min(a, b, overlap + 1) / (overlap + 1) for a, b in zip(inwards, outwards, strict=True)]


def taken(batch: dict[str, Tensor], frames: range) -> dict[str, Tensor]:
    """The batch with these of its frames (0..)."""
    return {name: tensor if name in OF_THE_CLIP else tensor[:, frames.start:frames.stop]
            for name, tensor in batch.items()}
