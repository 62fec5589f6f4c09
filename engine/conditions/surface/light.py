"""The reference -> its colours without its own light: the part of the brightness that depends on the surface's normal
is removed."""
import cv2
import numpy as np

from .stance import NOTHING, Stance

STRENGTH = 0.8            # of the light found is removed; more would also remove the cloth's own shades (measured)
_MOST = 0.7               # of log luma, in both directions
_SAMPLES = 6000
_LUMA = np.array([.3, .59, .11], np.float32)
TERMS = 5


def turned(normals: np.ndarray) -> np.ndarray:
    """(..., 3) unit normals in camera axes -> (..., 5): x, y, z, xy, x^2 - y^2."""
    x, y, z = normals[..., 0], normals[..., 1], normals[..., 2]
    return np.stack([x, y, z, x * y, x * x - y * y], axis=-1)


def without_light(picture: np.ndarray, stance: Stance, sure: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """(picture (h, w, 3) with its light removed, light (5,), its mean over the figure).

    sure (h, w) bool: pixels that show the surface. Log luma = one constant for each limb + light . turned(normal), by a
    robust fit.
    """
    flat = np.zeros(TERMS)
    use = sure & (stance.hit >= 0) & (stance.limbs != NOTHING)
    if use.sum() < 200:
        return picture, flat, 0.0
    normals = stance.across(stance.normals)
    light = found_light(picture[use], normals[use], stance.limbs[use])
    mean = float((turned(normals[use]) @ light).mean())
    shade = np.where(stance.hit >= 0, turned(normals) @ light - mean, 0).astype(np.float32)
    shade = np.clip(cv2.GaussianBlur(shade, (0, 0), 1.0), -_MOST, _MOST)
    return np.clip(picture * np.exp(-STRENGTH * shade)[..., None], 0, 1).astype(np.float32), light, mean


def found_light(colours: np.ndarray, normals: np.ndarray, limbs: np.ndarray) -> np.ndarray:
    """(TERMS,) factors of `turned` for log luma, from n pixels: colours (n, 3) sRGB 0..1, unit normals (n, 3), limbs
    (n,)."""
    step = max(len(colours) // _SAMPLES, 1)
    return _regressed(np.log(colours[::step] @ _LUMA + 0.04), turned(normals[::step]), limbs[::step])


def _regressed(brightness: np.ndarray, terms: np.ndarray, limbs: np.ndarray) -> np.ndarray:
    limb = np.unique(limbs)
    columns = np.concatenate([limbs[:, None] == limb, terms], axis=1).astype(float)
    steady = np.concatenate([np.full(len(limb), 1e-3), np.full(TERMS, 0.02 * len(terms))])
    weight, found = np.ones(len(terms)), np.zeros(columns.shape[1])
    for _ in range(6):
        weighted = columns * weight[:, None]
        found = np.linalg.solve(weighted.T @ columns + np.diag(steady), weighted.T @ brightness)
        weight = 1 / np.maximum(np.abs(brightness - columns @ found) / 0.1, 1)
    return found[len(limb):]
