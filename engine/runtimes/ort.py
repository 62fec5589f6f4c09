"""The nets on onnxruntime, from the graphs of a pack; what the extension bundles."""

import os
from pathlib import Path

import numpy as np
import onnxruntime

from .base import DeviceReport


PREFERRED = ("CUDAExecutionProvider", "CPUExecutionProvider")


class OrtRuntime:
    """A session for each call, opened when first used: saying hello must not wait for graphs that nobody asked for."""

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
            self._sessions[name] = onnxruntime.InferenceSession(
                str(self._folder / f"{name}.onnx"), self._options, providers=self._providers)
        inputs = {key: np.ascontiguousarray(value, np.float32) for key, value in inputs.items()}
        return self._sessions[name].run(None, inputs)

    def encode(self, pictures):
        return self._run("encode", {"pictures": pictures})[0]

    def decode(self, latents):
        return self._run("decode", {"latents": latents})[0]

    def reference(self, picture, skeleton):
        matte_and_shadow = np.broadcast_to(np.float32([0, 1]), (*picture.shape[:2], 2))
        latents = self.encode(np.concatenate([picture, matte_and_shadow], axis=-1)[None])
        made = self._run("reference", {"latents": latents, "skeleton": skeleton[None]})
        return self._named("reference", made)

    def pose(self, skeleton, depth):
        return self._named("pose", self._run("pose", {"skeleton": skeleton, "depth": depth}))

    def objects(self, latents, mask):
        return self._named("objects", self._run("objects", {"latents": latents, "mask": mask}))

    def denoise(self, noisy, levels, environment, masks, warp, coverage, reference, pose, objects):
        return self._run("denoise", {"noisy": noisy, "levels": levels, "environment": environment, "masks": masks,
                                     "warp": warp, "coverage": coverage, **reference, **pose, **objects})[0]

    def _named(self, graph: str, made: list[np.ndarray]) -> dict[str, np.ndarray]:
        return {output.name: array for output, array in zip(self._sessions[graph].get_outputs(), made)}

    def describe(self) -> DeviceReport:
        return DeviceReport(runtime="onnxruntime", version=onnxruntime.__version__,
                            device=self._providers[0].removesuffix("ExecutionProvider").lower())
