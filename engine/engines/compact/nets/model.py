"""All networks of one pack together, with their weights in one flat file."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ....contract import files
from ....packs.weights_file import check_finite, places, tensors
from .denoising_net import DenoisingNet
from .object_guider import ObjectGuider
from .pose_guider import PoseGuider
from .reference_net import ReferenceNet
from .sizes import Sizes
from .vae import Decoder, Encoder

SURFACE_PARTS = ("denoising_net.surface_in.", "denoising_net.heads.")


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
    from safetensors.torch import save  # for who trains: an artist's Python with torch need not have it
    half = {name: tensor.detach().cpu().half().contiguous() for name, tensor in model_state.items()}
    files.write_whole(path, save(half))


def fork_weights(parent: Sizes, sizes: Sizes, path: Path) -> Model:
    """A model of `sizes`, the same but for switches, begun at the file's weights of a `parent`.

    What a switched-off part does not have is left out; a surface that the parent lacks starts at zero. Raises
    ValueError where the file does not hold the parent's weights exactly, or lacks something that `sizes` asks for.
    """
    stored, model = load_weights(parent, path).state_dict(), Model(sizes)
    if sizes.surface and not parent.surface:
        stored |= {name: tensor for name, tensor in model.state_dict().items() if name.startswith(SURFACE_PARTS)}
    missing = [name for name, tensor in model.state_dict().items()
               if name not in stored or stored[name].shape != tensor.shape]
    if missing:
        raise ValueError(f"{path.name}: cannot be forked to these sizes, which have {missing[0]} and "
                         f"{len(missing) - 1} more of "
                         "their own")
    model.load_state_dict({name: stored[name] for name in model.state_dict()})
    return model


def load_weights(sizes: Sizes, path: Path) -> Model:
    """A model in single precision with exactly the weights of the file.

    Raises ValueError naming the missing and the unexpected keys, one of another shape, or one that is not a finite
    number.
    """
    with torch.device("meta"):  # shapes alone: no memory is taken before it is known that the file fills it
        model = Model(sizes)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    try:
        found = places(path)
        missing, extra = expected.keys() - found.keys(), found.keys() - expected.keys()
        if missing or extra:
            raise ValueError(f"missing {sorted(missing)[:3]}, unexpected {sorted(extra)[:3]}")
        other = [name for name in expected if found[name].shape != expected[name]]
        if other:
            raise ValueError(f"{other[0]}: expected the shape {expected[other[0]]}, got {found[other[0]].shape}")
        check_finite(path, found)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    model.load_state_dict({name: torch.from_numpy(array).float() for name, array in tensors(path).items()}, assign=True)
    return model.eval()
