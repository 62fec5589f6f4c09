"""The product's conditions of a shot (engine/conditions/bundle.py) -> a batch as training has it, with one clip."""

import numpy as np
import torch
from torch import Tensor

from engine.conditions.bundle import Bundle, ReferenceBundle

from ..training.samples import first, five


def batch_of_bundle(bundle: Bundle, reference: ReferenceBundle) -> dict[str, Tensor]:
    """Names and shapes as training/samples.py: batch_of, (1, F, channels, H, W), without what only a loss needs."""
    cover = _tensor(bundle.warp[..., 3:])
    plate, objects = _tensor(bundle.plate), _tensor(bundle.objects)
    return {
        "environment": five(_tensor(bundle.environment)),
        "masks": torch.cat([_tensor(bundle.region), _tensor(bundle.known)], dim=2),
        "skeleton": _tensor(bundle.skeleton), "depth": _tensor(bundle.depth),
        "warp": five(_tensor(bundle.warp[..., :3]) + 0.5 * (1 - cover), cover), "maps": _tensor(bundle.maps),
        "objects": five(plate * objects), "object_mask": objects,
        "reference": five(_tensor(reference.picture)), "reference_skeleton": _tensor(reference.skeleton)}


def _tensor(pictures: np.ndarray) -> Tensor:
    """(F, H, W, c) or (H, W, c) -> (1, F, c, H, W) or (1, c, H, W)."""
    return torch.from_numpy(first(np.asarray(pictures, np.float32)))[None]
