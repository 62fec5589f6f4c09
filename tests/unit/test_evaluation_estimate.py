"""The measures of an estimate, on tracks whose errors are known."""

import numpy as np
import pytest

from engine.contract.skeleton import BODY, BODY_INDEX
from lab.evaluation import estimate_score as scores

FRAMES, HEIGHT = 24, 200.0


def truth():
    """A body that sways quickly; each of its limbs has its own depth."""
    rng = np.random.default_rng(0)
    still = np.column_stack([rng.uniform(50, 150, (len(BODY), 2)), np.linspace(2.0, 4.0, len(BODY)),
                             np.ones(len(BODY))])
    for name, at in (("left_shoulder", (80, 60)), ("right_hip", (120, 140)), ("right_shoulder", (120, 60)),
                     ("left_hip", (80, 140))):
        still[BODY_INDEX[name], :2] = at
    bodies = np.repeat(still[None], FRAMES, 0)
    bodies[..., 0] += 20 * np.sin(np.arange(FRAMES) * 0.7)[:, None]
    masks = np.zeros((FRAMES, 20, 20), bool)
    masks[:, 5:15, 5:15] = True
    return scores.Truth(bodies, np.ones((FRAMES, len(BODY)), bool), masks, np.full(FRAMES, HEIGHT), "sway")


def measured(change):
    true = truth()
    bodies, masks = true.bodies.copy(), true.masks.copy()
    change(bodies, masks)
    return scores.pooled([scores.measures(scores.Track(bodies, masks), true)])


def test_the_truth_itself_is_perfect():
    found = measured(lambda bodies, masks: None)
    assert [found[name] for name in ("pck0.2", "pck0.1", "pck0.05", "iou", "depth")] == [1.0] * 5
    assert found["jitter"] == pytest.approx(0, abs=1e-9) and found["lag"] == pytest.approx(0, abs=1e-9) \
        and found["frames"] == FRAMES


def test_distance_is_in_torso_diagonals():
    torso = np.hypot(40, 80)

    def away(bodies, masks):
        bodies[..., 1] += 0.15 * torso
    found = measured(away)
    assert (found["pck0.2"], found["pck0.1"]) == (1.0, 0.0)


def test_what_is_not_placed_is_wrong():
    def half(bodies, masks):
        bodies[:FRAMES // 2] = np.nan
        bodies[FRAMES // 2:, 0, 3] = 0.0
    assert measured(half)["pck0.2"] == pytest.approx(0.5 * (len(BODY) - 1) / len(BODY))


def test_masks_and_depths():
    def change(bodies, masks):
        masks[:, 5:15, 10:15] = False
        bodies[..., 2] = 6.0 - bodies[..., 2]
    found = measured(change)
    assert found["iou"] == pytest.approx(0.5) and found["depth"] == 0.0


def test_lag_and_jitter():
    def late(bodies, masks):
        n = np.arange(FRAMES)
        bodies[..., 0] += 20 * (np.sin((n - 0.5) * 0.7) - np.sin(n * 0.7))[:, None]
    assert measured(late)["lag"] == pytest.approx(0.5, abs=0.06)

    def trembling(bodies, masks):
        bodies[::2, :, 1] += 0.01 * HEIGHT
    assert measured(trembling)["jitter"] == pytest.approx(20.0)


def test_the_table_tells_both():
    pair = {"ours": measured(lambda b, m: None), "bare": measured(lambda b, m: b.__setitem__((..., 1), b[..., 1] + 30))}
    lines = scores.table({"sway": pair}).splitlines()
    assert len(lines) == 4 and "| sway | 24 | ours | 1.000" in lines[2] and "| bare | 0.000" in lines[3]
