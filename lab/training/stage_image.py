"""Stage two: single frames, most of them from noise alone: a regression that learns to denoise on the side
(docs/method.md, "Training")."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from engine.engines.compact.nets.model import Model

from .loop import Recipe, Run
from .losses import detail_loss, latent_loss, seen_loss, show_linearly

RECIPE = Recipe("image", trained=("reference_net.", "pose_guider.", "object_guider.", "denoising_net."),
                learning_rate=5e-4, batch=8, frames=1, average_over=500)
AT_FULL_NOISE = 0.8  # of the draws: the pack ships with few steps (ours)
DETAIL_WEIGHT = 1.0
LATENT_WEIGHT = 0.05  # keeps channels that are hardly visible near the truth


def loss_of(model: Model, batch: dict, generator: torch.Generator, progress: float) -> tuple[Tensor, dict]:
    frames = batch["target"].shape[0] * batch["target"].shape[1]
    true, noise = truth_and_noise(model, batch, generator)
    levels, chance = torch.rand(2, frames, generator=generator, device=true.device)
    levels = torch.where(chance < AT_FULL_NOISE, torch.ones_like(levels), levels)
    made = predict(model, batch, add_noise(true, noise, levels), levels)
    return compare(model, batch, made, true, levels == 1)


def truth_and_noise(model: Model, batch: dict, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The target's latents (n, c, h, w), and noise of their shape: what every stage of the denoising net begins with.
    """
    with torch.no_grad():
        true = model.encoder(batch["target"].flatten(0, 1)).float()
    return true, torch.randn(true.shape, generator=generator, device=true.device)


def compare(model: Model, batch: dict, made: Tensor, true: Tensor, from_noise: Tensor, free: Tensor | None = None):
    """The loss of latents (n, c, h, w) and its figures; from_noise (n,) says which frames were made from noise alone,
    and free (n,) which count at all (None: all)."""
    weight = batch["weight"].flatten(0, 1)
    if free is not None:
        weight, from_noise = weight * free[:, None, None, None], from_noise & free
    shown, truth = show_linearly(made, model.decoder), show_linearly(true, model.decoder)
    seen = seen_loss(shown, truth, weight)
    matte = batch["matte"].flatten(0, 1) * from_noise[:, None, None, None]
    detail, ratio = detail_loss(shown, truth, matte)
    latent = latent_loss(made, true, weight, model.encoder.scale)
    figures = {"seen": seen.detach(), "detail": ratio, "character_psnr": character_psnr(shown, truth, matte)}
    return seen + DETAIL_WEIGHT * detail + LATENT_WEIGHT * latent, figures


def character_psnr(made: Tensor, true: Tensor, matte: Tensor) -> Tensor:
    """Decibels inside the matte, of pictures (n, 5, H, W)."""
    inside = matte > 0.5
    error = (inside * (made - true)[:, :3].detach() ** 2).sum() / (3 * inside.sum()).clamp_min(1)
    return -10 * torch.log10(error.clamp_min(1e-6))


def add_noise(latents: Tensor, noise: Tensor, levels: Tensor) -> Tensor:
    """x_t = cos(pi t / 2) x0 + sin(pi t / 2) noise, level t (n,) 0..1 (variance-preserving cosine schedule)."""
    angle = levels[:, None, None, None] * (math.pi / 2)
    return angle.cos() * latents + angle.sin() * noise


def predict(model: Model, batch: dict, noisy: Tensor, levels: Tensor) -> Tensor:
    """x0 for (clips * frames) noisy latents under the batch's conditions, float32."""
    return predict_all(model, batch, noisy, levels)[0]


def predict_all(model: Model, batch: dict, noisy: Tensor, levels: Tensor) -> tuple[Tensor, Tensor | None]:
    """The same, plus the answer of the heads if the sizes have the surface."""
    clips = len(batch["skeleton"])
    flat = {name: batch[name].flatten(0, 1) for name in
            ("environment", "masks", "skeleton", "depth", "warp", "objects", "object_mask", "maps")}
    with torch.no_grad():
        environment, objects = (model.encoder(flat[name]) for name in ("environment", "objects"))
        warp = model.encoder(flat["warp"]) if model.sizes.warp else torch.zeros_like(environment)
        reference = model.encoder(batch["reference"])
    features = model.reference_net(reference, batch["reference_skeleton"])
    pose = model.pose_guider(flat["skeleton"], flat["depth"], clips)
    guided = model.object_guider(objects, flat["object_mask"])
    x0, heads = model.denoising_net(noisy, levels, environment, flat["masks"], warp, flat["warp"][:, 3:4], features,
                                    pose, guided, clips, flat["maps"])
    return x0.float(), heads


def picture_of(model: Model, batch: dict):
    """A row a clip: reference, environment, warp, skeleton, generated (one step from zeros), true, matte."""
    with torch.no_grad():
        shape = model.encoder(batch["target"].flatten(0, 1)).shape
        made = model.decoder(predict(model, batch, torch.zeros(shape, device=batch["target"].device),
                                     torch.ones(shape[0], device=batch["target"].device)))
    made = made.unflatten(0, batch["target"].shape[:2])
    rows = []
    for k in range(len(made)):
        pictures = [batch["reference"][k, :3]]
        for f in range(made.shape[1])[:3]:
            pictures += [batch["environment"][k, f, :3], batch["warp"][k, f, :3],
                         batch["skeleton"][k, f], made[k, f, :3],
                         batch["target"][k, f, :3], made[k, f, 3:4].expand(3, -1, -1)]
        rows.append(torch.cat(pictures, dim=2))
    return (torch.cat(rows, dim=1).permute(1, 2, 0).clamp(0, 1) * 255).byte().cpu().numpy()


def prepare(run: Run, batches: Iterator[dict]) -> None:
    """Raises ValueError: latents mean nothing before the autoencoder's stage."""
    raise ValueError("this stage needs --start with the weights of the stage before it")


def finish(run: Run, batches: Iterator[dict]) -> None:
    """Nothing is left to do: the averaged weights are saved."""
