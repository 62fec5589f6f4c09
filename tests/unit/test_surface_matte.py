"""The pose model's matte of a reference, refined: compared with the true matte of drawn people."""
import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from engine.conditions.frames import as_bits
from engine.conditions.surface import matte
from engine.estimate import people
from lab.training.world import draw_reference
from tests.unit.dressed import overlap

SHAPE = (256, 256)


@pytest.fixture(scope="module")
def found():
    """(picture, the model's matte, the true one) of a few references in which the model finds somebody."""
    drawn = [draw_reference(seed, SHAPE) for seed in range(1, 9)]
    opaque = np.full(SHAPE, 255, np.uint8)
    both = [(one, people.find_joints(np.dstack([as_bits(np.asarray(one.picture)), opaque]), threads=1))
            for one in drawn]
    return [(np.asarray(one.picture, np.float32), person.mask, np.asarray(one.matte).reshape(SHAPE))
            for one, person in both if person is not None]


def deep_outside(found, true):
    """The share of pixels, relative to the person's, that count as the person's texture and show the background."""
    deep = cv2.erode((found > 0.9).astype(np.uint8), np.ones((3, 3))) > 0
    return (deep & (true < 0.1)).sum() / (true > 0.5).sum()


def test_the_edge_comes_nearer_to_the_truth_and_takes_no_background_in(found):
    assert len(found) >= 4
    refined = [(matte.refined(picture, coarse), coarse, true) for picture, coarse, true in found]
    before, after = (np.mean([overlap(one[k] > 0.5, one[2] > 0.5) for one in refined]) for k in (1, 0))
    inside = np.mean([deep_outside(one, true) for one, _, true in refined])
    assert after > before + 0.01 and inside < 0.008
