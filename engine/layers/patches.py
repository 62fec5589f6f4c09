"""What an engine painted in a window, as patches -> the same with the plate's colours, and with a matte where the plate
behind the character is known."""

import numpy as np

from .anchor import correction
from .difference_matte import split


def settled(pictures: np.ndarray, *, plates: np.ndarray, regions: np.ndarray, masks: np.ndarray,
            is_known: bool) -> tuple[np.ndarray, bool]:
    """pictures (n, H, W, 3 or more, of which three count), plates (n, H, W, 3), regions M_f and masks M_c (n, H, W, 1),
    all 0..1; is_known: the plates show what is behind the character. Returns (n, H, W, 5), RGB, matte and shadow
    factor, and True; or, if any frame has no matte, (n, H, W, 3) and False: a window must not change from one to the
    other."""
    pictures = pictures[..., :3]
    fitted = correction(pictures, plates, regions)
    shown = np.stack([fitted.of(place, picture) for place, picture in enumerate(pictures)])
    splits = []
    if is_known:
        for frame in zip(shown, plates, regions[..., 0], masks[..., 0], strict=True):
            splits.append(split(*frame))
            if splits[-1] is None:
                break
    found = [one for one in splits if one is not None]
    if len(found) < len(pictures):
        return shown, False
    heads = np.stack([np.dstack([one.matte, one.shadow]) for one in found])
    return np.concatenate([shown, heads], axis=-1), True
