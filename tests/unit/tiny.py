"""The real networks at a size that takes milliseconds, with every zeroed layer stirred where a test needs it."""

import torch

from engine.engines.compact.nets.model import Model
from engine.engines.compact.nets.sizes import Sizes

TINY = Sizes(latent_channels=8, encoder_width=16, decoder_widths=(16, 16), widths=(16, 32, 32), head_width=16,
             pose_width=32, object_widths=(8, 16, 32, 32), level_width=16)


def tiny_model(sizes: Sizes = TINY, stirred: bool = True) -> Model:
    """A model in eval mode; stirred: no parameter is zero, as after training."""
    torch.manual_seed(7)
    model = Model(sizes).eval()
    if stirred:
        for parameter in model.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.05)
    return model


def window(frames: int = 3, side: int = 64, clips: int = 1) -> dict:
    """Random inputs of the denoising net (channels first) for clips * frames frames of side x side."""
    generator = torch.Generator().manual_seed(3)
    n, h = clips * frames, side // 4

    def rand(*shape):
        return torch.rand(shape, generator=generator)
    return {"noisy": rand(n, 8, h, h), "levels": rand(n), "environment": rand(n, 8, h, h),
            "masks": rand(n, 2, side, side), "warp": rand(n, 8, h, h), "coverage": rand(n, 1, side, side)}
