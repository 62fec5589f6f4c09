"""Stage three: spans of frames. The temporal layers and the pose guider's 3D convolution start to learn, the rest
continues."""

import torch
from torch import Tensor

from engine.engines.compact.nets.model import Model

from .loop import Recipe
from .losses import seen_loss, show_linearly
from .stage_image import add_noise, compare, finish, picture_of, predict, prepare, truth_and_noise

RECIPE = Recipe("motion", trained=("reference_net.", "pose_guider.", "object_guider.", "denoising_net."),
                learning_rate=3e-4, batch=2, frames=8, average_over=200)
AT_FULL_NOISE = 0.85  # of the draws: while a net is young, its first step is its best, and the one that ships (ours)
FIXED = 0.5  # of the windows begin with frames already made: clean latents at level 0
MOST_FIXED = 2
STEP_WEIGHT = 0.5  # of the loss on the change from frame to frame (ours: flicker is an error of differences)

__all__ = ["RECIPE", "finish", "loss_of", "picture_of", "prepare"]


def loss_of(model: Model, batch: dict, generator: torch.Generator, progress: float, predict=predict,
            share: float = FIXED) -> tuple[Tensor, dict]:
    """predict(model, batch, noisy, levels) -> x0, for other networks; share: of the windows that begin with frames
    already made."""
    clips, frames = batch["target"].shape[:2]
    true, noise = truth_and_noise(model, batch, generator)
    levels, fixed = levels_of((clips, frames), AT_FULL_NOISE, share, generator, true.device)
    made = predict(model, batch, add_noise(true, noise, levels), levels)
    loss, figures = compare(model, batch, made, true, levels == 1, (~fixed).flatten())
    error = show_linearly(made - true, model.decoder).unflatten(0, (clips, frames)).diff(dim=1).flatten(0, 1)
    steps = seen_loss(error, torch.zeros_like(error), batch["weight"][:, 1:].flatten(0, 1))
    return loss + STEP_WEIGHT * steps, figures | {"steps": steps.detach()}


def levels_of(shape: tuple[int, int], at_full_noise: float, share: float, generator: torch.Generator,
              device) -> tuple[Tensor, Tensor]:
    """(clips * frames,) levels, one for the frames of a window that are being made, as at inference; and (clips,
    frames) bool, which frames are already made, at level 0."""
    clips, frames = shape
    chance, level, fixed, most = torch.rand(4, clips, 1, generator=generator, device=device)
    levels = torch.where(chance < at_full_noise, torch.ones_like(level), level).repeat(1, frames)
    first = torch.where(fixed < share, (most * MOST_FIXED).floor() + 1, torch.zeros_like(most)).clamp(max=frames - 1)
    made = torch.arange(frames, device=device) < first
    return levels.masked_fill(made, 0.0).flatten(), made
