"""The compact model's own autoencoder: a picture with its matte and shadow, to latents at a quarter of the size and back."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import ResBlock, Unfold
from .sizes import Sizes

PICTURE_CHANNELS = 5  # red, green, blue, matte, shadow factor


class Encoder(nn.Module):
    """(n, 5, H, W) 0..1 -> (n, latent_channels, H/4, W/4), scaled to about unit variance."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        width = sizes.encoder_width
        self.conv_in = nn.Conv2d(PICTURE_CHANNELS * 16, width, 3, padding=1)
        self.blocks = nn.ModuleList([ResBlock(width, width) for _ in range(2)])
        self.conv_out = nn.Conv2d(width, sizes.latent_channels, 1)
        # Set once the autoencoder is trained: the latents' mean and inverse deviation over the training pictures.
        self.register_buffer("mean", torch.zeros(sizes.latent_channels))
        self.register_buffer("scale", torch.ones(sizes.latent_channels))

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.conv_in(F.pixel_unshuffle(pictures * 2 - 1, 4))
        for block in self.blocks:
            x = block(x)
        return (self.conv_out(F.silu(x)) - self.mean[:, None, None]) * self.scale[:, None, None]


class Decoder(nn.Module):
    """Latents back to (n, 5, H, W), clamped to 0..1 outside training."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        wide, narrow = sizes.decoder_widths
        self.conv_in = nn.Conv2d(sizes.latent_channels, wide, 3, padding=1)
        self.blocks = nn.ModuleList([ResBlock(wide, wide) for _ in range(2)])
        self.up = Unfold(wide, narrow)
        self.fine = ResBlock(narrow, narrow)
        self.out = Unfold(narrow, PICTURE_CHANNELS)
        self.register_buffer("mean", torch.zeros(sizes.latent_channels))
        self.register_buffer("scale", torch.ones(sizes.latent_channels))

    def forward(self, latents: Tensor) -> Tensor:
        x = self.conv_in(latents / self.scale[:, None, None] + self.mean[:, None, None])
        for block in self.blocks:
            x = block(x)
        pictures = self.out(F.silu(self.fine(self.up(F.silu(x))))) * 0.5 + 0.5
        return pictures if self.training else pictures.clamp(0, 1)


def set_latent_scale(encoder: Encoder, decoder: Decoder, mean: Tensor, deviation: Tensor) -> None:
    """Makes latents zero-mean and unit-variance per channel, which the noise schedule counts on."""
    for part in (encoder, decoder):
        part.mean.copy_(mean)
        part.scale.copy_(1 / deviation)
