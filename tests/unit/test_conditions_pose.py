"""The skeleton picture: what is drawn where, in which colours and order; no input makes it fail."""
import numpy as np
import pytest

from engine.conditions.pose import clip_segments, draw_skeleton, joint_colours, limb_colours
from engine.conditions.styles import STYLES
from engine.contract.skeleton import BODY_INDEX, LIMBS
from tests.unit.walker import HEIGHT_PX, REACHING, SIZE, figure, hand_at

JOINT_COLOURS, LIMB_COLOURS = joint_colours(), limb_colours()


def draw(body, hands=None, height_px=HEIGHT_PX):
    return draw_skeleton(body, hands, SIZE, height_px)


def at(picture, x, y):
    return picture[int(y), int(x)]


def test_is_a_float_picture_of_the_asked_size():
    picture = draw_skeleton(figure(), None, (192, 352), HEIGHT_PX)
    assert picture.shape == (352, 192, 3) and picture.dtype == np.float32
    assert picture.min() == 0.0 and 0.9 < picture.max() <= 1.0


def test_limbs_are_dimmed_and_joints_are_not():
    body, picture = figure(), draw(figure())
    for limb, colour in zip(LIMBS, LIMB_COLOURS, strict=True):
        if limb in (("right_knee", "right_ankle"), ("left_elbow", "left_wrist")):
            middle = body[[BODY_INDEX[n] for n in limb], :2].mean(axis=0)
            assert np.allclose(at(picture, *middle), 0.6 * np.array(colour) / 255, atol=0.02)
    wrist = BODY_INDEX["left_wrist"]
    assert np.allclose(at(picture, *body[wrist, :2]), np.array(JOINT_COLOURS[wrist]) / 255, atol=0.02)


def test_every_colour_is_its_own():
    assert len(set(LIMB_COLOURS)) == len(LIMB_COLOURS) and len(set(JOINT_COLOURS)) == len(JOINT_COLOURS)


def test_the_nearer_limb_lies_on_top():
    crossing = {"right_elbow": (128, 100, 3.0), "right_wrist": (180, 100, 3.0),
                "left_elbow": (154, 80, 5.0), "left_wrist": (154, 120, 5.0)}
    right, left = (np.array(LIMB_COLOURS[LIMBS.index((f"{s}_elbow", f"{s}_wrist"))]) * 0.6 / 255
                   for s in ("right", "left"))
    assert np.allclose(at(draw(figure(crossing)), 154, 100), right, atol=0.05)
    turned = {name: (x, y, 8.0 - depth) for name, (x, y, depth) in crossing.items()}
    assert np.allclose(at(draw(figure(turned)), 154, 100), left, atol=0.05)


def test_unsure_joints_are_dim_and_unseen_ones_are_not_drawn():
    body = figure()
    body[BODY_INDEX["left_wrist"], 3] = 0.5
    assert np.isclose(at(draw(body), 163, 138).max(), 0.5, atol=0.02)
    body[BODY_INDEX["left_wrist"], 3] = 0.04
    assert at(draw(body), 163, 138).max() == 0.0


def test_lines_are_as_wide_as_the_person_is_large():
    across_shin = [draw(figure(), height_px=height)[197, 85:128].max(axis=1).sum() for height in (200, 400)]
    assert np.isclose(across_shin[1] / across_shin[0], 2.0, rtol=0.15)


def test_hands_are_thin_and_left_differs_from_right():
    hand = hand_at(60, 60)
    none = np.zeros((20, 4))
    left, right = draw(none, (hand, None)), draw(none, (None, hand))
    assert 0 < (left.max(axis=2) > 0).sum() < 300
    assert not np.allclose(left, right)


@pytest.mark.parametrize("wild", [(np.nan, 1, 1, 1), (np.inf, 5, 1, 1), (1e12, -1e12, 3, 1),
                                  (-1e6, 100, 1e-9, 1), (5, 5, -3, 1)])
def test_wild_joints_are_drawn_safely(wild):
    body = figure()
    body[BODY_INDEX["left_wrist"]] = wild
    picture = draw(body)
    assert np.isfinite(picture).all() and picture.max() > 0.5
    assert np.isfinite(draw(body, height_px=np.nan)).all()


def test_a_limb_that_leaves_the_frame_keeps_its_direction():
    body = figure({"left_elbow": (128, 128, 4.0), "left_wrist": (128 + 1e7, 128 + 1e7, 4.0)})
    picture = draw(body)
    assert at(picture, 200, 200).max() > 0.3 and at(picture, 230, 200).max() == 0.0


