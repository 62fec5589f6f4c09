"""How long Blender's main thread was kept by us at a time: asked for by AA2_MEASURE=1 in the environment, else nothing."""
import os
import time
from contextlib import contextmanager, nullcontext

ASKED = os.environ.get("AA2_MEASURE") == "1"
# What was done (timer, gather, draw ..., press ...) -> milliseconds of the longest time.
longest_ms: dict[str, float] = {}


def slice(kind: str):
    """A context whose duration counts as one of this kind."""
    return _measured(kind) if ASKED else nullcontext()


@contextmanager
def _measured(kind):
    began = time.perf_counter()
    try:
        yield
    finally:
        longest_ms[kind] = max(longest_ms.get(kind, 0.0), (time.perf_counter() - began) * 1000)


def table() -> str:
    """The longest of each kind, longest first, a line each."""
    rows = sorted(longest_ms.items(), key=lambda item: -item[1])
    return "\n".join(f"{ms:8.2f} ms  {kind}" for kind, ms in rows)
