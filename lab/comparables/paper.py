"""Animate Anyone 2 as the paper has it: its parts without our additions.

Environment, object guider with the literal blending, depth-wise pose modulation, reference net in mid and up blocks,
temporal attention (arXiv 2502.06145v1, sections 3.1 to 3.4). No surface, no warp, no reference skeleton, no gates, no
matte and no shadow: all inside M_f is a patch. It predicts x0 and uses our autoencoder, as all rows do (ours).
"""

from dataclasses import replace

from engine.engines.compact.nets.object_guider import ObjectGuider
from engine.engines.compact.nets.pose_guider import PoseGuider
from engine.engines.compact.nets.reference_net import ReferenceNet

from ..training.stage_image import predict
from .idea import Idea
from .plain_net import PlainNet


class Paper(Idea):
    environment = True
    overlap = 1     # the last frame of a clip leads the next (3.1)

    def __init__(self, sizes):
        super().__init__(replace(sizes, blending="literal", reference_skeleton=False, warp=False, surface=False,
                                 matte_and_shadow=False))
        self.reference_net = ReferenceNet(self.sizes)
        self.pose_guider = PoseGuider(self.sizes)
        self.object_guider = ObjectGuider(self.sizes)
        self.denoising_net = PlainNet(self.sizes)

    def predict(self, batch, noisy, levels):
        return predict(self, batch, noisy, levels)
