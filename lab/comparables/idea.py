"""What the rows have in common: the shipped autoencoder, x0-prediction and the motion stage's loss, so that nothing but
the idea differs (ours; docs/evaluation.md, "Comparables")."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from engine.engines.compact.nets.reference_net import ReferenceNet
from engine.engines.compact.nets.sizes import Sizes
from engine.engines.compact.nets.vae import Decoder, Encoder

from ..training import stage_motion
from .plain_net import PlainNet

# How the windows of a shot are joined (sampling.py).
HANDED_ON, AVERAGED, PROGRESSIVE = "handed on", "averaged", "progressive"
AUTOENCODER = ("encoder.", "decoder.")     # prefixes of what no row trains


class Idea(nn.Module):
    """`environment`: the row sees the plate, and paints the character into it; the others are pasted over it. `joined`,
    `overlap`: how windows meet, and over how many frames. `sizes`: those of its nets."""

    environment = False
    joined = HANDED_ON
    overlap = 2

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.sizes = sizes
        self.encoder, self.decoder = Encoder(sizes), Decoder(sizes)

    def predict(self, batch: dict[str, Tensor], noisy: Tensor, levels: Tensor) -> Tensor:
        """x0 (n, c, h, w) float32 of n = clips * frames noisy latents at levels (n,), under the batch's conditions
        (training/samples.py: batch_of)."""
        raise NotImplementedError

    def loss_of(self, batch: dict[str, Tensor], generator: torch.Generator, progress: float) -> tuple[Tensor, dict]:
        """The motion stage's loss. Windows that are not handed on never begin with frames that are made."""
        fixed = stage_motion.FIXED if self.joined == HANDED_ON else 0.0
        return stage_motion.loss_of(self, batch, generator, progress, type(self).predict, fixed)

    def first_guess(self, batch: dict[str, Tensor]) -> Tensor:
        """(n, 5, H, W) 0..1: one step from no noise, to look at and to count."""
        clips, frames, _, height, width = batch["skeleton"].shape
        nothing = batch["skeleton"].new_zeros(clips * frames, self.sizes.latent_channels, height // 4, width // 4)
        return self.decoder(self.predict(batch, nothing, torch.ones_like(nothing[:, 0, 0, 0])))

    def encoded(self, pictures: Tensor) -> Tensor:
        """Latents of pictures (n, 5, H, W); the autoencoder does not learn."""
        with torch.no_grad():
            return self.encoder(pictures)


class ReferenceIdea(Idea):
    """A reference net whose features join every block's spatial attention, and pictures of the pose that are added
    after the first convolution: what the Animate-Anyone family shares. A row says which pictures (`guided`)."""

    def __init__(self, sizes: Sizes):
        super().__init__(replace(sizes, reference_blocks="everywhere", reference_skeleton=False, environment=False,
                                 warp=False, blending="off", surface=False))
        self.reference_net = ReferenceNet(self.sizes)
        self.net = PlainNet(self.sizes)

    def guided(self, flat: Callable[[str], Tensor]) -> Tensor:
        """(n, w0, H/8, W/8); flat(name): a tensor of the batch, its clips and frames in one dimension."""
        raise NotImplementedError

    def predict(self, batch, noisy, levels):
        features = self.reference_net(self.encoded(batch["reference"]), batch["reference_skeleton"])
        added = self.guided(lambda name: batch[name].flatten(0, 1))
        return self.net.paint(noisy, levels, added, len(batch["skeleton"]), features)
