"""A pack -> the runtime that will run it on this machine, tested with a small picture."""

import importlib
import logging
import sys

import numpy as np

from ....contract.errors import JobError
from ..nets.sizes import Sizes
from .base import Runtime

log = logging.getLogger(__name__)
# They are tried in this order: the bundled one first.
RUNTIMES = ("onnxruntime", "pytorch")
_PROOF = 8  # latents on each side of the test picture (ours: small, but not too small)


def choose(pack, wanted: str | None = None, threads: int | None = None) -> Runtime:
    """The runtime `wanted` (one of RUNTIMES), or the first that can be imported; `threads` None means one for each
    core.

    At the engine's start, runtimes are imported only here. A blank picture is decoded. So the runtime learns on which
    device it runs, and weights that give no picture are found before a job. `pack`: packs.store.Pack.
    """
    reasons = []
    for name in (wanted,) if wanted else RUNTIMES:
        try:
            return _proven(_open(name, pack, threads), pack)
        except ImportError as error:
            log.info("%s cannot be imported: %s", name, error)
            reasons.append(f"{name}: {error}")
    raise JobError("runtime_missing", f"Expected a runtime that can be imported, got none ({'; '.join(reasons)}).",
                   f"Install onnxruntime or torch for {sys.executable}, or leave Python empty in the add-on's "
                   "preferences. If it is empty, install the extension again: it contains onnxruntime.")


def _open(name: str, pack, threads) -> Runtime:
    if name == "onnxruntime":
        return importlib.import_module(".ort", __package__).OrtRuntime(pack.folder, threads)
    if name == "pytorch":
        return importlib.import_module(".pytorch", __package__).PytorchRuntime(pack.folder, pack.manifest.sizes)
    raise JobError("settings_invalid", f"runtime: expected one of {', '.join(RUNTIMES)}, got {name!r}.")


def _proven(runtime: Runtime, pack) -> Runtime:
    channels = Sizes.from_dict(pack.manifest.sizes).latent_channels
    decoded = runtime.decode(np.zeros((1, _PROOF, _PROOF, channels), np.float32))
    if decoded.shape != (1, 4 * _PROOF, 4 * _PROOF, 5) or not np.isfinite(decoded).all():
        raise JobError("pack_invalid", f"{pack.folder}: expected a picture of {4 * _PROOF}x{4 * _PROOF} pixels from "
                       f"blank latents, got {decoded.shape}, not all of it finite numbers.",
                       "Install the weights again.")
    return runtime
