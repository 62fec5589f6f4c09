"""The compact model's own autoencoder: a picture with its matte and shadow -> latents at a quarter of the size, and
back.

Both halves are a linear map of 4x4 patches plus a convolutional detail that starts at zero (ours). The map starts at
the patches' principal components, so training starts where a plain net arrives after an hour on a processor.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import ResBlock, Unfold, zeroed
from .sizes import Sizes

PICTURE_CHANNELS = 5  # red, green, blue, matte, shadow factor


class Encoder(nn.Module):
    """(n, 5, H, W) 0..1 -> (n, latent_channels, H/4, W/4), scaled to about unit variance."""

    mean: Tensor
    scale: Tensor

    def __init__(self, sizes: Sizes):
        super().__init__()
        width = sizes.encoder_width
        self.conv_in = nn.Conv2d(PICTURE_CHANNELS * 16, width, 3, padding=1)
        self.blocks = nn.ModuleList([ResBlock(width, width) for _ in range(2)])
        self.conv_out = zeroed(nn.Conv2d(width, sizes.latent_channels, 1))
        self.linear = nn.Conv2d(PICTURE_CHANNELS * 16, sizes.latent_channels, 1)
        # Set after the autoencoder is trained: the latents' mean and inverse deviation over the training pictures.
        self.register_buffer("mean", torch.zeros(sizes.latent_channels))
        self.register_buffer("scale", torch.ones(sizes.latent_channels))

    def forward(self, pictures: Tensor) -> Tensor:
        patches = F.pixel_unshuffle(pictures * 2 - 1, 4)
        x = self.conv_in(patches)
        for block in self.blocks:
            x = block(x)
        return (self.linear(patches) + self.conv_out(F.silu(x)) - self.mean[:, None, None]) * self.scale[:, None, None]


class Decoder(nn.Module):
    """Latents -> (n, 5, H, W), clamped to 0..1 except in training."""

    mean: Tensor
    scale: Tensor

    def __init__(self, sizes: Sizes):
        super().__init__()
        wide, narrow = sizes.decoder_widths
        self.conv_in = nn.Conv2d(sizes.latent_channels, wide, 3, padding=1)
        self.blocks = nn.ModuleList([ResBlock(wide, wide) for _ in range(2)])
        self.up = Unfold(wide, narrow)
        self.fine = ResBlock(narrow, narrow)
        self.out = zeroed(Unfold(narrow, PICTURE_CHANNELS))
        self.linear = nn.Conv2d(sizes.latent_channels, PICTURE_CHANNELS * 16, 1)
        self.register_buffer("mean", torch.zeros(sizes.latent_channels))
        self.register_buffer("scale", torch.ones(sizes.latent_channels))

    def forward(self, latents: Tensor) -> Tensor:
        latents = latents / self.scale[:, None, None] + self.mean[:, None, None]
        x = self.conv_in(latents)
        for block in self.blocks:
            x = block(x)
        detail = self.out(F.silu(self.fine(self.up(F.silu(x)))))
        pictures = (F.pixel_shuffle(self.linear(latents), 4) + detail) * 0.5 + 0.5
        return pictures if self.training else pictures.clamp(0, 1)


def set_latent_scale(encoder: Encoder, decoder: Decoder, mean: Tensor, deviation: Tensor) -> None:
    """Gives the latents zero mean and unit variance per channel, as the noise schedule assumes."""
    for part in (encoder, decoder):
        part.mean.copy_(mean)
        part.scale.copy_(1 / deviation)


def start_from_components(encoder: Encoder, decoder: Decoder, pictures: Tensor) -> None:
    """Sets both linear maps: the patches' principal components in colour and matte, and one latent for the mean shadow.

    pictures (n, 5, H, W) 0..1. The shadow varies too little to get a component by itself, and is so soft that one
    latent is enough.
    """
    patches = F.pixel_unshuffle(pictures * 2 - 1, 4).transpose(0, 1).flatten(1)
    mean = patches.mean(dim=1, keepdim=True)
    shadow = torch.zeros_like(mean)
    shadow[-16:] = 0.25  # pixel_unshuffle keeps a channel's sixteen pixels together; unit length
    centred = patches - mean
    centred[-16:] = 0
    vectors = torch.linalg.eigh(centred @ centred.T)[1]
    components = torch.cat([vectors.flip(1)[:, :encoder.linear.out_channels - 1], shadow], dim=1)
    assert encoder.linear.bias is not None and decoder.linear.bias is not None
    with torch.no_grad():
        encoder.linear.weight.copy_(components.T[..., None, None])
        encoder.linear.bias.copy_(-(components.T @ mean)[:, 0])
        decoder.linear.weight.copy_(components[..., None, None])
        decoder.linear.bias.copy_(mean[:, 0])
