"""A job that is killed, whose disk is full or whose frames are damaged continues to the same bytes; no frame is
lost."""

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.contract import files, jobs, messages
from tests.unit.test_run import asked, generate, written
from tests.unit.walker import write_job

ROOT = Path(__file__).parents[2]
KILLS, FRAMES, WINDOWS = 20, 8, 6
SHORT = jobs.Settings(window=2)
# Imports once. Then, for each line, runs a job in its own process, which is killed after so many seconds.
NURSERY = """
import os, signal, sys, time, traceback
from engine.job.run import run
from tests.unit.fake_runtime import FakeRuntime, fake_engine, person_in

def generate(folder):
    finished = run(folder, fake_engine(FakeRuntime(step_s=0.005)), emit=lambda event: None, find_joints=person_in)
    return finished.reused

print("ready", flush=True)
for line in sys.stdin:
    seconds, folder = line.rstrip().split(" ", 1)
    child, end = os.fork(), time.monotonic() + float(seconds)
    if not child:
        try:
            os._exit(generate(folder))
        except BaseException:
            traceback.print_exc()
            os._exit(255)
    while not (ended := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < end:
        time.sleep(0.002)
    if not ended[0]:
        os.kill(child, signal.SIGKILL)
        ended = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(ended[1])
    print({-signal.SIGKILL: "killed", 255: "failed"}.get(code, code), flush=True)
"""


