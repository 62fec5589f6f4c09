"""Idea of Animate Anyone: skeleton.

A light pose guider reads the skeleton picture and is added after the first convolution; a reference net joins the
spatial attention everywhere; temporal layers follow. No environment (Hu 2023, "Animate Anyone: Consistent and
Controllable Image-to-Video Synthesis for Character Animation", arXiv 2311.17117). Its CLIP attention is left out: there
are no public weights here, in any row (ours).
"""

from .branches import Branch
from .idea import ReferenceIdea


class AnimateAnyone(ReferenceIdea):
    def __init__(self, sizes):
        super().__init__(sizes)
        self.skeleton = Branch(3, self.sizes)

    def guided(self, flat):
        return self.skeleton(flat("skeleton"))
