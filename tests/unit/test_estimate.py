"""The body model on drawn figures whose joints are known (figures/make_figures.py), and on pictures without anybody."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.contract.errors import JobError
from engine.contract.skeleton import BODY, BODY_INDEX
from engine.estimate import bones, detector, landmarks, people, personhood, region, sessions

FIGURES = Path(__file__).parent / "figures"
TRUTH = json.loads((FIGURES / "figures.json").read_text(encoding="utf-8"))
FACE = ("nose", "right_eye", "left_eye")


def read(name):
    return opened(FIGURES / f"{name}.png")


def opened(path):
    """(h, w, 3) uint8, transparency on grey."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture.shape[2] == 4:
        cover = picture[..., 3:] / 255
        picture = np.rint(picture[..., :3] * cover + 128 * (1 - cover)).astype(np.uint8)
    return np.ascontiguousarray(picture[:, :, ::-1])


def looked_at(picture):
    """The landmarks of the first solid body, whether it is a person or not."""
    for square in (square for windows in detector.levels(picture)
                   for square in detector.people_at(picture, windows, threads=1)):
        first = landmarks.look(picture, square, threads=1)
        found = first and landmarks.look(picture, first.next_region, threads=1)
        if found and personhood.is_body(found, picture):
            return found
    raise AssertionError("no body")


def worst_distance(person, name, move=(0.0, 0.0), scale=1.0):
    """The distance in pixels between the found joints and the true ones, for the farthest of those that are seen; a
    back has no eyes."""
    joints = {joint: place for joint, place in TRUTH[name]["joints"].items() if person.body[BODY_INDEX[joint], 3] > 0}
    assert len(joints) >= 12
    return max(np.hypot(*(person.body[BODY_INDEX[joint], :2] - (np.array(place) * scale + move)))
               for joint, place in joints.items())


@pytest.mark.parametrize("name", TRUTH)
def test_joints_lie_where_they_are(name):
    person = people.find_joints(read(name), threads=1)
    assert worst_distance(person, name) < 0.04 * TRUTH[name]["height_px"]
    assert person.height_px == pytest.approx(TRUTH[name]["height_px"], rel=0.05)
    assert person.body.shape == (len(BODY), 4) and person.body.dtype == np.float32
    assert person.left_hand is None and person.right_hand is None


def test_left_is_the_characters_own():
    front, back = (people.find_joints(read(name), threads=1).body for name in ("front", "back"))
    left, right = BODY_INDEX["left_shoulder"], BODY_INDEX["right_shoulder"]
    assert front[left, 0] > front[right, 0]
    assert back[left, 0] < back[right, 0]


def test_a_face_is_seen_from_the_front_only():
    for name, seen in (("front", True), ("back", False)):
        body = people.find_joints(read(name), threads=1).body
        assert [bool(body[BODY_INDEX[point], 3] > 0) for point in FACE] == [seen] * 3


def test_neck_and_depth():
    body = people.find_joints(read("turned"), threads=1).body
    shoulders = body[[BODY_INDEX["left_shoulder"], BODY_INDEX["right_shoulder"]]]
    above = shoulders[:, :2].mean(axis=0) - body[BODY_INDEX["neck"], :2]
    assert abs(above[0]) < 10 and 10 < above[1] < 35  # where a rig's neck begins, above the joints of the shoulders
    np.testing.assert_allclose(body[BODY_INDEX["neck"], 2], shoulders[:, 2].mean(axis=0), atol=0.05)
    assert (body[:, 2] > 0).all()
    assert shoulders[1, 2] < shoulders[0, 2]  # turned to the character's left: the right shoulder is nearer


def test_mask_covers_the_figure_and_not_the_backdrop():
    picture = read("front")
    figure = np.abs(picture.astype(int) - picture[0, 0]).max(axis=2) > 12
    mask = people.find_joints(picture, threads=1).mask
    assert mask.shape == figure.shape and mask.min() >= 0 and mask.max() <= 1
    both, either = (figure & (mask > 0.5)).sum(), (figure | (mask > 0.5)).sum()
    assert both / either > 0.85


