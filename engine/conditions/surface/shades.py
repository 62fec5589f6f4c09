"""How different colours are when the light on them may differ. This separates hands from cloth, hair from skin and
skirts from legs."""
import numpy as np

_LUMA_STEP = 0.8      # of the logarithm: light and shade on the same thing
_HUE_STEP = 0.055     # of a channel's share: two different things
_DARK = 0.08          # of the three channels' sum: below it, hues are noise
_TYPICAL = 60         # colours that stand for a thing
_FIFTH = 4            # a colour belongs to a thing if five of the thing's typical colours are near


def apart(colours: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """(...) the distance of colours (..., 3) from one colour (3,). Below 1, they can be the same thing in different
    light."""
    luma = np.abs(np.log((colours.mean(axis=-1) + 0.05) / (colour.mean() + 0.05))) / _LUMA_STEP
    hue = np.abs(colours / (colours.sum(axis=-1, keepdims=True) + _DARK) - colour / (colour.sum() + _DARK)).max(axis=-1)
    return np.maximum(luma, hue / _HUE_STEP)


def typical(colours: np.ndarray) -> np.ndarray:
    """At most 60 of the colours (n, 3), evenly chosen."""
    return colours[::max(len(colours) // _TYPICAL, 1)][:_TYPICAL]


def from_typical(colours: np.ndarray, some: np.ndarray) -> np.ndarray:
    """(n,) distance of colours (n, 3) to the fifth nearest of some typical ones (m, 3), in sums of channels."""
    out = np.empty(len(colours))
    for start in range(0, len(colours), 20000):
        away = np.abs(colours[start:start + 20000, None] - some).sum(axis=-1)
        out[start:start + 20000] = np.partition(away, min(_FIFTH, len(some) - 1), axis=1)[:, min(_FIFTH, len(some) - 1)]
    return out
