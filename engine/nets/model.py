"""All networks of one pack together, with their weights in one flat file."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from ..contract import folder as files
from .denoising_net import DenoisingNet
from .object_guider import ObjectGuider
from .pose_guider import PoseGuider
from .reference_net import ReferenceNet
from .sizes import Sizes
from .vae import Decoder, Encoder


class Model(nn.Module):
    """The parts by the names that weight files use."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.sizes = sizes
        self.encoder = Encoder(sizes)
        self.decoder = Decoder(sizes)
        self.reference_net = ReferenceNet(sizes)
        self.pose_guider = PoseGuider(sizes)
        self.object_guider = ObjectGuider(sizes)
        self.denoising_net = DenoisingNet(sizes)


def save_weights(model_state: dict[str, Tensor], path: Path) -> None:
    """Half precision, contiguous: what a pack ships. Written whole or not at all. Raises JobError."""
    half = {name: tensor.detach().cpu().half().contiguous() for name, tensor in model_state.items()}
    files.write_whole(path, save(half))


def fork_weights(parent: Sizes, sizes: Sizes, path: Path) -> Model:
    """A model of `sizes`, the same but for switches, begun at the file's weights of a `parent`.

    What a switched-off part does not have is left out. Raises ValueError where the file does not hold the parent's weights
    exactly, or lacks something that `sizes` asks for.
    """
    stored, model = load_weights(parent, path).state_dict(), Model(sizes)
    missing = [name for name, tensor in model.state_dict().items()
               if name not in stored or stored[name].shape != tensor.shape]
    if missing:
        raise ValueError(f"{path.name}: cannot be forked to these sizes, which have {missing[0]} and {len(missing) - 1} more of "
                         "their own")
    model.load_state_dict({name: stored[name] for name in model.state_dict()})
    return model


def load_weights(sizes: Sizes, path: Path) -> Model:
    """A model in single precision with exactly the weights of the file.

    Raises ValueError naming the missing and the unexpected keys, or a weight that is not a finite number.
    """
    model, stored = Model(sizes), load_file(path)
    missing, extra = model.state_dict().keys() - stored.keys(), stored.keys() - model.state_dict().keys()
    if missing or extra:
        raise ValueError(f"{path.name}: missing {sorted(missing)[:3]}, unexpected {sorted(extra)[:3]}")
    broken = [name for name, tensor in stored.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise ValueError(f"{path.name}: {broken[0]} holds values that are not finite numbers")
    model.load_state_dict({name: tensor.float() for name, tensor in stored.items()})
    return model.eval()
