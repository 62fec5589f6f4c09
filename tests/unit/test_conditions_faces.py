"""The driver's face, cut out as Wan's preprocessing cuts it: where, how much around it, and when there is none."""
import numpy as np
import pytest

from engine.conditions.faces import SIDE, face_box, face_of
from engine.contract.skeleton import BODY, BODY_INDEX, HEAD_HEIGHT

HEIGHT = 800.0
SIZE = (640, 480)


def head(x=300.0, y=200.0, turn=0.0):
    """A head of 104 pixels that faces the camera, upright but for `turn` (radians)."""
    body = np.zeros((len(BODY), 4))
    tall = HEAD_HEIGHT * HEIGHT
    places = {"nose": (0, 0.16), "right_eye": (-0.14, 0), "left_eye": (0.14, 0), "right_ear": (-0.33, 0.06),
              "left_ear": (0.33, 0.06), "neck": (0, 0.9)}
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    for name, place in places.items():
        body[BODY_INDEX[name]] = (*(turned @ np.array(place) * tall + (x, y)), 4.0, 1.0)
    return body


def test_the_box_holds_brows_and_chin_and_three_times_as_much_above_as_below():
    left, top, right, bottom = face_box(head(), HEIGHT, SIZE)
    tall = HEAD_HEIGHT * HEIGHT
    brows, chin = 200 - 0.10 * tall, 200 + 0.50 * tall
    assert abs((left + right) / 2 - 300) <= 1
    above, below = brows - top, bottom - chin
    assert above > 2 and above == pytest.approx(3 * below, abs=4)
    ears = 0.66 * tall
    assert (right - left) * (bottom - top) == pytest.approx(1.3 * ears * (chin - brows), rel=0.05)


def test_a_turned_head_is_followed():
    upright, turned = (face_box(head(turn=turn), HEIGHT, SIZE) for turn in (0.0, np.pi / 2))
    assert (turned[2] - turned[0]) / (turned[3] - turned[1]) == pytest.approx(
        (upright[3] - upright[1]) / (upright[2] - upright[0]), rel=0.15)
    assert turned[0] < 300 - 0.45 * HEAD_HEIGHT * HEIGHT, "the chin lies towards the neck"


def test_the_aspect_is_not_kept_and_the_right_pixels_are_shown():
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    left, top, right, bottom = face_box(head(), HEIGHT, SIZE)
    picture[top:bottom, left:right] = (10, 200, 30)
    face = face_of(picture, head(), HEIGHT)
    assert face.shape == (SIDE, SIDE, 3) and (face == (10, 200, 30)).all()
    assert (face_of(picture.astype(np.uint16) * 257, head(), HEIGHT) == (10, 200, 30)).all(), "16 bits"


@pytest.mark.parametrize("unseen", [("right_eye", "left_eye"), ("nose",)])
def test_from_behind_there_is_no_face(unseen):
    body = head()
    for name in unseen:
        body[BODY_INDEX[name], 3] = 0.0
    assert face_box(body, HEIGHT, SIZE) is None
    assert not face_of(np.full((480, 640, 3), 255, np.uint8), body, HEIGHT).any()


@pytest.mark.parametrize("x, y", [(-500, 200), (2, 2), (639, 479), (1e9, 5), (np.nan, 5)])
def test_a_head_at_the_edge_or_beyond_is_safe(x, y):
    face = face_of(np.full((480, 640, 3), 255, np.uint8), head(x, y), HEIGHT)
    assert face.shape == (SIDE, SIDE, 3)
    box = face_box(head(x, y), HEIGHT, SIZE)
    assert box is None or (0 <= box[0] < box[2] <= 640 and 0 <= box[1] < box[3] <= 480)
