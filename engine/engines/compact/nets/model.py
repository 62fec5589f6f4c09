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
    """Write the weights as a pack ships them: in half precision, contiguous. The file is written completely or not at
    all. Raises JobError."""
    from safetensors.torch import save  # only for training: an artist's Python with torch need not have it
    half = {name: tensor.detach().cpu().half().contiguous() for name, tensor in model_state.items()}
    files.write_whole(path, save(half))


def fork_weights(parent: Sizes, sizes: Sizes, path: Path) -> Model:
    """A model of `sizes` that starts from the file's weights of a `parent`; the two may differ only in switches.

    Weights of switched-off parts are left out. If `sizes` has the surface and the parent has not, its weights start at
    zero. Raises ValueError if the file's weights are not exactly the parent's, or if the file lacks something that
    `sizes` needs.
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

    Raises ValueError that names the missing and the unexpected keys, a key with another shape, or one with numbers that
    are not finite.
    """
    with torch.device("meta"):  # shapes only: memory is allocated after the file is known to fit
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
