"""Noise -> the latents of a window, as the Animate Anyone family samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler
from torch import Tensor

from .nets.denoising_net import DenoisingNet

# As the published inference of the family has it: DDIM with zero terminal SNR, v-prediction, and trailing steps, so
# that the first step sees noise alone (Lin et al. 2023).
SCHEDULE = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="linear", clip_sample=False, steps_offset=1,
                prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing")


@dataclass(frozen=True)
class Appearance:
    """The character's look, once a shot. features: of the reference net; tokens (1, 1, token_width) or None, and the
    token that guidance compares with: zeros, as the family does."""

    features: dict[str, Tensor]
    tokens: Tensor | None

    @property
    def no_tokens(self) -> Tensor | None:
        return None if self.tokens is None else torch.zeros_like(self.tokens)


@dataclass(frozen=True)
class Conditions:
    """What the denoising net reads of a window, as DenoisingNet.forward has it."""

    pose: Tensor
    environment: Tensor | None = None
    masks: Tensor | None = None
    objects: list[tuple[Tensor, Tensor]] | None = None


@dataclass(frozen=True)
class Kept:
    """What is not made: latents (F, 4, h, w), and how much of each position stays (F, 1, h, w) 0..1. Held frames stay
    as a whole. Around M_f the plate stays, as long as the weights do not read the environment (masked latent blending,
    Avrahami et al. 2022). In each step it gets the noise of that step, so that the networks see one picture."""

    latents: Tensor
    share: Tensor


def scheduler() -> DDIMScheduler:
    return DDIMScheduler(**SCHEDULE)


def denoise(net: DenoisingNet, noise: Tensor, conditions: Conditions, look: Appearance, kept: Kept, *, steps: int,
            guidance: float, stepped: Callable[[], None]) -> Tensor:
    """The latents (F, 4, h, w) float32 of a window's frames, of noise of that shape. guidance 1: none. stepped() is
    called after every step, and may raise to stop."""
    ddim = scheduler()
    ddim.set_timesteps(steps)
    x = noise
    for t in ddim.timesteps:
        told = ddim.add_noise(kept.latents, noise, t[None])
        x = kept.share * told + (1 - kept.share) * x
        x = ddim.step(_velocity(net, x, int(t), conditions, look, guidance), t, x).prev_sample
        stepped()
    return kept.share * kept.latents + (1 - kept.share) * x


def _velocity(net: DenoisingNet, x: Tensor, step: int, conditions: Conditions, look: Appearance,
              guidance: float) -> Tensor:
    """With guidance, in comparison with a prediction without the reference (Ho and Salimans 2022, equation 6)."""
    kind = net.conv_in.weight.dtype
    steps = torch.full((len(x),), step, device=x.device)
    given = dict(clips=1, environment=conditions.environment, masks=conditions.masks, objects=conditions.objects)
    with_it = net(x.to(kind), steps, conditions.pose, tokens=look.tokens, reference=look.features, **given).float()
    if guidance == 1.0:
        return with_it
    without = net(x.to(kind), steps, conditions.pose, tokens=look.no_tokens, reference=None, **given).float()
    return without + guidance * (with_it - without)
