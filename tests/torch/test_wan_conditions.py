"""The Wan engines as real processes, offline, on packs of stirred random weights: every condition of a real job folder
changes the picture, so none can be lost or swapped without a test that fails."""
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.conditions.faces import face_box
from engine.conditions.frames import read_picture, write_picture
from engine.contract import files, json_reader
from tests.torch.tiny_wan import write_pack
from tests.torch.wan_shot import change, frames, write_shot, written

COUNT = 5
LEAST = 1e-3        # of white: a condition that changes less might as well be lost


class Served:
    """A real engine process; `run` gives the last event of a job."""

    def __init__(self, pack: Path):
        nowhere = "http://127.0.0.1:9"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine", "serve", "--pack", str(pack)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "HF_ENDPOINT": nowhere, "https_proxy": nowhere, "http_proxy": nowhere})
        self.hello = self.event()

    def event(self) -> dict:
        return json_reader.parse(self.process.stdout.readline().encode())

    def run(self, folder: Path) -> dict:
        self.process.stdin.write(json.dumps({"type": "run", "job": str(folder)}) + "\n")
        self.process.stdin.flush()
        while (event := self.event())["type"] not in ("finished", "failed", "cancelled"):
            pass
        return event

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.fixture(scope="module", params=["wan-vace", "wan-animate"])
def served(request, tmp_path_factory):
    pack = write_pack(tmp_path_factory.mktemp(request.param), request.param)
    process = Served(pack)
    process.engine = request.param
    process.folder = tmp_path_factory.mktemp("jobs")
    process.first = take(process, "first")
    yield process
    process.close()


def take(served, name, change_job=lambda folder, job: None, **fields):
    folder = served.folder / name
    job = write_shot(folder, served.engine, COUNT, bits=16, **fields)
    change_job(folder, job)
    event = served.run(folder)
    assert event["type"] == "finished" and event["made"] == COUNT and event["device"] == "cpu", event
    return frames(folder, COUNT)


def on_plates(paint):
    """A change of every picture of the plate; paint(picture, number) may change it in place."""
    def changed(folder, job):
        for number in range(1, job.frames + 1):
            path = files.picture(str(folder), files.SOURCE, number)
            picture = read_picture(path)
            paint(picture, number, folder)
            write_picture(path, picture)
    return changed


def poses(folder):
    return json_reader.read(files.path(str(folder), files.POSE))


def bend_an_arm(folder, _job):
    """One wrist moves inside the box of the others, so that neither the crop nor the region moves much."""
    told = poses(folder)
    for frame in told["frames"]:
        body = frame["people"][0]["body"]
        body[7][:2] = [body[6][0] - 4, body[6][1] - 8]
    Path(files.path(str(folder), files.POSE)).write_text(json.dumps(told))


def paint_the_face(picture, number, folder):
    person = poses(folder)["frames"][number - 1]["people"][0]
    box = face_box(np.array(person["body"]), person["height_px"], picture.shape[1::-1])
    left, top, right, bottom = box
    picture[top:bottom, left:right] = (250, 40, 90)


def another_reference(folder, _job):
    path = files.path(str(folder), files.REFERENCE)
    picture = read_picture(path)
    picture[..., :3] = picture[..., 2::-1]
    write_picture(path, picture)


def larger_mask(folder, job):
    """The region grows by a block; what is painted before stays inside."""
    for number in range(1, job.frames + 1):
        mask = np.zeros((job.size[1], job.size[0]), np.uint8)
        cv2.rectangle(mask, (0, 0), (job.size[0] - 1, 110), 255, -1)
        write_picture(files.picture(str(folder), files.MASK, number), mask)


def test_it_says_hello_before_it_opens_its_weights(served):
    assert served.hello["type"] == "hello" and served.hello["device"] == "none"


CHANGES = {"plate": {"change_job": on_plates(lambda picture, *_: picture.__imul__(0))},
           "pose": {"change_job": bend_an_arm}, "reference": {"change_job": another_reference},
           "region": {"change_job": larger_mask}, "prompt": {"own": {"prompt": "Somebody else."}},
           "seed": {"seed": 3}, "negative": {"guidance": 3.0}}


@pytest.mark.parametrize("name", CHANGES)
def test_each_condition_changes_every_frame(served, name):
    found = take(served, name, **CHANGES[name])
    assert (change(served.first, found) > LEAST).all(), name


def test_the_face_counts_for_the_engine_that_reads_it_and_only_there(served):
    """It lies inside the region, where neither engine sees the plate."""
    found = change(served.first, take(served, "face", on_plates(paint_the_face)))
    if served.engine == "wan-animate":
        assert (found > LEAST).all()
    else:
        assert (found < 1e-6).all()


def test_the_surface_counts_where_it_is_asked_for(served):
    found = change(served.first, take(served, "surface", own={"surface": False}))
    assert (found > LEAST).all() if served.engine == "wan-vace" else (found == 0).all()


def test_the_same_again_is_the_same(served):
    take(served, "again")
    assert written(served.folder / "again") == written(served.folder / "first")
