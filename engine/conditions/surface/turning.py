"""Directions and rotations of many bones at once. The last axis is x, y, z; no result is ever NaN."""
from collections.abc import Sequence

import numpy as np

_TINY = 1e-9


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """numpy's cross product without its checks, which cost more than the product."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    x = ay * bz - az * by
    out = np.empty((*x.shape, 3), x.dtype)
    out[..., 0], out[..., 1], out[..., 2] = x, az * bx - ax * bz, ax * by - ay * bx
    return out


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(..., 1)"""
    return np.einsum("...i,...i->...", a, b)[..., None]


def length(v: np.ndarray) -> np.ndarray:
    """(..., 1)"""
    return np.sqrt(dot(v, v))


def unit(v: np.ndarray) -> np.ndarray:
    """v with length 1; 0 stays 0."""
    return v / np.maximum(length(v), _TINY)


def smooth(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below low, 1 above high, smooth between."""
    t = np.minimum(np.maximum((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def frame(along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations with the columns x, towards `across`; y, exactly `along`; z = x cross y. x is arbitrary if
    across and along are parallel."""
    size = length(along)
    y = along / np.maximum(size, _TINY)
    if size.min() < _TINY:
        y = np.where(size < _TINY, (0.0, 1.0, 0.0), y)
    x = across - dot(across, y) * y
    lost = length(x) <= 1e-6 * np.maximum(length(across), 1e-6)
    if lost.any():
        x = np.where(lost, cross(y, np.where(np.abs(y[..., 2:]) < 0.9, (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))), x)
    x = unit(x)
    out = np.empty((*x.shape, 3))
    out[..., 0], out[..., 1], out[..., 2] = x, y, cross(x, y)
    return out


def least_turn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(..., 3, 3) the least rotations that take unit vectors a to b."""
    v, c = cross(a, b), dot(a, b)[..., None]
    k = _crossing(v)
    near = np.maximum(1 + c, 1e-6)
    turn = np.eye(3) + k + k @ k / near
    opposite = (1 + c[..., 0, 0]) < 1e-6
    if opposite.any():                                              # half a turn about any axis perpendicular to a
        axis = frame(a, np.ones_like(a))[..., 0]
        turn = np.where(opposite[..., None, None], 2 * axis[..., :, None] * axis[..., None, :] - np.eye(3), turn)
    return turn


def turn_about(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations about unit axes (..., 3) by angles (..., 1) in radians (Rodrigues)."""
    k = _crossing(axis)
    angle = angle[..., None]
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def rotation_of(quaternion: np.ndarray | Sequence[float]) -> np.ndarray:
    """(3, 3) of w, x, y, z of any length but 0."""
    w, x, y, z = np.asarray(quaternion, np.float64) / np.linalg.norm(quaternion)
    k = _crossing(np.array([x, y, z]))
    return np.eye(3) + 2 * w * k + 2 * (k @ k)


def turned_by(rotations: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(..., 3) each v rotated by its own rotation."""
    return (rotations @ v[..., None])[..., 0]


def similarity(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """(rotation (3, 3), scale) that best take points a (n, 3) to b about their centroids, by weighted least squares
    (Kabsch; Umeyama)."""
    weights = weights / weights.sum()
    x, y = a - weights @ a, b - weights @ b
    u, s, vt = np.linalg.svd((x * weights[:, None]).T @ y)
    sign = np.array([1.0, 1.0, 1.0 if np.linalg.det(vt.T @ u.T) >= 0 else -1.0])
    spread = ((x * x).sum(axis=1) * weights).sum()
    return vt.T * sign @ u.T, float((s * sign).sum() / max(spread, _TINY))


def _crossing(v: np.ndarray) -> np.ndarray:
    """(..., 3, 3) matrices that take w to v cross w."""
    out = np.zeros((*v.shape, 3))
    out[..., 0, 1], out[..., 0, 2] = -v[..., 2], v[..., 1]
    out[..., 1, 0], out[..., 1, 2] = v[..., 2], -v[..., 0]
    out[..., 2, 0], out[..., 2, 1] = -v[..., 1], v[..., 0]
    return out
