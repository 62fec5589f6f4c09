"""The reference net: a U-Net without temporal layers that reads the character's picture once per clip (paper 3.1,
Animate Anyone)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .sizes import Sizes
from .unet import REFERENCE_BLOCKS, SpatialUNet


class ReferenceNet(SpatialUNet):
    """Latents and skeleton of the reference -> the normed attention inputs of the blocks named in the sizes."""

    def __init__(self, sizes: Sizes):
        super().__init__(sizes, level_width=0)
        # Of the last block, only the normed tokens are used, so all layers after them are removed.
        del self.residual["up0"], self.grow["up0"], self.attention["up1"]
        self.last_norm = nn.LayerNorm(sizes.widths[1])
        self.blocks = REFERENCE_BLOCKS[sizes.reference_blocks]
        self.reads_skeleton = sizes.reference_skeleton
        self.conv_in = nn.Conv2d((sizes.latent_channels + 3) * 4, sizes.widths[0], 3, padding=1)

    def forward(self, latents: Tensor, skeleton: Tensor) -> list[Tensor]:
        """latents (n, c, h, w), skeleton (n, 3, 4h, 4w) 0..1 -> per block (n, tokens, width)."""
        drawn = F.avg_pool2d(skeleton, 4) * (1.0 if self.reads_skeleton else 0.0)
        x = self.conv_in(F.pixel_unshuffle(torch.cat([latents, drawn], dim=1), 2))
        features = {}

        def visit(name: str, x: Tensor) -> Tensor:
            x = self.residual[name](x)
            if name in self.attention:
                x, features[name] = self.attention[name](x)
            return x

        last, _ = self.walk_to_up1(x, visit)
        features["up1"] = self.last_norm(last.flatten(2).transpose(1, 2))
        return [features[name] for name in self.blocks]