@pytest.fixture
def generate_for():
    """generate_for(seconds, folder) -> how many frames another process reused, or "killed" if it was killed after so
    many seconds."""
    nursery = subprocess.Popen([sys.executable, "-c", NURSERY], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    assert nursery.stdout.readline() == "ready\n"

    def generate_for(seconds, folder):
        nursery.stdin.write(f"{seconds} {folder}\n")
        nursery.stdin.flush()
        return nursery.stdout.readline().strip()
    yield generate_for
    nursery.kill()
    nursery.communicate()


def recorded(folder):
    """The frames that made.json says are finished."""
    try:
        return set(map(int, json.loads((folder / "frames" / "made.json").read_bytes())["frames"]))
    except FileNotFoundError:
        return set()


def temporaries(folder):
    return [path for path in folder.rglob(".*") if path.is_file()]


@pytest.mark.skipif(os.name == "nt", reason="forks")
def test_killed_at_20_random_moments_it_goes_on_to_the_same_bytes(tmp_path, generate_for):
    write_job(str(tmp_path / "untouched"), FRAMES, people={FRAMES: []}, settings=SHORT)
    whole = Path(shutil.copytree(tmp_path / "untouched", tmp_path / "whole"))
    began = time.monotonic()
    assert generate_for(60, whole) == "0"
    duration, expected = time.monotonic() - began, written(whole)
    assert len(expected) == 2 * FRAMES and len(os.listdir(whole / "state")) == WINDOWS
    chance, kills, rounds = random.Random(10), 0, 0
    while kills < KILLS:
        rounds += 1
        job, known = Path(shutil.copytree(tmp_path / "untouched", tmp_path / f"killed {rounds}")), set()
        while (said := generate_for(chance.uniform(0, duration) if kills < KILLS else 60, job)) == "killed":
            kills += 1
            assert recorded(job) >= known, "a finished frame was lost"
            known, there = recorded(job), written(job)
            assert all(there[name] == expected[name] for name in there), "a frame differs or is torn"
            assert all(Path(files.FRAMES, f"{number:04d}.png") in there for number in known)
        assert int(said) >= len(known - {FRAMES}), "a finished frame was made again"
        assert written(job) == expected and not temporaries(job)


HARMS = {
    "half": lambda data, other: data[:len(data) // 2],
    "zeros": lambda data, other: bytes(len(data)),
    "empty": lambda data, other: b"",
    "one byte": lambda data, other: data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 1])
    + data[len(data) // 2 + 1:], "another frame's": lambda data, other: other,
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "job"
    write_job(str(folder), 8)
    generate(folder)
    return folder


@pytest.mark.parametrize("kind", [files.FRAMES, files.SHADOW])
@pytest.mark.parametrize("how", HARMS)
def test_a_damaged_frame_is_made_again_and_no_other(finished, tmp_path, kind, how):
    job = Path(shutil.copytree(finished, tmp_path / "job"))
    expected = written(job)
    other = (job / ("shadow" if kind == files.FRAMES else "frames") / "0006.png").read_bytes()
    path = job / kind / "0006.png"
    path.write_bytes(HARMS[how](path.read_bytes(), other))
    assert written(job) != expected
    done, _ = generate(job)
    assert (done.made, done.reused) == (2, 6), "the window of frames 5 and 6"
    assert written(job) == expected and generate(job)[0].reused == 8


@pytest.mark.parametrize("how, made", [(None, 0), ("half", 2), ("one byte", 2), ("zeros", 2)])
def test_a_record_without_digests_counts_where_the_picture_is_whole(finished, tmp_path, how, made):
    """made.json is as an earlier engine wrote it."""
    job = Path(shutil.copytree(finished, tmp_path / "job"))
    record, expected = job / "frames" / "made.json", written(job)
    told = json.loads(record.read_bytes())
    assert told["version"] == 2 and set(told["frames"]["1"]) == {"key", "frames", "shadow"}
    keys = {number: frame["key"] for number, frame in told["frames"].items()}
    record.write_text(json.dumps({"version": 1, "frames": keys}))
    path = job / "frames" / "0006.png"
    path.write_bytes(HARMS[how](path.read_bytes(), b"") if how else path.read_bytes())
    assert generate(job)[0].made == made and written(job) == expected


@pytest.mark.parametrize("frames", [None, [], {"1": None, "2": [], "3": {"key": 5}, "x": {}}])
def test_a_record_of_wrong_types_knows_no_frames(finished, tmp_path, frames):
    job = Path(shutil.copytree(finished, tmp_path / "job"))
    expected = written(job)
    (job / "frames" / "made.json").write_text(json.dumps({"version": 2, "frames": frames}))
    assert generate(job)[0].made == 8 and written(job) == expected


def test_pictures_and_folders_are_on_the_disk_before_the_record_says_so(tmp_path, monkeypatch):
    order, sync, replace = [], os.fsync, os.replace

    def synced(file):
        order.append(("sync", os.path.basename(os.readlink(f"/proc/self/fd/{file}")).rpartition("-")[2]))
        sync(file)

    def replaced(source, target):
        order.append(("name", os.path.basename(target)))
        replace(source, target)
    write_job(str(tmp_path), 2)
    monkeypatch.setattr(files.os, "fsync", synced)
    monkeypatch.setattr(files.os, "replace", replaced)
    generate(tmp_path)
    last = len(order) - 1 - order[::-1].index(("name", "made.json"))
    assert order[last - 3:last] == [("sync", "frames"), ("sync", "shadow"), ("sync", "made.json")]
    for number in ("0001.png", "0002.png"):
        assert [step for step, name in order[:last - 3] if name == number] == ["sync", "name"] * 2
    assert order[last + 1:] == [("sync", "frames")]


class Disk:
    """Replaces open(): it takes so many bytes, and then the disk is full, in the middle of a file."""

    def __init__(self, free):
        self.free, self.taken = free, 0

    def open(self, path, mode, **more):
        file = open(path, mode, **more)  # noqa: SIM115  the caller of open closes it
        if "w" in mode:
            write = file.write
            file = _Counted(file, lambda data: self._write(write, data))
        return file

    def _write(self, write, data):
        fits = data[:self.free - self.taken]
        self.taken += len(fits)
        write(fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _Counted:
    """An open file that writes with another function."""

    def __init__(self, file, write):
        self._file, self.write = file, write

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_a_disk_that_is_full_at_any_moment_costs_no_frame(tmp_path, monkeypatch):
    write_job(str(tmp_path / "untouched"), 5, settings=SHORT)
    whole = Path(shutil.copytree(tmp_path / "untouched", tmp_path / "whole"))
    disk = Disk(10**12)
    monkeypatch.setattr(files, "open", disk.open, raising=False)
    generate(whole)
    expected, needed, chance = written(whole), disk.taken, random.Random(4)
    for attempt in range(6):
        job = Path(shutil.copytree(tmp_path / "untouched", tmp_path / f"full {attempt}"))
        monkeypatch.setattr(files, "open", Disk(chance.randrange(needed)).open, raising=False)
        event = asked(job)
        assert isinstance(event, messages.Failed) and event.code == "disk_full" and event.hint
        kept, there = recorded(job), written(job)
        assert all(there[name] == expected[name] for name in there) and not temporaries(job)
        monkeypatch.setattr(files, "open", Disk(10**12).open, raising=False)
        event = asked(job)
        assert isinstance(event, messages.Finished) and event.reused == len(kept) and written(job) == expected
