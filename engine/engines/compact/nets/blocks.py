"""The pieces both U-Nets are built of: residual block, spatial attention, and the changes of scale."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def zeroed(module: nn.Module) -> nn.Module:
    """The module with all its parameters at zero, so that a residual branch starts as the identity."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def groups(channels: int) -> int:
    """The largest of 16, 8, 4 that divides the channels evenly."""
    return next(g for g in (16, 8, 4) if channels % g == 0)


class ResBlock(nn.Module):
    """Two 3x3 convolutions with GroupNorm per frame; `level` scales and shifts the second norm (FiLM)."""

    def __init__(self, into: int, out: int, level_width: int = 0):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups(into), into)
        self.conv1 = nn.Conv2d(into, out, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups(out), out)
        self.conv2 = zeroed(nn.Conv2d(out, out, 3, padding=1))
        self.level = nn.Linear(level_width, 2 * out) if level_width else None
        self.skip = nn.Conv2d(into, out, 1) if into != out else nn.Identity()

    def forward(self, x: Tensor, level: Tensor | None = None) -> Tensor:
        """x (n, into, h, w), level (n, level_width) -> (n, out, h, w)."""
        y = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.level is not None:
            scale, shift = self.level(level)[:, :, None, None].chunk(2, dim=1)
            y = y * (1 + scale) + shift
        return self.skip(x) + self.conv2(F.silu(y))


def attend(q: Tensor, k: Tensor, v: Tensor, head_width: int) -> Tensor:
    """Multi-head attention: q (n, a, c), k and v (n, b, c) -> (n, a, c)."""
    def split(x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1], -1, head_width).transpose(1, 2)
    heads = split(q), split(k), split(v)
    # many short sequences: more than the fused kernels' grid can take
    if q.is_cuda and len(q) * heads[0].shape[1] > 65535:
        y = (heads[0] @ heads[1].transpose(-1, -2) / head_width ** 0.5).softmax(dim=-1) @ heads[2]
    else:
        y = F.scaled_dot_product_attention(*heads)
    return y.transpose(1, 2).reshape(q.shape)


class SpatialAttention(nn.Module):
    """Self-attention over the tokens of a frame and of the reference, then a feed-forward layer.

    This block's own key and value project the *normed inputs* of the reference net's block of the same name (Animate
    Anyone; the paper keeps this).
    """

    def __init__(self, channels: int, head_width: int):
        super().__init__()
        self.head_width = head_width
        self.norm1 = nn.LayerNorm(channels)
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.out = zeroed(nn.Linear(channels, channels))
        self.norm2 = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, 4 * channels)
        self.narrow = zeroed(nn.Linear(4 * channels, channels))

    def forward(self, x: Tensor, reference: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (n, c, h, w), reference (m, tokens, c) with m dividing n -> (n, c, h, w) and the normed tokens."""
        n, c, h, w = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        normed = self.norm1(tokens)
        key, value = self.key(normed), self.value(normed)
        if reference is not None:
            key = torch.cat([key, self._for_each_frame(self.key(reference), n)], dim=1)
            value = torch.cat([value, self._for_each_frame(self.value(reference), n)], dim=1)
        tokens = tokens + self.out(attend(self.query(normed), key, value, self.head_width))
        tokens = tokens + self.narrow(F.gelu(self.widen(self.norm2(tokens)), approximate="tanh"))
        return tokens.transpose(1, 2).reshape(n, c, h, w), normed

    @staticmethod
    def _for_each_frame(features: Tensor, n: int) -> Tensor:
        """(m, tokens, c) -> (n, tokens, c): each clip's features repeated for its n / m frames."""
        m, tokens, c = features.shape
        return features[:, None].expand(m, n // m, tokens, c).reshape(n, tokens, c)


class Fold(nn.Module):
    """Folds 2x2 pixels into channels and convolves: halves the scale without dropping anything."""

    def __init__(self, into: int, out: int):
        super().__init__()
        self.conv = nn.Conv2d(into * 4, out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pixel_unshuffle(x, 2))


class Unfold(nn.Module):
    """Convolves and unfolds channels into 2x2 pixels: doubles the scale, and the convolution costs only as much as at
    the smaller scale."""

    def __init__(self, into: int, out: int, kernel: int = 3):
        super().__init__()
        self.conv = nn.Conv2d(into, out * 4, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(x), 2)
