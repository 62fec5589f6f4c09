"""The reference and its joints -> the limb warp: each limb of the reference drawn at its place in the frame.

Ours (docs/method.md, "Appearance and the limb warp"): most of training is spent on learning correspondence, so the warp
shows the net where each piece of cloth goes. A limb moves by the map that takes its two joints to the frame's two. Its
length follows the foreshortening, its width follows the person's size at that depth. The torso follows its four
corners. If the two are seen from opposite sides (reference from the front, frame from behind), pieces are mirrored
across their axis: left limbs still go to left limbs, and the head to the head. The skeleton's missing nose then tells
the net that no face may show. If a face may show, the head is shifted and stretched sideways until nose, eyes and ears
match the frame's.
"""
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from .limbs import INDEX, SEEN, depth_scale, facing, with_derived

# (from, to, radius, reach before the first joint, reach beyond the second), in standing heights (ours: wide enough for
# sleeves, trousers and hair). At equal depths, they are drawn in this order.
_LIMBS = (
    *((f"{s}_{a}", f"{s}_{b}", r, before, beyond) for a, b, r, before, beyond in (
        ("hip", "knee", 0.070, 0.01, 0.0), ("knee", "ankle", 0.055, 0.0, 0.0), ("ankle", "toe", 0.035, 0.01, 0.02))
      for s in ("right", "left")),
    ("neck", "head", 0.095, -0.02, 0.02),
    *((f"{s}_{a}", f"{s}_{b}", r, before, beyond) for a, b, r, before, beyond in (
        ("shoulder", "elbow", 0.045, 0.0, 0.0), ("elbow", "wrist", 0.038, 0.0, 0.0),
        ("wrist", "palm", 0.036, 0.0, 0.03))
      for s in ("right", "left")),
)
_HEAD = next(limb for limb in _LIMBS if limb[1] == "head")
_CORNERS = ("right_shoulder", "left_shoulder", "right_hip", "left_hip")
_TORSO_RADIUS = 0.05      # beyond the four corners
_TORSO_AXIS_RADIUS = 0.10  # if it follows its axis instead
_NARROW = 0.35            # of the front view's shoulder width: below it, the corners say nothing about the torso
_SHOULDERS = 0.22         # a front view's shoulder width, in standing heights
_FACE = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")
_FACE_STRETCH = (0.6, 1.7)  # sideways, at least and at most
_FACE_STIFF = 0.02        # in standing heights: how much evidence a stretch needs
_SOFT = 0.25              # of the radius: the edge fades over this part
_MOST_STRETCH = 3.0       # a limb that is foreshortened in the reference is not stretched further than this


class _Piece(NamedTuple):
    depth: float          # in the frame
    matrix: np.ndarray    # (2, 3) reference -> frame, pixels
    outline: np.ndarray   # (n, 2) capsule's spine in the reference
    radius: float         # pixels in the reference


class Person(NamedTuple):
    """Joints of one person with their derived points, as the warp needs them."""
    points: np.ndarray    # (24, 4)
    scales: np.ndarray    # (24,) standing height in pixels at each point's depth
    facing: int           # 1 front, -1 back, 0 unknown


def person(body: np.ndarray, hands: Sequence[np.ndarray | None] | None, height_px: float) -> Person:
    points = with_derived(body, hands)
    return Person(points, depth_scale(points, height_px), facing(points))


def warp_limbs(reference: np.ndarray, source: Person, target: Person, size: Sequence[int]) -> np.ndarray:
    """The reference's limbs on the target's, (h, w, 4) float32 0..1: RGB premultiplied by coverage, coverage.

    reference (H, W, 4) float32 0..1: sRGB and the person's matte, which keeps the background out of the pieces; source:
    its Person, target: the frame's; size (w, h) of the frame. A limb that is missing in either is skipped.
    """
    width, height = size
    canvas = np.zeros((height, width, 4), np.float32)
    mirrored = source.facing * target.facing < 0
    limbs = {limb: _limb(limb, source, target, mirrored) for limb in _LIMBS}
    limbs[_HEAD] = _turned_head(limbs[_HEAD], source, target) or limbs[_HEAD]
    pieces = [_torso(source, target, mirrored), *limbs.values()]
    for piece in sorted((p for p in pieces if p is not None), key=lambda p: -p.depth):
        _lay(canvas, reference, piece)
    return canvas


