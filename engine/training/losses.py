"""What the stages minimise."""

import torch
from torch import Tensor
from torch.nn import functional as F

# Matte and shadow are two of five channels, but their edges are what an artist sees first (ours).
CHANNEL_WEIGHT = (1.0, 1.0, 1.0, 2.0, 2.0)


def picture_loss(made: Tensor, true: Tensor, weight: Tensor | None = None) -> Tensor:
    """Absolute difference plus that of neighbouring pixels' steps, which keeps edges; (n, 5, h, w), weight (n, 1, h, w)."""
    channel = torch.tensor(CHANNEL_WEIGHT, device=made.device, dtype=made.dtype)[:, None, None]
    weight = channel if weight is None else channel * weight
    error = made - true
    across, down = error.diff(dim=3).abs(), error.diff(dim=2).abs()
    wide, tall = (weight.expand_as(error)[..., :, 1:], weight.expand_as(error)[..., 1:, :])
    return ((weight * error.abs()).mean() + (wide * across).mean() + (tall * down).mean())


def latent_loss(made: Tensor, true: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """Weighted squared error of x0 (method notes, section 5); latents (n, c, h, w), weight (n, 1, 4h, 4w).

    `scale` (c,) is the encoder's: a channel counts by how far it moves pixels, but by the square root of that, since the
    faint ones are the edges (ours; all alike, a third of the gradient goes into texture that nobody can predict).
    """
    channel = 1 / scale
    small = F.avg_pool2d(weight, 4) * (channel / channel.mean())[:, None, None]
    return (small * (made - true) ** 2).sum() / small.sum()
