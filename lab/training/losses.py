"""What the stages minimise."""

import torch
from torch import Tensor
from torch.nn import functional as F

# Matte and shadow are two of five channels, but their edges are what an artist sees first (ours).
CHANNEL_WEIGHT = (1.0, 1.0, 1.0, 2.0, 2.0)


def picture_loss(made: Tensor, true: Tensor, weight: Tensor | None = None) -> Tensor:
    """Absolute difference plus that of neighbouring pixels' steps, which keeps edges; (n, 5, h, w),
    weight (n, 1, h, w)."""
    channel = torch.tensor(CHANNEL_WEIGHT, device=made.device, dtype=made.dtype)[:, None, None]
    weight = channel if weight is None else channel * weight
    error = made - true
    across, down = error.diff(dim=3).abs(), error.diff(dim=2).abs()
    wide, tall = (weight.expand_as(error)[..., :, 1:], weight.expand_as(error)[..., 1:, :])
    return ((weight * error.abs()).mean() + (wide * across).mean() + (tall * down).mean())


def latent_loss(made: Tensor, true: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """Weighted squared error of x0 (docs/method.md, "Training"); latents (n, c, h, w), weight (n, 1, 4h, 4w).

    `scale` (c,) is the encoder's: a channel counts by the square root of how far it moves pixels, because the faint
    channels are the edges (ours; if all count alike, a third of the gradient goes into texture that nobody can
    predict).
    """
    channel = 1 / scale
    small = F.avg_pool2d(weight, 4) * (channel / channel.mean())[:, None, None]
    return (small * (made - true) ** 2).sum() / small.sum()


def show_linearly(latents: Tensor, decoder) -> Tensor:
    """(n, c, h, w) -> (n, 5, 4h, 4w) through the decoder's linear half, up to a constant: this costs nothing and shows
    the edges."""
    with torch.autocast(latents.device.type, enabled=False):  # half precision would add detail of its own
        return F.pixel_shuffle(F.conv2d(latents / decoder.scale[:, None, None], decoder.linear.weight), 4) * 0.5


def seen_loss(made: Tensor, true: Tensor, weight: Tensor) -> Tensor:
    """Weighted absolute difference of pictures (n, 5, H, W) and of their edges; weight (n, 1, H, W).

    Absolute, not squared: where the limb warp lies one pixel beside the truth, the squared loss is smallest for the
    blurred mean of both; the absolute loss chooses one of them (ours).
    """
    error = made - true
    channel = torch.tensor(CHANNEL_WEIGHT, device=made.device)[:, None, None]
    weight = channel * (weight / weight.mean())
    return ((weight * error.abs()).mean() + (weight[..., 1:] * error.diff(dim=3).abs()).mean()
            + (weight[..., 1:, :] * error.diff(dim=2).abs()).mean())


def detail_loss(made: Tensor, true: Tensor, matte: Tensor) -> tuple[Tensor, Tensor]:
    """How far the local amount of detail is from the truth's, inside the matte (n, 1, H, W); and their ratio.

    Detail is the mean steepness over 8x8 pixels, at full and half size: it asks for as much weave as there is, wherever
    its threads lie, which no difference of pixels does (ours). Without it, the net answers with the mean of all that it
    considers possible, and stripes that the warp shows are averaged away.
    """
    loss, a_sum, b_sum = made.new_zeros(3)
    made, true = made[:, :3], true[:, :3]
    for _ in range(2):
        inside = F.avg_pool2d(matte, 8)
        for axis in (2, 3):
            a, b = (F.avg_pool2d(F.pad((p.diff(dim=axis) ** 2 + 1e-5).sqrt(), (0, axis == 3, 0, axis == 2)), 8)
                    for p in (made, true))
            loss = loss + (inside * (a - b).abs()).sum() / (3 * inside.sum()).clamp_min(1)
            a_sum, b_sum = a_sum + (inside * a).sum().detach(), b_sum + (inside * b).sum().detach()
        made, true, matte = F.avg_pool2d(made, 2), F.avg_pool2d(true, 2), F.avg_pool2d(matte, 2)
    return loss, a_sum / b_sum.clamp_min(1e-6)
