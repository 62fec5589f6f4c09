"""The reference net: the character's latents -> features for each attention block of the denoising net (paper 3.1)."""

import torch
from torch import Tensor

from .sizes import Sizes
from .unet import Told, UNet


class ReferenceNet(UNet):
    """Stable Diffusion's U-Net without its last layers and without time: it runs once a shot, at step 0."""

    def __init__(self, sizes: Sizes):
        super().__init__(sizes, motion=False, ends=False)

    def forward(self, latents: Tensor, tokens: Tensor | None) -> dict[str, Tensor]:
        """latents (m, 4, h, w), tokens (m, 1, token_width) -> block's name -> its normed input (m, tokens, width)."""
        written: dict[str, Tensor] = {}
        steps = torch.zeros(len(latents), device=latents.device)
        self.walk(self.conv_in(latents), steps, Told(tokens, written=written, clips=len(latents)))
        return {name: features for name, features in written.items()
                if self.sizes.reference_blocks == "everywhere" or not name.startswith("down_blocks.")}
