"""A job folder becomes frames on sd15-aa2: each condition changes them, and a stop changes nothing."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.conditions import frames
from engine.contract import files, jobs, messages
from engine.engines.base import Options
from engine.engines.sd15.engine import Sd15Engine
from engine.job.progress import Stopped
from engine.job.run import run
from engine.packs.store import read_pack
from tests.torch.sd15_pack import make_job, make_pack, objects_picture
from tests.torch.sd15_tiny import SHALLOW, WHOLE
from tests.unit.walker import walking_back

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """The family's networks, and those with every part of Animate Anyone 2."""
    folder = tmp_path_factory.mktemp("packs")
    return {name: Sd15Engine.of(read_pack(make_pack(folder / name, sizes)), Options("cpu", 1))
            for name, sizes in (("family", SHALLOW), ("whole", WHOLE))}


def generate(folder, engine, stop_asked=lambda: False, emit=lambda event: None):
    def nobody_is_looked_for(picture):
        raise AssertionError("the job has its joints")
    return run(str(folder), engine, emit=emit, find_joints=nobody_is_looked_for, stop_asked=stop_asked)


def pictures(folder):
    """number -> (height, width, 4) 0..1."""
    found = sorted(Path(folder, "frames").glob("[0-9]*.png"))
    return {int(path.stem): frames.as_float(frames.read_picture(str(path))) for path in found}


def written(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder, "frames").glob("[0-9]*.png"))}


def difference(one, other):
    """The mean change of colour where both show something, over all frames."""
    changes = []
    for number, picture in one.items():
        seen = (picture[..., 3] > 0.5) & (other[number][..., 3] > 0.5)
        changes.append(np.abs(picture - other[number])[seen, :3].mean())
    return float(np.mean(changes))


@pytest.fixture(scope="module")
def plain(engines, tmp_path_factory):
    """Each engine's frames of one job, which the other jobs differ from in one thing."""
    made = {}
    for name, engine in engines.items():
        folder = make_job(tmp_path_factory.mktemp(name) / "job", 1, **whole_job())
        generate(folder, engine)
        made[name] = pictures(folder)
    return made


@pytest.fixture(scope="module")
def long_job(engines, tmp_path_factory):
    folder = make_job(tmp_path_factory.mktemp("long") / "job", 8, settings=jobs.Settings(seed=3))
    generate(folder, engines["family"])
    return folder


def whole_job():
    return dict(objects=objects_picture(), clean_plate=False, settings=jobs.Settings(seed=1))


def other_reference(folder):
    path = files.path(str(folder), files.REFERENCE)
    picture = frames.read_picture(path)
    picture[..., :3] = picture[..., [2, 0, 1]]
    frames.write_picture(path, picture)


def other_pose(folder):
    change_pose(folder, lambda joint: joint.__setitem__(0, joint[0] + 3 * np.sin(joint[1])))


def other_depth(folder):
    change_pose(folder, lambda joint: joint.__setitem__(2, 8.0 - joint[2] + 0.05 * joint[1]))


def change_pose(folder, change):
    path = Path(files.path(str(folder), files.POSE))
    pose = json.loads(path.read_text())
    for frame in pose["frames"]:
        for joint in frame["people"][0]["body"]:
            change(joint)
    path.write_text(json.dumps(pose))


def other_plate(folder):
    for path in Path(folder, "source").glob("*.png"):
        frames.write_picture(str(path), 255 - frames.read_picture(str(path)))


def no_objects(folder):
    for path in Path(folder, "objects").glob("*.png"):
        frames.write_picture(str(path), np.zeros_like(frames.read_picture(str(path))))


def larger_mask(folder):
    """The region grows; what is compared lies inside of both."""
    job = jobs.read(str(folder))
    for number in range(1, job.frames + 1):
        mask = np.zeros((job.size[1], job.size[0]), np.uint8)
        mask[:int(0.9 * job.size[1])] = 255
        frames.write_picture(files.picture(str(folder), files.MASK, number), mask)


def other_seed(folder):
    job = jobs.read(str(folder))
    jobs.write(str(folder), replace(job, settings=replace(job.settings, seed=2)))


