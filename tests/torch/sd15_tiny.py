"""The networks of sd15-aa2 at a size that takes milliseconds, with random weights that react to everything."""

from dataclasses import replace

import torch

from engine.engines.sd15.nets.model import MOTION, Model
from engine.engines.sd15.nets.sizes import Sizes

TINY = Sizes(widths=(16, 16, 32, 32), layers=1, heads=2, groups=4, token_width=12, pose_widths=(4, 8, 8, 8))
SHALLOW = replace(TINY, widths=(16, 32))    # two levels: for tests that run the networks often
WHOLE = replace(SHALLOW, environment=True, blending="gated", modulation="residual")


def random_model(sizes=SHALLOW, seed=5):
    """Every weight is random, also those that start at zero: plain ones hide what does not reach the result."""
    model, generator = Model(sizes).eval(), torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            far = 3 if MOTION in name and "proj_out" in name else 1     # else frames hardly see each other
            weight.data = far * torch.randn(weight.shape, generator=generator) * weight[0].numel() ** -0.5
        elif "norm" in name and name.endswith("weight"):
            weight.data = 1 + 0.2 * torch.randn(weight.shape, generator=generator)
        else:
            weight.data = 0.2 * torch.randn(weight.shape, generator=generator)
    return model


def noise(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
