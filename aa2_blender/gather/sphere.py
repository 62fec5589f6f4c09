"""The picture of a matt ball -> its light as spherical harmonics (contract/harmonics.py), and back.

Ours. Only the half that faces the camera is in a picture. Nine numbers that were fitted to it freely would run away on
the other half, and at the rim. So what is fitted is lamps all around, none of which takes light away, and the nine
numbers are those of these lamps, just as the training clips have them.
"""

import numpy as np

from ..embedded.engine.contract import harmonics
from . import grey

RIM = 0.93              # of the radius: further out, pixels of a small picture are partly beside the ball (ours)
_LAMPS, _STEPS = 128, 250                       # of the fit (ours: twice as many of either change no level)
_RIDGE = 1e-3           # keeps a lamp that only the rim meets from explaining noise (ours; ten times more dims the rim)
_DARK = 0.02            # light of a grey ball, below which an error is as visible as here (ours)
_LAMBERT = np.array(harmonics.LAMBERT)[list(harmonics.DEGREES)]


def normals(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Of a square picture that the ball just fills: (n, 3) normals in the camera's axes (x right, y down, z away), and
    (size, size) which pixels they are of, in rows."""
    side = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(side, side)
    away = x * x + y * y
    inside = away < RIM * RIM
    return np.stack([x[inside], y[inside], -np.sqrt(1 - away[inside])], axis=1), inside


def fitted(normals: np.ndarray, shading: np.ndarray) -> np.ndarray:
    """(9, 3) coefficients for (n, 3) shading at (n, 3) normals.

    The lamps' strengths minimise squared errors, weighted by how visible an error is on a grey surface, and a small
    ridge. They stay at least 0 by multiplicative steps (Lee and Seung 2001).
    """
    rows = np.maximum(normals @ _DIRECTIONS.T, 0)
    # The slope of the display's curve (sRGB, about the power of 1 / 2.4): dark errors are seen first.
    weight = (grey.GREY * np.maximum(shading.mean(axis=1, keepdims=True), 0) + _DARK) ** (1 / 2.4 - 1)
    # Half of the time of the steps, and the same numbers to far less than a level.
    rows, wanted = (rows * weight).astype(np.float32), (np.maximum(shading, 0) * weight).astype(np.float32)
    square, towards = rows.T @ rows, rows.T @ wanted
    square += _RIDGE * np.mean(np.diag(square)) * np.eye(_LAMPS, dtype=np.float32)
    lamps = (np.full((_LAMPS, 3), 2 / _LAMPS) * (shading.mean(axis=0) + 1e-6)).astype(np.float32)
    given = np.empty_like(lamps)
    for _ in range(_STEPS):
        np.matmul(square, lamps, out=given)
        np.divide(towards, np.maximum(given, 1e-12, out=given), out=given)
        lamps *= given
    return (_LAMBERT * terms_of(_DIRECTIONS)).T @ lamps


def terms_of(normals: np.ndarray) -> np.ndarray:
    """(n, 9) the basis at (n, 3) normals."""
    return np.stack(harmonics.basis(*normals.T), axis=1)


def shown(coefficients: np.ndarray, normals: np.ndarray, albedo: float = grey.GREY) -> np.ndarray:
    """(n, 3) 0..1: a matt surface of this albedo with these normals, as sRGB shows it."""
    return grey.shown(albedo * terms_of(normals) @ coefficients)


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """How different two lights (9, 3) look on a grey ball, 0..1 of the display's range: the root of the mean square,
    since the largest difference is mostly noise."""
    return float(np.sqrt(np.square(shown(first, _LOOKED_AT) - shown(second, _LOOKED_AT)).mean()))


def _all_around(count: int) -> np.ndarray:
    """(count, 3) directions, evenly over the sphere (a spiral by the golden angle)."""
    number = np.arange(count) + 0.5
    turn, z = np.pi * (1 + 5 ** 0.5) * number, 1 - 2 * number / count
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


_DIRECTIONS = _all_around(_LAMPS)
_LOOKED_AT = normals(8)[0]
