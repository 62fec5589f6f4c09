"""The nets on onnxruntime, from the graphs of a pack. The extension bundles this runtime."""

import logging
import os
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as reasons  # pyright: ignore[reportAttributeAccessIssue]  no stub

from ....contract.errors import JobError
from ...device import NOT_OPEN, DeviceReport

PREFERRED = ("CUDAExecutionProvider", "CPUExecutionProvider")
_NOT_A_GRAPH = (reasons.Fail, reasons.InvalidArgument, reasons.InvalidGraph, reasons.InvalidProtobuf,
                reasons.NoSuchFile, reasons.NotImplemented, reasons.RuntimeException)
log = logging.getLogger(__name__)


class OrtRuntime:
    """One session for each call, opened at its first use: `hello` must not wait for graphs that are not needed yet."""

    def __init__(self, folder: Path, threads: int | None = None):
        self._folder = folder
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}
        available = onnxruntime.get_available_providers()
        self._providers = [name for name in PREFERRED if name in available]
        self._options = onnxruntime.SessionOptions()
        self._options.intra_op_num_threads = threads or os.cpu_count()
        self._options.log_severity_level = 3

    def _run(self, name: str, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        if name not in self._sessions:
            self._sessions[name] = self._opened(self._folder / f"{name}.onnx", inputs)
        inputs = {key: np.ascontiguousarray(value, np.float32) for key, value in inputs.items()}
        return cast(list[np.ndarray], self._sessions[name].run(None, inputs))

    def _opened(self, path, inputs) -> onnxruntime.InferenceSession:
        """A session that takes these inputs. The next sessions run on the same device, because an installed provider
        may still not work here."""
        try:
            session = onnxruntime.InferenceSession(str(path), self._options, providers=self._providers)
        except _NOT_A_GRAPH as error:
            raise JobError("pack_invalid", f"{path} cannot be opened: {error}", "Install the weights again.") from None
        takes = sorted(one.name for one in session.get_inputs())
        if takes != sorted(inputs):
            raise JobError("pack_invalid", f"{path}: expected a graph of {', '.join(sorted(inputs))}, got one of "
                           f"{', '.join(takes)[:200]}.", "Install the weights again.")
        if session.get_providers()[0] != self._providers[0]:
            log.warning("%s does not work here, %s runs the networks", self._providers[0], session.get_providers()[0])
        self._providers = session.get_providers()
        return session

    def encode(self, pictures):
        return self._run("encode", {"pictures": pictures})[0]

    def decode(self, latents):
        return self._run("decode", {"latents": latents})[0]

    def reference(self, picture, skeleton):
        matte_and_shadow = np.broadcast_to(np.array([0, 1], np.float32), (*picture.shape[:2], 2))
        latents = self.encode(np.concatenate([picture, matte_and_shadow], axis=-1)[None])
        made = self._run("reference", {"latents": latents, "skeleton": skeleton[None]})
        return self._named("reference", made)

    def pose(self, skeleton, depth):
        return self._named("pose", self._run("pose", {"skeleton": skeleton, "depth": depth}))

    def objects(self, latents, mask):
        return self._named("objects", self._run("objects", {"latents": latents, "mask": mask}))

    def denoise(self, noisy, levels, environment, masks, warp, coverage, reference, pose, objects, maps=None):
        surface = {} if maps is None else {"maps": maps}
        x0, *heads = self._run("denoise", {"noisy": noisy, "levels": levels, "environment": environment, "masks": masks,
                                           "warp": warp, "coverage": coverage, **reference, **pose, **objects,
                                           **surface})
        return x0, heads[0] if heads else None

    def _named(self, graph: str, made: list[np.ndarray]) -> dict[str, np.ndarray]:
        return {output.name: array for output, array in zip(self._sessions[graph].get_outputs(), made, strict=True)}

    def describe(self):
        """Reports the device of the open sessions. Which providers are installed or were requested does not say which
        one works."""
        providers = [session.get_providers()[0] for session in self._sessions.values()]
        device = providers[-1].removesuffix("ExecutionProvider").lower() if providers else NOT_OPEN
        return DeviceReport(runtime="onnxruntime", version=onnxruntime.__version__, device=device)
