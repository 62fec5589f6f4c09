"""The colour anchor on simulated drifts: it brings back the plate's colours where a fit can, leaves alone what it
cannot mend, and is never worse than nothing in pixels that it was not fitted to."""
import numpy as np
import pytest

from engine.layers import anchor
from engine.layers.anchor import Correction, correction

FRAMES, HIGH, WIDE = 6, 96, 128


def shot(seed=0):
    """Plates with structure and grain, a region, and the same with a character painted inside the region."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.2, 0.8, (1, 6, 8, 3))
    plate = np.clip(coarse.repeat(16, axis=1).repeat(16, axis=2) + rng.normal(0, 0.01, (FRAMES, HIGH, WIDE, 3)), 0, 1)
    region = np.zeros((FRAMES, HIGH, WIDE, 1))
    region[:, 24:80, 40:88] = 1.0
    painted = plate.copy()
    painted[:, 32:72, 50:78] = rng.uniform(0.1, 0.9, 3)
    return painted.astype(np.float32), plate.astype(np.float32), region.astype(np.float32)


def levels(one, other, where):
    return float(np.abs(one - other)[where[..., 0] > 0.5].mean() * 255)


def gain_and_offset(x):
    return x * (0.92, 1.05, 1.0) + (0.03, -0.02, 0.01)


def gamma(x):
    return x ** 0.85


def saturation(x):
    return x + 0.15 * (x - x.mean(axis=-1, keepdims=True))


def ramp(x):
    return x + np.linspace(-0.03, 0.03, WIDE)[:, None]


DRIFTS = {"gain and offset": (gain_and_offset, 1.0), "gamma": (gamma, 4.0), "saturation": (saturation, None),
          "ramp": (ramp, None)}


@pytest.mark.parametrize("name", DRIFTS)
def test_simulated_drifts(name):
    drift, most = DRIFTS[name]
    true, plate, region = shot()
    drifted = np.clip(drift(true), 0, 1).astype(np.float32)
    fitted = correction(drifted, plate, region)
    shown = np.stack([fitted.of(i, picture) for i, picture in enumerate(drifted)])
    before, after = levels(drifted, true, region), levels(shown, true, region)
    assert after <= before * 1.02 + 0.05, "no drift gets worse"
    assert most is None or (after < most < before), (before, after)
    held = [anchor._halves(one[..., 0])[1] for one in region]
    assert anchor._residual(fitted, drifted, plate, held) \
        <= anchor._residual(Correction.none(FRAMES), drifted, plate, held)


def test_no_drift_changes_nothing():
    true, plate, region = shot()
    fitted = correction(true, plate, region)
    shown = np.stack([fitted.of(i, picture) for i, picture in enumerate(true)])
    assert levels(shown, true, np.ones_like(region)) < 0.2


def test_a_gain_that_only_fits_the_fitted_half_is_left_out():
    """The ring's fitted half agrees with a gain by chance; the other half agrees with an offset alone."""
    rng = np.random.default_rng(4)
    plate = rng.uniform(0.3, 0.7, (1, HIGH, WIDE, 3)).astype(np.float32)
    region = shot()[2][:1]
    even, odd = anchor._halves(region[0, ..., 0])
    generated = plate + np.float32(0.05)
    generated[0][even] = (plate[0][even] - 0.5) * 0.6 + 0.55
    fitted = correction(generated, plate, region)
    assert np.allclose(fitted.gain, 1.0) and np.allclose(fitted.offset, -0.05, atol=0.02)


def test_a_correction_that_makes_the_other_half_worse_is_left_out():
    plate = np.full((2, HIGH, WIDE, 3), 0.5, np.float32)
    region = shot()[2][:2]
    generated = plate.copy()
    for frame in range(2):
        generated[frame][anchor._halves(region[frame, ..., 0])[0]] += np.float32(0.2)
    fitted = correction(generated, plate, region)
    assert np.array_equal(fitted.gain, np.ones((2, 3))) and not fitted.offset.any()


def test_it_changes_evenly_between_the_ends():
    true, plate, region = shot()
    drifted = np.stack([frame + 0.08 * i / (FRAMES - 1) for i, frame in enumerate(true)]).astype(np.float32)
    steps = np.diff(correction(drifted, plate, region).offset[:, 0])
    assert np.allclose(steps, steps[0], atol=1e-6) and steps[0] < -0.001


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_without_a_ring_nothing_is_fitted(value):
    """Nobody is there, or everything is painted."""
    true, plate, _ = shot()
    fitted = correction(true * 0.5, plate, np.full((FRAMES, HIGH, WIDE, 1), value, np.float32))
    assert np.array_equal(fitted.of(0, true[0]), true[0])


def test_other_channels_stay():
    fitted = Correction(np.full((1, 3), 0.5, np.float32), np.zeros((1, 3), np.float32))
    picture = np.full((2, 2, 5), 0.8, np.float32)
    assert np.allclose(fitted.of(0, picture)[..., :3], 0.4) and np.allclose(fitted.of(0, picture)[..., 3:], 0.8)
