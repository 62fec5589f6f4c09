"""A performer in the plate, end to end: found by the real models, replaced by frames of the real engine, and made into
a rig."""
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import HERE, ROOT
from PIL import Image

SIZE, FRAMES, TALL, STEP = (400, 320), 6, 280, 10
REFERENCE = ROOT / "tests" / "demo" / "reference.png"


def person():
    """A cut-out figure that the body model recognises: the demo's character."""
    picture = Image.open(REFERENCE).convert("RGB")
    whole = np.array(picture)
    backdrop = np.median(whole[:, :4].reshape(-1, 3), axis=0)
    there = np.abs(whole.astype(float) - backdrop).max(axis=-1) > 24
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    box = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    scale = TALL / (box[3] - box[1])
    size = round((box[2] - box[0]) * scale), TALL
    mask = Image.fromarray(255 * there.astype(np.uint8)).crop(box).resize(size, Image.Resampling.LANCZOS)
    return picture.crop(box).resize(size, Image.Resampling.LANCZOS), mask


@pytest.fixture(scope="module")
def performed(blender, tmp_path_factory):
    """A saved shot in which the figure slides 10 pixels a frame in front of a wall of soft colours; returns (its
    .blend, its boxes)."""
    folder = tmp_path_factory.mktemp("performer") / "a shot é"
    (folder / "plate").mkdir(parents=True)
    figure, mask = person()
    x, y = np.meshgrid(np.linspace(0, 6, SIZE[0]), np.linspace(0, 5, SIZE[1]))
    wall = np.stack([110 + 50 * np.sin(x + k) * np.cos(y - k) for k in range(3)], axis=-1).astype(np.uint8)
    boxes = []
    for i in range(FRAMES):
        plate, left = Image.fromarray(wall), 90 + STEP * i
        plate.paste(figure, (left, 24), mask)
        plate.save(folder / "plate" / f"{i + 1:04}.png")
        boxes.append((left, 24, left + figure.size[0], 24 + TALL))
    Image.open(REFERENCE).save(folder / "reference.png")
    done = blender(HERE / "make_performer.py", folder, "performer ü.blend", FRAMES)
    assert done.returncode == 0, done.stderr
    return folder / "performer ü.blend", boxes


def test_a_performer_is_found_and_replaced(blender, generate, performed):
    blend, boxes = performed
    code, summary, told = generate(blend, "--performer", "--performer-box", *boxes[2],
                                   "--performer-frame", 3, "--make-clean", "--seed", 5)
    assert code == 0 and summary["state"] == "done" and summary["frames"] == FRAMES, told
    assert "Following the performer" in told and "Generating" in told
    job = Path(summary["job"])
    poses = [frame["people"] for frame in json.loads((job / "pose.json").read_text())["frames"]]
    assert all(len(people) == 1 for people in poses)
    necks = np.array([people[0]["body"][1][:2] for people in poses])
    assert np.diff(necks[:, 0]) == pytest.approx(np.full(FRAMES - 1, STEP), abs=2.5), "he is followed"
    for number, box in enumerate(boxes, 1):
        mask = np.array(Image.open(job / "mask" / f"{number:04}.png")) > 127
        rows, columns = np.nonzero(mask)
        assert box[0] - 15 < columns.min() and columns.max() < box[2] + 15 and rows.max() - rows.min() > 0.8 * TALL
        frame = np.array(Image.open(job / "frames" / f"{number:04}.png"))
        assert frame.shape == (SIZE[1], SIZE[0], 4) and frame[mask][:, 3].mean() > 200, "he is covered"
        assert not frame[:, :box[0] - 60, 3].any()
        assert (job / "clean" / f"{number:04}.png").exists()
    shown = json.loads(blender(HERE / "look.py", blend).stdout.splitlines()[-1])
    assert len(summary["strips"]) == 2 and set(summary["strips"]) < set(shown)

    code, again, told = generate(blend)
    assert code == 0 and (again["job"], again["made"], again["reused"]) == (summary["job"], 0, FRAMES), told


def test_nobody_in_the_plate_is_said_and_the_plate_stays(blender, generate, tmp_path):
    folder = tmp_path / "empty"
    (folder / "plate").mkdir(parents=True)
    for i in range(2):
        Image.new("RGB", (160, 120), (90, 120, 140)).save(folder / "plate" / f"{i + 1:04}.png")
    Image.open(REFERENCE).save(folder / "reference.png")
    assert blender(HERE / "make_performer.py", folder, "empty.blend", 2).returncode == 0
    code, summary, told = generate(folder / "empty.blend", "--performer")
    assert any("No person was found" in warning for warning in summary["warnings"]), told
    for picture in (Path(summary["job"]) / "frames").glob("0*.png"):
        assert not np.array(Image.open(picture))[..., 3].any()
