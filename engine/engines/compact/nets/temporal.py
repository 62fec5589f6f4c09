"""Attention over time at each position in the picture (AnimateDiff's layout; the paper keeps it)."""

import math

import torch
from torch import Tensor, nn

from .blocks import attend, zeroed


def sinusoid(positions: Tensor, channels: int) -> Tensor:
    """(n,) positions -> (n, channels) sine and cosine of falling frequencies."""
    half = channels // 2
    steps = torch.exp(torch.arange(half, device=positions.device, dtype=torch.float32) * (-math.log(10000.0) / half))
    angles = positions.float()[:, None] * steps
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class TemporalAttention(nn.Module):
    """Every position attends to itself in all frames of the window. It starts as the identity.

    LayerNorm over channels, so that the norm of a frame does not depend on its neighbours.
    """

    def __init__(self, channels: int, head_width: int):
        super().__init__()
        self.head_width = head_width
        self.norm = nn.LayerNorm(channels)
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.out = zeroed(nn.Linear(channels, channels))

    def forward(self, x: Tensor, clips: int) -> Tensor:
        """x (clips * frames, c, h, w) -> the same shape."""
        n, c, h, w = x.shape
        frames = n // clips
        tokens = x.reshape(clips, frames, c, h * w).permute(0, 3, 1, 2).reshape(clips * h * w, frames, c)
        normed = self.norm(tokens) + sinusoid(torch.arange(frames, device=x.device), c).to(x.dtype)
        tokens = self.out(attend(self.query(normed), self.key(normed), self.value(normed), self.head_width))
        return x + tokens.reshape(clips, h * w, frames, c).permute(0, 2, 3, 1).reshape(n, c, h, w)
