"""Values by clip -> means with their intervals, and how surely two rows differ (Efron and Tibshirani 1993).

Clips of one identity are drawn together, and each world keeps its share: what is resampled are scenes and identities,
not frames. A clip whose value is NaN measured nothing and is left out of means.
"""

import numpy as np

RESAMPLES = 10_000
_SEED = 0


def weights(worlds, identities, resamples: int = RESAMPLES) -> np.ndarray:
    """(resamples, clips): how often each resample takes each clip. worlds and identities: one text a clip."""
    rng = np.random.default_rng(_SEED)
    taken = np.zeros((resamples, len(worlds)))
    groups = {}
    for i, group in enumerate(zip(worlds, identities, strict=True)):
        groups.setdefault(group, []).append(i)
    for world in sorted(set(worlds)):
        mine = [members for (of, _), members in groups.items() if of == world]
        drawn = rng.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), size=resamples)
        for count, members in zip(drawn.T, mine, strict=False):
            taken[:, members] = count[:, None]
    return taken


def mean(values) -> float:
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    return float(known.mean()) if known.size else float("nan")


def resampled_means(values, taken) -> np.ndarray:
    """(resamples,) means of the values (clips,) that are numbers; resamples without any are left out."""
    values = np.asarray(values, float)
    known = ~np.isnan(values)
    counts = taken[:, known].sum(axis=1)
    sums = taken[:, known] @ values[known]
    return sums[counts > 0] / counts[counts > 0]


def interval(values, taken) -> tuple[float, float]:
    """The 95 % percentile interval of the mean; NaN, NaN where nothing was measured."""
    means = resampled_means(values, taken)
    return tuple(np.percentile(means, (2.5, 97.5)).tolist()) if means.size else (float("nan"), float("nan"))


def paired_p(values, others, taken) -> float:
    """Two-sided p of the mean difference of two rows over the clips that both have; NaN where there is none.

    Twice the share of resamples that fall on the other side of zero, or on it; at least 2 / (resamples + 1).
    """
    return two_sided(resampled_means(np.asarray(values, float) - np.asarray(others, float), taken))


def two_sided(means: np.ndarray) -> float:
    """The same of a difference's resamples; NaN without any."""
    if not means.size:
        return float("nan")
    below, above = (means <= 0).sum(), (means >= 0).sum()
    return float(min(1.0, 2 * (1 + min(below, above)) / (means.size + 1)))


def holm(found: dict[str, float]) -> dict[str, float]:
    """p of several comparisons, corrected so that one of them is below a level by chance no oftener than that (Holm
    1979). Those that are no number stay so, and do not count."""
    known = sorted((p, name) for name, p in found.items() if not np.isnan(p))
    corrected, most = dict(found), 0.0
    for place, (p, name) in enumerate(known):
        most = max(most, min(1.0, (len(known) - place) * p))
        corrected[name] = most
    return corrected
