"""Stage one: the autoencoder, on every kind of picture that it will be given."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.engines.compact.nets.model import Model
from engine.engines.compact.nets.vae import set_latent_scale, start_from_components

from .loop import Recipe, Run
from .losses import picture_loss

RECIPE = Recipe("autoencoder", trained=("encoder.", "decoder."), learning_rate=1e-3, batch=4,
                frames=1, average_over=300)
CROP = 160  # pixels: convolutions only, so that a part of the picture teaches as much as the whole (ours)
LATENT_NOISE = 0.05  # of the latents' deviation, so that the decoder forgives what the denoiser gets slightly wrong


def loss_of(model: Model, batch: dict, generator: torch.Generator, progress: float) -> tuple[Tensor, dict]:
    pictures = cut(torch.cat([batch["target"][:, 0], batch["environment"][:1, 0], batch["warp"][:1, 0],
                              batch["reference"][:1]]), generator)
    latents = model.encoder(pictures)
    noise = torch.randn(latents.shape, generator=generator, device=latents.device).to(latents)
    made = model.decoder(latents + LATENT_NOISE * latents.detach().std() * noise).float()
    scale = (latents.float().mean() ** 2 + (latents.float().std() - 1) ** 2) * 1e-3
    psnr = -10 * torch.log10(F.mse_loss(made[:, :3].clamp(0, 1), pictures[:, :3]))
    return picture_loss(made, pictures) + scale, {
        "psnr": psnr.detach(), "matte": (made[:, 3] - pictures[:, 3]).abs().mean().detach(),
        "shadow": (made[:, 4] - pictures[:, 4]).abs().mean().detach()}


def prepare(run: Run, batches: Iterator[dict]) -> None:
    """Before the first step: both halves start at the principal components of training patches."""
    pictures = torch.cat([next(batches)["target"][:, 0, :, :192, :192] for _ in range(6)])
    for model in (run.model, run.average):
        start_from_components(model.encoder, model.decoder, pictures.to(run.device))


def cut(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """The same random square of all pictures (n, 5, H, W)."""
    side = min(CROP, *pictures.shape[2:])
    top = 4 * int(torch.randint((pictures.shape[2] - side) // 4 + 1, (1,), generator=generator,
                                device=generator.device))
    left = 4 * int(torch.randint((pictures.shape[3] - side) // 4 + 1, (1,), generator=generator,
                                 device=generator.device))
    return pictures[:, :, top:top + side, left:left + side]


def picture_of(model: Model, batch: dict):
    pictures = batch["target"][:, 0]
    made = model.decoder(model.encoder(pictures))
    rows = [torch.cat([p[:3], m[:3], p[3:4].expand(3, -1, -1), m[3:4].expand(3, -1, -1),
                       p[4:5].expand(3, -1, -1), m[4:5].expand(3, -1, -1)],
                      dim=2) for p, m in zip(pictures, made, strict=True)]
    return (torch.cat(rows, dim=1).permute(1, 2, 0) * 255).byte().cpu().numpy()


def finish(run: Run, batches: Iterator[dict]) -> None:
    """Measures the latents' mean and deviation over training pictures and fixes them in the weights."""
    with torch.no_grad():
        for part in (run.average.encoder, run.average.decoder):
            part.mean.zero_()
            part.scale.fill_(1)
        latents = torch.cat([run.average.encoder(next(batches)["target"][:, 0]).transpose(0, 1).flatten(1)
                             for _ in range(20)], dim=1)
        set_latent_scale(run.average.encoder, run.average.decoder, latents.mean(dim=1), latents.std(dim=1))
        set_latent_scale(run.model.encoder, run.model.decoder, latents.mean(dim=1), latents.std(dim=1))
    run.save()
