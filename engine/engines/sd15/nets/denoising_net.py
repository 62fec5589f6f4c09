"""The denoising net: noisy latents and what is known of the frames -> the velocity v (paper 3.1 to 3.3)."""

import torch
from torch import Tensor, nn

from .blocks import zeroed
from .object_guider import SpatialBlending, blended_levels
from .sizes import Sizes
from .unet import LATENT_CHANNELS, Told, UNet

MASKS = 2   # beside the environment's latents: M_f, and where the environment inside of it is known (ours)


class DenoisingNet(UNet):
    """Stable Diffusion's U-Net with motion modules. The environment enters through a convolution of its own that starts
    at zero, which is the same as more input channels of conv_in (ours: the paper says that it is concatenated)."""

    def __init__(self, sizes: Sizes):
        super().__init__(sizes, motion=True, ends=True)
        if sizes.environment:
            self.environment_in = zeroed(nn.Conv2d(LATENT_CHANNELS + MASKS, sizes.widths[0], 3, padding=1))
        self.levels = blended_levels(sizes)
        if sizes.blending != "off":
            self.blending = nn.ModuleDict({name.replace(".", "_"): SpatialBlending(sizes.widths[level], sizes.blending)
                                           for name, level in self.levels.items()})

    def forward(self, noisy: Tensor, steps: Tensor, pose: Tensor, *, clips: int, tokens: Tensor | None = None,
                reference: dict[str, Tensor] | None = None, environment: Tensor | None = None,
                masks: Tensor | None = None, objects: list[tuple[Tensor, Tensor]] | None = None) -> Tensor:
        """n = clips * frames. noisy (n, 4, h, w), steps (n,) 0..999, pose (n, widths[0], h, w), tokens (clips, 1,
        token_width), reference as ReferenceNet gives it (None: dropped, as guidance compares with), environment (n, 4,
        h, w) and masks (n, MASKS, h, w) if the sizes have it, objects as ObjectGuider gives them -> v (n, 4, h, w)."""
        x = self.conv_in(noisy) + pose
        if self.sizes.environment:
            assert environment is not None and masks is not None
            x = x + self.environment_in(torch.cat([environment, masks], dim=1))

        def blend(name: str, y: Tensor) -> Tensor:
            if objects is None or self.sizes.blending == "off" or name not in self.levels:
                return y
            return self.blending[name.replace(".", "_")](y, *objects[self.levels[name]])
        return self.latents_of(self.walk(x, steps, Told(tokens, reference or {}, clips=clips, blend=blend)))
