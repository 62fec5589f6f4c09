"""The denoising net's second output, about the body surface -> one array for each of its parts (ours).

nets/surface_heads.py does the same with tensors, for training.
"""
from dataclasses import dataclass

import numpy as np

EDGE_STEP = 2           # crop pixels in one pixel of the edge
CELL = 8                # crop pixels in one pixel of the light
EDGE_REACH = 6.0        # the most crop pixels by which an outline may move
MOST_LIGHT = 1.1        # the largest logarithm of the gain, for each of its parts: three times as bright, or a third
LIGHT, TURN, EDGE, GATE = 1, 3, (CELL // EDGE_STEP) ** 2, 1
CHANNELS = LIGHT + TURN + EDGE + GATE


@dataclass(frozen=True)
class Heads:
    """light (h, w): logarithm of the gain, the same for R, G, B, at an eighth of the crop; turn (h, w, 3): what a unit
    normal's x, y, z add to it; edge (4h, 4w): crop pixels by which the outline moves outwards; gate (h, w): -1 .. 1,
    as much of what is missing to full confidence is added to the weight with which the surface is shown."""

    light: np.ndarray
    turn: np.ndarray
    edge: np.ndarray
    gate: np.ndarray

    @classmethod
    def of(cls, raw: np.ndarray) -> "Heads":
        """raw (h, w, CHANNELS), as the net returns it. All zeros leave the surface as it is."""
        light, turn, edge, gate = np.split(np.asarray(raw, np.float32), np.cumsum([LIGHT, TURN, EDGE]), axis=-1)
        height, width, side = *edge.shape[:2], CELL // EDGE_STEP
        edge = edge.reshape(height, width, side, side).transpose(0, 2, 1, 3).reshape(height * side, width * side)
        return cls(MOST_LIGHT * np.tanh(light[..., 0]), MOST_LIGHT * np.tanh(turn), EDGE_REACH * np.tanh(edge),
                   np.tanh(gate[..., 0]))
