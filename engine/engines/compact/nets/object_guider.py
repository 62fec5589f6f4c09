"""Objects the character touches: features at the decoder's scales, and their spatial blending (paper 3.3)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import zeroed
from .sizes import Sizes

BLENDED_BLOCKS = ("mid", "up2", "up1", "up0")


class ObjectGuider(nn.Module):
    """Object latents and mask -> features at an eighth, a sixteenth and a thirty-second, with the mask at each.

    Plain 3x3 convolutions with strides 1, 2, 2, 2, because the paper's literal "downsampled four times" does not match
    the decoder's scales (ours).
    """

    def __init__(self, sizes: Sizes):
        super().__init__()
        a, b, c, d = sizes.object_widths
        self.conv0 = nn.Conv2d(sizes.latent_channels + 1, a, 3, padding=1)
        self.conv1 = nn.Conv2d(a, b, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(b, c, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(c, d, 3, stride=2, padding=1)

    def forward(self, latents: Tensor, mask: Tensor) -> list[Tensor]:
        """latents (n, c, h, w), mask (n, 1, 4h, 4w) -> [features0, mask0, features1, mask1, features2, mask2]."""
        mask = F.max_pool2d(mask, 4)
        x = F.silu(self.conv0(torch.cat([latents, mask], dim=1)))
        scales = []
        for conv in (self.conv1, self.conv2, self.conv3):
            x, mask = F.silu(conv(x)), F.max_pool2d(mask, 2)
            scales += [x, mask]
        return scales


class SpatialBlending(nn.Module):
    """z = alpha * z_object + (1 - alpha) * z_noise, alpha = sigmoid(F(cat(z_noise, z_object))), F zeroed at the start.

    "literal" is the paper's form: 0.5 everywhere at the start. "gated" (ours) multiplies alpha by a learned gate that
    starts at zero and by the object mask, so that the net starts as if the layer were not there, and pixels without
    objects never change.
    """

    def __init__(self, channels: int, kind: str):
        super().__init__()
        self.kind = kind
        self.alpha = zeroed(nn.Conv2d(2 * channels, 1, 3, padding=1))
        self.gate = nn.Parameter(torch.zeros(1)) if kind == "gated" else None

    def forward(self, noise: Tensor, objects: Tensor, mask: Tensor) -> Tensor:
        alpha = torch.sigmoid(self.alpha(torch.cat([noise, objects], dim=1)))
        if self.gate is not None:
            alpha = alpha * self.gate * mask
        return noise + alpha * (objects - noise)
