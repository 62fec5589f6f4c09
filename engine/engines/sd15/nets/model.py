"""All networks of one pack together, and what their weight files must hold."""

import functools
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .denoising_net import DenoisingNet
from .object_guider import ObjectGuider
from .pose_guider import PoseGuider
from .reference_net import ReferenceNet
from .sizes import Sizes

# Parts of weights' names that Animate Anyone 2 adds to the family's networks.
ADDED = ("denoising_net.environment_in.", "denoising_net.blending.", "object_guider.", "pose_guider.modulation.")
MOTION = ".motion_modules."


class Model(nn.Module):
    """The parts by the names of their weight files."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.sizes = sizes
        self.reference_net = ReferenceNet(sizes)
        self.pose_guider = PoseGuider(sizes)
        if sizes.blending != "off":
            self.object_guider = ObjectGuider(sizes)
        self.denoising_net = DenoisingNet(sizes)


@functools.cache
def expected_shapes(sizes: Sizes) -> Mapping[str, tuple[int, ...]]:
    """Every weight's name and shape, without memory for the weights."""
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in Model(sizes).state_dict().items()}


def with_weights(sizes: Sizes, weights: dict[str, Tensor]) -> Model:
    """A model with exactly these weights, which it keeps as they are. Raises ValueError that names missing, unexpected
    and wrongly shaped ones."""
    expected = expected_shapes(sizes)
    missing, extra = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected.keys())
    if missing or extra:
        raise ValueError(f"expected {len(expected)} weights, got {len(weights)}: missing {missing[:3]}, "
                         f"unexpected {extra[:3]}")
    other = [name for name, shape in expected.items() if tuple(weights[name].shape) != shape]
    if other:
        raise ValueError(f"{other[0]}: expected the shape {expected[other[0]]}, got {tuple(weights[other[0]].shape)}")
    with torch.device("meta"):
        model = Model(sizes)
    model.load_state_dict(weights, assign=True)
    return model


def forked(sizes: Sizes, weights: dict[str, Tensor]) -> Model:
    """A model of `sizes` with these weights, whose added parts start afresh if the weights lack them: "gated" and
    "residual" ones as identity. Raises ValueError if anything else is missing."""
    torch.manual_seed(0)
    fresh = {name: tensor for name, tensor in Model(sizes).state_dict().items() if name.startswith(ADDED)}
    return with_weights(sizes, fresh | weights)
