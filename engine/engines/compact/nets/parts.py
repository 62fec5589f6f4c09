"""A Model -> one module for each call of a runtime (engines/compact/runtimes/base.py), with channels last, as in numpy.

The graphs are exported from these modules, and the PyTorch runtime runs them directly.
"""

from torch import Tensor, nn

from .model import Model
from .unet import REFERENCE_BLOCKS


class Encode(nn.Module):
    """(n, H, W, 5) -> (n, H/4, W/4, c)."""

    def __init__(self, model: Model):
        super().__init__()
        self.encoder = model.encoder

    def forward(self, pictures: Tensor) -> Tensor:
        return last(self.encoder(first(pictures)))


class Decode(nn.Module):
    """(n, h, w, c) -> (n, 4h, 4w, 5)."""

    def __init__(self, model: Model):
        super().__init__()
        self.decoder = model.decoder

    def forward(self, latents: Tensor) -> Tensor:
        return last(self.decoder(first(latents)))


class Reference(nn.Module):
    """Latents (1, h, w, c) and skeleton (1, 4h, 4w, 3) of the reference -> its features, one output for each block."""

    def __init__(self, model: Model):
        super().__init__()
        self.reference_net = model.reference_net

    def forward(self, latents: Tensor, skeleton: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.reference_net(first(latents), first(skeleton)))


class Pose(nn.Module):
    """Skeletons (F, H, W, 3) and depth (F, H, W, 1) -> (F, width, H/8, W/8)."""

    def __init__(self, model: Model):
        super().__init__()
        self.pose_guider = model.pose_guider

    def forward(self, skeleton: Tensor, depth: Tensor) -> Tensor:
        return self.pose_guider(first(skeleton), first(depth), 1)


class Objects(nn.Module):
    """Latents (F, h, w, c) and mask (F, 4h, 4w, 1) of the objects -> features and masks at three scales."""

    def __init__(self, model: Model):
        super().__init__()
        self.object_guider = model.object_guider

    def forward(self, latents: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.object_guider(first(latents), first(mask)))


class Denoise(nn.Module):
    """One prediction for a window: x0 and, if the sizes have the surface, its heads. Inputs are as in
    engines/compact/runtimes/base.py, features as the graphs above return them."""

    def __init__(self, model: Model):
        super().__init__()
        self.denoising_net = model.denoising_net
        self.references = len(REFERENCE_BLOCKS[model.sizes.reference_blocks])
        self.surface = model.sizes.surface

    def forward(self, noisy, levels, environment, masks, warp, coverage, pose, *features: Tensor):
        maps, features = (first(features[-1]), features[:-1]) if self.surface else (None, features)
        reference, objects = features[:self.references], features[self.references:]
        x0, heads = self.denoising_net(first(noisy), levels, first(environment), first(masks), first(warp),
                                       first(coverage), list(reference), pose, list(objects), 1, maps)
        return (last(x0), last(heads)) if self.surface else (last(x0),)


def first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


def last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)
