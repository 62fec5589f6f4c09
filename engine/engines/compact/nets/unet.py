"""The spatial U-Net that the reference net and the denoising net share: three levels, attention on the lower two."""

import torch
from torch import Tensor, nn

from .blocks import ResBlock, SpatialAttention, Unfold
from .sizes import Sizes

ATTENTION_BLOCKS = ("down1", "down2", "mid", "up2", "up1")
REFERENCE_BLOCKS = {"mid_up": ("mid", "up2", "up1"), "everywhere": ATTENTION_BLOCKS}
BLOCK_LEVEL = {"down0": 0, "down1": 1, "down2": 2, "mid": 2, "up2": 2, "up1": 1, "up0": 0}


class SpatialUNet(nn.Module):
    """Residual blocks and attention by block name; a subclass walks them with `walk`."""

    def __init__(self, sizes: Sizes, level_width: int):
        super().__init__()
        w0, w1, w2 = sizes.widths
        into = {"down0": w0, "down1": w0, "down2": w1, "mid": w2, "up2": 2 * w2, "up1": 2 * w1, "up0": 2 * w0}
        self.residual = nn.ModuleDict({
            name: ResBlock(into[name], sizes.widths[level], level_width) for name, level in BLOCK_LEVEL.items()})
        self.attention = nn.ModuleDict({
            name: SpatialAttention(sizes.widths[BLOCK_LEVEL[name]], sizes.head_width) for name in ATTENTION_BLOCKS})
        self.shrink = nn.ModuleDict({"down1": nn.Conv2d(w0, w0, 3, stride=2, padding=1),
                                     "down2": nn.Conv2d(w1, w1, 3, stride=2, padding=1)})
        self.grow = nn.ModuleDict({"up1": Unfold(w2, w1, kernel=1), "up0": Unfold(w1, w0, kernel=1)})

    def walk_to_up1(self, x: Tensor, visit) -> tuple[Tensor, Tensor]:
        """x (n, w0, h, w) -> the output of the block before the last, and the skip connection for the last.
        `visit(name, x)` runs one block; h and w must divide by four."""
        skip0 = visit("down0", x)
        skip1 = visit("down1", self.shrink["down1"](skip0))
        skip2 = visit("down2", self.shrink["down2"](skip1))
        x = visit("mid", skip2)
        x = visit("up2", torch.cat([x, skip2], dim=1))
        return visit("up1", torch.cat([self.grow["up1"](x), skip1], dim=1)), skip0

    def walk(self, x: Tensor, visit) -> Tensor:
        """The same through the last block as well: (n, w0, h, w) -> (n, w0, h, w)."""
        x, skip0 = self.walk_to_up1(x, visit)
        return visit("up0", torch.cat([self.grow["up0"](x), skip0], dim=1))
