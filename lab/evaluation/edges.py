"""Pictures and mattes at a plate's resolution -> how right the outline is,
and how much of the detail is there and in its place."""

import cv2
import numpy as np

EDGE_PX = 6         # on either side of the outline, and how far within it detail is looked at
SOLID = 0.99        # of the coverage: where detail is the surface's own
TILE = 256          # pixels: the side for which ST-LPIPS is given
_OUTLINE = 0.5      # of the matte
_LUMA = np.array((0.299, 0.587, 0.114))


def edge_error(pairs) -> float:
    """Mean |alpha - truth| within EDGE_PX of the true outline, over a clip: (alpha, matte) each, (h, w) 0..1;
    NaN without one."""
    apart = [np.abs(alpha.astype(np.float64) - matte)[by_the_outline(matte)] for alpha, matte in pairs]
    apart = np.concatenate(apart)
    return float(apart.mean()) if apart.size else float("nan")


def by_the_outline(matte) -> np.ndarray:
    """(h, w) bool: pixels at most EDGE_PX from the matte's outline."""
    inside = matte > _OUTLINE
    if inside.all() or not inside.any():
        return np.zeros_like(inside)
    return np.where(inside, _depth(inside), _depth(~inside)) <= EDGE_PX


def well_inside(matte, coverage) -> np.ndarray:
    """(h, w) bool: farther than EDGE_PX from the matte's outline, where the bare surface's coverage (h, w) is whole."""
    return (matte > _OUTLINE) & ~by_the_outline(matte) & (coverage > SOLID)


def detail(triples) -> tuple[float, float]:
    """(sharpness, correlation) of a clip's luma gradients: energy of the generated ones divided by that of the true
    ones, and their correlation; (made, true, where) each, (h, w, 3) 0..1 and (h, w) bool. NaN if there is nothing to
    see."""
    made, true = (np.concatenate([_gradients(triple[k])[triple[2]].ravel() for triple in triples]) for k in (0, 1))
    energy = [float((x ** 2).sum()) for x in (made, true)]
    if not min(energy, default=0.0):
        return (energy[0] / energy[1] if energy[1] else float("nan")), float("nan")
    return energy[0] / energy[1], float(np.corrcoef(made, true)[0, 1])


def tiles(picture, where) -> list:
    """The squares of TILE pixels of a picture (h, w, 3) that `where` (h, w) bool reaches into;
    a smaller picture is one."""
    return [picture[y:y + TILE, x:x + TILE] for y in _starts(picture.shape[0]) for x in _starts(picture.shape[1])
            if where[y:y + TILE, x:x + TILE].any()]


def _starts(length: int) -> list[int]:
    """Where tiles begin; the last one ends where the picture does."""
    return [min(start, max(length - TILE, 0)) for start in range(0, length, TILE)]


def _depth(inside) -> np.ndarray:
    return cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _gradients(picture) -> np.ndarray:
    """(h, w, 2)."""
    return np.stack(np.gradient(picture.astype(np.float64) @ _LUMA), axis=-1)
