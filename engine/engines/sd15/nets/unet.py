"""Stable Diffusion 1.5's U-Net, which the reference net and the denoising net share: its layout and its walk."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import (
    RESIDUAL_EPSILON,
    Downsample,
    ResidualBlock,
    SpatialAttention,
    TimeEmbedding,
    Upsample,
)
from .motion import MotionModule
from .sizes import Sizes

LATENT_CHANNELS = 4


def _as_it_is(name: str, x: Tensor) -> Tensor:
    return x


@dataclass
class Told:
    """What the blocks are told on the way. tokens (m, 1, token_width) or None; reference: the features that attention
    blocks read, by name; written: where they leave theirs; clips: how many windows the frames belong to; blend: called
    after the last spatial attention of a block, with the block's name."""

    tokens: Tensor | None = None
    reference: dict[str, Tensor] = field(default_factory=dict)
    written: dict[str, Tensor] | None = None
    clips: int = 1
    blend: Callable[[str, Tensor], Tensor] = _as_it_is


class Block(nn.Module):
    """One level: residual blocks, each with spatial attention and a motion module where the level has them."""

    downsamplers: nn.ModuleList     # of one layer each; the last level of each way has none
    upsamplers: nn.ModuleList

    def __init__(self, sizes: Sizes, name: str, into: list[int], width: int, *, attention: int, motion: bool):
        """into: channels that each residual block gets; attention: how many spatial attentions there are."""
        super().__init__()
        self.name = name
        level = 4 * sizes.widths[0]
        tokens = sizes.token_width if sizes.image_attention else None
        if attention:
            self.attentions = nn.ModuleList([SpatialAttention(width, sizes.heads, sizes.groups, tokens)
                                             for _ in range(attention)])
        self.resnets = nn.ModuleList([ResidualBlock(c, width, level, sizes.groups) for c in into])
        if motion:
            self.motion_modules = nn.ModuleList([MotionModule(width, sizes.heads, sizes.groups, sizes.longest)
                                                 for _ in range(attention or len(into))])

    def attend(self, k: int, x: Tensor, told: Told) -> Tensor:
        """The k-th spatial attention, the blending after the last, and the motion module."""
        last = len(self.resnets) - 1
        if hasattr(self, "attentions"):
            last, name = len(self.attentions) - 1, f"{self.name}.attentions.{k}"
            x, features = self.attentions[k](x, told.tokens, told.reference.get(name))
            if told.written is not None:
                told.written[name] = features
        if k == last:
            x = told.blend(self.name, x)
        return self.motion_modules[k](x, told.clips) if hasattr(self, "motion_modules") else x


class UNet(nn.Module):
    """motion: with motion modules; ends: with the layers that make latents of the last features."""

    def __init__(self, sizes: Sizes, *, motion: bool, ends: bool):
        super().__init__()
        self.sizes = sizes
        widths, layers, deepest = sizes.widths, sizes.layers, len(sizes.widths) - 1
        self.conv_in = nn.Conv2d(LATENT_CHANNELS, widths[0], 3, padding=1)
        self.time_embedding = TimeEmbedding(widths[0])
        self.down_blocks, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        skips, width = [widths[0]], widths[0]
        for i, out in enumerate(widths):
            block = Block(sizes, f"down_blocks.{i}", [width] + [out] * (layers - 1), out,
                          attention=layers if i < deepest else 0, motion=motion)
            skips += [out] * layers
            if i < deepest:
                block.downsamplers = nn.ModuleList([Downsample(out)])
                skips.append(out)
            self.down_blocks.append(block)
            width = out
        self.mid_block = Block(sizes, "mid_block", [width, width], width, attention=1, motion=motion)
        for i, out in enumerate(reversed(widths)):
            into = [(width if k == 0 else out) + skips.pop() for k in range(layers + 1)]
            block = Block(sizes, f"up_blocks.{i}", into, out, attention=layers + 1 if i else 0, motion=motion)
            if i < deepest:
                block.upsamplers = nn.ModuleList([Upsample(out)])
            self.up_blocks.append(block)
            width = out
        if ends:
            self.conv_norm_out = nn.GroupNorm(sizes.groups, width, RESIDUAL_EPSILON)
            self.conv_out = nn.Conv2d(width, LATENT_CHANNELS, 3, padding=1)

    def walk(self, x: Tensor, steps: Tensor, told: Told) -> Tensor:
        """x (n, widths[0], h, w) after conv_in, steps (n,) 0..999 -> the last features (n, widths[0], h, w)."""
        level, skips = self.time_embedding(steps), [x]
        for block in cast(Iterable[Block], self.down_blocks):
            for k, resnet in enumerate(block.resnets):
                x = block.attend(k, resnet(x, level), told)
                skips.append(x)
            if hasattr(block, "downsamplers"):
                x = block.downsamplers[0](x)
                skips.append(x)
        first, second = self.mid_block.resnets
        x = second(self.mid_block.attend(0, first(x, level), told), level)
        for block in cast(Iterable[Block], self.up_blocks):
            for k, resnet in enumerate(block.resnets):
                x = block.attend(k, resnet(torch.cat([x, skips.pop()], dim=1), level), told)
            if hasattr(block, "upsamplers"):
                x = block.upsamplers[0](x, skips[-1].shape[2:])
        return x

    def latents_of(self, x: Tensor) -> Tensor:
        """The last features -> (n, LATENT_CHANNELS, h, w)."""
        return self.conv_out(F.silu(self.conv_norm_out(x)))
