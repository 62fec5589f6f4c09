"""Idea of MagicAnimate: dense pose.

A dense picture of the body takes the skeleton's place; an appearance encoder joins all blocks; overlapping windows are
averaged (Xu 2023, "MagicAnimate: Temporally Consistent Human Image Animation using Diffusion Model", arXiv 2311.16498).
DensePose gives each pixel a part and coordinates on it. Here the body surface gives the part, and its normal stands for
the coordinates (ours).
"""

import torch

from .body_maps import NORMAL, PARTS
from .branches import Branch
from .idea import AVERAGED, ReferenceIdea


class MagicAnimate(ReferenceIdea):
    joined = AVERAGED
    overlap = 4     # of windows of eight

    def __init__(self, sizes):
        super().__init__(sizes)
        self.dense = Branch(8, self.sizes)

    def guided(self, flat):
        maps = flat("maps")
        return self.dense(torch.cat([maps[:, PARTS], maps[:, NORMAL]], dim=1))
