"""A picture in, the square around its main person out."""

import functools

import numpy as np

from .region import Region, body_region, cut
from .sessions import session

SIZE = 224
_MIN_SCORE = 0.5
_SAME_PERSON = 0.3  # overlap (intersection over union) from which two boxes are one person's
_WINDOWS_PER_LEVEL = 50  # about half a second
_SMALLEST_WINDOW = 96


def find_body(picture, threads):
    """(h, w, 3) uint8 -> the Region of its main person, or None.

    The whole picture is looked at first, then squares of it, ever smaller ones, because the detector sees 224 pixels
    and misses people below a fifth of its window (ours; MediaPipe looks at the whole picture only).
    """
    for windows in _levels(picture.shape[1], picture.shape[0]):
        people = [person for window in windows if (person := _main_person(picture, window, threads))]
        if people:
            return max(people, key=lambda person: person[0] * person[1].side)[1]
    return None


def _levels(width, height):
    """The lists of square windows to look at, from the one around the whole picture to small ones."""
    side = max(width, height)
    while side >= _SMALLEST_WINDOW or side == max(width, height):
        columns, rows = _starts(width, side), _starts(height, side)
        if len(columns) * len(rows) > _WINDOWS_PER_LEVEL:
            return
        yield [Region((x + side / 2, y + side / 2), side) for y in rows for x in columns]
        side /= 2


def _starts(length, side):
    """Where windows of this side begin along this length, half overlapping."""
    if length <= side:
        return [(length - side) / 2]
    return list(np.linspace(0, length - side, int(np.ceil(2 * (length - side) / side)) + 1))


def _main_person(picture, window, threads):
    """(score, Region) of the best person in the window, or None."""
    crop = cut(picture, window, SIZE).astype(np.float32) / 127.5 - 1.0
    values, logits = session("person_detector", threads).run(["Identity", "Identity_1"], {"input_1": crop[None]})
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits[0, :, 0], -80.0, 80.0)))
    likely = scores >= _MIN_SCORE
    if not likely.any():
        return None
    scores, values = scores[likely], values[0, likely] / SIZE
    centres = _anchors()[likely] + values[:, :2]
    half = np.abs(values[:, 2:4]) / 2
    boxes = np.hstack([centres - half, centres + half])
    best = int(scores.argmax())
    same = _overlaps(boxes, boxes[best]) >= _SAME_PERSON
    points = (_anchors()[likely, None] + values[:, 4:8].reshape(-1, 2, 2))[same]
    hips, reach = np.average(points, axis=0, weights=scores[same])
    return float(scores[best]), body_region(*window.to_picture([hips, reach]))


def _overlaps(boxes, box):
    """(n, 4) and (4,) as left, top, right, bottom -> (n,) intersection over union."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / np.maximum(areas + np.prod(box[2:] - box[:2]) - shared, 1e-9)


@functools.lru_cache(maxsize=None)
def _anchors():
    """(2254, 2): the point 0..1 each of the detector's rows is measured from (BlazePose's 28, 14 and 7 cell grids)."""
    grids = []
    for cells, rows_per_cell in ((28, 2), (14, 2), (7, 6)):
        steps = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(steps, steps, indexing="ij")
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), rows_per_cell, axis=0))
    return np.concatenate(grids)
