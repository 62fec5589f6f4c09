"""The nets on PyTorch, from a pack's weights file, for GPUs and for checking the other runtime.

Needs torch and numpy, and none of the libraries that make packs.
"""

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ....contract.errors import JobError
from ....packs.manifest import WEIGHTS
from ...device import report_of
from ..nets.model import Model, load_weights
from ..nets.parts import Decode, Denoise, Encode, Objects, Pose, Reference
from ..nets.sizes import Sizes

log = logging.getLogger(__name__)


class PytorchRuntime:
    """Runs the same modules that the graphs are exported from. Features stay on the device."""

    def __init__(self, folder: Path, sizes: dict, device: str | None = None):
        """`device` None: the GPU if one works, else the CPU. Raises JobError if the weights do not fit these sizes."""
        model = _loaded(folder, sizes).to(device or ("cuda" if _gpu_works() else "cpu"))
        self._device = next(model.parameters()).device
        self._parts = {part.__name__: part(model).eval()
                       for part in (Encode, Decode, Reference, Pose, Objects, Denoise)}

    @torch.inference_mode()
    def _run(self, name: str, *inputs):
        return self._parts[name](*(self._tensor(x) for x in inputs))

    def _tensor(self, x) -> Tensor:
        return x if isinstance(x, Tensor) else torch.from_numpy(np.ascontiguousarray(x, np.float32)).to(self._device)

    def encode(self, pictures):
        return self._run("Encode", pictures).cpu().numpy()

    def decode(self, latents):
        return self._run("Decode", latents).cpu().numpy()

    def reference(self, picture, skeleton):
        matte_and_shadow = np.broadcast_to(np.array([0, 1], np.float32), (*picture.shape[:2], 2))
        latents = self._run("Encode", np.concatenate([picture, matte_and_shadow], axis=-1)[None])
        return self._run("Reference", latents, skeleton[None])

    def pose(self, skeleton, depth):
        return self._run("Pose", skeleton, depth)

    def objects(self, latents, mask):
        return self._run("Objects", latents, mask)

    def denoise(self, noisy, levels, environment, masks, warp, coverage, reference, pose, objects, maps=None):
        x0, *heads = self._run("Denoise", noisy, levels, environment, masks, warp, coverage, pose, *reference,
                               *objects, *([] if maps is None else [maps]))
        return x0.cpu().numpy(), heads[0].cpu().numpy() if heads else None

    def describe(self):
        return report_of(torch, self._device.type)


def _loaded(folder, sizes) -> Model:
    try:
        return load_weights(Sizes.from_dict(sizes), folder / WEIGHTS)
    # the last three: no networks can be made with these sizes
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise JobError("pack_invalid", f"{folder}: {error}.", "Install the weights again.") from None


def _gpu_works() -> bool:
    """Whether a GPU can add one and one. A driver, card or kernels that do not fit fail only at the first use."""
    if not torch.cuda.is_available():
        return False
    try:
        return torch.ones(1, device="cuda").add(1).item() == 2
    except (RuntimeError, AssertionError) as error:
        log.warning("the GPU cannot be used, so the processor is used: %s", error)
        return False
