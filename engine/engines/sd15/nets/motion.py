"""Attention over time at each position in the picture (AnimateDiff's motion module; the paper keeps it)."""

import math

import torch
from torch import Tensor, nn

from .blocks import ATTENTION_EPSILON, Attention, FeedForward, zeroed


def positions(count: int, width: int, device: torch.device) -> Tensor:
    """(count, width): sines in the even channels, cosines in the odd ones."""
    rates = torch.exp(torch.arange(0, width, 2, device=device) * (-math.log(10000.0) / width))
    angles = torch.arange(count, device=device)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


class MotionBlock(nn.Module):
    """Two attentions over time and a feed-forward layer."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1, self.attn1 = nn.LayerNorm(width), Attention(width, heads)
        self.norm2, self.attn2 = nn.LayerNorm(width), Attention(width, heads)
        self.norm3, self.ff = nn.LayerNorm(width), FeedForward(width)

    def forward(self, x: Tensor) -> Tensor:
        """x (positions in the picture, frames, width) -> the same."""
        places = positions(x.shape[1], x.shape[2], x.device).to(x.dtype)
        for norm, attention in ((self.norm1, self.attn1), (self.norm2, self.attn2)):
            seen = norm(x) + places
            x = x + attention(seen, seen)
        return x + self.ff(self.norm3(x))


class MotionModule(nn.Module):
    """Starts as the identity. GroupNorm is **per frame**: the family's weights were trained so, and a norm over all
    frames of a window is wrong by a few percent, which one frame alone does not show."""

    def __init__(self, width: int, heads: int, groups: int, longest: int):
        super().__init__()
        self.longest = longest
        self.norm = nn.GroupNorm(groups, width, ATTENTION_EPSILON)
        self.proj_in = nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([MotionBlock(width, heads)])
        self.proj_out = zeroed(nn.Linear(width, width))

    def forward(self, x: Tensor, clips: int) -> Tensor:
        """x (clips * frames, width, h, w) -> the same. Raises ValueError for more frames than there are positions."""
        n, width, h, w = x.shape
        if n // clips > self.longest:
            raise ValueError(f"expected at most {self.longest} frames in a window, got {n // clips}")
        y = self.norm(x).reshape(clips, n // clips, width, h * w).permute(0, 3, 1, 2).flatten(0, 1)
        y = self.proj_out(self.transformer_blocks[0](self.proj_in(y)))
        return x + y.reshape(clips, h * w, n // clips, width).permute(0, 2, 3, 1).reshape(x.shape)
