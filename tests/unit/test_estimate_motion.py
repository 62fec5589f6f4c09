"""Jitter is removed without lag, gaps are bridged, and left and right stay where they are, on motion that is known
exactly."""

import numpy as np
import pytest

from engine.contract.skeleton import BODY, BODY_INDEX
from engine.estimate import motion, sides, smooth
from engine.estimate.bones import joints_of
from engine.estimate.landmarks import INDEX, NAMES
from engine.estimate.lift import Points

FPS, SIZE = 25.0, (640, 480)
SCALE = 150.0  # pixels per metre
STANDING = {"nose": (0, -0.65, -0.1), "shoulder": (0.18, -0.5, 0), "elbow": (0.22, -0.22, 0),
            "wrist": (0.24, 0.02, -0.03),
            "hip": (0.1, 0, 0), "knee": (0.1, 0.42, 0), "ankle": (0.1, 0.82, 0.05), "heel": (0.1, 0.86, 0.08),
            "foot_index": (0.12, 0.88, -0.12), "eye": (0.03, -0.68, -0.09), "ear": (0.07, -0.66, 0.0)}


def walker(count):
    """(count, 33, 3) metres: somebody walks to the right, seen from the side, with swinging arms and legs."""
    t = np.arange(count) / FPS
    world = np.zeros((count, len(NAMES), 3))
    for i, name in enumerate(NAMES):
        side, _, part = name.partition("_")
        plain = next((STANDING[key] for key in STANDING if key in name), STANDING["nose"])
        sign = 1.0 if name.startswith("left") or name.endswith("left") else -1.0 if "right" in name else 0.0
        swing = np.sin(2 * np.pi * 0.9 * t + (0 if sign > 0 else np.pi))
        reach = {"wrist": -0.25, "elbow": -0.12, "knee": 0.18, "ankle": 0.35, "heel": 0.35,
                 "foot_index": 0.35}.get(part, 0.0)
        world[:, i] = np.stack([plain[2] * -1 + reach * swing, np.full(count, plain[1]),
                                np.full(count, -sign * plain[0])], 1)
    return world


def seen(world, pixels=None, visibility=1.0):
    """{number: Points} of the walker, who moves across the picture."""
    count = len(world)
    pixels = world_pixels(world) if pixels is None else pixels
    return {n + 1: Points(pixels[n], world[n], np.full(len(NAMES), visibility)) for n in range(count)}


def world_pixels(world):
    across = np.stack([120 + 3.0 * np.arange(len(world)), np.full(len(world), 240.0)], axis=1)
    return across[:, None] + SCALE * world[..., :2]


def joint(pixels, name):
    """(count, 2): the position of a rig's joint among the landmarks (count, 33, 2)."""
    return np.stack([joints_of(frame)[BODY_INDEX[name]] for frame in pixels])


def xy(bodies, name):
    return np.array([bodies[n].body[BODY_INDEX[name], :2] for n in sorted(bodies)])


def jitter(track, truth):
    """The root mean square error of the acceleration, in pixels per frame squared."""
    return float(np.sqrt(np.mean(np.diff(track - truth, 2, axis=0) ** 2)))


def lag(track, truth):
    """How many frames a track is behind the truth: the shift with the best agreement, to a hundredth."""
    shifts, n = np.arange(-2, 2.01, 0.01), np.arange(len(truth))
    errors = [np.abs(np.interp(n[4:-4], n + s, truth[:, 0]) - track[4:-4, 0]).sum() for s in shifts]
    return float(shifts[int(np.argmin(errors))])


def test_jitter_goes_and_nothing_lags():
    world = walker(100)
    true, rng = world_pixels(world), np.random.default_rng(0)
    noisy = true + rng.normal(0, 2.0, true.shape)
    bodies = motion.steady(seen(world, noisy), [range(1, 101)], fps=FPS, size=SIZE)
    for name in ("left_ankle", "right_wrist", "left_knee"):
        truth, raw = joint(true, name), joint(noisy, name)
        assert jitter(xy(bodies, name), truth) < 0.35 * jitter(raw, truth)
        assert abs(lag(xy(bodies, name), truth)) < 0.2
        assert np.abs(xy(bodies, name) - truth).mean() < np.abs(raw - truth).mean()


def test_quick_motion_is_not_shortened():
    world = walker(100)
    bodies = motion.steady(seen(world), [range(1, 101)], fps=FPS, size=SIZE)
    truth = joint(world_pixels(world), "left_ankle")
    assert np.abs(xy(bodies, "left_ankle") - truth)[3:-3].max() < 0.04 * SCALE


