"""Figures get a reference's proportions: limbs take its lengths, standing feet stay, and half the strength goes half
way."""

import dataclasses

import numpy as np
import pytest
from walker import HEIGHT_PX, STANDING, figure, hand_at, write_job

from engine.conditions import bundle as bundles
from engine.conditions.poses import Figure
from engine.conditions.retarget import retargeted
from engine.contract import jobs
from engine.contract.skeleton import BODY_INDEX as I

LEGS = (("hip", "knee"), ("knee", "ankle"))


def standing(frames=20, **changed):
    """A shot of somebody who stands still."""
    return tuple(Figure(figure(changed), (None, hand_at(93, 138)), HEIGHT_PX) for _ in range(frames))


def walking(frames=24, fps=24.0):
    """Hips that move to the right at 3 px a frame; the feet stand in turns and swing past each other."""
    figures = []
    for t in range(frames):
        body = figure()
        body[:, 0] += 3 * t
        step, part = divmod(t, 12)
        swinging, resting = ("left", "right") if step % 2 else ("right", "left")
        stands_at = STANDING[f"{resting}_ankle"][0] + 36 * step + 18
        for joint in ("ankle", "toe"):
            gap = STANDING[f"{resting}_{joint}"][0] - STANDING[f"{resting}_ankle"][0]
            body[I[f"{resting}_{joint}"], 0] = stands_at + gap
            body[I[f"{swinging}_{joint}"], 0] = stands_at - 36 + 6 * part + gap
            body[I[f"{swinging}_{joint}"], 1] -= 12 * np.sin(np.pi * part / 12)
        figures.append(Figure(body, (None, None), HEIGHT_PX))
    return tuple(figures)


def reference(**stretch):
    """(20, 3): the standing figure with longer legs, arms or a larger head."""
    body = figure()[:, [0, 1, 3]]
    scaled = body.copy()
    for side in ("right", "left"):
        for a, b, name in (("hip", "knee", "legs"), ("knee", "ankle", "legs"), ("ankle", "toe", "feet"),
                           ("shoulder", "elbow", "arms"), ("elbow", "wrist", "arms")):
            a, b = I[f"{side}_{a}"], I[f"{side}_{b}"]
            scaled[b, :2] = scaled[a, :2] + stretch.get(name, 1.0) * (body[b, :2] - body[a, :2])
    for name in ("nose", "right_eye", "left_eye", "right_ear", "left_ear"):
        scaled[I[name], :2] = body[I["neck"], :2] + stretch.get("head", 1.0) * (body[I[name], :2] - body[I["neck"], :2])
    return scaled


def brought(figures, strength=1.0, **stretch):
    return retargeted(figures, reference(**stretch), HEIGHT_PX, strength=strength, fps=24.0)


def length(body, a, b):
    return float(np.hypot(*(body[I[a], :2] - body[I[b], :2])))


def test_the_same_proportions_change_nothing():
    for shot, atol in ((standing(), 1e-6), (walking(), 3.0)):  # the walker's knees are only drawn roughly
        for before, after in zip(shot, brought(shot), strict=True):
            assert np.allclose(after.body, before.body, atol=atol)


@pytest.mark.parametrize("stretch", [0.8, 1.2])
def test_legs_take_the_references_length_and_the_feet_stay(stretch):
    shot = standing()
    for before, after in zip(shot, brought(shot, legs=stretch), strict=True):
        for joint in ("right_ankle", "left_ankle", "right_toe", "left_toe"):
            assert np.allclose(after.body[I[joint], :2], before.body[I[joint], :2], atol=0.5)
        for a, b in LEGS:
            assert length(after.body, f"right_{a}", f"right_{b}") == pytest.approx(
                stretch * length(before.body, f"right_{a}", f"right_{b}"), rel=0.03)
        risen = before.body[I["neck"], 1] - after.body[I["neck"], 1]
        assert risen == pytest.approx((stretch - 1) * 88, abs=3)  # from the ankles to the hips
        assert length(after.body, "neck", "right_hip") == pytest.approx(length(before.body, "neck", "right_hip"),
                                                                        rel=0.01)


def test_arms_and_head():
    before = standing()[0]
    after = brought(standing(), arms=1.2, head=1.3)[0]
    assert length(after.body, "right_shoulder", "right_elbow") == pytest.approx(
        1.2 * length(before.body, "right_shoulder", "right_elbow"))
    assert length(after.body, "neck", "nose") == pytest.approx(1.3 * length(before.body, "neck", "nose"))
    assert length(after.body, "right_eye", "left_eye") == pytest.approx(1.3 * length(before.body,
                                                                                     "right_eye", "left_eye"))
    shift = after.body[I["right_wrist"], :2] - before.body[I["right_wrist"], :2]
    assert np.allclose(after.hands[1][:, :2], before.hands[1][:, :2] + shift) and after.hands[0] is None


