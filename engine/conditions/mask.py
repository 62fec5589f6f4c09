"""The character's mask M_c -> the shape-agnostic region M_f (paper 3.2); and joints -> a mask, if none is given.

Limb volumes (ours) are inflated to clothing, because a body without its skirt and hair is too thin a mask.
"""
from collections.abc import Sequence

import cv2
import numpy as np

from .depth import lay_depth
from .limbs import INDEX, SEEN, clean_hands, depth_scale, with_derived
from .pose import clip_segments, fixed_point
from .region_rule import SHAPE_AGNOSTIC, RegionRule

# How the region M_f is made from the mask M_c: by the paper's blocks, or as in one of its two ablations (paper 3.2).
KINDS = (SHAPE_AGNOSTIC, "exact", "box")
INFERENCE_PATCH = 10      # pixels: k_h = h / 10, k_w = w / 10 (paper 3.2)
EXACT_AS_INFERENCE = 0.5  # of training's draws have the patches of inference, so that these are seen most often (ours)
_SHIFT = 4
_ROUNDING = 1e-3          # pixels by which a distance may be wrong (cv2 calculates in float32)
_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 24, endpoint=False)),
                    np.sin(np.linspace(0, 2 * np.pi, 24, endpoint=False))], axis=1)

# Bodies as convex hulls of spheres: (point, bare radius, what clothing adds), in standing heights (ours). The bare
# radii are from artists' canons. Clothing is chosen so that a knee-long flared skirt, loose sleeves and hair down to
# the chest lie inside.
_HEAD, _NECK = ("head", 0.070, 0.030), ("neck", 0.035, 0.030)
_TORSO = (("right_shoulder", 0.040, 0.025), ("left_shoulder", 0.040, 0.025),
          ("right_hip", 0.055, 0.025), ("left_hip", 0.055, 0.025))
_FINGER_RADIUS = (0.008, 0.008)


def _sided(name_radii: Sequence[tuple[str, float, float]]) -> list:
    return [tuple((f"{side}_{name}", bare, more) for name, bare, more in name_radii) for side in ("right", "left")]


_VOLUMES = [
    (_HEAD,), (_HEAD, _NECK), _TORSO,
    *_sided((("shoulder", 0.035, 0.025), ("elbow", 0.026, 0.028))),
    *_sided((("elbow", 0.026, 0.028), ("wrist", 0.020, 0.025))),
    *_sided((("wrist", 0.020, 0.018), ("palm", 0.036, 0.012))),
    *_sided((("hip", 0.055, 0.030), ("knee", 0.036, 0.034))),
    *_sided((("knee", 0.036, 0.030), ("ankle", 0.024, 0.030))),
    *_sided((("ankle", 0.026, 0.018), ("toe", 0.026, 0.016))),
]
_CLOTHES = [
    (("right_hip", 0.055, 0.030), ("left_hip", 0.055, 0.030), ("right_knee", 0.036, 0.060),
     ("left_knee", 0.036, 0.060)),
    (("head", 0.070, 0.030), ("chest", 0.030, 0.055)),
]
_CHEST = 0.45             # of the way from neck to pelvis: hair hangs down to here


def region_of(mask: np.ndarray, rule: RegionRule) -> np.ndarray:
    """M_c (h, w) -> M_f (h, w) float32, 0 or 1, as inference makes it by an engine's rule (its kind: one of KINDS)."""
    mask = grown(mask, rule.grow * min(mask.shape))
    region = shape_agnostic_at_inference(mask) if rule.kind == SHAPE_AGNOSTIC else _bare_region(mask, rule.kind)
    return region if rule.block == 1 else _in_blocks(region, rule.block)


def _in_blocks(region: np.ndarray, side: int) -> np.ndarray:
    """Every block of side x side pixels, counted from the picture's corner, that the region touches."""
    high, wide = region.shape
    rows = np.maximum.reduceat(region, range(0, high, side), axis=0)
    touched = np.maximum.reduceat(rows, range(0, wide, side), axis=1)
    return np.ascontiguousarray(touched.repeat(side, axis=0).repeat(side, axis=1)[:high, :wide])


def random_region(mask: np.ndarray, rng: np.random.Generator, kind: str) -> np.ndarray:
    """M_f as training draws it for weights of this kind. It always draws three numbers, whatever the kind and the
    mask."""
    region = random_shape_agnostic(mask, rng)
    return region if kind == SHAPE_AGNOSTIC else _bare_region(mask, kind)