def test_clipping_cuts_a_segment_where_it_meets_the_frame():
    starts, ends = np.array([[-10.0, 5.0], [50.0, 50.0], [5.0, 5.0]]), np.array([[10.0, 5.0], [60.0, 50.0], [5.0, 5.0]])
    t0, t1 = clip_segments(starts, ends, (20, 20), 0.0)
    assert (t0[0], t1[0]) == (0.5, 1.0) and t0[1] > t1[1] and (t0[2], t1[2]) == (0.0, 1.0)


def test_nobody_gives_black():
    assert draw(np.zeros((20, 4))).max() == 0.0
    assert draw(figure(REACHING)).max() > 0.9


def test_wans_lines_are_thin_and_do_not_grow_with_the_person():
    """Half widths of 1 px at 480x832 and 2 at 720x1280, as Wan's own preprocessing draws them."""
    limb = {"left_elbow": (100, 100, 4.0), "left_wrist": (300, 100, 4.0)}
    for size, wide in (((480, 832), 3), ((720, 1280), 5)):
        for height_px in (200, 600):
            picture = draw_skeleton(figure(limb), None, size, height_px, STYLES["wan"])
            assert abs((picture[80:120, 200].max(axis=1) > 0.1).sum() - wide) <= 1


def test_the_familys_lines_are_those_of_dwpose_at_512_pixels():
    """Half widths of 4 px for a limb and 1 px for a finger at 512x784, whoever stands there."""
    limb = {"left_elbow": (100, 100, 4.0), "left_wrist": (300, 100, 4.0)}
    for size, wide, thin in (((512, 784), 9, 3), ((1024, 1568), 17, 5)):
        for height_px in (200, 600):
            body = draw_skeleton(figure(limb), None, size, height_px, STYLES["dwpose"])
            assert abs((body[60:140, 200].max(axis=1) > 0.1).sum() - wide) <= 1
        points = np.zeros((21, 4))
        points[:2] = (100, 100, 4.0, 1.0), (300, 100, 4.0, 1.0)
        hand = draw_skeleton(np.zeros((20, 4)), (points, None), size, HEIGHT_PX, STYLES["dwpose"])
        assert abs((hand[60:140, 200].max(axis=1) > 0.1).sum() - thin) <= 1


def test_a_detectors_style_leaves_out_what_is_unsure_and_dims_nothing():
    wrist, large = BODY_INDEX["left_wrist"], (1024, 1024)
    body = figure({"left_wrist": (900.5, 900.5, 4.0)})
    for style, least in (("vace", 0.3), ("dwpose", 0.3), ("wan", 0.5)):
        for sure, value in ((least + 0.01, 1.0), (least - 0.01, 0.0)):
            body[wrist, 3] = sure
            picture = draw_skeleton(body, None, large, HEIGHT_PX, STYLES[style])
            assert np.isclose(at(picture, 900, 900).max(), value, atol=0.01), style


def test_detectors_ignore_depth():
    crossing = {"right_elbow": (128, 100, 3.0), "right_wrist": (180, 100, 3.0),
                "left_elbow": (154, 80, 5.0), "left_wrist": (154, 120, 5.0)}
    turned = {name: (x, y, 8.0 - depth) for name, (x, y, depth) in crossing.items()}
    one, other = (draw_skeleton(figure(joints), None, SIZE, HEIGHT_PX, STYLES["wan"]) for joints in (crossing, turned))
    assert np.array_equal(one, other)


def test_toes_are_drawn_in_the_colours_that_the_weights_know():
    body = figure({"right_toe": (900.5, 900.5, 4.0)})
    found = {name: at(draw_skeleton(body, None, (1024, 1024), 800.0, style), 900, 900) * 255
             for name, style in STYLES.items()}
    assert np.allclose(found["wan"], (200, 200, 0), atol=3) and found["vace"].max() == found["dwpose"].max() == 0
    assert np.allclose(found["compact"], (255, 140, 140), atol=3)


def test_both_hands_look_alike_to_a_detector():
    hand, none = hand_at(60, 60), np.zeros((20, 4))
    left, right = (draw_skeleton(none, hands, SIZE, HEIGHT_PX, STYLES["vace"])
                   for hands in ((hand, None), (None, hand)))
    assert np.array_equal(left, right) and left.max() > 0.5
