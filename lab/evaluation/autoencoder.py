"""A clip's true pictures through the autoencoder alone: what no denoiser with these latents could do better than."""

import numpy as np

from engine.engines.compact.denoise.clip import five_channels

from .clips import Clip
from .pictures import psnr_over
from .regions import Regions


def autoencoder_psnr(runtime, clip: Clip, regions: list[Regions], numbers) -> float:
    """Decibels inside the character, over the frames `numbers` (0..N-1); the clip's size has to divide by sixteen, as
    the networks' crops do."""
    pairs = []
    for k in numbers:
        target = clip.colour("target", k + 1)
        matte = clip.grey("matte", k + 1)[..., None]
        made = runtime.decode(runtime.encode(five_channels(target[None], matte[None])))[0, ..., :3]
        pairs.append((np.clip(made, 0, 1), target, regions[k].character))
    return psnr_over(pairs)
