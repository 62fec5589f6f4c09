"""Idea of DisCo: branches.

Pose and background are controlled by two branches that know nothing of each other; the reference enters as image tokens
by cross-attention, and there is no reference net (Wang 2023, "DisCo: Disentangled Control for Realistic Human Dance
Generation", arXiv 2307.00040). Its two ControlNets are two light branches here, and an encoder of our own stands for
CLIP, whose public weights no row has (ours). Temporal layers as in the other rows.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from engine.engines.compact.nets.blocks import Fold, SpatialAttention, attend, zeroed
from engine.engines.compact.nets.pose_guider import PictureEncoder
from engine.engines.compact.nets.temporal import sinusoid

from .branches import Branch
from .idea import Idea
from .plain_net import PlainNet


class DisCo(Idea):
    environment = True

    def __init__(self, sizes):
        super().__init__(replace(sizes, reference_blocks="everywhere", reference_skeleton=False, environment=False,
                                 warp=False, blending="off", surface=False))
        self.tokens = ImageTokens(self.sizes.pose_width)
        self.pose, self.background = Branch(3, self.sizes), Branch(5, self.sizes)
        self.net = PlainNet(self.sizes)
        for name, block in self.net.attention.items():
            self.net.attention[name] = TokenAttention(block.query.in_features, self.sizes.head_width,
                                                      self.sizes.pose_width)

    def predict(self, batch, noisy, levels):
        place = torch.cat([batch["environment"][:, :, :3], batch["masks"]], dim=2).flatten(0, 1)
        added = self.pose(batch["skeleton"].flatten(0, 1)) + self.background(place)
        tokens = self.tokens(batch["reference"][:, :3])
        return self.net.paint(noisy, levels, added, len(batch["skeleton"]), [tokens] * len(self.net.attention))


class ImageTokens(nn.Module):
    """A picture (m, 3, H, W) -> tokens (m, H/32 * W/32, width) with their places."""

    def __init__(self, width: int):
        super().__init__()
        self.encoder, self.fold = PictureEncoder(3, width), Fold(width, width)

    def forward(self, pictures: Tensor) -> Tensor:
        tokens = self.fold(self.encoder(pictures)[1]).flatten(2).transpose(1, 2)
        return tokens + sinusoid(torch.arange(tokens.shape[1], device=tokens.device), tokens.shape[2]).to(tokens.dtype)


class TokenAttention(SpatialAttention):
    """A frame's tokens ask one another, then the reference's image tokens; the second starts at zero."""

    def __init__(self, channels: int, head_width: int, token_width: int):
        super().__init__(channels, head_width)
        self.norm3 = nn.LayerNorm(channels)
        self.ask = nn.Linear(channels, channels)
        self.token_key, self.token_value = nn.Linear(token_width, channels), nn.Linear(token_width, channels)
        self.answer = zeroed(nn.Linear(channels, channels))

    def forward(self, x: Tensor, reference: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x, normed = super().forward(x)
        if reference is None:
            return x, normed
        tokens = x.flatten(2).transpose(1, 2)
        key, value = (self._for_each_frame(of(reference), len(x)) for of in (self.token_key, self.token_value))
        told = self.answer(attend(self.ask(self.norm3(tokens)), key, value, self.head_width))
        return x + told.transpose(1, 2).reshape(x.shape), normed
