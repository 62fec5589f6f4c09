"""Which runtime and device run the networks, as an engine reports it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceReport:
    """For `hello`, run.json and bug reports. It tells of what is open: what is installed may still not work."""

    runtime: str   # "onnxruntime" or "pytorch"
    version: str   # of that package; "" while nothing is open
    device: str    # "cpu", "cuda", ...; NOT_OPEN before the weights are


NOT_OPEN = "none"