def _bare_region(mask: np.ndarray, kind: str) -> np.ndarray:
    if kind == "box":
        return shape_agnostic(mask, 1, 1)
    if kind == "exact":
        return (np.asarray(mask) > 0).astype(np.float32)
    raise ValueError(f"mask: expected one of {', '.join(KINDS)}, got {kind!r}")


def shape_agnostic(mask: np.ndarray, k_h: int, k_w: int,
                   boxes: Sequence[tuple[int, int, int, int] | None] | None = None) -> np.ndarray:
    """M_f (h, w) float32, 0 or 1: each of k_h x k_w blocks of M_c's bounding box set to the block's maximum (paper
    3.2).

    mask (h, w), above 0 where the character is; k_h and k_w are clamped to 1..side of the box: 1 gives the box, the
    side gives the exact mask. boxes: [(left, top, right, bottom)], one for each of several characters (right, bottom
    exclusive); else one box around everything. An empty mask gives all zeros. M_f always contains M_c.
    """
    seen = np.asarray(mask) > 0
    region = seen.astype(np.float32)
    for box in boxes or [bounding_box(seen)]:
        if box is None:
            continue
        left, top, right, bottom = box
        inside = seen[top:bottom, left:right]
        if inside.size:
            view = region[top:bottom, left:right]
            np.maximum(view, _block_maxima(inside, k_h, k_w), out=view)
    return region


def shape_agnostic_at_inference(mask: np.ndarray,
                                boxes: Sequence[tuple[int, int, int, int] | None] | None = None) -> np.ndarray:
    """M_f with patches of about 10 x 10 pixels (paper 3.2: k_h = h / 10, k_w = w / 10); arguments as shape_agnostic."""
    seen = np.asarray(mask) > 0
    region = np.zeros(seen.shape, np.float32)
    for box in boxes or [bounding_box(seen)]:
        if box is not None:
            k_h, k_w = (box[3] - box[1]) // INFERENCE_PATCH, (box[2] - box[0]) // INFERENCE_PATCH
            np.maximum(region, shape_agnostic(seen, k_h, k_w, [box]), out=region)
    return region


def random_shape_agnostic(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """M_f for training: k_h and k_w are drawn again at each call (paper 3.2: k_h in (1, h), k_w in (1, w)).

    Ours, because the paper says nothing here: half of the draws use the patches of inference. The others are
    log-uniform, so that training sees both a box and an exact outline. It always draws three numbers, whatever the
    mask: with generators of the same seed, all frames of a clip get the same parts.
    """
    kind, part_h, part_w = rng.random(3)
    box = bounding_box(np.asarray(mask) > 0)
    if box is None or kind < EXACT_AS_INFERENCE:
        return shape_agnostic_at_inference(mask)
    high, wide = box[3] - box[1], box[2] - box[0]
    return shape_agnostic(mask, round(high ** part_h), round(wide ** part_w))


def grown(mask: np.ndarray, pixels: float) -> np.ndarray:
    """M_c (h, w) float32, 0 or 1, wider by so many pixels on all sides; below 0 thinner. Beyond the picture's edge,
    there is nothing to grow from or to shrink from.

    It uses each pixel's exact distance (ours): 10,000 pixels are as fast as one, while a disc would take hours.
    """
    radius = round(abs(pixels))
    seen = np.asarray(mask) > 0
    if radius == 0 or not seen.any() or seen.all():
        return mask
    away = cv2.distanceTransform((~seen if pixels > 0 else seen).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    within = away <= radius + _ROUNDING
    return (within if pixels > 0 else ~within).astype(np.float32)


def bounding_box(seen: np.ndarray) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom), right and bottom exclusive, of a boolean (h, w); None if it is empty."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def limb_volumes(body: np.ndarray, hands: Sequence[np.ndarray | None] | None, height_px: float, size: Sequence[int],
                 clothing: float = 1.0) -> np.ndarray:
    """M_c from joints alone (ours): (h, w) float32 0..1, antialiased; clothing 0 = bare body, 1 = dressed.

    Radii are parts of height_px and grow towards the camera. size is (w, h); joints as for pose.draw_skeleton.
    """
    width, height = size
    canvas = np.zeros((height, width), np.uint8)
    for balls in _balls(body, hands, height_px, clothing):
        cv2.fillConvexPoly(canvas, fixed_point(_outline(balls, size)), (255,), cv2.LINE_AA, _SHIFT)
    return canvas.astype(np.float32) * np.float32(1 / 255)


