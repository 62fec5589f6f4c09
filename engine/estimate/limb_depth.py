"""A depth network like Depth Anything V2, named by the user, and a shot's bodies -> the bodies' depths by this network.

The network gives inverse depth up to a scale and a shift. Both are fitted once per shot to the depths of the metric
landmarks (ours), so that the range does not pump. If the two depths are far apart, something else is in front of the
joint, and the landmarks' depth stays.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import onnxruntime

from ..contract import files
from ..contract.errors import JobError
from ..contract.picture_file import Unreadable, open_regular
from ..job.progress import Watch
from .appearance import empty_unless
from .motion import Body
from .smooth import smooth
from .source import Source

STAGE = "depth"
_SIDE, _PATCH = 518, 14  # the shorter side of Depth Anything V2's input; its sides are multiples of the second
_MEAN, _DEVIATION = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)
_APART = 0.4  # metres: a depth further from the landmarks' belongs to something else
_SEEN = 0.3
_SIGMA_S, _LEAST_SIGMA = 0.12, 1.5
_HINT = "Use an ONNX export of Depth Anything V2, or leave the field empty."


class DepthNet:
    """A picture -> its inverse depth. `threads`: of onnxruntime; 0 = one per core."""

    def __init__(self, path: str, threads: int = 0):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            with open_regular(path) as file:
                self._data = file.read()
            self._session = onnxruntime.InferenceSession(self._data, options, providers=["CPUExecutionProvider"])
        except Unreadable as why:
            raise JobError("pack_missing", f"Cannot read the depth model: {why.message}", _HINT) from None
        except Exception as error:  # onnxruntime's error classes have no common base
            raise JobError("pack_invalid", f"{path} is not an ONNX file that onnxruntime can open: {str(error)[:200]}",
                           _HINT) from None
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or len(outputs[0].shape) not in (3, 4):
            raise JobError("pack_invalid", f"{path}: expected one input (1, 3, h, w) and an output (1, h, w), got "
                           f"{[i.shape for i in inputs]} and {[o.shape for o in outputs]}.", _HINT)
        self._input, self._output = inputs[0], outputs[0]
        self.digest = hashlib.sha256(self._data).hexdigest()[:32]
        del self._data

    def run(self, picture: np.ndarray) -> np.ndarray:
        """(h, w, 3) uint8 -> (h', w') float32, larger = nearer, over the whole picture."""
        size = self._size(picture.shape[1], picture.shape[0])
        scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if size[0] < picture.shape[1]
                            else cv2.INTER_CUBIC)
        values = ((scaled.astype(np.float32) / 255.0 - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None]
        depth = self._session.run([self._output.name], {self._input.name: values})[0]
        return np.squeeze(np.asarray(depth)).astype(np.float32)

    def _size(self, width: int, height: int) -> tuple[int, int]:
        """The model's own sides if they are fixed; else the shorter one is 518, and both are multiples of 14."""
        high, wide = self._input.shape[2:]
        scale = _SIDE / min(width, height)
        sides = (max(_PATCH, round(side * scale / _PATCH) * _PATCH) for side in (width, height))
        free = tuple(sides)
        return (wide if isinstance(wide, int) else free[0], high if isinstance(high, int) else free[1])


def from_model(path: str, bodies: dict[int, Body], source: Source, folder: str, *, shots: Sequence[range], fps: float,
               watch: Watch, threads: int, pieces: int) -> dict[int, Body]:
    """{number: motion.Body} with joint depths by the network in `path`. Its result for each frame is stored in the
    job."""
    net = DepthNet(path, threads)
    kept = files.path(folder, files.DEPTHS)
    empty_unless(kept, {"model": net.digest, "shots": [[s.start, s.stop] for s in shots]})
    inverse = {}
    for number in sorted(bodies):
        watch.check()
        path = os.path.join(kept, f"{number:04d}.depth")
        inverse[number] = _inverse_depths(path, net, source, number, bodies[number])
        watch.advance(STAGE, pieces)
    result = dict(bodies)
    for shot in shots:
        numbers = [number for number in shot if number in bodies]
        if numbers:
            result.update(_fitted({n: bodies[n] for n in numbers}, np.stack([inverse[n] for n in numbers]), fps))
    return result


def _inverse_depths(path: str, net: DepthNet, source: Source, number: int, body: Body) -> np.ndarray:
    """(20,) inverse depth at each joint; NaN if the joint is not seen."""
    try:
        values = np.fromfile(path, np.float32)
    except OSError:
        values = np.empty(0)
    if len(values) == len(body.body):
        return values
    picture = source.read(number)
    values = _at(cv2.medianBlur(net.run(picture), 3), body.body, picture.shape[1::-1])
    files.write_whole(path, values.tobytes())
    return values


def _at(depth: np.ndarray, joints: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    cells = np.floor(joints[:, :2] / size * depth.shape[::-1]).astype(int)
    cells = np.clip(cells, 0, np.array(depth.shape[::-1]) - 1)
    return np.where(joints[:, 3] > _SEEN, depth[cells[:, 1], cells[:, 0]], np.nan).astype(np.float32)


def _fitted(bodies: dict[int, Body], inverse: np.ndarray, fps: float) -> dict[int, Body]:
    """inverse (n, 20) -> the bodies with depths: 1 / depth = a * inverse + b, with one a and one b for the shot."""
    joints = np.stack([body.body for body in bodies.values()]).astype(np.float64)
    seen = np.isfinite(inverse) & (joints[..., 2] > 0)
    if seen.sum() < 8 or np.ptp(inverse[seen]) < 1e-9:
        return bodies
    line = _line(inverse[seen], 1.0 / joints[..., 2][seen])
    if line is None:
        return bodies
    depth = 1.0 / np.maximum(np.where(seen, inverse, 0.0) * line[0] + line[1], 1e-3)
    use = seen & (np.abs(depth - joints[..., 2]) < _APART)
    offset = smooth(np.where(use, depth - joints[..., 2], 0.0)[..., None], use + 0.05,
                    max(_LEAST_SIGMA, _SIGMA_S * fps))[..., 0]
    joints[..., 2] += offset
    return {number: replace(body, body=row.astype(np.float32))
            for (number, body), row in zip(bodies.items(), joints, strict=True)}


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float] | None:
    """(a, b) of y = a x + b, a > 0, by least squares with less weight on outliers; None if nearer things would come out
    further away."""
    weights, a, b = np.ones_like(y), 0.0, 0.0
    for _ in range(5):
        a, b = np.polyfit(x, y, 1, w=np.sqrt(weights))
        off = np.abs(y - a * x - b)
        weights = 1.0 / (1.0 + (off / (2.0 * np.median(off) + 1e-9)) ** 2)
    return (a, b) if a > 0 else None
