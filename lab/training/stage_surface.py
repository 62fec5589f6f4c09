"""Stage four: light, edge and gate on the body surface, while everything before continues to learn (docs/training.md).

The loss compares the composite that layers/surface.py makes: the surface times two gains, and the net's picture where
the surface knows nothing. The gains are the low frequencies of the net's picture and what its head adds to them.
Colours are compared without their detail: the surface lies a few pixels beside the truth, and the light would learn to
follow every sharp difference.
"""
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.conditions.surface_inputs import KNOWN_LIGHT, LIGHT_SCALE, NORMAL
from engine.engines.compact.nets.model import Model
from engine.engines.compact.nets.sizes import COMPACT
from engine.engines.compact.nets.surface_heads import Heads
from engine.layers.heads import EDGE, EDGE_REACH, EDGE_STEP, LIGHT, TURN
from engine.layers.surface import COARSE as CELL_OF_LIGHT
from engine.layers.surface import FLOOR, GAIN, HUE_SIGMA, KNOWN, LIGHT_SIGMA, NORMAL_SIGMA, WHITE

from .loop import Recipe
from .losses import show_linearly
from .stage_image import add_noise, compare, finish, picture_of, predict_all, prepare, truth_and_noise
from .stage_motion import FIXED, levels_of

RECIPE = Recipe("surface", trained=("reference_net.", "pose_guider.", "object_guider.", "denoising_net."),
                learning_rate=2e-4, batch=3, frames=4, average_over=200)
AT_FULL_NOISE = 0.9     # of the draws: the pack ships with one step
COARSE = (4, 8, 16)     # pixels a side of what colours are compared over
LIGHT_WEIGHT, EDGE_WEIGHT, PICTURE_WEIGHT = 3.0, 0.3, 0.5
STEADY = 0.02           # of the heads' squares: they leave the surface as it is where they know nothing
FLICKER_WEIGHT = 0.5
BAND = EDGE_REACH + 2   # pixels about the outline over which alphas are compared

SIZES = replace(COMPACT, surface=True)
_OF_EDGE = slice(LIGHT + TURN, LIGHT + TURN + EDGE)     # channels of the heads

__all__ = ["RECIPE", "finish", "loss_of", "picture_of", "prepare"]


def loss_of(model: Model, batch: dict, generator: torch.Generator, progress: float) -> tuple[Tensor, dict]:
    """Half of the windows begin with frames already made: without them, nets that had learnt to go on from such frames
    forgot it, and the light jumped where a window began."""
    clips, frames = batch["target"].shape[:2]
    true, noise = truth_and_noise(model, batch, generator)
    levels, fixed = levels_of((clips, frames), AT_FULL_NOISE, FIXED, generator, true.device)
    made, raw = predict_all(model, batch, add_noise(true, noise, levels), levels)
    free = (~fixed).flatten()
    loss, figures = compare(model, batch, made, true, levels == 1, free)
    flat = {name: batch[name].flatten(0, 1) for name in
            ("surface", "cover", "maps", "target", "matte", "object_mask")}
    heads = Heads.of(raw.float())
    painted = _whole(show_linearly(made, model.decoder), model.decoder)
    light, lit = light_loss(heads, {**flat, "matte": flat["matte"] * free[:, None, None, None]}, painted, clips)
    edge, alphas = edge_loss(Heads.of(raw.float()[free]), {name: picture[free] for name, picture in flat.items()})
    steady = (raw.float() ** 2).mean()
    total = PICTURE_WEIGHT * loss + LIGHT_WEIGHT * light + EDGE_WEIGHT * edge + STEADY * steady
    return total, figures | {"light": light.detach(), "lit_psnr": lit, "edge": edge.detach(), "flat_edge": alphas}


def light_loss(heads: Heads, flat: dict, painted: Tensor, clips: int) -> tuple[Tensor, Tensor]:
    """Of the composite's colours inside the true matte and the cover, without detail; and their decibels with it."""
    cover, maps = flat["cover"], flat["maps"]
    inside = cover * flat["matte"]
    colour = composite(heads, flat["surface"] / cover.clamp(min=1e-3), maps, cover, painted)
    error = inside * (colour - flat["target"][:, :3])
    loss = sum(_coarse(error, inside, side) for side in COARSE) / len(COARSE)
    if error.shape[0] > clips:      # a flickering light is worse than one that is a little wrong
        steps = error.unflatten(0, (clips, -1)).diff(dim=1).flatten(0, 1)
        both = torch.minimum(*(part.flatten(0, 1) for part in _pairs(inside, clips)))
        loss = loss + FLICKER_WEIGHT * _coarse(steps * both, both, COARSE[1])
    square = (error.detach() ** 2).sum() / (3 * (inside ** 2).sum()).clamp_min(1)
    return loss, -10 * torch.log10(square.clamp_min(1e-6))


def composite(heads: Heads, colour: Tensor, maps: Tensor, cover: Tensor, painted: Tensor) -> Tensor:
    """(n, 3, H, W): colour of the surface, straight, lit; the net's picture where the gate says so."""
    size = colour.shape[-2:]
    share = cover.clamp(min=1e-3)
    known = ((maps[:, :1] / share - KNOWN[0]) / (KNOWN[1] - KNOWN[0])).clamp(0, 1)
    known = (known + (1 - known) * _spread(heads.gate, size)).clamp(0, 1)
    white = maps[:, KNOWN_LIGHT] / share / LIGHT_SCALE
    coarse = with_known_light(low_frequencies(colour * cover, cover, painted), white)
    normal = blurred(maps[:, NORMAL], NORMAL_SIGMA) / blurred(cover, NORMAL_SIGMA).clamp(min=1e-3)
    lit = (colour * coarse * gain(heads, normal, size)).clamp(0, 1)
    return known * lit + (1 - known) * painted[:, :3]


