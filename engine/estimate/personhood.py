"""Whether what was found in a picture is a person: one rule for references, for the first look at footage, and for
following."""

import numpy as np

from .bones import confidence_of
from .detector import look_about
from .landmarks import INDEX, Landmarks

SEEN = 0.3  # the least visibility of a landmark that is seen
CORE = [INDEX[f"{side}_{name}"] for name in ("shoulder", "hip", "knee") for side in ("left", "right")]
_LEAST_CORE = 2  # how many of these must be in the picture and seen
_SOLID, _STILL_SOLID = 0.72, 0.62  # the least Landmarks.solidity of a newly found person, and of a followed one
_SURE = 0.5  # drawings and things that only resemble a body have no joint above this (ours)


def is_person(found: Landmarks, picture: np.ndarray, threads: int, *, times: int = 1) -> bool:
    """Whether the Landmarks of a picture (h, w, 3) uint8 are those of a person.

    Enough of a body must lie in the picture, and the detector must see it again where the landmarks are, in `times` of
    three windows around it. The landmarks alone are sure of themselves everywhere: in an empty room, their joints have
    a confidence of 0.99 and a solidity of up to 0.96, and the detector sees nobody there (measured on 9 such pictures;
    it sees people and drawn figures in all three windows).
    """
    return is_body(found, picture) and look_about(picture, found.next_region, threads, times=times)[0]


def is_body(found: Landmarks, picture: np.ndarray, *, followed: bool = False) -> bool:
    """Whether it is a solid body, and enough of it lies in the picture. So nobody is invented outside the picture.
    followed: somebody was here one frame before."""
    height, width = picture.shape[:2]
    points = found.pixels[CORE]
    inside = ((points >= 0) & (points < (width, height))).all(axis=1) & (found.visibility[CORE] > SEEN)
    return (inside.sum() >= _LEAST_CORE and confidence_of(found.visibility).max() >= _SURE
            and found.solidity() >= (_STILL_SOLID if followed else _SOLID))
