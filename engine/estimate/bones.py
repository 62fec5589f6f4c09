"""BlazePose's landmarks -> the joints of a rig's bones, by fixed offsets along the body's own directions.

The model's landmarks are where people point on a body: the tip of a shoulder, the bump of an ankle. Bones begin inside
the body. The offsets are a robust fit to 83 pictures from 42 training clips of Blender's world, none of which is in the
benchmark (docs/estimate.md has the table and the gain of each offset).
"""

from collections.abc import Iterable

import numpy as np

from ..contract.skeleton import BODY
from .landmarks import INDEX

# joint -> (its landmarks, ((landmarks, part of the way there), ...)). Several landmarks mean their middle; {side} and
# {other} are a side and its opposite. A joint that is not listed lies on its landmark.
OFFSETS = {
    "neck": (("left_shoulder", "right_shoulder"), ((("left_hip", "right_hip"), -0.134),)),
    "{side}_shoulder": (("{side}_shoulder",), ((("{side}_hip",), 0.064), (("{side}_elbow",), 0.051))),
    "{side}_wrist": (("{side}_wrist",), ((("{side}_index",), -0.045),)),
    "{side}_hip": (("{side}_hip",), ((("{other}_hip",), -0.13),)),
    "{side}_ankle": (("{side}_ankle",), ((("{side}_knee",), -0.088),)),
    "{side}_toe": (("{side}_foot_index",), ((("{side}_ankle",), -0.125),)),
    "{side}_ear": (("{side}_ear",), ((("nose",), -0.36),)),
}


def _matrix(with_offsets: float) -> np.ndarray:
    """(20, 33): joints are this times landmarks. Each row sums to one, so that the body's position does not matter."""
    rows = {joint: _row([joint]) for joint in BODY if joint in INDEX}
    for name, (start, ways) in OFFSETS.items():
        for side, other in (("left", "right"), ("right", "left")):
            row = _row_on(side, other, start)
            moved = sum(part * (_row_on(side, other, end) - row) for end, part in ways)
            rows[name.format(side=side)] = row + with_offsets * moved
    return np.stack([rows[joint] for joint in BODY])


def _row_on(side: str, other: str, names: Iterable[str]) -> np.ndarray:
    return _row([name.format(side=side, other=other) for name in names])


def _row(landmarks: Iterable[str]) -> np.ndarray:
    return np.mean([np.eye(len(INDEX))[INDEX[name]] for name in landmarks], axis=0)


_AS_BONES, _AS_LANDMARKS = _matrix(1.0), _matrix(0.0)
# The landmarks that give a joint its confidence. The least certain one counts.
_SOURCES = [np.flatnonzero(row > 0.4) for row in _AS_LANDMARKS]


def joints_of(points: np.ndarray, as_bones: bool = True) -> np.ndarray:
    """(33, k) of landmarks -> (20, k) of contract.skeleton.BODY; in pixels, metres or depths, because the map is
    linear."""
    return (_AS_BONES if as_bones else _AS_LANDMARKS) @ points


def confidence_of(visibility: np.ndarray) -> np.ndarray:
    """(33,) -> (20,)."""
    return np.array([visibility[rows].min() for rows in _SOURCES])
