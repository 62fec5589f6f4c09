"""The denoising net: noisy latents, environment, warp and features -> the clean latents (paper 3.1 to 3.4)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ....layers import heads
from .blocks import zeroed
from .object_guider import BLENDED_BLOCKS, SpatialBlending
from .sizes import Sizes
from .surface_heads import SurfaceIn
from .temporal import TemporalAttention, sinusoid
from .unet import BLOCK_LEVEL, REFERENCE_BLOCKS, SpatialUNet

TEMPORAL_BLOCKS = ("down1", "down2", "mid", "up2", "up1", "up0")


class DenoisingNet(SpatialUNet):
    """Predicts x0. Every frame has its own noise level, so that pinned frames take part at level 0."""

    def __init__(self, sizes: Sizes):
        super().__init__(sizes, sizes.level_width)
        self.sizes = sizes
        latent, width = sizes.latent_channels, sizes.widths[0]
        self.conv_in = nn.Conv2d(latent * 4, width, 3, padding=1)
        # Extra inputs have their own convolutions, which start at zero. So older weights give the same output as
        # before.
        self.environment_in = zeroed(nn.Conv2d((latent + 2) * 4, width, 3, padding=1))
        self.warp_in = zeroed(nn.Conv2d((latent + 1) * 4, width, 3, padding=1))
        self.level1 = nn.Linear(sizes.level_width, sizes.level_width)
        self.level2 = nn.Linear(sizes.level_width, sizes.level_width)
        self.temporal = nn.ModuleDict({
            name: TemporalAttention(sizes.widths[BLOCK_LEVEL[name]], sizes.head_width) for name in TEMPORAL_BLOCKS})
        if sizes.blending != "off":
            self.blending = nn.ModuleDict({
                name: SpatialBlending(sizes.widths[BLOCK_LEVEL[name]], sizes.blending) for name in BLENDED_BLOCKS})
        if sizes.surface:
            self.surface_in = SurfaceIn(width)
            self.heads = zeroed(nn.Conv2d(width, heads.CHANNELS, 3, padding=1))
        self.norm_out = nn.GroupNorm(16, width)
        self.conv_out = nn.Conv2d(width, (latent + 3) * 4, 3, padding=1)

    def forward(self, noisy: Tensor, levels: Tensor, environment: Tensor, masks: Tensor, warp: Tensor,
                coverage: Tensor, reference: list[Tensor], pose: Tensor, objects: list[Tensor] | None,
                clips: int, maps: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """n = clips * frames. noisy, environment, warp (n, c, h, w); levels (n,) 0..1; masks (n, 2, 4h, 4w): region and
        known; coverage (n, 1, 4h, 4w); reference per block (clips, tokens, width) ; pose (n, w0, h/2, w/2); objects as
        ObjectGuider returns them, None without any; maps (n, MAPS, 4h, 4w) if the sizes have the surface -> x0 (n, c,
        h, w), and the input of Heads.of (n, heads.CHANNELS, h/2, w/2), None without the surface.
        """
        level = self.level2(F.silu(self.level1(sinusoid(levels * 1000, self.sizes.level_width).to(noisy.dtype))))
        level = F.silu(level)
        x = self.conv_in(F.pixel_unshuffle(noisy, 2)) + pose
        if self.sizes.environment:
            seen = torch.cat([environment, F.avg_pool2d(masks, 4)], dim=1)
            x = x + self.environment_in(F.pixel_unshuffle(seen, 2))
        if self.sizes.warp:
            x = x + self.warp_in(F.pixel_unshuffle(torch.cat([warp, F.avg_pool2d(coverage, 4)], dim=1), 2))
        if self.sizes.surface:
            x = x + self.surface_in(maps)
        features = dict(zip(REFERENCE_BLOCKS[self.sizes.reference_blocks], reference, strict=True))

        def visit(name: str, x: Tensor) -> Tensor:
            x = self.residual[name](x, level)
            if name in self.attention:
                x, _ = self.attention[name](x, features.get(name))
            if objects is not None and self.sizes.blending != "off" and name in BLENDED_BLOCKS:
                at = 2 * BLOCK_LEVEL[name]
                x = self.blending[name](x, objects[at], objects[at + 1])
            if name in TEMPORAL_BLOCKS:
                x = self.temporal[name](x, clips)
            return x

        last = F.silu(self.norm_out(self.walk(x, visit)))
        x0 = self._choose(F.pixel_shuffle(self.conv_out(last), 2), environment, warp, coverage)
        return x0, self.heads(last) if self.sizes.surface else None

    def _choose(self, out: Tensor, environment: Tensor, warp: Tensor, coverage: Tensor) -> Tensor:
        """x0 = g_net * net + g_warp * warp + g_env * environment, with gates from a softmax: what can be copied (a
        stripe of the reference, the plate outside the region) need not be invented (ours)."""
        net, logits = out[:, :-3], out[:, -3:]
        if self.sizes.likeness and self.sizes.warp:
            logits = logits + F.pad(self.sizes.likeness * F.avg_pool2d(coverage, 4), (0, 0, 0, 0, 1, 1))
        switched_off = [0.0, 0.0 if self.sizes.warp else -1e4, 0.0 if self.sizes.environment else -1e4]
        logits = logits + torch.tensor(switched_off, dtype=logits.dtype, device=logits.device)[:, None, None]
        gates = logits.softmax(dim=1)
        return gates[:, :1] * net + gates[:, 1:2] * warp + gates[:, 2:] * environment