def limb_volume_depth(body: np.ndarray, hands: Sequence[np.ndarray | None] | None, height_px: float,
                      size: Sequence[int], clothing: float = 1.0) -> np.ndarray:
    """Depth in metres of the nearest limb volume at each pixel, (h, w) float32; infinite where there is none (ours).

    A volume has the depth of its bones: joints do not give the exact surface.
    """
    width, height = size
    nearest = np.full((height, width), np.inf, np.float32)
    for balls in _balls(body, hands, height_px, clothing):
        near, far = balls[balls[:, 2].argmin()], balls[balls[:, 2].argmax()]
        lay_depth(nearest, _outline(balls, size), near[:3], far[:3], nearer_only=True)
    return nearest


def volume_box(body: np.ndarray, hands: Sequence[np.ndarray | None] | None, height_px: float,
               clothing: float = 1.0) -> tuple[float, float, float, float] | None:
    """(left, top, right, bottom) of the limb volumes in pixels, not cut to any frame; None if no volume is known."""
    volumes = _balls(body, hands, height_px, clothing)
    if not volumes:
        return None
    balls = np.concatenate(volumes)
    low, high = (balls[:, :2] - balls[:, 3:]).min(axis=0), (balls[:, :2] + balls[:, 3:]).max(axis=0)
    return (*low.tolist(), *high.tolist())


def _balls(body: np.ndarray, hands: Sequence[np.ndarray | None] | None, height_px: float, clothing: float) -> list:
    """Volumes as arrays (n, 4) of spheres x, y, depth, radius in pixels; only the volumes whose points are all seen."""
    points = with_derived(body, hands)
    scales = depth_scale(points, height_px)
    places = {name: (points[i], scales[i]) for name, i in INDEX.items() if points[i, 3] >= SEEN}
    if "neck" in places and "pelvis" in places:
        chest = (1 - _CHEST) * places["neck"][0] + _CHEST * places["pelvis"][0]
        places["chest"] = (chest, places["neck"][1])
    volumes = _VOLUMES + (_CLOTHES if clothing > 0 else [])
    found = [np.array([(*places[n][0][:3], (bare + clothing * more) * places[n][1]) for n, bare, more in volume])
             for volume in volumes if all(n in places for n, _, _ in volume)]
    return found + _finger_balls(hands, height_px, clothing)


def _finger_balls(hands: Sequence[np.ndarray | None] | None, height_px: float, clothing: float) -> list:
    radius = (_FINGER_RADIUS[0] + clothing * _FINGER_RADIUS[1]) * height_px
    found = []
    for hand in clean_hands(hands):
        if hand is not None and (hand[:, 3] >= SEEN).any():
            seen = hand[hand[:, 3] >= SEEN]
            found.append(np.column_stack([seen[:, :3], np.full(len(seen), radius)]))
    return found


def _outline(balls: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """The convex hull of discs, (n, 2) pixels; discs that are too far outside the frame for cv2's integers are moved
    nearer."""
    radii = np.minimum(balls[:, 3:], 2.0 * max(size))
    centres = balls[:, :2]
    middle = centres.mean(axis=0)[None]
    reach = 8.0 * max(size)
    if np.abs(centres).max() > reach:
        t0, t1 = clip_segments(np.repeat(middle, len(centres), 0), centres, size, reach)
        centres = middle + (centres - middle) * np.where(t0 < t1, t1, 0.0)[:, None]
        centres = np.clip(centres, -2 * reach, 2 * reach)
    rims = (centres[:, None] + radii[:, None] * _CIRCLE).reshape(-1, 2).astype(np.float32)
    return cv2.convexHull(rims)[:, 0]


def _block_maxima(inside: np.ndarray, k_h: int, k_w: int) -> np.ndarray:
    """inside (h, w) bool -> (h, w) float32, each of the k_h x k_w blocks set to its maximum; the blocks' sizes differ
    by at most one pixel."""
    high, wide = inside.shape
    rows, columns = _starts(high, k_h), _starts(wide, k_w)
    maxima = np.logical_or.reduceat(np.logical_or.reduceat(inside, rows, axis=0), columns, axis=1)
    tall = np.repeat(maxima, np.diff(np.append(rows, high)), axis=0)
    return np.repeat(tall, np.diff(np.append(columns, wide)), axis=1).astype(np.float32)


def _starts(length: int, parts: int) -> np.ndarray:
    parts = min(max(int(parts), 1), length)
    return np.arange(parts) * length // parts
