"""The limb warp: each limb of the reference arrives in its place, the right way round, in depth order."""
import numpy as np
import pytest

from engine.conditions.warp import person, warp_limbs
from engine.contract.skeleton import BODY_INDEX
from tests.unit.walker import HEIGHT_PX, REACHING, SIZE, SLEEVES, drawn_reference, figure, moved

COAT = (0.9, 0.6, 0.1)


def whole(picture):
    """A reference in which every pixel counts as the person."""
    return np.dstack([picture, np.ones(picture.shape[:2], np.float32)])


def warp(body, size=SIZE, height_px=HEIGHT_PX):
    return warp_limbs(whole(drawn_reference()), person(figure(), None, HEIGHT_PX), person(body, None, height_px), size)


def middle(body, a, b):
    x, y = body[[BODY_INDEX[a], BODY_INDEX[b]], :2].mean(axis=0)
    return int(y), int(x)


def test_the_same_pose_gives_the_reference_back():
    picture, reference = warp(figure()), drawn_reference()
    sure = picture[..., 3] > 0.999
    assert picture.shape == (256, 256, 4) and picture.dtype == np.float32 and sure.sum() > 8000
    assert np.abs(picture[sure][:, :3] - reference[sure]).mean() < 0.01
    assert (picture[..., :3] <= picture[..., 3:] + 1e-5).all() and picture[0, 0, 3] == 0


@pytest.mark.parametrize("behind", [False, True])
def test_each_sleeve_goes_to_its_own_arm(behind):
    body = figure(REACHING, behind)
    picture = warp(body)
    for side, colour in SLEEVES.items():
        assert np.allclose(picture[middle(body, f"{side}_elbow", f"{side}_wrist")][:3], colour, atol=0.05)
    assert np.allclose(picture[100, 128, :3], COAT, atol=0.05)


def test_from_behind_limbs_are_mirrored_about_their_axis():
    reference, body = drawn_reference(), figure()
    reference[72:136, 92:96] = (1, 0, 1)     # a stripe on the outer side of the right arm
    both = [warp_limbs(whole(reference), person(body, None, HEIGHT_PX), person(figure(behind=b), None, HEIGHT_PX), SIZE)
            for b in (False, True)]
    stripe = [np.nonzero((p[..., 0] > 0.8) & (p[..., 1] < 0.2) & (p[..., 2] > 0.8))[1].mean() for p in both]
    assert stripe[0] < 97 and stripe[1] > 256 - 97


def test_a_nearer_arm_lies_over_the_coat_and_a_farther_one_under_it():
    before = {"right_elbow": (118, 100, 3.5), "right_wrist": (138, 100, 3.5)}
    behind = {name: (x, y, 4.6) for name, (x, y, _) in before.items()}
    assert np.allclose(warp(figure(before))[100, 128, :3], SLEEVES["right"], atol=0.05)
    assert np.allclose(warp(figure(behind))[100, 128, :3], COAT, atol=0.05)


def test_scale_follows_the_person():
    large = moved(figure(), 1.5, 192, 340)
    picture = warp(large, (384, 384), HEIGHT_PX * 1.5)
    assert np.isclose(picture[..., 3].sum(), 2.25 * warp(figure())[..., 3].sum(), rtol=0.03)


def test_a_limb_pointing_at_the_camera_keeps_its_width():
    body = figure({"left_wrist": (159.5, 109, 3.3)})
    picture = warp(body)
    assert (picture[105:112, 140:180, 3] > 0.5).any(axis=0).sum() > 12


def test_a_person_seen_sideways_keeps_a_torso():
    side = {name: (128, y, 4.0) for name, y in (("right_shoulder", 70), ("left_shoulder", 70),
                                                ("right_hip", 130), ("left_hip", 130))}
    row = warp(figure(side))[115]
    assert (np.abs(row[:, :3] - COAT).max(axis=1) < 0.05).sum() > 20


def test_missing_limbs_are_skipped():
    body = figure()
    body[BODY_INDEX["left_wrist"], 3] = 0.0
    assert warp(body)[middle(body, "left_elbow", "left_wrist")][3] == 0.0
    assert not warp(np.zeros((20, 4))).any()
    source = person(np.zeros((20, 4)), None, HEIGHT_PX)
    assert not warp_limbs(whole(drawn_reference()), source, person(figure(), None, HEIGHT_PX), SIZE).any()


@pytest.mark.parametrize("wild", [(np.nan, 1, 1, 1), (1e12, -1e12, 3, 1), (128, 128, 1e-12, 1)])
def test_wild_joints_are_survived(wild):
    body = figure()
    body[BODY_INDEX["left_wrist"]] = wild
    assert np.isfinite(warp(body)).all()
    assert np.isfinite(warp_limbs(whole(drawn_reference()), person(body, None, HEIGHT_PX),
                                  person(figure(), None, HEIGHT_PX), SIZE)).all()


def test_a_head_in_profile_carries_the_face_to_the_front():
    """The frame's nose lies far to one side of the ear. The reference's nose has to arrive there, and the collar
    stays."""
    reference, body = drawn_reference(), figure()
    row, column = int(body[BODY_INDEX["nose"], 1]), int(body[BODY_INDEX["nose"], 0])
    reference[row - 2:row + 3, column - 2:column + 3] = (1, 0, 1)
    profile = body.copy()
    profile[BODY_INDEX["nose"], 0] += 14
    for name, step in (("right_eye", 12), ("left_eye", 10)):
        profile[BODY_INDEX[name], 0] = body[BODY_INDEX["nose"], 0] + step
    profile[BODY_INDEX["left_ear"], 3] = 0
    profile[BODY_INDEX["right_ear"], 0] = body[BODY_INDEX["nose"], 0]
    picture = warp_limbs(whole(reference), person(body, None, HEIGHT_PX), person(profile, None, HEIGHT_PX), SIZE)
    spot = np.nonzero((picture[..., 0] > 0.7) & (picture[..., 1] < 0.3) & (picture[..., 2] > 0.7))
    assert abs(spot[1].mean() - profile[BODY_INDEX["nose"], 0]) < 4 and abs(spot[0].mean() - row) < 4


def test_what_is_not_of_the_person_stays_behind():
    matte = (np.abs(drawn_reference() - 0.8).max(axis=2) > 0.05).astype(np.float32)
    everything, cut = (warp_limbs(np.dstack([drawn_reference(), m]), person(figure(), None, HEIGHT_PX),
                                  person(figure(), None, HEIGHT_PX), SIZE) for m in (np.ones_like(matte), matte))
    backdrop = matte == 0
    assert everything[backdrop][:, 3].sum() > 500 and cut[backdrop][:, 3].max() < 0.01
    assert np.allclose(everything[~backdrop][:, 3].max(), cut[~backdrop][:, 3].max())
