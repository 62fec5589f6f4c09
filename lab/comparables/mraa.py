"""Idea of MRAA: region flow.

One affine motion for each region, from the reference to the frame, by the principal axes of both; a network mixes them
to a dense flow and says what the reference does not show; the reference's features are warped and a generator inpaints
the rest. No diffusion, no reference net, no autoencoder, no layers over time (Siarohin 2021, "Motion Representations
for Articulated Animation", arXiv 2104.11280, section 3). Its background motion is the identity here: the plate is laid
below (ours).
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.engines.compact.nets.blocks import Fold, ResBlock, Unfold, zeroed
from engine.engines.compact.nets.sizes import Sizes
from engine.engines.compact.nets.vae import PICTURE_CHANNELS

from ..training.losses import detail_loss, seen_loss
from ..training.stage_image import DETAIL_WEIGHT, character_psnr
from .regions import REGIONS, Regions, distances, regions_of, transforms

STEP = 4            # pixels in one of the flow's
REACH = 3.0         # deviations of a stroke that its limb's cloth fills (ours)
BACKGROUND = 0.05   # of the masks before the network has learned: what is far from all regions stays (ours)
NOT_SEEN = -1e4


class MRAA(nn.Module):
    environment = False

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.sizes = replace(sizes, environment=False, warp=False, surface=False)
        width, wide, _ = sizes.widths
        self.flow_net = FlowNet(len(REGIONS), width)
        self.features = nn.Sequential(nn.Conv2d(3 * STEP ** 2, width, 3, padding=1), ResBlock(width, width))
        self.shrink, self.grow = Fold(width, wide), Unfold(wide, width)
        self.blocks = nn.Sequential(ResBlock(wide, wide), ResBlock(wide, wide))
        self.fine = nn.Sequential(ResBlock(2 * width, width), nn.SiLU(),
                                  nn.Conv2d(width, PICTURE_CHANNELS * STEP ** 2, 3, padding=1))

    def first_guess(self, batch: dict[str, Tensor]) -> Tensor:
        """(clips * frames, 5, H, W) 0..1."""
        return self.drawn(batch).clamp(0, 1)

    def drawn(self, batch: dict[str, Tensor]) -> Tensor:
        clips, frames = batch["skeleton"].shape[:2]
        frame = regions_of(batch["skeleton"].flatten(0, 1))
        once = regions_of(batch["reference_skeleton"])
        reference = Regions(*(part.repeat_interleave(frames, 0) for part in (once.mean, once.axes, once.seen)))
        picture = batch["reference"][:, :3]
        small = F.avg_pool2d(picture, STEP).repeat_interleave(frames, 0)
        places = grid_of(small.shape[-2:], small.device)
        moved = torch.cat([positions(transforms(frame, reference), places), places.expand(len(small), 1, -1, -1, -1)],
                          dim=1)
        nearness = torch.exp(-0.5 * (distances(frame, places) / REACH) ** 2)
        seen = frame.seen & reference.seen
        masks, shown = self.flow_net(nearness, small, moved, seen)
        features = self.features(F.pixel_unshuffle(picture, STEP)).repeat_interleave(frames, 0)
        warped = warp(features, flow_of(moved, masks)) * shown
        made = self.grow(self.blocks(self.shrink(warped)))
        return F.pixel_shuffle(self.fine(torch.cat([made, warped], dim=1)), STEP) + 0.5

    def loss_of(self, batch: dict[str, Tensor], generator, progress: float) -> tuple[Tensor, dict]:
        """Of pictures, with the weights and parts of the other rows' loss."""
        made, true, weight, matte = self.drawn(batch), *(batch[name].flatten(0, 1)
                                                         for name in ("target", "weight", "matte"))
        seen = seen_loss(made, true, weight)
        detail, ratio = detail_loss(made, true, matte)
        figures = {"seen": seen.detach(), "detail": ratio, "character_psnr": character_psnr(made, true, matte)}
        return seen + DETAIL_WEIGHT * detail, figures


class FlowNet(nn.Module):
    """Which region moves which pixel, and what of the result the reference shows."""

    def __init__(self, regions: int, width: int):
        super().__init__()
        self.conv_in = nn.Conv2d(regions + 3 * (regions + 1), width, 3, padding=1)
        self.shrink, self.grow = Fold(width, width), Unfold(width, width)
        self.block = ResBlock(width, width)
        self.out = zeroed(nn.Conv2d(2 * width, regions + 2, 3, padding=1))

    def forward(self, nearness: Tensor, reference: Tensor, moved: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """nearness (n, K, h, w) 0..1; reference (n, 3, h, w); moved (n, K + 1, h, w, 2), the last the background; seen
        (n, K) -> masks (n, K + 1, h, w) that add up to 1, and shown (n, 1, h, w) 0..1."""
        n, count = moved.shape[:2]
        each = warp(reference.repeat_interleave(count, 0), moved.flatten(0, 1)).unflatten(0, (n, count)).flatten(1, 2)
        x = F.silu(self.conv_in(torch.cat([nearness, each], dim=1)))
        out = self.out(torch.cat([x, self.grow(F.silu(self.block(self.shrink(x))))], dim=1))
        prior = torch.cat([nearness, torch.full_like(nearness[:, :1], BACKGROUND)], dim=1).clamp_min(1e-4).log()
        there = torch.cat([seen, torch.ones_like(seen[:, :1])], dim=1)[..., None, None]
        masks = (out[:, :-1] + prior).masked_fill(~there, NOT_SEEN).softmax(dim=1)
        return masks, torch.sigmoid(out[:, -1:] + 2)


def grid_of(size, device=None) -> Tensor:
    """(h, w, 2): the middles of the flow's pixels, x and y in the picture's pixels."""
    rows, columns = (STEP * (torch.arange(side, device=device) + 0.5) for side in size)
    return torch.stack([columns.expand(len(rows), -1), rows[:, None].expand(-1, len(columns))], dim=-1)


def positions(affine: Tensor, places: Tensor) -> Tensor:
    """(n, K, h, w, 2): where in the reference each region's affine map (n, K, 2, 3) takes its pixels from."""
    return torch.einsum("nkij,hwj->nkhwi", affine[..., :2], places) + affine[:, :, None, None, :, 2]


def flow_of(moved: Tensor, masks: Tensor) -> Tensor:
    """(n, h, w, 2): the positions (n, K, h, w, 2), mixed by the masks (n, K, h, w)."""
    return (masks[..., None] * moved).sum(dim=1)


def warp(pictures: Tensor, flow: Tensor) -> Tensor:
    """pictures (n, c, h, w) taken at flow (n, h, w, 2), in the full picture's pixels; 0 from outside."""
    height, width = pictures.shape[-2:]
    size = STEP * torch.tensor([width, height], device=flow.device)
    return F.grid_sample(pictures, (2 * flow / size - 1).to(pictures.dtype), align_corners=False)