def test_strength_goes_between():
    half, whole = (brought(standing(), strength, arms=1.21)[0].body for strength in (0.5, 1.0))
    before = standing()[0].body
    assert length(half, "left_elbow", "left_wrist") == pytest.approx(1.1 * length(before, "left_elbow", "left_wrist"))
    assert length(whole, "left_elbow", "left_wrist") == pytest.approx(1.21 * length(before, "left_elbow", "left_wrist"))
    assert np.array_equal(brought(standing(), 0.0, arms=1.21)[0].body, before)


@pytest.mark.parametrize("stretch", [0.8, 1.15])
def test_a_foot_that_stands_does_not_slide(stretch):
    after = brought(walking(), legs=stretch)
    for first, side in ((0, "left"), (12, "right")):
        ankle = np.array([after[t].body[I[f"{side}_ankle"], :2] for t in range(first + 3, first + 9)])
        assert np.ptp(ankle, axis=0).max() < 0.02 * HEIGHT_PX
    steps = np.diff([f.body[I["neck"], :2] for f in after], axis=0)
    assert np.abs(np.diff(steps, axis=0)).max() < 0.02 * HEIGHT_PX, "and nothing jumps"


def test_depth_counts_in_a_limbs_length():
    """An arm that points towards the camera is as long as one that hangs down; the shot's own depths give the
    length."""
    shot = []
    for t in range(20):
        angle = np.radians(80 * t / 19)
        body = figure()
        body[:, 2] = 4.0
        for side in ("right", "left"):
            x, y = body[I[f"{side}_shoulder"], :2]
            for k, joint in enumerate(("elbow", "wrist"), 1):
                body[I[f"{side}_{joint}"], :3] = (x, y + 36 * k * np.cos(angle),
                                                  4.0 - 36 * k * np.sin(angle) * 1.7 / HEIGHT_PX)
        shot.append(Figure(body, (None, None), HEIGHT_PX))
    after = brought(tuple(shot), arms=1.2)
    for before, done in zip(shot, after, strict=True):
        old, new = (f.body[I["right_wrist"], :3] - f.body[I["right_shoulder"], :3] for f in (before, done))
        assert np.allclose(new, new @ old / (old @ old) * old, atol=1e-6), "its direction stays"
    lengths = [np.linalg.norm(f.body[I["right_wrist"], :3] - f.body[I["right_shoulder"], :3]) for f in after]
    assert lengths[0] == pytest.approx(72 * (1.2 * 34.6 / 36), rel=0.1)


def test_what_is_not_seen_goes_along():
    body = figure()
    for name in ("left_elbow", "left_hip", "right_hip", "nose"):
        body[I[name]] = 0.0
    shot = (Figure(body, (None, None), HEIGHT_PX), None)
    after = brought(shot, arms=1.2, legs=0.8)
    assert np.isfinite(after[0].body).all() and after[1] is None
    assert np.array_equal(after[0].body[I["left_elbow"]], np.zeros(4))
    assert np.abs(after[0].body[:, :2] - body[:, :2]).max() < 40


def test_a_foreshortened_reference_shrinks_no_limb_beyond_measure():
    after = brought(standing(), arms=0.2)[0].body
    assert length(after, "left_shoulder", "left_elbow") > 0.7 * length(standing()[0].body,
                                                                       "left_shoulder", "left_elbow")


def test_a_job_retargets_its_shot_and_makes_room(tmp_path):
    job = write_job(tmp_path, masks=True, retarget=1.0)
    joints = reference(legs=1.25)
    plain = bundles.plan_shot(str(tmp_path), dataclasses.replace(job, retarget=0.0))
    shot = bundles.plan_shot(str(tmp_path), job, joints=joints, height_px=HEIGHT_PX)
    assert shot.figures[2].body[I["neck"], 1] < plain.figures[2].body[I["neck"], 1] - 5
    assert np.array_equal(bundles.plan_shot(str(tmp_path), job).figures[2].body,
                          plain.figures[2].body), "no joints, no change"
    given = dataclasses.replace(job, reference=jobs.Reference(joints=tuple(map(tuple, joints.tolist())),
                                                              height_px=HEIGHT_PX))
    assert np.allclose(bundles.plan_shot(str(tmp_path), given).figures[2].body, shot.figures[2].body)
    x, y = bundles._figure_in_crop(shot, 3).body[I["neck"], :2].astype(int)
    assert bundles.character_mask(shot, 3)[y, x] == 1, "the mask of the job is joined with the new limbs"
    assert jobs.key(job, [], "") != jobs.key(dataclasses.replace(job, retarget=0.5), [], "")
