"""The denoising net without what is ours in it: no warp, no surface, no gates that copy what need not be invented."""

from dataclasses import replace

from torch import Tensor, nn

from engine.engines.compact.nets.denoising_net import DenoisingNet
from engine.engines.compact.nets.sizes import Sizes
from engine.engines.compact.nets.unet import REFERENCE_BLOCKS


class PlainNet(DenoisingNet):
    """What the net paints is x0. Without sizes.environment it has no input for the plate at all."""

    def __init__(self, sizes: Sizes):
        super().__init__(replace(sizes, warp=False, surface=False))
        del self.warp_in
        if not sizes.environment:
            del self.environment_in
        self.conv_out = nn.Conv2d(sizes.widths[0], sizes.latent_channels * 4, 3, padding=1)

    def _choose(self, out: Tensor, environment: Tensor, warp: Tensor, coverage: Tensor) -> Tensor:
        return out

    def paint(self, noisy: Tensor, levels: Tensor, added: Tensor, clips: int,
              reference: list[Tensor] | None = None) -> Tensor:
        """x0 (n, c, h, w), float32, of n = clips * frames noisy latents at levels (n,); added (n, w0, h/2, w/2): what
        is added after the first convolution; reference: a tensor for each block of sizes.reference_blocks, or None
        where it enters in another way."""
        features = reference or [None] * len(REFERENCE_BLOCKS[self.sizes.reference_blocks])
        return self(noisy, levels, None, None, None, None, features, added, None, clips)[0].float()
