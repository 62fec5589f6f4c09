"""(seed, frame) -> the frame's noise: the same on every machine, in every window, after every resume."""

import numpy as np

_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


def frame_noise(seed: int, frame: int, shape: tuple) -> np.ndarray:
    """Standard normal noise (*shape) float32 of one frame (1..N).

    Counter-based (ours): Philox keyed by (seed, frame). The normal numbers are made here from Philox's raw words, by
    Box and Muller (1958): between its versions, numpy keeps the words stable but not its own normal numbers.
    """
    count = int(np.prod(shape))
    words = np.random.Philox(key=np.array([seed, frame], np.uint64)).random_raw(count)
    radius = np.sqrt(-2.0 * np.log(((words >> _HALF) + 0.5) / 2.0**32))
    angle = 2.0 * np.pi * (((words & _LOW) + 0.5) / 2.0**32)
    return (radius * np.cos(angle)).astype(np.float32).reshape(shape)


def window_noise(seed: int, frames, shape: tuple) -> np.ndarray:
    """(frames, *shape) for the frames with these numbers."""
    return np.stack([frame_noise(seed, frame, shape) for frame in frames])
