"""What the denoising net is told of the body surface, and what it says of it beside the latents: light, edge, gate.

Ours: a network of this size smears what it decodes, so it does not paint what the surface shows.
It says how the surface is lit, where its outline lies wrong, and where its own picture is the better one.
"""
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import zeroed

# The maps of the surface: conditions/surface_inputs.py has them in order.
MAPS = 15
EDGE_STEP = 2           # crop pixels to one of the edge's own
EDGE_REACH = 6.0        # crop pixels by which an outline may be moved
MOST_LIGHT = 1.1        # of the gain's logarithm, for each of its parts: three times as bright, or a third
_LIGHT, _TURN = 3, 3    # a gain for R, G, B; how it changes with the normal's x, y, z
_EDGE = (8 // EDGE_STEP) ** 2
HEADS = _LIGHT + _TURN + _EDGE + 1


@dataclass(frozen=True)
class Heads:
    """light (n, 3, h, w): logarithm of the gain for R, G, B, at an eighth of the crop; turn (n, 3, h, w): what a unit
    normal's x, y, z add to it; edge (n, 1, 4h, 4w): crop pixels by which the outline moves outwards; gate
    (n, 1, h, w): -1 .. 1, added to how far the surface is shown."""

    light: Tensor
    turn: Tensor
    edge: Tensor
    gate: Tensor

    @classmethod
    def of(cls, raw: Tensor) -> "Heads":
        """raw (n, HEADS, h, w), as the net gives them, 0 for what leaves the surface as it is."""
        light, turn, edge, gate = raw.split([_LIGHT, _TURN, _EDGE, 1], dim=1)
        return cls(MOST_LIGHT * torch.tanh(light), MOST_LIGHT * torch.tanh(turn),
                   EDGE_REACH * torch.tanh(F.pixel_shuffle(edge, 8 // EDGE_STEP)), torch.tanh(gate))


class SurfaceIn(nn.Module):
    """The maps (n, MAPS, 4h, 4w) -> (n, width, h/2, w/2), 0 at the start."""

    def __init__(self, width: int):
        super().__init__()
        self.conv = zeroed(nn.Conv2d(MAPS * 4, width, 3, padding=1))

    def forward(self, maps: Tensor) -> Tensor:
        return self.conv(F.pixel_unshuffle(F.avg_pool2d(maps, 4), 2))