def _limb(limb: tuple[str, str, float, float, float], source: Person, target: Person, mirrored: bool) -> _Piece | None:
    start, end, radius, before, beyond = limb
    a, b = INDEX[start], INDEX[end]
    if min(source.points[a, 3], source.points[b, 3], target.points[a, 3], target.points[b, 3]) < SEEN:
        return None
    return _along_axis(source.points[[a, b]], target.points[[a, b]],
                       height_from=source.scales[[a, b]].mean(), height_to=target.scales[[a, b]].mean(),
                       radius=radius, reach=(before, beyond), mirrored=mirrored)


def _turned_head(head: _Piece | None, source: Person, target: Person) -> _Piece | None:
    """The head's piece, with its face moved sideways (across the frame's neck) onto the frame's face. None if either
    shows no face."""
    seen = [INDEX[n] for n in _FACE if min(source.points[INDEX[n], 3], target.points[INDEX[n], 3]) >= SEEN]
    if head is None or len(seen) < 2 or INDEX["nose"] not in seen:
        return None
    neck, centre = target.points[INDEX["neck"], :2], target.points[INDEX["head"], :2]
    across = np.array([neck[1] - centre[1], centre[0] - neck[0]])
    across /= max(float(np.hypot(*across)), 1e-6)
    is_at = (source.points[seen, :2] @ head.matrix[:, :2].T + head.matrix[:, 2] - centre) @ across
    belongs = (target.points[seen, :2] - centre) @ across
    spread, pull = is_at - is_at.mean(), belongs - belongs.mean()
    stiff = (_FACE_STIFF * target.scales[INDEX["head"]]) ** 2
    stretch = np.clip((spread @ pull + stiff) / (spread @ spread + stiff), *_FACE_STRETCH)
    turn = np.eye(2) + (stretch - 1) * np.outer(across, across)
    shift = turn @ (head.matrix[:, 2] - centre) + centre + (belongs.mean() - stretch * is_at.mean()) * across
    return head._replace(matrix=np.column_stack([turn @ head.matrix[:, :2], shift]))


def _torso(source: Person, target: Person, mirrored: bool) -> _Piece | None:
    """The torso's piece, by its four corners; along its axis if a person stands sideways and the corners coincide."""
    corners = [INDEX[n] for n in _CORNERS]
    here, there = source.points[corners], target.points[corners]
    if min(here[:, 3].min(), there[:, 3].min()) < SEEN:
        return None
    axis = [here[:2].mean(axis=0), here[2:].mean(axis=0)], [there[:2].mean(axis=0), there[2:].mean(axis=0)]
    heights = source.scales[corners].mean(), target.scales[corners].mean()
    if min(_width(here) / heights[0], _width(there) / heights[1]) < _NARROW * _SHOULDERS:
        return _along_axis(np.array(axis[0]), np.array(axis[1]), height_from=heights[0], height_to=heights[1],
                           radius=_TORSO_AXIS_RADIUS, reach=(0.0, 0.02), mirrored=mirrored)
    columns = np.column_stack([here[:, :2], np.ones(4)])
    matrix = np.linalg.lstsq(columns, there[:, :2], rcond=None)[0].T
    return _Piece(there[:, 2].mean(), matrix, here[[0, 1, 3, 2], :2], _TORSO_RADIUS * heights[0])


def _width(corners: np.ndarray) -> float:
    """The torso's width across its axis, pixels: the wider of shoulders and 1.5 times the hips."""
    axis = corners[2:, :2].mean(axis=0) - corners[:2, :2].mean(axis=0)
    unit = axis / max(float(np.hypot(*axis)), 1e-6)
    across = np.array([-unit[1], unit[0]])
    shoulders, hips = corners[1, :2] - corners[0, :2], corners[3, :2] - corners[2, :2]
    return max(abs(float(shoulders @ across)), 1.5 * abs(float(hips @ across)))


