"""BlazePose's landmarks in; where a rig's bones have their joints, by fixed offsets along the body's own directions, out."""

import numpy as np

from .landmarks import INDEX

# landmark -> ((landmark, part of the way to it), ...), {side} and {other} standing for a side and its opposite.
OFFSETS = {
}


def _matrix():
    """(33, 33): points are this times landmarks; each row sums to one, so that it holds wherever the body is."""
    rows = np.eye(len(INDEX))
    for name, ways in OFFSETS.items():
        for side, other in (("left", "right"), ("right", "left")):
            start = INDEX[name.format(side=side)]
            for end, part in ways:
                rows[start, INDEX[end.format(side=side, other=other)]] += part
                rows[start, start] -= part
    return rows


_MATRIX = _matrix()


def bone_points(points):
    """(33, k) -> (33, k); what is linear in place may be given: pixels, metres, depths."""
    return _MATRIX @ points
