"""A body's joints and a picture -> the pixels of its parts, and their colours; numpy only,
for the demo's measures too."""

import numpy as np

from engine.contract.skeleton import BODY_INDEX

from .colour import delta_e_2000, lab

SEEN = 0.3                  # joints with less confidence are left out
CORE = 0.018                # half width of a limb's core, as a part of the standing height: within any clothes
# Body part: the pairs of joints whose connecting lines its colour is sampled on, from and to a part of the way.
PARTS = {
    "face": ((("right_eye", "left_eye"), 0.0, 1.0), (("nose", "neck"), 0.0, 0.3)),
    "trunk": ((("right_shoulder", "left_hip"), 0.15, 0.8), (("left_shoulder", "right_hip"), 0.15, 0.8)),
    "upper arms": ((("right_shoulder", "right_elbow"), 0.2, 1.0), (("left_shoulder", "left_elbow"), 0.2, 1.0)),
    "forearms": ((("right_elbow", "right_wrist"), 0.0, 0.7), (("left_elbow", "left_wrist"), 0.0, 0.7)),
    "thighs": ((("right_hip", "right_knee"), 0.25, 1.0), (("left_hip", "left_knee"), 0.25, 1.0)),
    "shins": ((("right_knee", "right_ankle"), 0.0, 0.8), (("left_knee", "left_ankle"), 0.0, 0.8)),
    "feet": ((("right_ankle", "right_toe"), 0.3, 1.0), (("left_ankle", "left_toe"), 0.3, 1.0)),
}
CORE_LINES = [line for part in ("trunk", "upper arms", "forearms", "thighs", "shins") for line in PARTS[part]]


def part_differences(made, true, where, joints, height) -> dict:
    """{part: CIEDE2000} between the median colours of two pictures (h, w, 3) over the pixels `where` (h, w) bool; parts
    of which too little is seen are left out. joints (20, 3): x, y, confidence."""
    tones = {part: [tone(picture, where, lines, joints, height) for picture in (made, true)]
             for part, lines in PARTS.items()}
    return {part: float(delta_e_2000(*pair)) for part, pair in tones.items() if pair[0] is not None}


def tone(rgb, where, lines, joints, height):
    """Median Lab colour (3,) along some lines of the body where allowed; None with fewer than nine pixels to see."""
    chosen = band(lines, joints, CORE * height, where.shape) & where
    return np.median(lab(rgb[chosen]), axis=0) if chosen.sum() >= 9 else None


def band(lines, joints, half_width, shape):
    """(h, w) bool: the pixels within `half_width` of the lines whose two joints are both seen."""
    mask = np.zeros(shape, bool)
    for (a, b), start, end in lines:
        (ax, ay, seen_a), (bx, by, seen_b) = joints[BODY_INDEX[a]], joints[BODY_INDEX[b]]
        if min(seen_a, seen_b) < SEEN:
            continue
        one = np.array((ax + (bx - ax) * start, ay + (by - ay) * start))
        other = np.array((ax + (bx - ax) * end, ay + (by - ay) * end))
        paint(mask, one, other, half_width)
    return mask


def paint(mask, one, other, half_width):
    """Set the pixels within `half_width` of a line between two points (x, y)."""
    low = np.floor(np.minimum(one, other) - half_width - 1).astype(int)
    high = np.ceil(np.maximum(one, other) + half_width + 1).astype(int)
    x0, y0 = np.maximum(low, 0)
    x1, y1 = np.minimum(high, mask.shape[::-1])
    if x0 >= x1 or y0 >= y1:
        return
    x, y = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
    along = other - one
    length = max(float(along @ along), 1e-9)
    way = np.clip(((x - one[0]) * along[0] + (y - one[1]) * along[1]) / length, 0, 1)
    distance = np.hypot(x - one[0] - way * along[0], y - one[1] - way * along[1])
    mask[y0:y1, x0:x1] |= distance <= half_width