CHANGES = [("family", other_reference), ("family", other_pose), ("family", other_plate), ("family", other_seed),
           ("family", larger_mask), ("whole", larger_mask),
           ("whole", other_reference), ("whole", other_pose), ("whole", other_depth), ("whole", other_plate),
           ("whole", no_objects), ("whole", other_seed)]


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_each_condition_changes_the_picture(engines, plain, tmp_path, name, change):
    """The random weights are made sensitive: this asserts it, too."""
    folder = make_job(tmp_path / "job", 1, **whole_job())
    change(folder)
    generate(folder, engines[name])
    assert difference(plain[name], pictures(folder)) > 1e-3


@pytest.mark.parametrize("count", [1, 2, 5, 13, 21])
def test_jobs_of_any_length(engines, tmp_path, count):
    finished = generate(make_job(tmp_path / "job", count, people=walking_back(count)), engines["family"])
    assert finished.made == count and finished.device == "cpu"
    assert set(pictures(tmp_path / "job")) == set(range(1, count + 1))


def test_a_gap_ends_a_run_of_frames(engines, tmp_path):
    finished = generate(make_job(tmp_path / "job", 7, people={4: []}), engines["family"])
    assert (finished.made, finished.passed) == (6, 1)


class StopAt:
    """Asks for a stop once so many denoising steps of this run are done."""

    def __init__(self, steps):
        self.left = steps

    def hear(self, event):
        if isinstance(event, messages.Progress) and event.stage == "denoise" and event.step:
            self.left -= 1

    def asked(self):
        return self.left <= 0


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_what_stopped_goes_on_to_the_same_bytes(engines, long_job, tmp_path, steps):
    """Eight frames are two windows of two steps. Another engine goes on, as another process would."""
    folder, stop = make_job(tmp_path / "job", 8, settings=jobs.Settings(seed=3)), StopAt(steps)
    with pytest.raises(Stopped):
        generate(folder, engines["family"], stop.asked, stop.hear)
    assert len(pictures(folder)) == (5 if steps > 2 else 0)
    finished = generate(folder, Sd15Engine.of(engines["family"].pack, Options("cpu", 1)))
    assert finished.reused == (5 if steps > 2 else 0) and written(folder) == written(long_job)


def fixed(long_job, folder, change=lambda folder: None):
    """Frames 4 and 5 of the eight, made again with another seed beside what `change` makes of the others."""
    shutil.copytree(long_job, folder, ignore=shutil.ignore_patterns("state", "made.json", "engine.lock"))
    job = jobs.read(str(folder))
    change(folder)
    jobs.write(str(folder), replace(job, fix=jobs.FixRange(4, 5), settings=replace(job.settings, seed=4)))
    return folder


def inverted(*numbers):
    def change(folder):
        for number in numbers:
            path = files.picture(str(folder), files.FRAMES, number)
            picture = frames.read_picture(path)
            picture[..., :3] = 255 - picture[..., :3]
            frames.write_picture(path, picture)
    return change


def test_a_fixed_range_joins_what_is_kept_on_both_sides(engines, long_job, tmp_path):
    made = {}
    for name, change in (("plain", inverted()), ("before", inverted(2, 3)), ("after", inverted(6, 7))):
        folder = fixed(long_job, tmp_path / name, change)
        assert generate(folder, engines["family"]).made == 2
        made[name] = pictures(folder)
    kept, now = written(long_job), written(tmp_path / "plain")
    assert [name for name in kept if kept[name] != now[name]] == ["0004.png", "0005.png"]
    for name, number in (("before", 4), ("after", 5)):
        assert difference({number: made["plain"][number]}, made[name]) > 1e-3


def test_the_command_line_makes_the_same_bytes_without_a_network(engines, long_job, tmp_path):
    folder = make_job(tmp_path / "job", 8, settings=jobs.Settings(seed=3))
    command = [sys.executable, "-m", "engine", "run", str(folder), "--pack", str(engines["family"].pack.folder),
               "--runtime", "cpu", "--threads", "1"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True,
                          timeout=200)
    assert done.returncode == 0, done.stderr
    assert written(folder) == written(long_job)
