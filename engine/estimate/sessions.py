"""The model files beside this module -> onnxruntime sessions that are opened once."""

import functools
import hashlib
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime

from ..contract import json_reader
from ..contract.errors import JobError

MODELS = Path(__file__).parent / "models"
_REPAIR = "Install the extension again."


@functools.cache
def session(name: str, threads: int) -> onnxruntime.InferenceSession:
    """The session of `models/<name>.onnx` on the CPU with so many threads (0 = one per core). It is opened once, then
    cached.

    Several threads may run a session at a time. The file is first compared with its checksum in models.json.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(_checked(name), options, providers=["CPUExecutionProvider"])


def answers(name: str, threads: int, wanted: list[str], crop: np.ndarray) -> list[np.ndarray]:
    """The outputs `wanted` of the body model `name` for its one input (1, h, w, 3) float32."""
    return cast(list[np.ndarray], session(name, threads).run(wanted, {"input_1": crop}))


def _checked(name: str) -> bytes:
    path = MODELS / f"{name}.onnx"
    expected = json_reader.read(MODELS / "models.json")[path.name]["sha256"]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise JobError("pack_missing", f"Cannot read the body model {path}: {error.strerror}.", _REPAIR) from error
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise JobError(
            "pack_corrupt", f"The body model {path} has sha256 {found[:12]}..., expected {expected[:12]}....", _REPAIR)
    return data
