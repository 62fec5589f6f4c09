"""A pack -> the runtime that will run it on this machine."""

import importlib
import logging

from ..contract.errors import JobError
from .base import Runtime

log = logging.getLogger(__name__)
# In the order in which they are tried: the bundled one first.
RUNTIMES = ("onnxruntime", "pytorch")


def choose(pack, wanted: str | None = None, threads: int | None = None) -> Runtime:
    """The runtime `wanted` (one of RUNTIMES), or the first that can be imported; `threads` None for one a core.

    Imports happen here and nowhere else at the engine's start. `pack`: packs.store.Pack.
    """
    reasons = []
    for name in (wanted,) if wanted else RUNTIMES:
        try:
            return _open(name, pack, threads)
        except ImportError as error:
            log.info("%s cannot be imported: %s", name, error)
            reasons.append(f"{name}: {error}")
    raise JobError("runtime_missing", f"Expected a runtime that can be imported, got none ({'; '.join(reasons)}).",
                   "Install the extension again: onnxruntime travels inside it.")


def _open(name: str, pack, threads) -> Runtime:
    if name == "onnxruntime":
        return importlib.import_module(".ort", __package__).OrtRuntime(pack.folder, threads)
    if name == "pytorch":
        return importlib.import_module(".pytorch", __package__).PytorchRuntime(pack.folder, pack.manifest.sizes)
    raise JobError("settings_invalid", f"runtime: expected one of {', '.join(RUNTIMES)}, got {name!r}.")
