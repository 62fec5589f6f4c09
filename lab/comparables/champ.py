"""Idea of Champ: body maps.

Depth, normals, part map and skeleton, each with an encoder that ends in self-attention; their features are summed (Zhu
2024, "Champ: Controllable and Consistent Human Image Animation with 3D Parametric Guidance", arXiv 2403.14781). The
body surface stands for the SMPL body (ours).
"""

from torch import nn

from .body_maps import DEPTH, NORMAL, PARTS
from .branches import AttendedBranch
from .idea import ReferenceIdea

MAPS = {"depth": DEPTH, "normal": NORMAL, "parts": PARTS}


class Champ(ReferenceIdea):
    def __init__(self, sizes):
        super().__init__(sizes)
        channels = {"skeleton": 3, "depth": 1, "normal": 3, "parts": 5}
        self.guides = nn.ModuleDict({name: AttendedBranch(count, self.sizes) for name, count in channels.items()})

    def guided(self, flat):
        maps = flat("maps")
        shown = {"skeleton": flat("skeleton"), **{name: maps[:, where] for name, where in MAPS.items()}}
        return sum(guide(shown[name]) for name, guide in self.guides.items())
