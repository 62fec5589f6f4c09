"""Which runtime and device run the networks, as an engine reports it."""

from dataclasses import dataclass
from typing import Any

NOT_OPEN = "none"


@dataclass(frozen=True)
class DeviceReport:
    """For `hello`, run.json and bug reports. It tells of what is open: what is installed may still not work."""

    runtime: str   # "onnxruntime" or "pytorch"
    version: str   # of that package; "" while nothing is open
    device: str    # "cpu", "cuda", ...; NOT_OPEN before the weights are
    peak_mb: float | None = None    # the most of the device's own memory that was taken; None if it has none


def report_of(torch: Any, device: str, how: str = "") -> DeviceReport:
    """Of what runs in torch, the package, on a device of this type; `how`: what is to be said about that."""
    peak = torch.cuda.max_memory_reserved() / 1e6 if device == "cuda" else None
    return DeviceReport("pytorch", torch.__version__, f"{device}{how}", peak)
