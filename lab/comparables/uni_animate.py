"""Idea of UniAnimate: one stream.

The reference and its pose are one more frame of the noisy stream: nothing else brings its look. A segment's last frame
begins the next (Wang 2024, "UniAnimate: Taming Unified Video Diffusion Models for Consistent Human Image Animation",
arXiv 2406.01188). Temporal attention stays in the place of its temporal Mamba variant (ours).
"""

from dataclasses import replace

import torch

from .branches import Branch
from .idea import Idea
from .plain_net import PlainNet


class UniAnimate(Idea):
    overlap = 1

    def __init__(self, sizes):
        super().__init__(replace(sizes, reference_skeleton=False, environment=False, warp=False, blending="off",
                                 surface=False))
        self.skeleton = Branch(3, self.sizes)
        self.net = PlainNet(self.sizes)

    def predict(self, batch, noisy, levels):
        clips = len(batch["skeleton"])
        reference = self.encoded(batch["reference"])
        stream = _with_first(reference, noisy, clips)
        drawn = torch.cat([batch["reference_skeleton"][:, None], batch["skeleton"]], dim=1).flatten(0, 1)
        levels = _with_first(levels.new_zeros(clips), levels, clips)
        made = self.net.paint(stream, levels, self.skeleton(drawn), clips)
        return made.unflatten(0, (clips, -1))[:, 1:].flatten(0, 1)


def _with_first(first, frames, clips):
    """first (clips, ...) and frames (clips * F, ...) -> (clips * (F + 1), ...), each clip's own before its frames."""
    return torch.cat([first[:, None], frames.unflatten(0, (clips, -1))], dim=1).flatten(0, 1)
