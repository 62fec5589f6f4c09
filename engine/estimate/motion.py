"""One performer's landmarks of a whole video -> a body with depth for each frame, steady in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .landmarks import Landmarks
from .lift import Points, body_joints, pelvis_depth, pixels_per_metre, standing_height
from .sides import changed, exchange
from .smooth import bridge, evened, smooth, smooth_motion, stretches_of

BRIDGED_S = 0.6  # a gap up to this long is filled (ours: about one step of a walk)
_SIGMA_S, _LEAST_SIGMA = 0.07, 1.3  # of the fit to each point: in seconds, but at least so many frames
_DEEP = 1.6  # depth has more jitter, so it is fitted over more frames
_SCALE_SIGMA_S = 0.25  # a person's size in the picture changes slowly
_BRIDGED_CONFIDENCE = 0.7
# A joint's least visibility over time. It is lower than in a still, because joints that are seen only now and then are
# right (measured)
_SURE = 0.2


@dataclass(frozen=True)
class Body:
    """One frame: body (20, 4) float32 as contract.skeleton.BODY; height_px; scale: pixels per metre at the pelvis;
    depth of the pelvis in metres; bridged: it was seen only before and after."""

    points: Points
    body: np.ndarray
    height_px: float
    scale: float
    depth: float
    bridged: bool = False


def steady(found: Mapping[int, Points | Landmarks], shots: Sequence[range], *, fps: float,
           size: tuple[int, int]) -> dict[int, Body]:
    """{number: Points or Landmarks}, the shots as ranges of numbers, the picture's (width, height) -> {number: Body}.

    Each shot, and each stretch of it without a long gap, is treated separately.
    """
    stretches = [stretch for shot in shots for stretch in stretches_of([n for n in shot if n in found], BRIDGED_S, fps)]
    if not stretches:
        return {}
    tall = float(np.median([standing_height(found[n].world) for stretch in stretches for n in stretch]))
    bodies = {}
    for stretch in stretches:
        bodies.update(_steady_stretch(found, stretch, tall, fps, size))
    return bodies


def _steady_stretch(found: Mapping[int, Points | Landmarks], seen: list[int], tall: float, fps: float,
                    size: tuple[int, int]) -> dict[int, Body]:
    """tall: the performer's height in the model's metres, one value for the whole video, so that the size does not
    pulse."""
    pixels, world, visibility = (np.stack([getattr(found[n], name) for n in seen]).astype(np.float64)
                                 for name in ("pixels", "world", "visibility"))
    scales = np.array([pixels_per_metre(found[n]) for n in seen])
    sizes = np.array([standing_height(w) for w in world])
    world, scales = world * (tall / sizes)[:, None, None], scales * sizes / tall
    place = np.concatenate([pixels / np.median(scales), world[..., 2:]], axis=-1)
    which = changed(place, visibility)
    pixels, world, visibility = (exchange(values, which) for values in (pixels, world, visibility))

    numbers = np.arange(seen[0], seen[-1] + 1)
    there = np.isin(numbers, seen)
    wide = {name: bridge(_spread(values, there), there)
            for name, values in (("pixels", pixels), ("world", world), ("visibility", visibility), ("scales", scales))}
    sigma = max(_LEAST_SIGMA, _SIGMA_S * fps)
    weights = np.maximum(wide["visibility"], 0.05) * np.where(there, 1.0, 0.2)[:, None]
    pixels = smooth_motion(wide["pixels"], weights, sigma)
    world = np.concatenate([smooth(wide["world"][..., :2], weights, sigma),
                            smooth(wide["world"][..., 2:], weights, _DEEP * sigma)], axis=-1)
    scales = np.exp(smooth(np.log(wide["scales"])[:, None, None], weights.mean(axis=1, keepdims=True),
                           max(_LEAST_SIGMA, _SCALE_SIGMA_S * fps))[:, 0, 0])
    # a joint that is unsure for one frame stays drawn, so that none flickers
    visibility = np.clip(evened(wide["visibility"], sigma), 0.0, 1.0)
    bodies = {}
    for i, number in enumerate(numbers):
        points = Points(pixels[i], world[i], visibility[i] * (1.0 if there[i] else _BRIDGED_CONFIDENCE))
        depth = pelvis_depth(scales[i], size)
        joints = body_joints(points, depth, size, least=_SURE)
        bodies[int(number)] = Body(points, joints, float(scales[i] * tall), float(scales[i]),
                                   float(depth), not there[i])
    return bodies


def _spread(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    wide = np.zeros((len(there), *values.shape[1:]))
    wide[there] = values
    return wide
