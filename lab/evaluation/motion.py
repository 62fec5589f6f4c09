"""Frames of a clip -> how much they flicker compared with the true ones."""

import numpy as np

# Added above and below the line: half an 8-bit step, so that a still shot without grain has a ratio too (ours).
STILL = 0.5 / 255


def flicker_ratio(made, true, inside) -> float:
    """Mean second difference over time (frames, h, w, 3) 0..1 of the made frames by that of the true ones (ours).

    Over the pixels that `inside` (frames, h, w) bool has in three frames running: steady movement over a smooth picture
    cancels, a flash does not. 1: as restless as the truth; NaN where no pixel is inside for three frames.
    """
    if len(made) < 3:
        return float("nan")
    held = inside[:-2] & inside[1:-1] & inside[2:]
    if not held.any():
        return float("nan")
    restless = [np.abs(x[:-2] - 2.0 * x[1:-1] + x[2:])[held].mean(dtype=np.float64) for x in (made, true)]
    return float((restless[0] + STILL) / (restless[1] + STILL))