def test_what_is_cut_off_has_no_confidence():
    body = people.find_joints(read("front")[:170], threads=1).body
    for joint in ("right_knee", "left_knee", "right_ankle", "left_ankle", "right_toe", "left_toe"):
        assert body[BODY_INDEX[joint], 3] == 0
    assert body[BODY_INDEX["left_shoulder"], 3] > 0.5


def test_joints_are_linear_in_the_landmarks():
    """So they hold wherever a body is, however large it is, and for depths as for pixels."""
    points = np.random.default_rng(0).normal(0, 50, (33, 3))
    for as_bones in (True, False):
        joints = bones.joints_of(points, as_bones)
        assert joints.shape == (len(BODY), 3)
        np.testing.assert_allclose(bones.joints_of(points * 2 + 7, as_bones), joints * 2 + 7)
    np.testing.assert_allclose(bones.joints_of(points)[BODY_INDEX["left_knee"]], points[landmarks.INDEX["left_knee"]])
    sure = np.ones(33)
    sure[landmarks.INDEX["left_shoulder"]] = 0.2
    assert bones.confidence_of(sure)[BODY_INDEX["neck"]] == 0.2 \
        and bones.confidence_of(sure)[BODY_INDEX["right_hip"]] == 1


def test_transparent_pixels_are_not_looked_at():
    picture = read("front")
    alpha = (np.abs(picture.astype(int) - picture[0, 0]).max(axis=2) > 12).astype(np.uint8) * 255
    hidden = np.where(alpha[:, :, None] > 0, picture,
                      np.random.default_rng(0).integers(0, 256, picture.shape, np.uint8))
    person = people.find_joints(np.dstack([hidden, alpha]), threads=1)
    assert worst_distance(person, "front") < 0.04 * TRUTH["front"]["height_px"]


@pytest.mark.parametrize("canvas, place, scale", [
    ((4000, 300), (20, 2900), 1.0),  # very tall
    ((384, 5000), (3200, 0), 1.0),  # very wide
    ((500, 700), (400, 300), 0.35),  # small in its picture
    ((2000, 1400), (10, 200), 4.0),  # large
])
def test_pictures_of_any_size(canvas, place, scale):
    figure = cv2.resize(read("front"), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((*canvas, 3), figure[0, 0], np.uint8)
    x, y = place
    fits = figure[:canvas[0] - y, :canvas[1] - x]
    picture[y:y + fits.shape[0], x:x + fits.shape[1]] = fits
    person = people.find_joints(picture, threads=1)
    assert worst_distance(person, "front", place, scale) < 0.04 * TRUTH["front"]["height_px"] * scale
    assert person.mask.shape == canvas


@pytest.mark.parametrize("picture", [
    np.zeros((1, 1, 3), np.uint8), np.zeros((5, 900, 3), np.uint8), np.full((150, 100, 3), 128, np.uint8),
    np.zeros((64, 64, 4), np.uint8), np.zeros((32, 3000, 3), np.uint8),
    np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8),
], ids=("1x1", "5 high", "grey", "transparent", "32x3000", "noise"))
def test_nobody(picture):
    assert people.find_joints(picture, threads=1) is None


def test_nobody_is_found_in_an_empty_room():
    """A frame of the demo shot's plate, in which the landmarks are sure of a body and the detector sees nobody."""
    picture = opened(FIGURES / "empty_room.jpg")
    looks = [landmarks.look(picture, window, threads=1) for windows in detector.levels(picture) for window in windows]
    bodies = [found for found in looks if found and personhood.is_body(found, picture)]
    assert max(found.visibility.max() for found in bodies) > 0.9
    assert not any(personhood.is_person(found, picture, threads=1) for found in bodies)
    assert people.find_joints(picture, threads=1) is None and people.find_boxes(picture, threads=1) == []


@pytest.mark.parametrize("change, is_one", [({}, True), ({"visibility": np.full(33, 0.45)}, False),
                                            ({"mask_logits": np.zeros((256, 256), np.float32)}, False)])
