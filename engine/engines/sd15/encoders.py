"""The family's autoencoder and its image encoder, from folders in diffusers' and transformers' layout.

Both libraries only warn if a weight is missing and go on with random numbers. Here every name counts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPVisionModelWithProjection
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from ...contract.errors import JobError

VAE, IMAGE_ENCODER = "vae", "image_encoder"     # their folders in a pack
SCALE = 8       # pixels of a latent, on each side
_NOT_READ = {"vision_model.embeddings.position_ids"}    # in files of earlier transformers; a count 0, 1, 2 ...
_AGAIN = "Download this folder again, from the publisher of these weights."


class Encoders(nn.Module):
    """Pictures <-> latents, and pictures -> the image encoder's token. Both nets work in single precision."""

    def __init__(self, vae: AutoencoderKL, clip: CLIPVisionModelWithProjection | None):
        super().__init__()
        self.vae, self.clip = vae, clip
        self.requires_grad_(False).eval()

    @classmethod
    def opened(cls, vae: Path, clip: Path | None, look: Callable[[], None] = lambda: None) -> Encoders:
        """From two folders; clip None: the networks do without. look() is called between the two and may raise to
        stop. Raises JobError that names the folder and the weight."""
        opened = _strictly(AutoencoderKL, vae)
        scale = 2 ** (len(opened.config.block_out_channels) - 1)
        if scale != SCALE or opened.config.latent_channels != 4:
            raise JobError("pack_invalid", f"{vae}: expected 4 latent channels at an eighth of the size, got "
                                           f"{opened.config.latent_channels} at 1/{scale}.")
        look()
        return cls(opened, None if clip is None else _strictly(CLIPVisionModelWithProjection, clip))

    @property
    def token_width(self) -> int | None:
        return None if self.clip is None else self.clip.config.projection_dim

    def encode(self, pictures: Tensor) -> Tensor:
        """(n, 3, H, W) 0..1 -> latents (n, 4, H/8, W/8): the mean, without its noise. One picture at a time, for
        memory."""
        means = [self.vae.encode(one[None] * 2 - 1).latent_dist.mean for one in pictures]
        return torch.cat(means) * self.vae.config.scaling_factor

    def decode(self, latents: Tensor) -> Tensor:
        """(n, 4, h, w) -> pictures (n, 3, 8h, 8w), about 0..1."""
        return self.vae.decode(latents / self.vae.config.scaling_factor).sample * 0.5 + 0.5

    def token(self, pictures: Tensor) -> Tensor | None:
        """(m, 3, H, W) 0..1 -> (m, 1, token_width); None without an image encoder. Pictures are made square, as the
        family does, not cut."""
        if self.clip is None:
            return None
        side = self.clip.config.image_size
        small = F.interpolate(pictures, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
        mean, deviation = (torch.tensor(values, device=small.device)[:, None, None]
                           for values in (OPENAI_CLIP_MEAN, OPENAI_CLIP_STD))
        return self.clip((small - mean) / deviation).image_embeds[:, None]

    def save(self, folder: Path) -> list[str]:
        """Write both into a pack's folder, without the path that they were read from, which would change the pack's
        checksums; returns the files' names in it."""
        self.vae.register_to_config(_name_or_path="")
        self.vae.save_pretrained(folder / VAE)
        if self.clip is not None:
            self.clip.config.name_or_path = ""
            self.clip.save_pretrained(folder / IMAGE_ENCODER)
        return sorted(path.relative_to(folder).as_posix() for name in (VAE, IMAGE_ENCODER)
                      for path in (folder / name).rglob("*") if path.is_file())


def first(pictures: np.ndarray, device: torch.device) -> Tensor:
    """(n, H, W, c) in numpy -> (n, c, H, W) float32 on a device."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, -1, 1), np.float32)).to(device)


def last(tensor: Tensor) -> np.ndarray:
    """(..., c, h, w) -> (..., h, w, c) float32 in numpy."""
    return np.ascontiguousarray(np.moveaxis(tensor.float().cpu().numpy(), -3, -1))


def _strictly(kind: Any, folder: Path) -> Any:
    """The net in a folder, with every weight from its file. Nothing is fetched."""
    if not (folder / "config.json").is_file():
        raise JobError("pack_missing", f"{folder / 'config.json'} does not exist.", _AGAIN)
    try:
        net, info = kind.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError, UnpicklingError) as error:
        raise JobError("pack_invalid", f"{folder}: {str(error).partition(chr(10))[0][:300]}", _AGAIN) from None
    wrong = {what: sorted(map(str, set(names) - _NOT_READ)) for what, names in info.items()}
    told = [f"{len(names)} {what.replace('_', ' ')}, the first is {names[0]}" for what, names in wrong.items() if names]
    if told:
        raise JobError("pack_invalid", f"{folder}: {'; '.join(told)}.", _AGAIN)
    return net