def low_frequencies(surface: Tensor, cover: Tensor, painted: Tensor) -> Tensor:
    """(n, 3, H, W): layers/surface.light_gain of surface (n, 3, H, W), premultiplied, and painted (n, 5, H, W)."""
    matte = painted[:, 3:4].clamp(0, 1)
    small = F.avg_pool2d(torch.cat([painted[:, :3].clamp(0, 1) * cover * matte, surface * matte, cover * matte], dim=1),
                         CELL_OF_LIGHT)
    near, far = (_ratios(small, sigma) for sigma in (LIGHT_SIGMA, HUE_SIGMA))
    return _spread((far[:, :3] * near[:, 3:] / far[:, 3:]).clamp(*GAIN), surface.shape[-2:])


def with_known_light(coarse: Tensor, white: Tensor) -> Tensor:
    """(n, 3, H, W), as layers/surface.py has it; white: 0 all over where a frame's light is not known."""
    known = (white.amax(dim=(1, 2, 3), keepdim=True) > 0).float()
    return known * (coarse * (white / WHITE).clamp(*GAIN)).sqrt() + (1 - known) * coarse


def gain(heads: Heads, normal: Tensor, size) -> Tensor:
    """(n, 3, H, W): the factor on the surface's colours, in addition to the low frequencies."""
    turn = (_spread(heads.turn, size) * normal).sum(dim=1, keepdim=True)
    return (_spread(heads.light, size) + turn).clamp(-2, 2).exp()


def edge_loss(heads: Heads, flat: dict) -> tuple[Tensor, Tensor]:
    """Absolute difference of the alpha about the outline, and what it would be without the head. Objects do not count:
    those in front are cut out when frames are composed, and the head would learn to cut there too."""
    cover, matte = F.avg_pool2d(flat["cover"], EDGE_STEP), F.avg_pool2d(flat["matte"], EDGE_STEP)
    with torch.no_grad():
        outwards = signed_distance(cover) * EDGE_STEP
        band = (outwards.abs() < BAND).float() * (F.avg_pool2d(flat["object_mask"], EDGE_STEP) < 0.5).float()
        without = (band * (cover - matte).abs()).sum() / band.sum().clamp_min(1)
    alpha = ((heads.edge - outwards) / EDGE_STEP + 0.5).clamp(0, 1)
    soft = torch.sigmoid((heads.edge - outwards) * (2 / EDGE_STEP))     # has a gradient further away
    error = 0.5 * (alpha - matte).abs() + 0.5 * (soft - matte).abs()
    return (band * error).sum() / band.sum().clamp_min(1), without


def keep_coverage(model: Model) -> None:
    """Sets the weights of the edge's head to zero, so that outlines stay where the surface's coverage has them: until a
    head has beaten it (ours)."""
    conv = model.denoising_net.heads
    with torch.no_grad():
        conv.weight[_OF_EDGE] = 0
        conv.bias[_OF_EDGE] = 0


def keeps_coverage(model: Model) -> bool:
    """Whether the model leaves outlines where the surface's coverage has them."""
    conv = model.denoising_net.heads
    return not (conv.weight[_OF_EDGE].any() or conv.bias[_OF_EDGE].any())


def signed_distance(cover: Tensor) -> Tensor:
    """(n, 1, h, w) pixels, below 0 inside: how far the outline is."""
    import cv2
    import numpy as np
    found = []
    for one in (cover[:, 0] >= 0.5).cpu().numpy().astype(np.uint8):
        away, inside = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (1 - one, one))
        found.append(np.where(one > 0, 0.5 - inside, away - 0.5))
    return torch.from_numpy(np.stack(found)[:, None]).to(cover)


def _whole(shown: Tensor, decoder) -> Tensor:
    """What show_linearly leaves out: the decoder's constant."""
    constant = F.conv2d(decoder.mean[None, :, None, None], decoder.linear.weight, decoder.linear.bias)
    return shown + F.pixel_shuffle(constant, 4).repeat(1, 1, *(side // 4 for side in shown.shape[-2:])) * 0.5 + 0.5


def _ratios(small: Tensor, sigma: float) -> Tensor:
    smoothed = blurred(small, sigma / CELL_OF_LIGHT)
    floor = FLOOR * (smoothed[:, 6:] + 1e-4)
    painted, shown = smoothed[:, :3] + floor, smoothed[:, 3:6] + floor
    return torch.cat([painted / shown, painted.mean(1, keepdim=True) / shown.mean(1, keepdim=True)], dim=1)


def blurred(pictures: Tensor, sigma: float) -> Tensor:
    """(n, c, h, w), convolved with a Gaussian of so many pixels; 0 lies around the pictures."""
    reach, many = round(4 * sigma), pictures.shape[1]
    places = torch.arange(-reach, reach + 1, device=pictures.device)
    kernel = torch.exp(-0.5 * (places / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(many, 1, -1)
    across = F.conv2d(pictures, kernel[..., None, :], padding=(0, reach), groups=many)
    return F.conv2d(across, kernel[..., None], padding=(reach, 0), groups=many)


def _coarse(error: Tensor, inside: Tensor, side: int) -> Tensor:
    weight = F.avg_pool2d(inside, side)
    mean = F.avg_pool2d(error, side)
    return mean.abs().sum() / (3 * weight.sum()).clamp_min(1)


def _pairs(pictures: Tensor, clips: int) -> tuple[Tensor, Tensor]:
    each = pictures.unflatten(0, (clips, -1))
    return each[:, 1:], each[:, :-1]


def _spread(grid: Tensor, size) -> Tensor:
    return F.interpolate(grid, size=tuple(size), mode="bilinear", align_corners=False)
