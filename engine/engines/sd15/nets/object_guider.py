"""Objects that the character touches: features at the decoder's scales, and their spatial blending (paper 3.3)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import zeroed
from .sizes import Sizes
from .unet import LATENT_CHANNELS


def blended_levels(sizes: Sizes) -> dict[str, int]:
    """The blocks after whose spatial attention objects are blended in, and the level that each works at."""
    deepest = len(sizes.widths) - 1
    return {"mid_block": deepest} | {f"up_blocks.{i}": deepest - i for i in range(deepest + 1)}


class ObjectGuider(nn.Module):
    """Latents of the objects and their mask -> features and mask at the scale of each level.

    3x3 convolutions with strides 1, 2, 2, 2: the paper's literal "downsampled four times" misses the decoder's scales
    (ours).
    """

    def __init__(self, sizes: Sizes):
        super().__init__()
        widths = (LATENT_CHANNELS + 1, *sizes.widths)
        self.convs = nn.ModuleList([nn.Conv2d(into, out, 3, stride=2 if i else 1, padding=1)
                                    for i, (into, out) in enumerate(zip(widths[:-1], widths[1:], strict=True))])

    def forward(self, latents: Tensor, mask: Tensor) -> list[tuple[Tensor, Tensor]]:
        """latents (n, 4, h, w), mask (n, 1, h, w) 0..1 -> [(features, mask)] of each level, the finest first."""
        x, scales = torch.cat([latents, mask], dim=1), []
        for conv in self.convs:
            x = F.silu(conv(x))
            scales.append((x, F.adaptive_max_pool2d(mask, x.shape[2:])))
        return scales


class SpatialBlending(nn.Module):
    """z = alpha * z_object + (1 - alpha) * z_noise, alpha = sigmoid(F(cat(z_noise, z_object))), F zeroed at the start.

    "literal" is the paper's form: 0.5 everywhere at the start, which halves the features of pretrained weights. "gated"
    (ours) multiplies alpha by a learned gate that starts at zero and by the object mask, so that pretrained weights
    start unchanged, and positions without objects never change.
    """

    def __init__(self, channels: int, kind: str):
        super().__init__()
        self.alpha = zeroed(nn.Conv2d(2 * channels, 1, 3, padding=1))
        self.gate = nn.Parameter(torch.zeros(1)) if kind == "gated" else None

    def forward(self, noise: Tensor, objects: Tensor, mask: Tensor) -> Tensor:
        """noise, objects (n, channels, h, w), mask (n, 1, h, w) -> (n, channels, h, w)."""
        alpha = torch.sigmoid(self.alpha(torch.cat([noise, objects], dim=1)))
        if self.gate is not None:
            alpha = alpha * self.gate * mask
        return noise + alpha * (objects - noise)
