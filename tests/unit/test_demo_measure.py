"""The demo's measures: CIEDE2000 on the published pairs; likeness on pictures whose answer is known."""
import json

import numpy as np
import pytest
from PIL import Image

from engine.contract import files
from engine.contract.skeleton import BODY, BODY_INDEX
from lab.evaluation.body_parts import PARTS, band
from lab.evaluation.colour import delta_e_2000, lab
from tests.demo.measure import measure

# Sharma, Wu, Dalal (2005), table 1: L a b, L a b, CIEDE2000.
PAIRS = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425|50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000|50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669|50 -1 2 50 0 0 2.3669|50 2.49 -0.001 50 -2.49 0.0009 7.1792|50 2.49 -0.001 50 -2.49 0.0010 7.1792
50 2.49 -0.001 50 -2.49 0.0011 7.2195|50 2.49 -0.001 50 -2.49 0.0012 7.2195|50 -0.001 2.49 50 0.0009 -2.49 4.8045
50 -0.001 2.49 50 0.0010 -2.49 4.8045|50 -0.001 2.49 50 0.0011 -2.49 4.7461|50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492|50 2.5 0 61 -5 29 22.8977|50 2.5 0 56 -27 -3 31.9030|50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000|50 2.5 0 50 3.2972 0 1.0000|50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000|60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630|61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645|22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146|90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381|6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


@pytest.mark.parametrize("pair", PAIRS.strip().replace("\n", "|").split("|"))
def test_ciede2000_agrees_with_the_published_pairs(pair):
    numbers = [float(x) for x in pair.split()]
    assert delta_e_2000(numbers[:3], numbers[3:6]) == pytest.approx(numbers[6], abs=5e-5)


def test_lab_of_known_colours():
    assert lab((1, 1, 1)) == pytest.approx((100, 0, 0), abs=0.02)
    assert lab((1, 0, 0)) == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    assert lab((0, 0, 0)) == pytest.approx((0, 0, 0), abs=1e-6)


STANDING = {"nose": (0, 10), "neck": (0, 24), "shoulder": (12, 26), "elbow": (24, 44), "wrist": (30, 62),
            "hip": (8, 64), "knee": (9, 90), "ankle": (10, 116), "toe": (14, 121), "eye": (3, 8), "ear": (6, 9)}
COLOURS = {"face": (0.8, 0.6, 0.5), "trunk": (0.9, 0.7, 0.1), "upper arms": (0.9, 0.7, 0.1),
           "forearms": (0.9, 0.7, 0.1), "thighs": (0.1, 0.1, 0.4), "shins": (0.1, 0.1, 0.4), "feet": (0.4, 0.2, 0.1)}


def standing(middle=40):
    """(20, 3) joints of a small standing figure, all seen; its standing height is 130 pixels."""
    joints = np.ones((len(BODY), 3))
    for name, index in BODY_INDEX.items():
        side = -1 if name.startswith("right") else 1 if name.startswith("left") else 0
        x, y = STANDING[name.split("_")[-1]]
        joints[index, :2] = middle + side * x, y
    return joints


def drawn(joints, colours):
    """(130, 80, 4) of a figure whose parts have flat colours."""
    frame = np.zeros((130, 80, 4), np.float32)
    for part in ("trunk", "thighs", "shins", "upper arms", "forearms", "feet", "face"):
        where = band(PARTS[part], joints, 6, frame.shape[:2])
        where |= band([(line, 0, 1) for line, _, _ in PARTS[part]], joints, 6, frame.shape[:2])
        frame[where] = (*colours[part], 1)
    return frame


def job(folder, frames, joints):
    """A finished job folder with these RGBA frames and the same pose in each."""
    for kind in (files.FRAMES, files.OBJECTS):
        (folder / kind).mkdir()
    body = [[x, y, 4.0, c] for x, y, c in joints]
    people = {"people": [{"body": body, "left_hand": None, "right_hand": None, "height_px": 130.0}]}
    (folder / files.JOB).write_text(json.dumps({"size": [80, 130], "objects": {"near": 1.0, "far": 9.0}}))
    (folder / files.POSE).write_text(json.dumps({"version": 1, "frames": [people] * len(frames)}))
    save(folder / files.REFERENCE, drawn(standing(), COLOURS)[..., :3])
    for number, frame in enumerate(frames, 1):
        save(files.picture(folder, files.FRAMES, number), frame)
    return folder


def save(path, picture):
    Image.fromarray(np.round(picture * 255).astype(np.uint8)).save(path)


def test_a_faithful_layer_has_no_faults(tmp_path):
    likeness = measure(job(tmp_path, [drawn(standing(), COLOURS)] * 2, standing()), standing(), 130.0)
    assert likeness.faults() == []
    assert set(likeness.colours) == set(PARTS) and max(likeness.colours.values()) < 0.5
    assert likeness.joints == 1.0 and likeness.holes == 0.0 and likeness.noise < 2.0


def test_a_wrong_colour_is_told_by_its_part(tmp_path):
    blue = drawn(standing(), {**COLOURS, "trunk": (0.1, 0.2, 0.9)})
    likeness = measure(job(tmp_path, [blue], standing()), standing(), 130.0)
    assert [fault.split(":")[0] for fault in likeness.faults()] == ["trunk"]


def test_a_missing_leg_is_a_hole_and_loses_joints(tmp_path):
    frame = drawn(standing(), COLOURS)
    frame[70:, 40:] = 0
    faults = " ".join(measure(job(tmp_path, [frame], standing()), standing(), 130.0).faults())
    assert "joints" in faults and "open" in faults


def test_what_an_object_hides_is_no_hole(tmp_path):
    frame = drawn(standing(), COLOURS)
    frame[70:, 40:] = 0
    folder = job(tmp_path, [frame], standing())
    codes = np.zeros((130, 80), np.uint16)
    codes[70:, 40:] = 60000
    Image.fromarray(codes).save(files.picture(folder, files.OBJECTS, 1))
    assert measure(folder, standing(), 130.0).faults() == []


def test_noise_is_seen(tmp_path):
    frame = drawn(standing(), COLOURS)
    speckled = frame[..., :3] + np.random.default_rng(1).normal(0, 0.12, (130, 80, 3))
    frame[..., :3] = np.clip(speckled, 0, 1)
    assert any("noise" in fault for fault in measure(job(tmp_path, [frame], standing()), standing(), 130.0).faults())