def test_a_body_without_a_sure_joint_or_an_outline_is_nobody(change, is_one):
    picture = read("front")
    found = replace(looked_at(picture), **change)
    assert personhood.is_person(found, picture, threads=1) == is_one


def test_everybody_has_a_box():
    figures = [read(name) for name in ("front", "back")]
    small = cv2.resize(figures[1], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    picture = np.full((480, 640, 3), figures[0][0, 0], np.uint8)
    picture[40:40 + figures[0].shape[0], 20:20 + figures[0].shape[1]] = figures[0]
    picture[100:100 + small.shape[0], 420:420 + small.shape[1]] = small
    boxes = people.find_boxes(picture, threads=1)
    assert len(boxes) == 2
    for box, name, move, scale in zip(boxes, ("front", "back"), ((20, 40), (420, 100)), (1.0, 0.6), strict=True):
        joints = np.array(list(TRUTH[name]["joints"].values())) * scale + move
        assert np.abs(np.array(box) - [*joints.min(axis=0), *joints.max(axis=0)]).max() < 40
        assert box[0] >= 0 and box[3] <= 480
    assert people.find_boxes(np.full((480, 640, 3), 90, np.uint8), threads=1) == []


@pytest.mark.parametrize("picture", [np.zeros((40, 40), np.uint8), np.zeros((40, 40, 3), np.float32)])
def test_a_picture_of_the_wrong_kind_is_named(picture):
    with pytest.raises(JobError, match="uint8 was expected, got") as failure:
        people.find_joints(picture)
    assert failure.value.code == "reference_unreadable"


def test_cut_and_paste_keep_pixels_in_place():
    y, x = np.indices((60, 80)) + 0.5
    picture = np.stack([x * 2, y * 2, 0 * x], axis=2).round().astype(np.uint8)
    square = region.Region(centre=(42.0, 31.0), side=32.0, up=(0.6, -0.8))
    crop = region.cut(picture, square, 64)
    at = square.to_picture([[10.5 / 64, 40.5 / 64]])[0]
    np.testing.assert_allclose(crop[40, 10, :2] / 2, at, atol=0.5)
    pasted = region.paste(crop[:, :, 0].astype(np.float32), square, (80, 60))
    assert pasted[31, 42] == pytest.approx(42.5 * 2, abs=1.0)


def test_windows_cover_the_picture():
    for width, height in ((640, 480), (100, 2000), (32, 32), (3840, 2160)):
        for windows in detector.levels(np.zeros((height, width, 3), np.uint8)):
            reach = np.array([(*np.array(w.centre) - w.side / 2, *np.array(w.centre) + w.side / 2) for w in windows])
            assert reach[:, 0].min() <= 0 and reach[:, 1].min() <= 0
            assert reach[:, 2].max() >= width and reach[:, 3].max() >= height


def test_models_are_those_that_are_listed():
    listed = json.loads((sessions.MODELS / "models.json").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(path.name for path in sessions.MODELS.glob("*.onnx"))
    for name, facts in listed.items():
        assert hashlib.sha256((sessions.MODELS / name).read_bytes()).hexdigest() == facts["sha256"]
        assert facts["licence"] == "Apache-2.0"
    assert "Apache License" in (sessions.MODELS / "LICENSE").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in sessions.MODELS.glob("*.onnx")) < 19 * 2**20


@pytest.mark.parametrize("harm, code", [("bit", "pack_corrupt"), ("gone", "pack_missing")])
def test_a_harmed_model_is_refused(tmp_path, monkeypatch, harm, code):
    (tmp_path / "models.json").write_bytes((sessions.MODELS / "models.json").read_bytes())
    if harm == "bit":
        data = bytearray((sessions.MODELS / "person_detector.onnx").read_bytes())
        data[-1000] ^= 1
        (tmp_path / "person_detector.onnx").write_bytes(data)
    monkeypatch.setattr(sessions, "MODELS", tmp_path)
    with pytest.raises(JobError) as failure:
        sessions.session("person_detector", 3)
    assert failure.value.code == code


def test_sessions_are_opened_once():
    assert sessions.session("person_detector", 1) is sessions.session("person_detector", 1)
