"""Two pictures, or stacks of them -> how far they are apart. Values 0..1, computed in double precision.

Where a region is empty the answer is NaN: nothing was measured, and means leave it out.
"""

import cv2
import numpy as np

# Pictures are of 8 bits: what lies below the rounding's own error, 58.9 dB, cannot be told from nothing (ours).
ROUNDING = (1 / 255) ** 2 / 12
SSIM_WINDOW = 7
_LUMA = np.array((0.299, 0.587, 0.114))


def squared_error(made, true, where) -> tuple[float, int]:
    """Sum of squared differences of (h, w, 3) pictures over the pixels `where` (h, w) bool,
    and how many numbers that is."""
    difference = made[where].astype(np.float64) - true[where].astype(np.float64)
    return float((difference ** 2).sum()), difference.size


def psnr(error: float, count: int) -> float:
    """Decibels of a summed squared error of `count` numbers of 0..1, at most 58.9."""
    return float(-10 * np.log10(max(error / count, ROUNDING))) if count else float("nan")


def psnr_over(pairs) -> float:
    """One PSNR over all frames of a clip: (made, true, where) each."""
    errors, counts = zip(*(squared_error(*pair) for pair in pairs), strict=True)
    return psnr(sum(errors), sum(counts))


def psnr_relit(pairs) -> float:
    """psnr_over, after one gain and one offset a colour channel have been fitted to all frames of the clip (least
    squares): what would be left of the error if nothing but the light were right (ours)."""
    pairs = list(pairs)
    made, true = (np.concatenate([pair[k][pair[2]] for pair in pairs]).astype(np.float64) for k in (0, 1))
    if not len(made):
        return float("nan")
    error = 0.0
    for channel in range(3):
        columns = np.column_stack([made[:, channel], np.ones(len(made))])
        fitted = columns @ np.linalg.lstsq(columns, true[:, channel], rcond=None)[0]
        error += float(((fitted - true[:, channel]) ** 2).sum())
    return psnr(error, made.size)


def greatest_difference(made, true, where) -> float:
    """In 8-bit steps."""
    return float(np.abs(made[where].astype(np.float64) - true[where].astype(np.float64)).max() * 255) \
        if where.any() else 0.0


def overlap(pairs) -> float:
    """Intersection over union of boolean masks, pooled over a clip's frames: (made, true) each."""
    both, either = np.sum([[(a & b).sum(), (a | b).sum()] for a, b in pairs], axis=0)
    return float(both / either) if either else float("nan")


def ssim(made, true, where) -> float:
    """Mean structural similarity (Wang et al. 2004) of luma, windows of 7x7, unbiased variances,
    over pixels `where`."""
    if not where.any():
        return float("nan")
    a, b = (picture.astype(np.float64) @ _LUMA for picture in (made, true))
    size = (SSIM_WINDOW, SSIM_WINDOW)
    mean = lambda x: cv2.blur(x, size, borderType=cv2.BORDER_REFLECT)  # noqa: E731
    unbiased = SSIM_WINDOW ** 2 / (SSIM_WINDOW ** 2 - 1)
    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b, both = (unbiased * (mean(x * y) - mean(x) * mean(y)) for x, y in ((a, a), (b, b), (a, b)))
    c1, c2 = 0.01 ** 2, 0.03 ** 2
    map_ = (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a ** 2 + mean_b ** 2 + c1) * (var_a + var_b + c2))
    return float(map_[where].mean())
