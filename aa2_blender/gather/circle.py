"""A picture of a ball -> the circle of its outline.

By votes (Ballard 1981, with the direction of the gradient): each strong edge votes for the places that lie across it at
a radius. The circle with the most of its outline present wins, and is then fitted to its own edges.
"""

from collections.abc import Sequence

import numpy as np

Circle = tuple[float, float, float]             # x, y of the middle and the radius, in pixels
_RADII = (0.12, 0.55)   # of the shorter side: a smaller ball shows too little light (ours)
_EDGES = 4000           # the strongest that vote (ours)
_CELL = 2               # pixels of the votes' grid
_CHECKED = 12           # circles with the most votes whose outline is looked at
_ANGLES = 90
_OUTLINE = 0.55         # of the outline that has to be there: the dark side may look like what is behind (ours)
_ROUND = 0.05           # how far the area of a mask may be from that of a disc (ours)


def circle_of(alpha: np.ndarray) -> Circle | None:
    """The disc (height, width) that is opaque; None if the mask is no disc."""
    inside = alpha > 0.5
    rows, columns = np.nonzero(inside)
    if len(rows) < 64:
        return None
    sides = np.ptp(columns) + 1, np.ptp(rows) + 1
    radius = float(np.sqrt(len(rows) / np.pi))
    if any(abs(side / (2 * radius) - 1) > _ROUND for side in sides):
        return None
    return float(columns.mean() + 0.5), float(rows.mean() + 0.5), radius


def circle_in(picture: np.ndarray) -> Circle | None:
    """The clearest circle in a picture (height, width, 3) 0..1 sRGB; None if there is none."""
    grey = _smooth(picture.mean(axis=2))
    down, right = np.gradient(grey)
    steep = np.hypot(right, down)
    if min(grey.shape) < 16 or steep.max() < 0.01:
        return None
    strong = np.argsort(steep, axis=None)[::-1][:_EDGES]
    strong = strong[steep.ravel()[strong] > 0.15 * steep.max()]
    y, x = np.unravel_index(strong, steep.shape)
    across = np.stack([right[y, x], down[y, x]]) / steep[y, x]
    low, high = (share * min(grey.shape) for share in _RADII)
    found = [one for radius in np.arange(low, high + 1, 1.0) for one in _voted(x, y, across, radius, grey.shape)]
    best = sorted(found)[::-1][:_CHECKED]
    fitted = [_fitted(x, y, across, (middle_x, middle_y, radius)) for _, middle_x, middle_y, radius in best]
    shares = [(_outline(right, down, steep, circle), circle) for circle in fitted if circle]
    share, circle = max(shares, default=(0.0, None))
    return circle if share >= _OUTLINE else None


def _voted(x: np.ndarray, y: np.ndarray, across: np.ndarray, radius: float, shape: Sequence[int]) -> list[tuple]:
    """The best (share of the outline, x, y, radius) of one radius; the ball may be brighter or darker than what is
    behind it."""
    rows, columns = shape[0] // _CELL + 1, shape[1] // _CELL + 1
    votes = np.zeros(rows * columns)
    for sign in (-1, 1):
        column, row = (((at + 0.5 + sign * radius * way) / _CELL).astype(int) for at, way in zip(
            (x, y), across, strict=True))
        there = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        votes += np.bincount(row[there] * columns + column[there], minlength=rows * columns)
    votes = votes.reshape(rows, columns)
    around = votes + sum(np.roll(votes, step, axis) for axis in (0, 1) for step in (-1, 1))
    row, column = np.unravel_index(around.argmax(), around.shape)
    return [(float(around[row, column] / (2 * np.pi * radius)), (column + 0.5) * _CELL, (row + 0.5) * _CELL, radius)]


def _fitted(x: np.ndarray, y: np.ndarray, across: np.ndarray, circle: Circle) -> Circle | None:
    """The circle through the edges that lie on one and run along it, by least squares (Kasa 1976)."""
    for _ in range(3):
        away = np.stack([x + 0.5 - circle[0], y + 0.5 - circle[1]])
        far = np.hypot(*away)
        along = np.abs((away * across).sum(axis=0)) / np.maximum(far, 1e-6)
        on = (np.abs(far - circle[2]) < 2.5) & (along > 0.95)
        if on.sum() < 12:
            return None
        rows = np.stack([x[on] + 0.5, y[on] + 0.5, np.ones(on.sum())], axis=1)
        a, b, c = np.linalg.lstsq(rows, (rows[:, :2] ** 2).sum(axis=1), rcond=None)[0]
        square = c + (a * a + b * b) / 4
        if square <= 0:
            return None
        circle = (float(a / 2), float(b / 2), float(np.sqrt(square)))
    return circle


def _outline(right: np.ndarray, down: np.ndarray, steep: np.ndarray, circle: Circle) -> float:
    """The share of a circle on which the picture's gradient is clear and points across it."""
    angles = np.arange(_ANGLES) / _ANGLES * 2 * np.pi
    found = np.zeros(_ANGLES, bool)
    for further in (-1.5, 0, 1.5):
        x, y = (np.rint(middle - 0.5 + (circle[2] + further) * turn).astype(int)
                for middle, turn in zip(circle, (np.cos(angles), np.sin(angles)), strict=False))
        there = (x >= 0) & (y >= 0) & (x < steep.shape[1]) & (y < steep.shape[0])
        x, y = np.where(there, x, 0), np.where(there, y, 0)
        radial = np.abs(right[y, x] * np.cos(angles) + down[y, x] * np.sin(angles))
        found |= there & (radial > 0.97 * steep[y, x]) & (steep[y, x] > 0.08 * steep.max())
    return float(found.mean())


def _smooth(grey: np.ndarray) -> np.ndarray:
    """A picture blurred by 1-2-1 twice each way."""
    for axis in (0, 1, 0, 1):
        grey = (np.roll(grey, 1, axis) + 2 * grey + np.roll(grey, -1, axis)) / 4
    return grey
