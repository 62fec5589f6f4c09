"""Many rotations at once, as arrays."""

import numpy as np


def arc(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(F, 3, 3): the shortest rotation of directions (F, 3) onto others."""
    axis, cosine = np.cross(a, b), (a * b).sum(axis=1)
    skew = np.zeros((len(a), 3, 3))
    skew[:, [2, 0, 1], [1, 2, 0]], skew[:, [1, 2, 0], [2, 0, 1]] = axis, -axis
    turned = np.eye(3) + skew + skew @ skew / np.maximum(1 + cosine, 1e-9)[:, None, None]
    opposite = cosine < -0.999999
    if opposite.any():                                              # half a turn about anything across
        across = unit(np.cross(a, np.where(np.abs(a[:, :1]) < 0.9, (1.0, 0, 0), (0, 1.0, 0))))
        turned[opposite] = (2 * across[:, :, None] * across[:, None] - np.eye(3))[opposite]
    return turned


def nearest(matrices: np.ndarray) -> np.ndarray:
    """(..., 3, 3): the rotations nearest to matrices of positive determinant (the polar decomposition's)."""
    u, _, v = np.linalg.svd(matrices)
    return u @ v


def quaternions(turns: np.ndarray) -> np.ndarray:
    """(F, 3, 3) -> (F, 4) w, x, y, z, each on the same side as the one before, so that curves don't jump."""
    m = turns
    trace = np.einsum("fii->f", m)
    # Bar-Itzhack 2000: its last eigenvector is the quaternion
    k = np.empty((len(m), 4, 4))
    k[:, 0, 0] = trace
    for i in range(3):
        j, n = (i + 1) % 3, (i + 2) % 3
        k[:, 0, i + 1] = k[:, i + 1, 0] = m[:, n, j] - m[:, j, n]
        k[:, i + 1, i + 1] = 2 * m[:, i, i] - trace
        k[:, i + 1, j + 1] = k[:, j + 1, i + 1] = m[:, i, j] + m[:, j, i]
    found = np.linalg.eigh(k)[1][..., -1]
    sign = np.where((found[1:] * found[:-1]).sum(axis=1) < 0, -1.0, 1.0)
    return found * np.concatenate([[1.0 if found[0, 0] >= 0 else -1.0], sign]).cumprod()[:, None]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) at length 1; 0 stays 0."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