def test_one_bad_frame_leaves_no_bump():
    world = walker(60)
    pixels = world_pixels(world)
    pixels[30, INDEX["left_wrist"]] += (80, -50)
    bodies = motion.steady(seen(world, pixels), [range(1, 61)], fps=FPS, size=SIZE)
    assert np.abs(xy(bodies, "left_wrist") - joint(world_pixels(world), "left_wrist"))[26:35].max() < 5


@pytest.mark.parametrize("first, count", [(30, 1), (31, 4), (5, 8), (0, 2)])
def test_sides_that_change_for_some_frames_are_put_back(first, count):
    world = walker(80)
    swapped = world.copy()
    which = np.zeros((80, 2), bool)
    which[first:first + count] = True
    swapped = sides.exchange(swapped, which)
    bodies = motion.steady(seen(swapped), [range(1, 81)], fps=FPS, size=SIZE)
    for name in ("left_ankle", "right_ankle", "left_wrist"):
        assert np.abs(xy(bodies, name) - joint(world_pixels(world), name))[3:-3].max() < 0.06 * SCALE


def test_legs_that_cross_are_not_exchanged():
    assert not sides.changed(walker(120), np.ones((120, len(NAMES)))).any()


def test_holes_are_bridged_and_long_ones_left_open():
    found = seen(walker(120))
    short, long = range(20, 30), range(60, 90)
    for number in (*short, *long):
        del found[number]
    bodies = motion.steady(found, [range(1, 121)], fps=FPS, size=SIZE)
    assert all(bodies[n].bridged for n in short) and not any(n in bodies for n in long)
    assert not bodies[19].bridged and not bodies[30].bridged
    truth = world_pixels(walker(120))[:, INDEX["nose"]]
    assert np.abs(bodies[25].body[BODY_INDEX["nose"], :2] - truth[24]).max() < 3
    assert 0 < bodies[25].body[BODY_INDEX["neck"], 3] < bodies[15].body[BODY_INDEX["neck"], 3]


def test_nothing_is_carried_over_a_cut():
    world = walker(60)
    pixels = world_pixels(world)
    pixels[30:] += (200, 0)
    bodies = motion.steady(seen(world, pixels), [range(1, 31), range(31, 61)], fps=FPS, size=SIZE)
    assert np.abs(xy(bodies, "neck")[29:31] - joint(pixels, "neck")[29:31]).max() < 3


def test_what_leaves_the_picture_or_is_unsure_is_left_out():
    world = walker(40)
    pixels = world_pixels(world) + (0, 160)
    found = seen(world, pixels)
    found = {n: Points(p.pixels, p.world, np.where(np.arange(len(NAMES)) == INDEX["left_wrist"], 0.1, 1.0))
             for n, p in found.items()}
    body = motion.steady(found, [range(1, 41)], fps=FPS, size=SIZE)[20].body
    assert body[BODY_INDEX["left_ankle"], 3] == 0 and body[BODY_INDEX["left_wrist"], 3] == 0
    assert body[BODY_INDEX["right_elbow"], 3] > 0.9 and body.shape == (len(BODY), 4)


def test_depth_and_height_are_one_size_for_the_shot():
    """The model's metres tremble from frame to frame; the performer's do not."""
    world, rng = walker(80), np.random.default_rng(1)
    trembling = world * rng.uniform(0.9, 1.1, (80, 1, 1))
    bodies = motion.steady(seen(trembling, world_pixels(world)), [range(1, 81)], fps=FPS, size=SIZE)
    heights = np.array([bodies[n].height_px for n in sorted(bodies)])
    assert np.ptp(heights) / heights.mean() < 0.08  # legs that swing without a knee look longer by as much
    legs = np.array([bodies[n].body[BODY_INDEX["left_hip"], 2] - bodies[n].body[BODY_INDEX["right_hip"], 2]
                     for n in bodies])
    assert (legs < 0).all() and np.std(legs) < 0.02  # the left side is nearer


def test_few_frames_are_enough():
    for count in (1, 2, 3):
        bodies = motion.steady(seen(walker(count)), [range(1, count + 1)], fps=FPS, size=SIZE)
        assert len(bodies) == count and np.isfinite(bodies[1].body).all()
    assert motion.steady({}, [range(1, 5)], fps=FPS, size=SIZE) == {}


def test_a_parabola_stays_what_it_is():
    t = np.arange(30.0)
    values = (0.2 * t**2 - 3 * t + 5)[:, None, None]
    np.testing.assert_allclose(smooth.smooth(values, np.ones((30, 1)), 2.0), values, rtol=2e-2, atol=0.1)
