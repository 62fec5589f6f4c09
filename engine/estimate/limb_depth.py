"""A depth network like Depth Anything V2 or 3, named by the user, and a shot's bodies -> the bodies' depths by it.

The network gives inverse depth (V2) or depth (3), up to a scale and a shift. Which of the two, the scale and the shift
are fitted once per shot to the depths of the metric landmarks (ours), so that the range does not pump. If the two
depths are far apart, something else is in front of the joint, and the landmarks' depth stays.
"""

import hashlib
import os
import re
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
_POSITIVE = 0.9  # of the joints' values at least, if they are depths
_HINT = "Use an ONNX export of Depth Anything V2 Small, or of 3 Mono or Metric Large, or leave the field empty."
# The sizes that are under CC BY-NC 4.0, by their files' names: V2 Base, Large and Giant; 3 Large and Giant, and what is
# nested of them (README of DepthAnything/Depth-Anything-V2, and of ByteDance-Seed/Depth-Anything-3).
_NOT_COMMERCIAL = (re.compile(r"v2.*(base|large|giant|vit-?[blg])"),
                   re.compile(r"(da|depth-?anything-?(v?))3(?!-?(mono|metric)).*(large|giant|nested)"))


class DepthNet:
    """A picture -> its inverse depth, or its depth. `threads`: of onnxruntime; 0 = one per core."""

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
        inputs, outputs = self._session.get_inputs(), _depths_first(self._session.get_outputs())
        if len(inputs) == 1 and len(inputs[0].shape) == 5:
            raise JobError("pack_invalid", f"{path} takes several views of a scene at once, {inputs[0].shape}; "
                           "expected one picture, (1, 3, h, w).",
                           "Export it for one picture, without the axis of views, or use Depth Anything V2 Small.")
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or len(outputs[0].shape) not in (3, 4):
            raise JobError("pack_invalid", f"{path}: expected one input (1, 3, h, w) and an output (1, h, w), got "
                           f"{[i.shape for i in inputs]} and {[o.shape for o in outputs]}.", _HINT)
        self._input, self._output = inputs[0], outputs[0]
        self.digest = hashlib.sha256(self._data).hexdigest()[:32]
        del self._data

    def run(self, picture: np.ndarray) -> np.ndarray:
        """(h, w, 3) uint8 -> (h', w') float32 over the whole picture."""
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


def licence_warning(path: str) -> str | None:
    """What to tell whoever chose a file that is, by its name, a size that must not be used commercially."""
    name = os.path.basename(path)
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower())
    if not any(known.search(plain) for known in _NOT_COMMERCIAL):
        return None
    return (f"{name} is, by its name, under CC BY-NC 4.0: what is made with it must not be used commercially. "
            "V2 Small, and 3 Small, Base, Mono Large and Metric Large may be (Apache 2.0).")


def _depths_first(outputs: Sequence) -> list:
    """A network may also say how sure it is, and where the sky is."""
    return sorted(outputs, key=lambda one: "depth" not in one.name.lower())


def from_model(path: str, bodies: dict[int, Body], source: Source, folder: str, *, shots: Sequence[range], fps: float,
               watch: Watch, threads: int, pieces: int) -> dict[int, Body]:
    """{number: motion.Body} with joint depths by the network in `path`. Its result for each frame is stored in the
    job."""
    net = DepthNet(path, threads)
    kept = files.path(folder, files.DEPTHS)
    empty_unless(kept, {"model": net.digest, "shots": [[s.start, s.stop] for s in shots]})
    told = {}
    for number in sorted(bodies):
        watch.check()
        path = os.path.join(kept, f"{number:04d}.depth")
        told[number] = _told(path, net, source, number, bodies[number])
        watch.advance(STAGE, pieces)
    result = dict(bodies)
    for shot in shots:
        numbers = [number for number in shot if number in bodies]
        if numbers:
            result.update(_fitted({n: bodies[n] for n in numbers}, np.stack([told[n] for n in numbers]), fps))
    return result


def _told(path: str, net: DepthNet, source: Source, number: int, body: Body) -> np.ndarray:
    """(20,) what the network says at each joint; NaN if the joint is not seen."""
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


def _fitted(bodies: dict[int, Body], told: np.ndarray, fps: float) -> dict[int, Body]:
    """told (n, 20), depths or inverse depths -> the bodies with depths, by one fit for the shot."""
    joints = np.stack([body.body for body in bodies.values()]).astype(np.float64)
    seen = np.isfinite(told) & (joints[..., 2] > 0)
    if seen.sum() < 8 or np.ptp(told[seen]) < 1e-9:
        return bodies
    inverse = _inverse(told, joints[..., 2], seen)
    if inverse is None:
        return bodies
    depth = 1.0 / np.maximum(inverse, 1e-3)
    use = seen & (np.abs(depth - joints[..., 2]) < _APART)
    offset = smooth(np.where(use, depth - joints[..., 2], 0.0)[..., None], use + 0.05,
                    max(_LEAST_SIGMA, _SIGMA_S * fps))[..., 0]
    joints[..., 2] += offset
    return {number: replace(body, body=row.astype(np.float32))
            for (number, body), row in zip(bodies.items(), joints, strict=True)}


def _inverse(told: np.ndarray, depths: np.ndarray, seen: np.ndarray) -> np.ndarray | None:
    """(n, 20) 1 / metres by the network, where seen: a x + b if x is inverse depth, a / x + b if x is depth. The better
    of the two fits is kept (ours: exports do not say which it is); None if nearer things would come out further away
    in both."""
    forms = [np.where(seen, told, 0.0).astype(np.float64)]
    if np.mean(told[seen] > 0) >= _POSITIVE:
        forms.append(np.where(seen & (told > 0), 1.0 / np.where(seen & (told > 0), told, 1.0), 0.0))
    fits = [(form, _line(form[seen], 1.0 / depths[seen])) for form in forms]
    usable = [(line[2], form * line[0] + line[1]) for form, line in fits if line is not None]
    return min(usable, key=lambda one: one[0])[1] if usable else None


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float] | None:
    """(a, b, r) of y = a x + b, a > 0, by least squares with less weight on outliers; r: the median difference. None if
    nearer things would come out further away."""
    weights, a, b = np.ones_like(y), 0.0, 0.0
    for _ in range(5):
        a, b = np.polyfit(x, y, 1, w=np.sqrt(weights))
        off = np.abs(y - a * x - b)
        weights = 1.0 / (1.0 + (off / (2.0 * np.median(off) + 1e-9)) ** 2)
    return (a, b, float(np.median(np.abs(y - a * x - b)))) if a > 0 else None
