"""Why a job cannot run: missing files, a folder in use, errors in the engine, full disks; each has its code."""

import errno
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.conditions.frames import write_picture
from engine.contract import files, messages
from engine.door.answer import Engine
from engine.job import lock
from tests.unit.fake_runtime import FakeRuntime, fake_pack, person_in
from tests.unit.test_run import asked, generate, written
from tests.unit.walker import write_job

pytest_plugins = ["tests.unit.drives"]      # mounted, read_only


@pytest.mark.parametrize("name, code", [
    ("job.json", "job_missing"), ("pose.json", "pose_missing"), ("reference.png", "reference_missing"),
    ("source/0003.png", "source_missing"), ("mask/0001.png", "mask_missing"), ("mask/0004.png", "mask_missing"),
    ("objects/0001.png", "mask_missing"), ("objects/0002.png", "mask_missing")])
def test_missing_files_are_named(tmp_path, name, code):
    write_job(str(tmp_path), 4, masks=True, objects=np.zeros((240, 320), np.uint16))
    os.remove(tmp_path / name)
    event = asked(tmp_path)
    assert isinstance(event, messages.Failed) and event.code == code
    assert os.path.basename(name) in event.message
    log = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert log[-1] == messages.to_json(event)


def test_a_folder_that_is_no_job_is_left_as_it_is(tmp_path):
    (tmp_path / "of the artist's").write_text("kept")
    assert asked(tmp_path).code == "job_missing" and os.listdir(tmp_path) == ["of the artist's"]


def test_a_plate_of_another_size(tmp_path):
    write_job(str(tmp_path), 2)
    write_picture(files.picture(str(tmp_path), files.SOURCE, 2), np.zeros((16, 16, 3), np.uint8))
    event = asked(tmp_path)
    assert event.code == "source_unreadable" and "0002.png" in event.message and "320x240" in event.message


HOLDER = """
import sys, time
from engine.job.lock import locked
with locked(sys.argv[1], lambda: None):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def hold():
    """hold(folder, seconds) starts another process that has the folder's lock."""
    started = []

    def start(folder, seconds):
        started.append(subprocess.Popen([sys.executable, "-c", HOLDER, str(folder), str(seconds)],
                                        stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]))
        assert started[-1].stdout.readline() == b"held\n"
        return started[-1]
    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_folder_in_which_another_engine_works_is_left_alone(tmp_path, hold, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE_S", 0.3)
    write_job(str(tmp_path), 2)
    other = hold(tmp_path, 600)
    unfinished = tmp_path / "frames" / files.own_name("0001.png")
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"half")
    event = asked(tmp_path)
    assert event.code == "job_busy" and f"process {other.pid} on" in event.message and event.hint
    assert unfinished.exists()
    other.kill()
    other.wait()
    assert isinstance(asked(tmp_path), messages.Finished) and not unfinished.exists()


def test_an_engine_that_is_about_to_end_is_waited_for(tmp_path, hold):
    write_job(str(tmp_path), 2)
    hold(tmp_path, 0.5)
    assert isinstance(asked(tmp_path), messages.Finished)


def test_who_waits_can_be_stopped(tmp_path, hold):
    write_job(str(tmp_path), 2)
    hold(tmp_path, 600)
    looks = iter(range(10**6))
    assert isinstance(asked(tmp_path, stop_asked=lambda: next(looks) >= 3), messages.Cancelled)


def test_a_drive_that_knows_no_locks_can_be_written_to_if_that_is_allowed(tmp_path, monkeypatch):
    def unknown(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    monkeypatch.setattr(lock, "_take", unknown)
    monkeypatch.delenv(lock.WITHOUT, raising=False)
    write_job(str(tmp_path), 2)
    assert asked(tmp_path).code == "no_locks"
    monkeypatch.setenv(lock.WITHOUT, "1")
    assert isinstance(asked(tmp_path), messages.Finished)


def test_a_fault_in_the_networks_is_internal_and_the_engine_lives_on(tmp_path):
    class Broken(FakeRuntime):
        def decode(self, latents):
            raise RuntimeError("no such device")
    write_job(str(tmp_path), 2)
    event = asked(tmp_path, Engine(fake_pack(), Broken(), person_in))
    assert event.code == "internal" and "no such device" in event.message and "Traceback" in event.hint


def test_values_that_are_no_numbers_are_never_written(tmp_path):
    class Broken(FakeRuntime):
        def decode(self, latents):
            return super().decode(latents) * np.nan
    write_job(str(tmp_path), 2)
    event = asked(tmp_path, Engine(fake_pack(), Broken(), person_in))
    assert event.code == "internal" and "frame 1" in event.message and not written(tmp_path)


@pytest.mark.parametrize("kind", ["frames", "shadow", "state"])
def test_a_file_in_the_way_of_a_folder(tmp_path, kind):
    write_job(str(tmp_path), 2)
    (tmp_path / kind).write_text("in the way")
    event = asked(tmp_path)
    assert event.code == "job_not_writable" and kind in event.message and event.hint


def test_a_full_disk(mounted):
    folder = mounted("-t", "tmpfs", "-o", "size=2m", "tmpfs")
    write_job(str(folder), 3, size=(320, 240))
    filler = folder / "filler"
    with filler.open("wb") as file:
        free = os.statvfs(folder)
        file.write(b"\0" * (free.f_bavail * free.f_bsize - 40_000))
    event = asked(folder)
    assert event.code == "disk_full" and str(folder) in event.message
    kept = written(folder)
    filler.unlink()
    assert isinstance(asked(folder), messages.Finished)
    assert all(written(folder)[name] == data for name, data in kept.items())


@pytest.mark.parametrize("ask", [messages.Run, messages.Preview, messages.Estimate,
                                 lambda job: messages.Deliver(job, "exr", ["matte"])])
def test_a_folder_that_may_only_be_read_gives_its_reason(tmp_path, read_only, ask, caplog):
    write_job(str(tmp_path / "job"), 2)
    generate(tmp_path / "job")
    folder = read_only(tmp_path / "job")
    event = asked(folder, request=ask(str(folder)))
    assert isinstance(event, messages.Failed) and event.code == "job_not_writable"
    assert str(folder) in event.message and event.hint
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_folder_that_may_only_be_read_can_be_checked(tmp_path, read_only):
    write_job(str(tmp_path / "job"), 2)
    folder = read_only(tmp_path / "job")
    assert isinstance(asked(folder, request=messages.Check(str(folder))), messages.Finished)
