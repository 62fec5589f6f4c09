"""Skeletons and structured depth -> features that are added after the denoising net's conv_in (paper 3.4)."""

from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import Attention, zeroed
from .sizes import Sizes

SMALLER = 2     # the attention works at half the latents' size: its cost grows with the square (ours)


class PictureEncoder(nn.Module):
    """Pictures (n, channels, H, W) 0..1 -> features (n, widths[-1], H/8, W/8), by pairs of 3x3 convolutions."""

    def __init__(self, channels: int, widths: tuple[int, ...]):
        super().__init__()
        self.conv_in = nn.Conv2d(channels, widths[0], 3, padding=1)
        pairs = zip(widths[:-1], widths[1:], strict=True)
        self.blocks = nn.ModuleList([conv for into, out in pairs for conv in (
            nn.Conv2d(into, into, 3, padding=1), nn.Conv2d(into, out, 3, stride=2, padding=1))])

    def features(self, pictures: Tensor) -> Tensor:
        x = F.silu(self.conv_in(pictures))
        for block in self.blocks:
            x = F.silu(block(x))
        return x


class DepthModulation(nn.Module):
    """The skeleton's features ask the depth's by cross-attention; a 3D convolution over time follows (paper 3.4).

    "literal" replaces the skeleton's features by what the attention and the convolution give. "residual" (ours) adds
    both to them, and both end in layers that start at zero, so that a pretrained pose guider starts unchanged.
    """

    def __init__(self, widths: tuple[int, ...], kind: str):
        super().__init__()
        self.kind, width = kind, widths[-1]
        self.depth = PictureEncoder(1, widths)
        self.ask = Attention(width, 1)
        self.over_time = nn.Conv3d(width, width, 3, padding=1)
        if kind == "residual":
            zeroed(self.ask.to_out)
            zeroed(self.over_time)

    def forward(self, skeleton: Tensor, depth: Tensor, clips: int) -> Tensor:
        """skeleton (n, width, h, w), depth (n, 1, H, W) 0..1, n = clips * frames -> (n, width, h, w)."""
        told = self._asked(skeleton, self.depth.features(depth))
        x = skeleton + told if self.kind == "residual" else told
        volume = x.unflatten(0, (clips, -1)).transpose(1, 2)
        smooth = self.over_time(volume).transpose(1, 2).flatten(0, 1)
        return x + smooth if self.kind == "residual" else smooth

    def _asked(self, skeleton: Tensor, depth: Tensor) -> Tensor:
        size = skeleton.shape[2:]

        def tokens(x: Tensor) -> Tensor:
            return F.avg_pool2d(x, SMALLER, ceil_mode=True).flatten(2).transpose(1, 2)
        made = self.ask(tokens(skeleton), tokens(depth)).transpose(1, 2)
        made = made.unflatten(2, tuple(-(-side // SMALLER) for side in size))
        return F.interpolate(made, size=size, mode="bilinear", align_corners=False)


class PoseGuider(PictureEncoder):
    """The family's guider of skeletons, whose last convolution starts at zero, with the modulation before it."""

    def __init__(self, sizes: Sizes):
        super().__init__(3, sizes.pose_widths)
        self.conv_out = zeroed(nn.Conv2d(sizes.pose_widths[-1], sizes.widths[0], 3, padding=1))
        self.modulation = None if sizes.modulation == "off" else DepthModulation(sizes.pose_widths, sizes.modulation)

    def forward(self, skeleton: Tensor, depth: Tensor, clips: int) -> Tensor:
        """skeleton (n, 3, H, W), depth (n, 1, H, W) 0..1, n = clips * frames -> (n, widths[0], H/8, W/8)."""
        x = self.features(skeleton)
        return self.conv_out(x if self.modulation is None else self.modulation(x, depth, clips))
