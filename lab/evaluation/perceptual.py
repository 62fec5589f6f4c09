"""Pictures -> ST-LPIPS (Ghildyal and Liu 2022, shift-tolerant AlexNet),
by stlpips_pytorch 0.0.2 with the weights in it."""

import functools
import sys
import types

import cv2
import numpy as np

SIDE = 256  # pixels; the distance depends on the size
# stlpips_pytorch imports these for networks and for debugging that we do not use. Empty modules replace them:
# torchvision must be built for exactly the installed torch, and for some machines there is no such build.
_UNUSED = {"torchvision": "models", "torchsummary": "summary", "IPython": "embed"}


@functools.cache
def _network():
    """Needs the environment that `build.py env score` makes."""
    import torch
    there = {name: sys.modules.get(name) for name in _UNUSED}
    for name, attribute in _UNUSED.items():
        sys.modules[name] = types.ModuleType(name)
        setattr(sys.modules[name], attribute, None)
    try:
        from stlpips_pytorch import stlpips
    finally:
        for name, module in there.items():
            sys.modules.pop(name) if module is None else sys.modules.update({name: module})
    torch.set_num_threads(1)
    return stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False)


def available() -> bool:
    """Whether this Python can measure it."""
    try:
        _network()
        return True
    except ImportError:
        return False


def st_lpips(made, true) -> float:
    """Mean distance of two lists of pictures (h, w, 3) 0..1; 0 for equal ones."""
    import torch
    with torch.inference_mode():
        return float(_network()(_batch(made), _batch(true)).mean())


def pooled(pictures) -> np.ndarray:
    """(n, d) of pictures (h, w, 3) 0..1: the channels of all five layers of the same network, each layer scaled to a
    root mean square of 1 at every place (its distance scales it to length 1), and averaged over places."""
    import torch
    network = _network()
    with torch.inference_mode():
        layers = network.net.forward(network.scaling_layer(_batch(pictures)))
        unit = [layer / (layer.square().mean(dim=1, keepdim=True).sqrt() + 1e-10) for layer in layers]
        return torch.cat([layer.mean(dim=(2, 3)) for layer in unit], dim=1).numpy()


def _batch(pictures):
    """(n, 3, SIDE, SIDE) -1..1."""
    import torch
    small = [picture if picture.shape[:2] == (SIDE, SIDE)
             else cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
             for picture in pictures]
    return torch.from_numpy(np.stack(small).transpose(0, 3, 1, 2).astype(np.float32) * 2 - 1)
