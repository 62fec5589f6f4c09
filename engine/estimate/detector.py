"""A picture -> the squares around its people."""

import functools
from collections.abc import Iterator, Sequence

import numpy as np

from .region import Region, body_region, cut
from .sessions import answers

SIZE = 224
_MIN_SCORE = 0.5
_SAME_PERSON = 0.3  # overlap (intersection over union) at which two boxes belong to one person
_SURE = 0.6
_LOOKS = (1.5, 1.2, 1.0)  # windows as parts of a body's square
_WINDOWS_PER_LEVEL = 50  # about half a second
_SMALLEST_WINDOW = 96


def find_people(picture: np.ndarray, threads: int, *, near: Region | None = None,
                like: Region | None = None) -> list[Region]:
    """(h, w, 3) uint8 -> Regions of people, the most likely first. near: a Region; only people near it. like: a Region;
    people anywhere, but only of a similar size: in the one level whose windows, which overlap by half, hold such a
    person whole."""
    if near:
        return people_at(picture, _around(near), threads)
    around = list(levels(picture))
    fitting = [windows for windows in around if like and 2.0 <= windows[0].side / like.side < 4.0]
    return people_at(picture, [window for windows in fitting or around[:1] for window in windows], threads)


def people_at(picture: np.ndarray, windows: list[Region], threads: int, *,
              known: Sequence[Region] = ()) -> list[Region]:
    """Regions of all people in the windows, the most likely first, without those that are known. One person is often
    found in several windows, so a region close to a more likely one of similar size is left out."""
    found, kept = [person for window in windows for person in _people_in(picture, window, threads)], []
    for _, region in sorted(found, key=lambda person: -person[0]):
        if not any(_is_same(region, other) for other in (*known, *kept)):
            kept.append(region)
    return kept


def look_about(picture: np.ndarray, region: Region, threads: int) -> tuple[bool, list[Region]]:
    """The Region of a person -> (whether the detector sees that body in one of the windows around it, Regions of other
    people there). The landmarks alone are not enough: they stay on things that the detector does not take for a body
    (measured on vans, bicycles and shadows)."""
    windows, others = [Region(region.centre, margin * region.side) for margin in _LOOKS], []
    whole = _whole(picture)
    if region.side > whole.side:  # of a portrait, such windows show mostly what is beyond the picture
        windows.append(whole)
    for window in windows:
        people = _people_in(picture, window, threads)
        others = others or [other for _, other in people if not _is_same(other, region)]
        if any(score >= _SURE and _is_same(other, region) and _is_turned_alike(other, region)
               for score, other in people):
            return True, others
    return False, others


def _whole(picture: np.ndarray) -> Region:
    """The square around the whole picture."""
    height, width = picture.shape[:2]
    return Region((width / 2, height / 2), max(width, height))


def _is_turned_alike(region: Region, other: Region) -> bool:
    return np.dot(region.up, other.up) > 0.7


def _is_same(region: Region, other: Region) -> bool:
    apart = np.hypot(*np.subtract(region.centre, other.centre))
    return apart < 0.15 * max(region.side, other.side) and 0.5 < region.side / other.side < 2.0


def _around(region: Region) -> list[Region]:
    """Windows that contain a person of about this size near this place: one around it and four beside it."""
    side = 1.5 * region.side
    x, y = region.centre
    return [Region((x + dx * side / 3, y + dy * side / 3), side)
            for dx, dy in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))]


def levels(picture: np.ndarray) -> Iterator[list[Region]]:
    """The lists of square windows over a picture, from the one around the whole of it to small ones. The detector sees
    224 pixels and misses people below a fifth of its window (ours; MediaPipe uses only the whole picture)."""
    height, width = picture.shape[:2]
    side = max(width, height)
    while side >= _SMALLEST_WINDOW or side == max(width, height):
        columns, rows = _starts(width, side), _starts(height, side)
        if len(columns) * len(rows) > _WINDOWS_PER_LEVEL:
            return
        yield [Region((x + side / 2, y + side / 2), side) for y in rows for x in columns]
        side /= 2


def _starts(length: float, side: float) -> list[float]:
    """Where windows with this side begin along this length; they overlap by half."""
    if length <= side:
        return [(length - side) / 2]
    return list(np.linspace(0, length - side, int(np.ceil(2 * (length - side) / side)) + 1))


def _people_in(picture: np.ndarray, window: Region, threads: int) -> list[tuple[float, Region]]:
    """[(score, Region)] of the people in the window, the most likely first."""
    crop = cut(picture, window, SIZE).astype(np.float32) / 127.5 - 1.0
    values, logits = answers("person_detector", threads, ["Identity", "Identity_1"], crop[None])
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits[0, :, 0], -80.0, 80.0)))
    likely = scores >= _MIN_SCORE
    scores, values, anchors = scores[likely], values[0, likely] / SIZE, _anchors()[likely]
    centres, half = anchors + values[:, :2], np.abs(values[:, 2:4]) / 2
    boxes = np.hstack([centres - half, centres + half])
    points = anchors[:, None] + values[:, 4:8].reshape(-1, 2, 2)
    people, left = [], np.ones(len(scores), bool)
    while left.any():
        best = int(np.where(left, scores, -1.0).argmax())
        same = left & (_overlaps(boxes, boxes[best]) >= _SAME_PERSON)
        same[best] = True
        hips, reach = np.average(points[same], axis=0, weights=scores[same])
        people.append((float(scores[best]), body_region(*window.to_picture([hips, reach]))))
        left &= ~same
    return people


def _overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(n, 4) and (4,) as left, top, right, bottom -> (n,) intersection over union."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / np.maximum(areas + np.prod(box[2:] - box[:2]) - shared, 1e-9)


@functools.cache
def _anchors() -> np.ndarray:
    """(2254, 2): the point 0..1 that each of the detector's rows is relative to (BlazePose's 28, 14 and 7 cell
    grids)."""
    grids = []
    for cells, rows_per_cell in ((28, 2), (14, 2), (7, 6)):
        steps = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(steps, steps, indexing="ij")
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), rows_per_cell, axis=0))
    return np.concatenate(grids)
