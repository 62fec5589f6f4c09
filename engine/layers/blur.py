"""Measures how soft the plate is at its edges, and makes a layer just as soft."""

import cv2
import numpy as np

_SMOOTHED = 1.0          # sigma of the smoothing that removes grain before anything is measured (ours)
_REBLUR = 1.5            # sigma of the second blur, by which the first one is measured (Zhuo & Sim 2011)
_DIFFERENCES = 1 / 3     # variance that central differences add: a box of two pixels
_EDGES = 0.02            # of the pixels are used: those with the strongest gradients, which belong to the sharper edges
_LEAST_GRADIENT = 0.02   # below it, there is only grain and no edge (ours)
_LEAST_PIXELS = 24
_MOST = 12.0             # pixels; above it, a gradient does not belong to an edge (ours)


def measure_blur(picture: np.ndarray, wanted: np.ndarray | None = None) -> float:
    """(h, w, 3) float32 0..1 -> sigma in pixels of the Gaussian that its sharper edges were blurred by; 0 if no edge is
    seen. wanted (h, w) bool: where to look.

    Zhuo & Sim 2011, "Defocus map estimation from a single image": an edge blurred by s and once more by s0 has a
    gradient R = sqrt(s^2 + s0^2) / s times weaker, so s = s0 / sqrt(R^2 - 1). The picture is smoothed first, because of
    grain; the result is corrected for that (ours).
    """
    if min(picture.shape[:2]) < 8:
        return 0.0
    grey = cv2.GaussianBlur(cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2GRAY),
                            (0, 0), _SMOOTHED)
    first, second = _gradient(grey), _gradient(cv2.GaussianBlur(grey, (0, 0), _REBLUR))
    inside = np.ones(grey.shape, bool) if wanted is None else cv2.erode(wanted.astype(np.uint8), np.ones((5, 5))) > 0
    inside[:2] = inside[-2:] = inside[:, :2] = inside[:, -2:] = False
    if inside.sum() < _LEAST_PIXELS:
        return 0.0
    threshold = max(float(np.quantile(first[inside], 1.0 - _EDGES)), _LEAST_GRADIENT)
    edge = inside & (first >= threshold) & _is_ridge(first)
    if edge.sum() < _LEAST_PIXELS:
        return 0.0
    ratio = first[edge] / np.maximum(second[edge], 1e-6)
    in_all = _REBLUR ** 2 / (np.maximum(float(np.median(ratio)), 1.0 + 1e-6) ** 2 - 1.0)
    return float(min(np.sqrt(max(in_all - _SMOOTHED ** 2 - _DIFFERENCES, 0.0)), _MOST))


def softened(layer: np.ndarray, extra: float) -> np.ndarray:
    """(h, w[, c]) float32 blurred by a Gaussian of `extra` pixels; unchanged if `extra` is below a tenth of a pixel."""
    return cv2.GaussianBlur(layer, (0, 0), extra, borderType=cv2.BORDER_REPLICATE) if extra >= 0.1 else layer


def missing_blur(plate: float, layer: float) -> float:
    """Sigma that makes a layer with blur `layer` as soft as a plate with blur `plate`; 0 if it is soft enough."""
    return float(np.sqrt(max(plate ** 2 - layer ** 2, 0.0)))


def _gradient(grey: np.ndarray) -> np.ndarray:
    """Central differences, in brightness per pixel."""
    across = np.zeros_like(grey)
    down = np.zeros_like(grey)
    across[:, 1:-1] = (grey[:, 2:] - grey[:, :-2]) / 2
    down[1:-1] = (grey[2:] - grey[:-2]) / 2
    return np.hypot(across, down)


def _is_ridge(gradient: np.ndarray) -> np.ndarray:
    """Where a gradient is larger than its neighbours in the row or in the column: the middle of an edge."""
    ridge = np.zeros(gradient.shape, bool)
    ridge[:, 1:-1] |= (gradient[:, 1:-1] >= gradient[:, 2:]) & (gradient[:, 1:-1] >= gradient[:, :-2])
    ridge[1:-1] |= (gradient[1:-1] >= gradient[2:]) & (gradient[1:-1] >= gradient[:-2])
    return ridge
