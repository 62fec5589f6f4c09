"""Pose features with depth-wise pose modulation (paper 3.4): cross-attention from the skeleton to the structured depth,
then smoothing over time."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import Fold, Unfold, attend, zeroed
from .sizes import Sizes


class PictureEncoder(nn.Module):
    """(n, c, H, W) -> features at an eighth (n, width/2, ...) and at a sixteenth (n, width, ...)."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.conv_in = nn.Conv2d(channels * 16, width // 2, 3, padding=1)
        self.fold1 = Fold(width // 2, width // 2)
        self.fold2 = Fold(width // 2, width)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        x = F.silu(self.conv_in(F.pixel_unshuffle(pictures, 4)))
        fine = F.silu(self.fold1(x))
        return fine, F.silu(self.fold2(fine))


class PoseGuider(nn.Module):
    """Skeletons and structured depth of a window -> features added after the denoising net's conv_in.

    The attention and the 3D convolution end in zeroed layers, so that training starts from the plain pose guider.
    """

    def __init__(self, sizes: Sizes):
        super().__init__()
        width = sizes.pose_width
        self.head_width = sizes.head_width
        self.modulated = sizes.pose_modulation
        self.skeleton = PictureEncoder(3, width)
        self.depth = PictureEncoder(1, width)
        self.query = nn.Conv2d(width, width, 1)
        self.key = nn.Conv2d(width, width, 1)
        self.value = nn.Conv2d(width, width, 1)
        self.out = zeroed(nn.Conv2d(width, width, 1))
        self.over_time = nn.Conv3d(width, width // 2, 3, padding=1)
        self.after_time = zeroed(nn.Conv3d(width // 2, width, 1))
        self.grow = Unfold(width, width // 2)
        self.merge = zeroed(nn.Conv2d(width, sizes.widths[0], 3, padding=1))

    def forward(self, skeleton: Tensor, depth: Tensor, clips: int) -> Tensor:
        """skeleton (n, 3, H, W), depth (n, 1, H, W) 0..1, n = clips * frames -> (n, widths[0], H/8, W/8)."""
        fine, coarse = self.skeleton(skeleton)
        if self.modulated:
            coarse = coarse + self.out(self._ask(coarse, self.depth(depth)[1]))
            coarse = coarse + self._smooth(coarse, clips)
        return self.merge(torch.cat([fine, self.grow(coarse)], dim=1))

    def _ask(self, skeleton: Tensor, depth: Tensor) -> Tensor:
        """Cross-attention at a sixteenth of the crop: skeleton features are the query, depth features key and value."""
        def tokens(x: Tensor) -> Tensor:
            return x.flatten(2).transpose(1, 2)
        y = attend(tokens(self.query(skeleton)), tokens(self.key(depth)), tokens(self.value(depth)), self.head_width)
        return y.transpose(1, 2).reshape(skeleton.shape)

    def _smooth(self, x: Tensor, clips: int) -> Tensor:
        n, c, h, w = x.shape
        volume = x.reshape(clips, n // clips, c, h, w).transpose(1, 2)
        volume = self.after_time(F.silu(self.over_time(volume)))
        return volume.transpose(1, 2).reshape(n, c, h, w)
