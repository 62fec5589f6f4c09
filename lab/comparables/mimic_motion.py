"""Idea of MimicMotion: confidence.

Joints are drawn as bright as they are sure; the loss counts hands more where they are sure; windows are fused
progressively, each frame nearer to the window in whose middle it lies (Zhang 2024, "MimicMotion: High-Quality Human
Motion Video Generation with Confidence-aware Pose Guidance", arXiv 2406.19680). The skeleton picture is drawn by
confidence already (engine/conditions/pose.py), in every row; a rig's joints are all sure, so this part shows only with
a performer. The reference enters by a reference net, as in the rows beside it (ours), so that only this differs.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from .body_maps import PARTS
from .branches import Branch
from .idea import PROGRESSIVE, ReferenceIdea

HANDS = PARTS.start + 1     # of the maps (engine/conditions/surface_inputs.py)
HAND_WEIGHT = 4.0           # added to a sure hand's weight (ours)
REACH = 9                   # pixels across a hand within which its brightest stroke says how sure it is (ours)


class MimicMotion(ReferenceIdea):
    joined = PROGRESSIVE
    overlap = 4     # of windows of eight

    def __init__(self, sizes):
        super().__init__(sizes)
        self.skeleton = Branch(3, self.sizes)

    def guided(self, flat):
        return self.skeleton(flat("skeleton"))

    def loss_of(self, batch, generator, progress):
        flat = hand_confidence(batch["skeleton"].flatten(0, 1), batch["maps"].flatten(0, 1))
        sure = flat.unflatten(0, batch["skeleton"].shape[:2])
        return super().loss_of({**batch, "weight": batch["weight"] + HAND_WEIGHT * sure}, generator, progress)


def hand_confidence(skeleton: Tensor, maps: Tensor) -> Tensor:
    """(n, 1, H, W) 0..1: on the hands, how sure their joints are; 0 elsewhere, and where no joint is drawn. skeleton
    (n, 3, H, W), in which strokes of hands are as bright as their joints are sure; maps (n, MAPS, H, W)."""
    brightest = F.max_pool2d(skeleton.amax(dim=1, keepdim=True), REACH, stride=1, padding=REACH // 2)
    return torch.minimum(brightest, maps[:, HANDS:HANDS + 1].clamp(0, 1))
