"""The denoising net's input about the body surface, and its output about it besides the latents: light, edge, gate.

Ours: a network of this size smears what it decodes, so it does not paint what the surface shows. It says how the
surface is lit, where its outline is wrong, and where the net's own picture is better.
"""
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ....layers.heads import CELL, EDGE, EDGE_REACH, EDGE_STEP, GATE, LIGHT, MOST_LIGHT, TURN
from .blocks import zeroed

# The number of maps of the surface; conditions/surface_inputs.py lists them in order.
MAPS = 15


@dataclass(frozen=True)
class Heads:
    """As in layers/heads.py, for n frames: light, gate (n, 1, h, w), turn (n, 3, h, w), edge (n, 1, 4h, 4w)."""

    light: Tensor
    turn: Tensor
    edge: Tensor
    gate: Tensor

    @classmethod
    def of(cls, raw: Tensor) -> "Heads":
        """raw (n, CHANNELS, h, w), as the net returns it. All zeros leave the surface as it is."""
        light, turn, edge, gate = raw.split([LIGHT, TURN, EDGE, GATE], dim=1)
        return cls(MOST_LIGHT * torch.tanh(light), MOST_LIGHT * torch.tanh(turn),
                   EDGE_REACH * torch.tanh(F.pixel_shuffle(edge, CELL // EDGE_STEP)), torch.tanh(gate))


class SurfaceIn(nn.Module):
    """The maps (n, MAPS, 4h, 4w) -> (n, width, h/2, w/2), 0 at the start."""

    def __init__(self, width: int):
        super().__init__()
        self.conv = zeroed(nn.Conv2d(MAPS * 4, width, 3, padding=1))

    def forward(self, maps: Tensor) -> Tensor:
        return self.conv(F.pixel_unshuffle(F.avg_pool2d(maps, 4), 2))
