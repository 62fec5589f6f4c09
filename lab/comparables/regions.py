"""A skeleton picture -> a region for each limb: where it lies, and its principal axes; and how each region moves.

MRAA (Siarohin 2021, sections 3.1 and 3.2) predicts heatmaps without supervision and takes their mean and principal axes
as a region's pose. Here the joints are known: a region's heatmap is what the skeleton picture shows in its limb's
colour (ours). A thin stroke's axes do not tell head from tail, so the limb before it says where it points (ours).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.conditions.pose import LIMB_DIM, limb_colours
from engine.contract.skeleton import LIMBS

_LIMBS = list(LIMBS)
# Each region's limb, and the limb that it points away from.
_AWAY_FROM = {
    ("neck", "right_shoulder"): ("neck", "left_shoulder"), ("neck", "left_shoulder"): ("neck", "right_shoulder"),
    ("neck", "right_hip"): ("neck", "right_shoulder"), ("neck", "left_hip"): ("neck", "left_shoulder"),
    ("neck", "nose"): ("neck", "right_hip"),
    **{(f"{side}_{a}", f"{side}_{b}"): before for side in ("right", "left") for a, b, before in (
        ("shoulder", "elbow", ("neck", f"{side}_shoulder")), ("elbow", "wrist", (f"{side}_shoulder", f"{side}_elbow")),
        ("hip", "knee", ("neck", f"{side}_hip")), ("knee", "ankle", (f"{side}_hip", f"{side}_knee")),
        ("ankle", "toe", (f"{side}_knee", f"{side}_ankle")))}}
REGIONS = tuple(_AWAY_FROM)
_BEFORE = [REGIONS.index(limb) for limb in _AWAY_FROM.values()]
_COLOURS = torch.tensor([limb_colours()[_LIMBS.index(limb)] for limb in REGIONS]) / 255
_NEAR = 0.12            # of a colour's brightest channel: neighbours in the rainbow are a third apart
_BRIGHTNESS = 0.25, 0.75    # of limbs, which are dimmed to LIMB_DIM; dots and hands are brighter
_FEWEST = 6             # pixels, from which axes can be found
_LEAST = 0.5            # pixels: an axis's deviation is at least this
assert _BRIGHTNESS[0] < LIMB_DIM < _BRIGHTNESS[1]


@dataclass(frozen=True)
class Regions:
    """Of n pictures and K regions: mean (n, K, 2) x, y in pixels; axes (n, K, 2, 2), columns, each as long as the
    region's deviation along it; seen (n, K) bool."""

    mean: Tensor
    axes: Tensor
    seen: Tensor


def regions_of(skeleton: Tensor) -> Regions:
    """skeleton (n, 3, H, W) as conditions/pose.py draws it."""
    height, width = skeleton.shape[2:]
    rows = torch.arange(height, device=skeleton.device) + 0.5
    columns = torch.arange(width, device=skeleton.device) + 0.5
    found = [_moments(_heat(skeleton, colour), rows, columns) for colour in _COLOURS.to(skeleton)]
    count, mean, spread = (torch.stack(parts, dim=1) for parts in zip(*found, strict=True))
    return Regions(mean, _axes(mean, spread), count >= _FEWEST)


def transforms(frame: Regions, reference: Regions) -> Tensor:
    """(n, K, 2, 3): the affine map of each region from the frame's pixels to the reference's (n or 1 of them)."""
    turn = reference.axes @ torch.linalg.inv(frame.axes)
    shift = reference.mean[..., None] - turn @ frame.mean[..., None]
    return torch.cat([turn, shift], dim=-1)


def distances(frame: Regions, places: Tensor) -> Tensor:
    """(n, K, h, w): of places (h, w, 2) from each region's middle, in its own deviations."""
    away = places - frame.mean[:, :, None, None]
    return torch.einsum("nkij,nkhwj->nkhwi", torch.linalg.inv(frame.axes), away).norm(dim=-1)


def _heat(skeleton: Tensor, colour: Tensor) -> Tensor:
    """(n, H, W) 0 or 1: the limb's stroke, without what is as thin as a finger's."""
    bright = skeleton.amax(dim=1)
    near = (skeleton - bright[:, None] * colour[:, None, None]).abs().amax(dim=1) < _NEAR * bright
    stroke = (near & (bright > _BRIGHTNESS[0]) & (bright < _BRIGHTNESS[1])).float()[:, None]
    core = -F.max_pool2d(-stroke, 3, stride=1, padding=1)
    return F.max_pool2d(core, 3, stride=1, padding=1)[:, 0]


def _moments(heat: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Count (n,), mean (n, 2) and covariance (n, 3): xx, xy, yy."""
    count = heat.sum(dim=(1, 2))
    share = heat / count.clamp_min(1)[:, None, None]
    across, down = share.sum(dim=1), share.sum(dim=2)
    x, y = across @ columns, down @ rows
    xx, yy = across @ columns ** 2 - x ** 2, down @ rows ** 2 - y ** 2
    xy = torch.einsum("nhw,h,w->n", share, rows, columns) - x * y
    return count, torch.stack([x, y], dim=-1), torch.stack([xx, xy, yy], dim=-1)


def _axes(mean: Tensor, spread: Tensor) -> Tensor:
    """Principal axes, the first one along the limb and away from the limb before it; never mirrored."""
    xx, xy, yy = spread.unbind(dim=-1)
    half, apart = 0.5 * (xx + yy), torch.sqrt((0.5 * (xx - yy)) ** 2 + xy ** 2)
    angle = 0.5 * torch.atan2(2 * xy, xx - yy)
    along = torch.stack([angle.cos(), angle.sin()], dim=-1)
    onwards = ((mean - mean[:, _BEFORE]) * along).sum(dim=-1, keepdim=True)
    along = torch.where(onwards < 0, -along, along)
    across = torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    long, wide = (part.clamp_min(_LEAST ** 2).sqrt()[..., None] for part in (half + apart, half - apart))
    return torch.stack([along * long, across * wide], dim=-1)