def _along_axis(here: np.ndarray, there: np.ndarray, *, height_from: float, height_to: float, radius: float,
                reach: tuple[float, float], mirrored: bool) -> _Piece | None:
    """The piece that takes segment here (2, 4) to segment there. It scales by their lengths along the segment, and by
    the ratio of the heights across it."""
    across = height_to / max(height_from, 1e-6)
    axis, axis_to = here[1, :2] - here[0, :2], there[1, :2] - there[0, :2]
    length, length_to = max(float(np.hypot(*axis)), 1e-3), max(float(np.hypot(*axis_to)), 1e-3)
    along = min(length_to / length, _MOST_STRETCH * across)
    frame_from, frame_to = _axes(axis / length), _axes(axis_to / length_to)
    linear = frame_to @ np.diag([along, -across if mirrored else across]) @ frame_from.T
    if not np.isfinite(linear).all() or abs(along * across) < 1e-6:
        return None
    matrix = np.column_stack([linear, there[0, :2] - linear @ here[0, :2]])
    step = axis / length * height_from
    spine = np.array([here[0, :2] - reach[0] * step, here[1, :2] + reach[1] * step])
    return _Piece(there[:, 2].mean(), matrix, spine, radius * height_from)


def _axes(unit: np.ndarray) -> np.ndarray:
    """Columns: along, across."""
    return np.array([[unit[0], -unit[1]], [unit[1], unit[0]]])


def _lay(canvas: np.ndarray, reference: np.ndarray, piece: _Piece) -> None:
    """Cut the piece's capsule out of the reference and draw it over the canvas. Only pixels in its own boxes are
    touched."""
    cut = _box(piece.outline, piece.radius, reference.shape)
    if cut is None:
        return
    corners = np.array([(cut[x], cut[y]) for x, y in ((0, 1), (2, 1), (2, 3), (0, 3))], float)
    place = _box(corners @ piece.matrix[:, :2].T + piece.matrix[:, 2], 1.0, canvas.shape)
    if place is None:
        return
    picture = reference[cut[1]:cut[3], cut[0]:cut[2]]
    patch = np.empty((*picture.shape[:2], 4), np.float32)
    np.multiply(_coverage(piece, cut), picture[..., 3], out=patch[..., 3])
    np.multiply(picture[..., :3], patch[..., 3:], out=patch[..., :3])
    moved = cv2.warpAffine(patch, _between_boxes(piece.matrix, cut, place), (place[2] - place[0], place[3] - place[1]),
                           flags=cv2.INTER_LINEAR)
    under = canvas[place[1]:place[3], place[0]:place[2]]
    under *= 1.0 - moved[..., 3:]
    under += moved


def _box(outline: np.ndarray, margin: float, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) around the outline within a picture of this shape; None if nothing is inside."""
    edge = (shape[1], shape[0])
    low = np.clip(np.floor(outline.min(axis=0) - margin), 0, edge).astype(int)
    high = np.clip(np.ceil(outline.max(axis=0) + margin), 0, edge).astype(int)
    return (*low.tolist(), *high.tolist()) if (low < high).all() else None


def _coverage(piece: _Piece, box: tuple[int, int, int, int]) -> np.ndarray:
    """1 near the spine, fading to 0 at the radius: (rows, columns) float32 over the box."""
    soft = max(_SOFT * piece.radius, 1.0)
    left, top, right, bottom = box
    inside = np.full((bottom - top, right - left), 255, np.uint8)
    spine = np.rint((piece.outline - (left, top) - 0.5) * 16).astype(np.int32)
    if len(spine) == 2:
        cv2.line(inside, spine[0].tolist(), spine[1].tolist(), (0,), 1, cv2.LINE_8, 4)
    else:
        cv2.fillConvexPoly(inside, cv2.convexHull(spine)[:, 0], (0,), cv2.LINE_8, 4)
    away = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.clip((piece.radius - away) / soft, 0.0, 1.0)


def _between_boxes(matrix: np.ndarray, cut: tuple[int, int, int, int], place: tuple[int, int, int, int]) -> np.ndarray:
    """The map in the two boxes' own pixels, with cv2's first pixel centre at 0 instead of 0.5."""
    linear = matrix[:, :2]
    corner = np.array(cut[:2]) + 0.5
    shift = linear @ corner + matrix[:, 2] - np.array(place[:2]) - 0.5
    return np.column_stack([linear, shift])
