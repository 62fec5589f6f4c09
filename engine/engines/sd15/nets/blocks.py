"""The pieces of Stable Diffusion's U-Net. Parameters are named as diffusers names them, so that public files fit."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RESIDUAL_EPSILON, ATTENTION_EPSILON = 1e-5, 1e-6     # of their GroupNorms, as the family's networks have them


def zeroed(module: nn.Module) -> nn.Module:
    """The module with all its parameters at zero, so that what it adds starts as nothing."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


class TimeEmbedding(nn.Module):
    """Time steps (n,) -> (n, 4 * width): cosines, then sines, and two layers."""

    def __init__(self, width: int):
        super().__init__()
        self.width = width
        self.linear_1 = nn.Linear(width, 4 * width)
        self.linear_2 = nn.Linear(4 * width, 4 * width)

    def forward(self, steps: Tensor) -> Tensor:
        half = self.width // 2
        rates = torch.exp(torch.arange(half, device=steps.device) * (-math.log(10000.0) / half))
        angles = steps.float()[:, None] * rates
        waves = torch.cat([angles.cos(), angles.sin()], dim=1).to(self.linear_1.weight.dtype)
        return self.linear_2(F.silu(self.linear_1(waves)))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions; GroupNorm is per frame, as frames are the batch. `level` is added between them."""

    def __init__(self, into: int, out: int, level_width: int, groups: int):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, into, RESIDUAL_EPSILON)
        self.conv1 = nn.Conv2d(into, out, 3, padding=1)
        self.time_emb_proj = nn.Linear(level_width, out)
        self.norm2 = nn.GroupNorm(groups, out, RESIDUAL_EPSILON)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(into, out, 1) if into != out else None

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """x (n, into, h, w), level (n, level_width) -> (n, out, h, w)."""
        y = self.conv1(F.silu(self.norm1(x))) + self.time_emb_proj(F.silu(level))[:, :, None, None]
        y = self.conv2(F.silu(self.norm2(y)))
        return y + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Attention(nn.Module):
    """Multi-head attention from x (n, a, width) to `seen` (n, b, seen_width)."""

    def __init__(self, width: int, heads: int, seen_width: int | None = None):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(seen_width or width, width, bias=False)
        self.to_v = nn.Linear(seen_width or width, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        def split(y: Tensor) -> Tensor:
            return y.unflatten(2, (self.heads, -1)).transpose(1, 2)
        made = F.scaled_dot_product_attention(split(self.to_q(x)), split(self.to_k(seen)), split(self.to_v(seen)))
        return self.to_out[0](made.transpose(1, 2).flatten(2))


class GatedLinear(nn.Module):
    """GEGLU (Shazeer 2020): half of the outputs, times the GELU of the other half."""

    def __init__(self, into: int, out: int):
        super().__init__()
        self.proj = nn.Linear(into, 2 * out)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.net = nn.Sequential(GatedLinear(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class TransformerBlock(nn.Module):
    """Attention of a frame to itself and to the reference, then to the image token, then a feed-forward layer."""

    def __init__(self, width: int, heads: int, token_width: int | None):
        super().__init__()
        self.norm1, self.attn1 = nn.LayerNorm(width), Attention(width, heads)
        if token_width is not None:
            self.norm2, self.attn2 = nn.LayerNorm(width), Attention(width, heads, token_width)
        self.norm3, self.ff = nn.LayerNorm(width), FeedForward(width)
        self.sees_tokens = token_width is not None

    def forward(self, x: Tensor, tokens: Tensor | None, reference: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (n, h * w, width); tokens and reference (m, ..., ...), m dividing n -> x, and its normed input.

        This block's own key and value project the reference's *normed input* (Animate Anyone; the paper keeps it).
        """
        normed = self.norm1(x)
        seen = normed if reference is None else torch.cat([normed, _for_each_frame(reference, len(x))], dim=1)
        x = x + self.attn1(normed, seen)
        if self.sees_tokens and tokens is not None:
            x = x + self.attn2(self.norm2(x), _for_each_frame(tokens, len(x)))
        return x + self.ff(self.norm3(x)), normed


class SpatialAttention(nn.Module):
    """A transformer block over the positions of each frame, between two 1x1 convolutions."""

    def __init__(self, width: int, heads: int, groups: int, token_width: int | None):
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, ATTENTION_EPSILON)
        self.proj_in = nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(width, heads, token_width)])
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, tokens: Tensor | None, reference: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (n, width, h, w) -> the same, and the features (n, h * w, width) for another net's block of this name."""
        y = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        y, features = self.transformer_blocks[0](y, tokens, reference)
        return x + self.proj_out(y.transpose(1, 2).reshape(x.shape)), features


class Downsample(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Upsample(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """size (h, w): of the level above, which is not always twice as large."""
        return self.conv(F.interpolate(x, size=size, mode="nearest"))


def _for_each_frame(features: Tensor, n: int) -> Tensor:
    """(m, tokens, c) -> (n, tokens, c): each clip's features repeated for its n / m frames."""
    return features.repeat_interleave(n // len(features), dim=0)
