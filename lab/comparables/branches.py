"""A picture of the pose (or of the place) -> what is added to the latents after the first convolution: the light pose
guider that all these methods have in one form or another."""

import torch
from torch import Tensor, nn

from engine.engines.compact.nets.blocks import SpatialAttention, Unfold, zeroed
from engine.engines.compact.nets.pose_guider import PictureEncoder
from engine.engines.compact.nets.sizes import Sizes


class Branch(nn.Module):
    """Pictures (n, channels, H, W) -> (n, widths[0], H/8, W/8), 0 at the start, as the pose guider without its
    modulation."""

    def __init__(self, channels: int, sizes: Sizes):
        super().__init__()
        width = sizes.pose_width
        self.encoder = PictureEncoder(channels, width)
        self.grow = Unfold(width, width // 2)
        self.merge = zeroed(nn.Conv2d(width, sizes.widths[0], 3, padding=1))

    def forward(self, pictures: Tensor) -> Tensor:
        fine, coarse = self.encoder(pictures)
        return self.merge(torch.cat([fine, self.grow(self.attended(coarse))], dim=1))

    def attended(self, coarse: Tensor) -> Tensor:
        """(n, width, H/16, W/16): what a subclass asks the whole picture for."""
        return coarse


class AttendedBranch(Branch):
    """The same with self-attention at a sixteenth."""

    def __init__(self, channels: int, sizes: Sizes):
        super().__init__(channels, sizes)
        self.attention = SpatialAttention(sizes.pose_width, sizes.head_width)

    def attended(self, coarse: Tensor) -> Tensor:
        return self.attention(coarse)[0]
