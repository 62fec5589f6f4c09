"""The public weights of the Animate Anyone family -> ours, by renaming alone. Every name is counted: a file that lacks
one, or has one more, is refused (a motion module that is not loaded is why such films flicker)."""

import pickle
from pathlib import Path

import torch
from torch import Tensor

from ...contract.errors import JobError
from .nets.model import ADDED, MOTION, expected_shapes
from .nets.motion import positions
from .nets.sizes import FAMILY, Sizes

# File -> the net whose weights it holds. Those of the motion modules are in a file of their own.
FILES = {"reference_unet.pth": "reference_net.", "denoising_unet.pth": "denoising_net.",
         "motion_module.pth": "denoising_net.", "pose_guider.pth": "pose_guider."}
MOTION_FILE = "motion_module.pth"
# In a motion module: our name (diffusers') -> the public one (AnimateDiff's).
_RENAMED = {"norm1": "norms.0", "norm2": "norms.1", "norm3": "ff_norm", "attn1": "attention_blocks.0",
            "attn2": "attention_blocks.1"}
_PLACES = "pos_encoder.pe"  # the file's copy of what nets/motion.py works out
_AGAIN = "Download this file again, from the publisher of these weights."


def read_public(folder: Path, sizes: Sizes = FAMILY) -> dict[str, Tensor]:
    """Our names -> tensors, of the four files in a folder. Raises JobError that names file and weight."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise JobError("pack_missing", f"{folder / missing[0]} does not exist.",
                       f"Choose the folder with {', '.join(FILES)}.")
    names, weights = public_names(sizes), {}
    for file, wanted in names.items():
        found = _tensors(folder / file)
        if file == MOTION_FILE:
            _check_places(folder / file, found, sizes)
        _check_names(folder / file, found, set(wanted))
        for public, ours in wanted.items():
            if ours is not None:
                weights[ours] = found[public]
    _check_shapes(folder, weights, sizes)
    return weights


def public_names(sizes: Sizes = FAMILY) -> dict[str, dict[str, str | None]]:
    """File -> {name in it: our name, None for what is worked out}."""
    names: dict[str, dict[str, str | None]] = {file: {} for file in FILES}
    for ours in expected_shapes(sizes):
        if ours.startswith(ADDED):
            continue
        file = MOTION_FILE if MOTION in ours else next(file for file, net in FILES.items() if ours.startswith(net))
        public = ours.removeprefix(FILES[file])
        names[file][_motion_name(public) if file == MOTION_FILE else public] = ours
    for public in list(names[MOTION_FILE]):
        if public.endswith("to_q.weight"):
            names[MOTION_FILE][public.removesuffix("to_q.weight") + _PLACES] = None
    return names


def _motion_name(ours: str) -> str:
    block, _, within = ours.partition(MOTION)
    number, *parts = within.split(".")
    return f"{block}{MOTION}{number}.temporal_transformer." + ".".join(_RENAMED.get(part, part) for part in parts)


def _tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file that torch.save wrote; nothing in it is run."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise JobError("pack_corrupt", f"{path}: no weights can be read: {reason}.", _AGAIN) from None
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise JobError("pack_invalid", f"{path}: expected names and tensors alone.", _AGAIN)
    return found


def _check_names(path: Path, found: dict[str, Tensor], wanted: set[str]) -> None:
    missing, extra = sorted(wanted - found.keys()), sorted(found.keys() - wanted)
    if missing or extra:
        told = [f"{len(names)} {kind}, the first is {names[0]}" for kind, names in
                (("missing", missing), ("not known", extra)) if names]
        raise JobError("pack_invalid", f"{path}: expected {len(wanted)} weights, got {len(found)}: {'; '.join(told)}.",
                       _AGAIN)
    for name, tensor in found.items():
        if not tensor.is_floating_point() or not tensor.isfinite().all():
            raise JobError("pack_corrupt", f"{path}: {name} is not made of finite numbers.", _AGAIN)


def _check_places(path: Path, found: dict[str, Tensor], sizes: Sizes) -> None:
    """The file's positions in time must be those that nets/motion.py works out."""
    for name, tensor in found.items():
        if name.endswith(_PLACES):
            right = tensor.ndim == 3 and tensor.shape[:2] == (1, sizes.longest)
            if not right or not torch.allclose(tensor[0].float(), positions(sizes.longest, tensor.shape[2],
                                                                            tensor.device), atol=2e-3):
                raise JobError("pack_invalid", f"{path}: {name}: expected the positions of {sizes.longest} frames, got "
                                               f"{tuple(tensor.shape)}.", _AGAIN)


def _check_shapes(folder: Path, weights: dict[str, Tensor], sizes: Sizes) -> None:
    for ours, shape in expected_shapes(sizes).items():
        if ours in weights and tuple(weights[ours].shape) != shape:
            raise JobError("pack_invalid", f"{folder}: {ours}: expected the shape {shape}, got "
                                           f"{tuple(weights[ours].shape)}.", _AGAIN)
