"""Bones -> the posed surface: linear blend skinning of points and normals."""
from collections.abc import Sequence

import numpy as np

from .bones import Bone


def transforms(rest: dict[str, Bone], posed: dict[str, Bone], bones: Sequence[str]) -> tuple:
    """(matrices (B, 3, 3), offsets (B, 3)) float32 that take rest points to posed ones; rest, posed {bone: Bone}."""
    before, after = (np.stack([of[name].rotation for name in bones]) for of in (rest, posed))
    start, end = (np.stack([of[name].origin for name in bones]) for of in (rest, posed))
    scale = np.stack([posed[name].scale for name in bones])
    matrices = (after * scale[:, None, :]) @ before.transpose(0, 2, 1)
    offsets = end - (matrices @ start[..., None])[..., 0]
    return matrices.astype(np.float32), offsets.astype(np.float32)


def skinned(points: np.ndarray, normals: np.ndarray, weights: np.ndarray,
            transforms: tuple[np.ndarray, np.ndarray]) -> tuple:
    """(P, N): points (V, 3) moved by the bones' transforms with the weights (V, B), and their unit normals.

    Normals are moved by the blended matrix's cofactors, so that a stretched bone does not tilt them.
    """
    matrices, offsets = transforms
    blended = weights @ np.concatenate([matrices.reshape(-1, 9), offsets], axis=1)
    m = blended.T                                                   # rows: xx xy xz yx yy yz zx zy zz, then the offset
    x, y, z = points.T
    moved = np.stack([m[3 * i] * x + m[3 * i + 1] * y + m[3 * i + 2] * z + m[9 + i] for i in range(3)], axis=1)
    nx, ny, nz = normals.T
    turned = [_cofactor(m, i, 0) * nx + _cofactor(m, i, 1) * ny + _cofactor(m, i, 2) * nz for i in range(3)]
    turned = np.stack(turned, axis=1)
    size = np.sqrt((turned * turned).sum(axis=1, keepdims=True))
    return moved, turned / np.maximum(size, 1e-12)


def _cofactor(m: np.ndarray, row: int, column: int) -> np.ndarray:
    a, b, c, d = (row + 1) % 3 * 3, (row + 2) % 3 * 3, (column + 1) % 3, (column + 2) % 3
    return m[a + c] * m[b + d] - m[a + d] * m[b + c]
