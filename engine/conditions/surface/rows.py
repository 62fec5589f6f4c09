"""Colours around a limb, for each row of its chart: what is seen at one height continues around the back, without its
detail.

Ours: hems, cuffs, waists and stripes run around a body, so a row's colours are the best guess for the rest of the row.
A single repeated pixel would give a band. So the mean of a hand's breadth next to the edge is used, and further away it
is softer along the limb.
"""
import cv2
import numpy as np

_BREADTH = 0.08        # metres next to the edge that are averaged
_ALONG = 0.004         # metres of softness along the limb, near what is seen
_FAR_ALONG = 0.004     # and far from it: a wider one would melt hems
_FAR = 0.06            # metres
_PATTERN = 0.03        # metres along the limb over which rows are compared
_NOISE = 0.5           # of a row's own variance, which its mean may have by chance
_ENOUGH = 0.02         # metres of a row that must be seen, or it says nothing
_MUCH = 0.15           # metres with which it counts completely relative to its neighbours


def around(colours: np.ndarray, known: np.ndarray, period: float, density: float) -> tuple[np.ndarray, np.ndarray]:
    """(base (h, w, 3), trust (h, w, 1) 0..1) of a chart that goes once around in `period` pixels.

    colours (h, w, 3) where known (h, w) 0..1; density: pixels per metre. base: at seen places, the row's mean around
    them; elsewhere, a mixture of the two nearest means. trust: 0 where the row shows nothing at all.
    """
    width = known.shape[1]
    period = int(np.clip(round(period), 4, width))
    place = np.arange(width) % period
    once, weight = _folded(colours, known, place, period)
    mean, spread = _means(once, weight, density)
    base, away = _between(_without_patterns(mean, spread, weight, density), weight > 0.5)
    amount = weight.sum(axis=1, keepdims=True)
    base = _softer_far(base, np.clip(amount / (_MUCH * density), 0, 1), away, density)
    trust = np.clip(_blurred_along(amount, _ALONG * density) / (_ENOUGH * density), 0, 1)
    return base[:, place], np.broadcast_to(trust[..., None], (*known.shape, 1))


def _folded(colours: np.ndarray, known: np.ndarray, place: np.ndarray, period: int) -> tuple[np.ndarray, np.ndarray]:
    """The chart with its overhang moved to where it belongs in the period."""
    once, weight = np.zeros((len(known), period, 3), np.float32), np.zeros((len(known), period), np.float32)
    for start in range(0, len(place), period):
        part = slice(start, min(start + period, len(place)))
        count = part.stop - part.start
        better = known[:, part] > weight[:, :count]
        once[:, :count][better] = colours[:, part][better]
        weight[:, :count] = np.maximum(weight[:, :count], known[:, part])
    return once, weight


def _means(once: np.ndarray, weight: np.ndarray, density: float) -> tuple[np.ndarray, np.ndarray]:
    """(h, period, 3) mean colour over a breadth of the row, which is periodic, and the variance there (h, period)."""
    reach = int(np.clip(round(0.5 * _BREADTH * density), 1, weight.shape[1] // 2))
    stacked = np.concatenate([once * weight[..., None], (once ** 2).sum(axis=2, keepdims=True) * weight[..., None],
                              weight[..., None]], axis=2)
    stacked = _blurred_along(stacked, _ALONG * density)
    padded = np.concatenate([stacked[:, -reach:], stacked, stacked[:, :reach]], axis=1)
    total = cv2.blur(padded, (2 * reach + 1, 1))[:, reach:-reach]
    total = total[..., :4] / np.maximum(total[..., 4:], 1e-5)
    return total[..., :3], np.maximum(total[..., 3] - (total[..., :3] ** 2).sum(axis=2), 0)


def _without_patterns(mean: np.ndarray, spread: np.ndarray, weight: np.ndarray, density: float) -> np.ndarray:
    """The means, smoothed where rows differ from their neighbours no more than within themselves: these are dots and
    folds, not stripes."""
    sigma = _PATTERN * density
    amount = weight + 1e-3
    total = _blurred_along(amount, sigma)
    even = _blurred_along(mean * amount[..., None], sigma) / total[..., None]
    apart = _blurred_along(((mean - even) ** 2).sum(axis=2) * amount, sigma) / total
    spread = _blurred_along(spread * amount, sigma) / total
    share = apart / (apart + _NOISE * spread + 1e-6)
    return even + share[..., None] * (mean - even)


def _between(mean: np.ndarray, sure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(colours, pixels to the nearest sure place): each row's means; between two sure places, their mixture by
    distance."""
    period = sure.shape[1]
    columns = np.arange(3 * period)
    thrice = np.tile(sure, (1, 3))
    left = np.maximum.accumulate(np.where(thrice, columns, -10**6), axis=1)[:, period:2 * period]
    right = np.minimum.accumulate(np.where(thrice, columns, 10**6)[:, ::-1], axis=1)[:, ::-1][:, period:2 * period]
    columns = columns[period:2 * period]
    to_left, to_right = columns - left, right - columns
    share = (to_left / np.maximum(to_left + to_right, 1))[..., None].astype(np.float32)
    row = np.arange(len(sure))[:, None]
    base = (1 - share) * mean[row, left % period] + share * mean[row, right % period]
    return np.where(sure[..., None], mean, base).astype(np.float32), np.minimum(to_left, to_right)


def _softer_far(base: np.ndarray, trust: np.ndarray, away: np.ndarray, density: float) -> np.ndarray:
    """Far from what is seen, rows blend with their neighbours, weighted by how much of each is seen."""
    total = _blurred_along(trust, _FAR_ALONG * density)
    soft = _blurred_along(base * trust[..., None], _FAR_ALONG * density) / np.maximum(total, 1e-4)[..., None]
    far = np.clip(away / (_FAR * density), 0, 1)[..., None].astype(np.float32)
    return (1 - far) * base + far * soft


def _blurred_along(values: np.ndarray, sigma: float) -> np.ndarray:
    """Blurred only across rows, along the limb."""
    blurred = cv2.GaussianBlur(np.ascontiguousarray(values, np.float32), (1, 0), sigmaX=1, sigmaY=max(sigma, 0.3))
    return blurred.reshape(values.shape)
