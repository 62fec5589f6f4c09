"""The nets on PyTorch, from the same weights file of a pack; for a GPU, and to check the other runtime against."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..nets.model import load_weights
from ..nets.sizes import Sizes
from ..packs.export import WEIGHTS, Decode, Denoise, Encode, Objects, Pose, Reference
from .base import DeviceReport


class PytorchRuntime:
    """The very modules that the graphs are exported from. Features stay on the device."""

    def __init__(self, folder: Path, sizes: dict, device: str | None = None):
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        model = load_weights(Sizes.from_dict(sizes), folder / WEIGHTS).to(self._device)
        self._parts = {part.__name__: part(model).eval() for part in (Encode, Decode, Reference, Pose, Objects, Denoise)}

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
        matte_and_shadow = np.broadcast_to(np.float32([0, 1]), (*picture.shape[:2], 2))
        latents = self._run("Encode", np.concatenate([picture, matte_and_shadow], axis=-1)[None])
        return self._run("Reference", latents, skeleton[None])

    def pose(self, skeleton, depth):
        return self._run("Pose", skeleton, depth)

    def objects(self, latents, mask):
        return self._run("Objects", latents, mask)

    def denoise(self, noisy, levels, environment, masks, warp, coverage, reference, pose, objects):
        return self._run("Denoise", noisy, levels, environment, masks, warp, coverage, pose, *reference,
                         *objects).cpu().numpy()

    def describe(self) -> DeviceReport:
        return DeviceReport(runtime="pytorch", version=torch.__version__, device=self._device)
