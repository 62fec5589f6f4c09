"""Values and their weights in each frame -> the same values without jitter, gaps or lag.

Zero-phase: each frame gets the value of a parabola that is fitted to the frames on both sides of it (ours, after
Savitzky and Golay). So motion is not delayed, and not shortened unless it bends more than a parabola.
"""

from collections.abc import Iterable

import numpy as np

_FLOOR = 1e-6
_TOGETHER = 6  # columns at a time, because the sums of a long shot need memory
_RIDGE = 1e-5  # of the weights' sum, against parabolas through too few frames
_OUTLIER = 3.0  # times the usual residual: from here on, a value counts less and less
_PASSES = 2
_NARROW = 0.3  # of the window's width, for quick motion
_QUICK = 4.0  # times the jitter's power: a larger difference is motion and not jitter


def smooth(values: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
    """(n, k, d) values and (n, k) weights >= 0 -> (n, k, d); sigma in frames, of the Gaussian window of the fit.

    Values far from the fit get less weight and the fit is repeated, so that one bad frame leaves no bump.
    """
    values = np.asarray(values, np.float64)
    if len(values) < 3:
        return values.copy()
    parts = [np.s_[:, k:k + _TOGETHER] for k in range(0, values.shape[1], _TOGETHER)]
    return np.concatenate([_smoothed(values[part], np.maximum(weights[part], _FLOOR), sigma) for part in parts], axis=1)


def _smoothed(values: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
    fit = _fit(values, weights, sigma)
    for _ in range(_PASSES):
        away = np.linalg.norm(values - fit, axis=2)
        usual = _usual(away, weights, sigma)
        fit = _fit(values, weights / (1.0 + (away / (_OUTLIER * usual)) ** 4), sigma)
    return fit


def smooth_motion(values: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
    """Like smooth, but with a narrower window (_NARROW) where something moves so quickly that the wide one would
    flatten it (ours). The difference of the two fits is compared with the values' own jitter."""
    wide = smooth(values, weights, sigma)
    if len(wide) < 5:
        return wide
    narrow = smooth(values, weights, sigma * _NARROW)
    gap = evened(np.sum((narrow - wide) ** 2, axis=2), 2 * sigma)
    quick = 1.0 / (1.0 + (_QUICK * _trembling(np.asarray(values, np.float64)) / (gap + 1e-12)) ** 2)
    return wide + quick[..., None] * (narrow - wide)


def bridge(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(n, ...) values and (n,) bool -> the same with missing values interpolated linearly. At least one must be there;
    before the first and after the last one, that value is repeated."""
    numbers, known = np.arange(len(values)), np.flatnonzero(there)
    flat = np.asarray(values, np.float64).reshape(len(values), -1)
    filled = np.stack([np.interp(numbers, known, column[known]) for column in flat.T], axis=1)
    return filled.reshape(np.shape(values))


def stretches_of(numbers: Iterable[int], longest_s: float, fps: float) -> list[list[int]]:
    """Ascending frame numbers in lists. A new list begins where more than `longest_s` seconds and more than one frame
    are missing."""
    longest, lists = max(1, round(longest_s * fps)), []
    for number in numbers:
        if lists and number - lists[-1][-1] - 1 <= longest:
            lists[-1].append(number)
        else:
            lists.append([number])
    return lists


def _fit(values: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
    """The parabolas' values at their middles: weighted least squares in closed form, for all frames and columns at
    once."""
    reach = min(int(np.ceil(3 * sigma)), len(values) - 1)
    sums = np.zeros((5, *weights.shape))
    moments = np.zeros((3, *values.shape))
    for lag in range(-reach, reach + 1):
        at, to = slice(max(lag, 0), len(values) + min(lag, 0)), slice(max(-lag, 0), len(values) - max(lag, 0))
        w = weights[at] * np.exp(-0.5 * (lag / sigma) ** 2)
        for power in range(5):
            sums[power, to] += w * lag ** power
        for power in range(3):
            moments[power, to] += (w * lag ** power)[..., None] * values[at]
    ridge = _RIDGE * sums[0]
    s0, s1, s2, s3, s4 = sums[0], sums[1], sums[2] + ridge, sums[3], sums[4] + ridge
    # Cramer's rule for the parabola's constant: for such small systems, LAPACK's threads cost more than the solution
    # (measured)
    first, second, third = s2 * s4 - s3 * s3, sums[2] * s3 - s1 * s4, s1 * s3 - s2 * sums[2]
    whole = s0 * first + s1 * second + sums[2] * third
    return (first[..., None] * moments[0] + second[..., None] * moments[1]
            + third[..., None] * moments[2]) / whole[..., None]


def _trembling(values: np.ndarray) -> np.ndarray:
    """(k,): the power of the jitter, as a median of fourth differences, which are almost zero in smooth motion."""
    fourth = np.diff(values, 4, axis=0)
    return (np.median(np.sum(fourth ** 2, axis=2), axis=0) / 70.0)


def evened(values: np.ndarray, sigma: float) -> np.ndarray:
    """(n, k) as Gaussian means over time; beyond the ends, the end values are repeated."""
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(values, [(reach, reach), (0, 0)], mode="edge")
    return np.stack([np.convolve(column, kernel / kernel.sum(), "valid") for column in padded.T], axis=1)


def _usual(away: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
    """(n, k): how far values usually are from their fit, around each frame; never 0."""
    reach = max(2, int(np.ceil(4 * sigma)))
    padded = np.pad(away, [(reach, reach), (0, 0)], mode="reflect" if len(away) > reach else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.maximum(np.median(windows, axis=-1), 1e-3 * max(float(np.median(away)), 1e-3) + 1e-6)
