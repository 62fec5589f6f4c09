"""Made and true clips -> how far the two sets are apart: the squared maximum mean discrepancy under a polynomial
kernel, over pooled perceptual features of frames and of their differences.

k(x, y) = (x . y / d + 1)^3 (Binkowski 2018, "Demystifying MMD GANs"). The estimate is Gretton's one-sample U-statistic
for pairs (2012, "A Kernel Two-Sample Test", equation 4): unbiased at any number of clips, also where a made and a true
clip belong together, as here. It may fall below 0. A Frechet distance of 64 clips would be mostly bias.
"""

import numpy as np


def discrepancies(made: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(n, n): what each pair of clips adds; made and true (n, d), a vector for each clip."""
    across = _kernel(made, true)
    return _kernel(made, made) + _kernel(true, true) - across - across.T


def kernel_distance(pairs: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """(resamples,) of discrepancies (n, n), where resamples (resamples, n) say how often each clip is taken. A clip is
    never paired with itself, however often it is taken: only so it stays unbiased. NaN where fewer than two clips are
    taken."""
    others = 1.0 - np.eye(len(pairs))
    total = np.einsum("ri,ij,rj->r", taken, pairs * others, taken, optimize=True)
    count = np.einsum("ri,ij,rj->r", taken, others, taken, optimize=True)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def clip_features(pictures: list[np.ndarray], pooled) -> np.ndarray:
    """(2 d,) float64 of a clip: the mean features of its frames, and those of the differences between neighbours.

    pictures: pairs of neighbouring frames, (h, w, 3) 0..1, one pair after another; pooled(pictures) -> (n, d).
    """
    first, second = pictures[::2], pictures[1::2]
    changes = [0.5 + 0.5 * (after - before) for before, after in zip(first, second, strict=True)]
    return np.concatenate([np.mean(pooled(first), axis=0), np.mean(pooled(changes), axis=0)]).astype(np.float64)


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1) ** 3
