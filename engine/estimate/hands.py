"""A picture and a body's landmarks -> the 21 points of each hand that is large enough; and the steady hands of a shot.

As in MediaPipe's holistic graph: the body's wrist, index and little finger give a square around the palm, the recrop
model corrects it, and the hand model finds the points in it. The body's steady wrists decide on which side a hand is.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..contract.skeleton import HAND_INDEX
from .landmarks import INDEX, Landmarks
from .motion import Body
from .region import Region, cut
from .sessions import answers
from .smooth import bridge, smooth, stretches_of

LEAST_HEIGHT = 150  # pixels of standing height: below it, the model invents hands (measured)
SIDES = ("left", "right")
_SEEN = 0.1  # of the wrist
_PALM_SIDE, _PALM_SHIFT = 2.7, 0.1  # of the palm's length (MediaPipe's hand_landmarks_from_pose_to_recrop_roi)
_RECROP, _SIZE = 256, 224
_PRESENT = 0.6
# wrist to middle knuckle, as a part of the standing height: less is foreshortened, more is not a hand (ours)
_PALM = (0.025, 0.10)
_ASTRAY = 0.10  # in standing heights from the body's wrist: a hand further away is somebody else's (ours)
_BRIDGED_S, _SIGMA_S, _LEAST_SIGMA = 0.25, 0.05, 1.2
_KNUCKLE = HAND_INDEX["middle_1"]


def find_hands(picture: np.ndarray, found: Landmarks, height_px: float, threads: int) -> dict[str, np.ndarray]:
    """(h, w, 3) uint8 and somebody's Landmarks -> {side: (21, 4) float32 x, y in pixels, z in metres from the wrist
    (away from the camera), presence}; only hands that are seen."""
    hands = {}
    if height_px < LEAST_HEIGHT:
        return hands
    for side in SIDES:
        wrist, little, index = (INDEX[f"{side}_{name}"] for name in ("wrist", "pinky", "index"))
        if found.visibility[wrist] < _SEEN:
            continue
        hand = _hand(picture, found.pixels[wrist], found.pixels[little], found.pixels[index], threads)
        if hand is not None and _is_hand(hand, found.pixels[wrist], height_px):
            hands[side] = hand
    return hands


def steady_hands(hands: Mapping[int, Mapping[str, np.ndarray]], bodies: dict[int, Body], *, shots: Sequence[range],
                 fps: float, size: tuple[int, int]) -> dict[int, list[np.ndarray | None]]:
    """{number: {side: (21, 4)}} as find_hands' of all frames and {number: motion.Body}, shots as motion.steady's ->
    {number: [left, right]}, each (21, 4) float32 x, y, depth in metres, confidence, or None. Short gaps are bridged;
    points outside the picture are left out."""
    mine = {number: _assigned(hands.get(number, {}), body) for number, body in bodies.items()}
    result: dict[int, list[np.ndarray | None]] = {number: [None, None] for number in bodies}
    for k, side in enumerate(SIDES):
        stretches = [stretch for shot in shots for stretch in stretches_of(
            [number for number in shot if side in mine.get(number, ())], _BRIDGED_S, fps)]
        for number, hand in (pair for stretch in stretches for pair in _steady(mine, side, stretch, fps)):
            if number in bodies:
                result[number][k] = _placed(hand, bodies[number], side, size)
    return result


def _hand(picture: np.ndarray, wrist: np.ndarray, little: np.ndarray, index: np.ndarray,
          threads: int) -> np.ndarray | None:
    knuckles = (2 * index + little) / 3
    palm = max(float(np.hypot(*(knuckles - wrist))), 1e-3)
    up = (knuckles - wrist) / palm
    side = 2 * palm * _PALM_SIDE
    rough = Region(tuple(knuckles + up * _PALM_SHIFT * side), side, tuple(up))
    crop = cut(picture, rough, _RECROP).astype(np.float32) / 255.0
    points = answers("hand_recrop", threads, ["output_crop"], crop[None])[0].reshape(2, 2)
    centre, below = rough.to_picture(points / _RECROP)
    reach = float(np.hypot(*(below - centre)))
    if reach < 2.0 or not np.isfinite(reach):
        return None
    square = Region(tuple(centre), 2 * reach, tuple((centre - below) / reach))
    crop = cut(picture, square, _SIZE).astype(np.float32) / 255.0
    points, presence, world = answers("hand_landmark_full", threads,
                                      ["Identity", "Identity_1", "Identity_3"], crop[None])
    if presence.item() < _PRESENT:
        return None
    world = world.reshape(21, 3)
    return np.column_stack([square.to_picture(points.reshape(21, 3)[:, :2] / _SIZE), world[:, 2] - world[0, 2],
                            np.full(21, presence.item())]).astype(np.float32)


def _is_hand(hand: np.ndarray, wrist: np.ndarray, height_px: float) -> bool:
    palm = np.hypot(*(hand[_KNUCKLE, :2] - hand[0, :2]))
    return palm < _PALM[1] * height_px and np.hypot(*(hand[0, :2] - wrist)) < _ASTRAY * height_px \
        and np.ptp(hand[:, :2], axis=0).max() > _PALM[0] * height_px


def _assigned(hands: Mapping[str, np.ndarray], body: Body) -> dict[str, np.ndarray]:
    """{side: hand}: each hand goes to the nearer of the body's steady wrists, because the model sometimes exchanges the
    sides."""
    mine = {}
    for hand in sorted(hands.values(), key=lambda hand: float(hand[0, 3])):
        apart = {side: np.hypot(*(hand[0, :2] - body.points.pixels[INDEX[f"{side}_wrist"]])) for side in SIDES}
        nearest = min(apart, key=apart.__getitem__)
        if apart[nearest] < _ASTRAY * body.height_px:
            mine[nearest] = hand
    return mine


def _steady(mine: dict[int, dict[str, np.ndarray]], side: str, seen: list[int],
            fps: float) -> Iterator[tuple[int, np.ndarray]]:
    numbers = np.arange(seen[0], seen[-1] + 1)
    there = np.isin(numbers, seen)
    values = np.zeros((len(numbers), 21, 4))
    values[there] = [mine[number][side] for number in seen]
    values = bridge(values, there)
    weights = values[..., 3] * np.where(there, 1.0, 0.2)[:, None]
    values[..., :3] = smooth(values[..., :3], weights, max(_LEAST_SIGMA, _SIGMA_S * fps))
    return zip(numbers.tolist(), values, strict=True)


def _placed(hand: np.ndarray, body: Body, side: str, size: tuple[int, int]) -> np.ndarray | None:
    """The hand with depth and confidence, as in a pose; None if nothing of it can be drawn."""
    wrist = INDEX[f"{side}_wrist"]
    sure = np.minimum(hand[:, 3], body.points.visibility[wrist])
    inside = ((hand[:, :2] >= 0) & (hand[:, :2] <= size)).all(axis=1)
    depth = body.depth + body.points.world[wrist, 2] + hand[:, 2]
    placed = np.column_stack([hand[:, :2], depth, np.where(inside, sure, 0.0)]).astype(np.float32)
    return placed if placed[:, 3].max() > 0 else None
