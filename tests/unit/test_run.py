"""A job folder becomes frames: pixels, numbers, resume to the bit, stops everywhere, bad folders and full disks."""

import errno
import json
import logging
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from engine.job import lock
from engine.door.answer import Engine, Tail, answer
from engine.conditions.frames import read_picture, write_picture
from engine.contract import events
from engine.contract import folder as files
from engine.contract import job as jobs
from engine.job.progress import Stopped
from engine.job.run import run
from tests.unit.fake_runtime import STEPS, FakeRuntime, fake_pack, person_in
from tests.unit.walker import write_job


class Teller(list):
    """Keeps every event."""

    def of(self, kind):
        return [event for event in self if isinstance(event, kind)]


def generate(folder, *, runtime=None, find_joints=person_in, stop_asked=lambda: False, pack=None):
    told = Teller()
    finished = run(str(folder), pack or fake_pack(), runtime or FakeRuntime(), emit=told.append, find_joints=find_joints,
                   stop_asked=stop_asked)
    return finished, told


def asked(folder, engine=None, stop_asked=lambda: False, request=None):
    """The request (to run) through the door: the last event."""
    told, tail = Teller(), Tail()
    logging.getLogger().addHandler(tail)
    answer(request or events.Run(str(folder)), engine or Engine(fake_pack(), FakeRuntime(), person_in), emit=told.append,
           stop_asked=stop_asked, tail=tail)
    logging.getLogger().removeHandler(tail)
    return told[-1]


def layers(folder, number):
    return tuple(read_picture(files.picture(str(folder), kind, number)) for kind in (files.FRAMES, files.SHADOW))


def written(folder):
    """The bytes of every frame and shadow."""
    return {path.relative_to(folder): path.read_bytes() for kind in ("frames", "shadow")
            for path in sorted(Path(folder, kind).glob("*.png"))}


@pytest.mark.parametrize("bits", [8, 16])
def test_frames_lie_over_the_plate(tmp_path, bits):
    write_job(str(tmp_path), 6, bits=bits)
    finished, told = generate(tmp_path)
    assert (finished.frames, finished.made, finished.reused, finished.passed) == (6, 6, 0, 0)
    assert [event.number for event in told.of(events.Frame)] == [1, 2, 3, 4, 5, 6]
    most = (1 << bits) - 1
    for number in range(1, 7):
        character, shadow = layers(tmp_path, number)
        assert character.shape == (240, 320, 4) and shadow.shape == (240, 320, 3)
        assert character.dtype == (np.uint8 if bits == 8 else np.uint16)
        middle = 80 + 20 * (number - 1)
        assert character[130, middle, 3] == most
        assert character[10, 10, 3] == 0 and (shadow == most).all()


def test_progress_counts_to_its_total_and_tells_a_time(tmp_path):
    write_job(str(tmp_path), 6)
    finished, told = generate(tmp_path)
    steps = [event for event in told.of(events.Progress) if event.stage == "denoise"]
    assert [event.step for event in steps] == list(range(2 * STEPS + 1)) and steps[-1].total == 2 * STEPS
    assert steps[-1].eta_s == 0 and all(event.eta_s is not None for event in steps[1:])
    assert {"read", "encode", "denoise", "decode", "compose", "write"} <= set(finished.stages)


@pytest.mark.parametrize("size", [(1919, 1081), (100, 2000), (17, 16)])
def test_odd_sizes(tmp_path, size):
    write_job(str(tmp_path), 1, size=size)
    finished, _ = generate(tmp_path)
    character, shadow = layers(tmp_path, 1)
    assert character.shape == (size[1], size[0], 4) and shadow.shape == (size[1], size[0], 3)
    assert finished.made + finished.passed == 1


@pytest.mark.parametrize("name", ["with space", "änderung 影", "-leading dash"])
def test_folder_names(tmp_path, monkeypatch, name):
    write_job(str(tmp_path / name), 1)
    monkeypatch.chdir(tmp_path)
    assert generate(name)[0].made == 1


def test_the_same_job_gives_the_same_bits_and_another_seed_others(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_job(str(tmp_path / name), 5, settings=jobs.Settings(seed=seed))
        generate(tmp_path / name)
    assert written(tmp_path / "a") == written(tmp_path / "b") != written(tmp_path / "c")


def test_the_window_in_memory_follows_the_setting(tmp_path):
    write_job(str(tmp_path), 5, settings=jobs.Settings(window=1, steps=1))
    runtime = FakeRuntime()
    assert generate(tmp_path, runtime=runtime)[0].made == 5
    assert runtime.steps == 5


def test_frames_with_nobody_pass_through(tmp_path):
    write_job(str(tmp_path), 7, people={1: [], 4: []})
    finished, told = generate(tmp_path)
    assert (finished.made, finished.passed) == (5, 2)
    (warning,) = told.of(events.Warned)
    assert warning.code == "frames_passed" and warning.frames == (1, 4)
    for number in (1, 4):
        character, shadow = layers(tmp_path, number)
        assert not character.any() and (shadow == 255).all()


def test_nobody_at_all(tmp_path):
    write_job(str(tmp_path), 3, people={1: [], 2: [], 3: []})
    runtime = FakeRuntime()
    finished, told = generate(tmp_path, runtime=runtime)
    assert finished.passed == 3 and runtime.steps == 0 and len(told.of(events.Warned)) == 1


def test_objects_nearer_than_the_character_hide_it(tmp_path):
    stored = np.zeros((240, 320), np.uint16)
    stored[150:] = 65535
    write_job(str(tmp_path), 1, objects=stored)
    generate(tmp_path)
    alpha = layers(tmp_path, 1)[0][..., 3]
    assert alpha[110:145].max() == 255 and alpha[152:].max() == 0


def test_a_performer_is_covered_by_a_patch_with_its_own_shadow(tmp_path):
    write_job(str(tmp_path), 1, clean_plate=False)
    generate(tmp_path)
    character, shadow = layers(tmp_path, 1)
    assert character[..., 3].max() == 255 and (shadow == 255).all()


class Nobody(FakeRuntime):
    """Decodes no character anywhere."""

    def decode(self, latents):
        return super().decode(latents) * (1, 1, 1, 0, 1)


def test_a_performer_is_covered_by_what_clean_pictures_show(tmp_path):
    write_job(str(tmp_path), 1, clean_plate=False, clean_pictures=True)
    write_picture(files.picture(str(tmp_path), files.CLEAN, 1), np.full((240, 320, 3), (0, 200, 0), np.uint8))
    generate(tmp_path, runtime=Nobody())
    character, shadow = layers(tmp_path, 1)
    covered = character[character[..., 3] == 255][:, :3]
    assert len(covered) > 500 and (covered == (0, 200, 0)).all() and (shadow == 255).all()


def test_a_reference_without_a_person_is_said(tmp_path):
    write_job(str(tmp_path), 1)
    _, told = generate(tmp_path, find_joints=lambda picture: None)
    assert [event.code for event in told.of(events.Warned)] == ["reference_joints_unknown"]


def test_a_second_run_makes_nothing(tmp_path):
    write_job(str(tmp_path), 6, people={6: []})
    generate(tmp_path)
    before, runtime = written(tmp_path), FakeRuntime()
    finished, told = generate(tmp_path, runtime=runtime)
    assert (finished.made, finished.reused, finished.passed) == (0, 5, 1) and runtime.steps == 0
    assert written(tmp_path) == before and len(told.of(events.Frame)) == 6


@pytest.mark.parametrize("stop_after", range(1, 40, 3))
def test_stopped_anywhere_it_goes_on_to_the_same_bits(tmp_path, stop_after):
    write_job(str(tmp_path / "whole"), 8, people={4: []})
    write_job(str(tmp_path / "stopped"), 8, people={4: []})
    generate(tmp_path / "whole")
    looks = iter(range(10**6))
    with pytest.raises(Stopped):
        generate(tmp_path / "stopped", stop_asked=lambda: next(looks) >= stop_after)
    generate(tmp_path / "stopped")
    assert written(tmp_path / "stopped") == written(tmp_path / "whole")
    assert not [name for name in os.listdir(tmp_path / "stopped" / "frames") if name.startswith(".")]


def test_changed_and_lost_frames_are_made_again_with_what_follows(tmp_path):
    write_job(str(tmp_path), 8)
    generate(tmp_path)
    first = written(tmp_path)
    os.remove(files.picture(str(tmp_path), files.FRAMES, 6))
    finished, _ = generate(tmp_path)
    assert (finished.made, finished.reused) == (2, 6) and written(tmp_path) == first
    write_picture(files.picture(str(tmp_path), files.SOURCE, 5), np.zeros((240, 320, 3), np.uint8))
    finished, _ = generate(tmp_path)
    assert (finished.made, finished.reused) == (4, 4)


def test_pictures_that_are_not_read_are_not_in_the_key(tmp_path):
    write_job(str(tmp_path), 4)
    generate(tmp_path)
    for kind in (files.OBJECTS, files.DEPTH):
        write_picture(files.picture(str(tmp_path), kind, 1), np.full((240, 320), 9, np.uint16))
    assert generate(tmp_path)[0].reused == 4


@pytest.mark.parametrize("kind", [files.OBJECTS, files.DEPTH, files.MASK, files.CLEAN])
def test_every_picture_that_is_read_is_in_the_key(tmp_path, kind):
    nothing = np.zeros((240, 320), np.uint16)
    write_job(str(tmp_path), 4, masks=True, objects=nothing, depth=jobs.DepthRange(near=2.0, far=10.0), clean_plate=False,
              clean_pictures=True)
    for number in range(1, 5):
        for other in (files.DEPTH, files.CLEAN):
            write_picture(files.picture(str(tmp_path), other, number), nothing)
    generate(tmp_path)
    write_picture(files.picture(str(tmp_path), kind, 2), np.full((240, 320), 200, np.uint16))
    assert generate(tmp_path)[0].made == 4


def test_latents_that_no_later_run_can_use_are_removed(tmp_path):
    write_job(str(tmp_path), 8)
    generate(tmp_path)
    assert sorted(os.listdir(tmp_path / "state")) == ["0004.latents", "0006.latents"]
    write_job(str(tmp_path), 8, settings=jobs.Settings(window=8))
    generate(tmp_path)
    assert os.listdir(tmp_path / "state") == []


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b""),
                                  lambda path: path.write_bytes(path.read_bytes()[:-9] + b"7" * 9)])
def test_lost_latents_are_made_again(tmp_path, harm):
    write_job(str(tmp_path), 8)
    generate(tmp_path)
    first = written(tmp_path)
    harm(tmp_path / "state" / "0006.latents")
    os.remove(files.picture(str(tmp_path), files.FRAMES, 8))
    finished, _ = generate(tmp_path)
    assert (finished.made, finished.reused) == (4, 4) and written(tmp_path) == first


@pytest.mark.parametrize("change", [dict(settings=jobs.Settings(seed=9)), dict(settings=jobs.Settings(steps=1)),
                                    dict(clothing=1.2), dict(clean_plate=False)])
def test_a_changed_job_is_made_again(tmp_path, change):
    write_job(str(tmp_path), 4)
    generate(tmp_path)
    write_job(str(tmp_path), 4, **change)
    assert generate(tmp_path)[0].made == 4


def test_what_people_read_changes_nothing_and_other_weights_everything(tmp_path):
    write_job(str(tmp_path), 4)
    generate(tmp_path)
    write_job(str(tmp_path), 4, first_frame=-7, fps=30.0, driver=jobs.Driver(rig="Än"))
    assert generate(tmp_path)[0].reused == 4
    assert generate(tmp_path, pack=fake_pack("1" * 64))[0].made == 4


def test_damaged_records_cost_only_work(tmp_path):
    write_job(str(tmp_path), 4)
    generate(tmp_path)
    (tmp_path / "frames" / "made.json").write_text("[garbage")
    assert generate(tmp_path)[0].made == 4


def test_a_stop_is_answered_with_the_frames_that_stay(tmp_path):
    write_job(str(tmp_path), 8)
    looks = iter(range(10**6))
    event = asked(tmp_path, stop_asked=lambda: next(looks) >= 30)
    assert isinstance(event, events.Cancelled) and event.frames == len(written(tmp_path)) // 2 > 0


def test_frames_of_an_earlier_job_do_not_count_as_finished(tmp_path):
    write_job(str(tmp_path), 8)
    generate(tmp_path)
    write_job(str(tmp_path), 8, settings=jobs.Settings(seed=5))
    looks = iter(range(10**6))
    event = asked(tmp_path, stop_asked=lambda: next(looks) >= 30)
    told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert event.frames == sum(value["type"] == "frame" for value in told) and 0 < event.frames < 8


@pytest.mark.parametrize("people", [{}, {1: []}])
@pytest.mark.parametrize("stop_after", range(1, 90, 4))
def test_a_stopped_take_lies_alone_or_the_earlier_one_whole(tmp_path, stop_after, people):
    for name, seed in (("a", 0), ("b", 1)):
        write_job(str(tmp_path / name), 8, people=people, settings=jobs.Settings(seed=seed))
        generate(tmp_path / name)
    first, second = written(tmp_path / "a"), written(tmp_path / "b")
    write_job(str(tmp_path / "a"), 8, people=people, settings=jobs.Settings(seed=1))
    looks = iter(range(10**6))
    event = asked(tmp_path / "a", stop_asked=lambda: next(looks) >= stop_after)
    left = written(tmp_path / "a")
    if isinstance(event, events.Cancelled) and event.frames == 0:
        assert left == first or left.items() <= second.items()
    else:
        assert left.items() <= second.items() and len(left) >= 2 * event.frames


def test_frames_beyond_the_job_go_and_those_that_match_stay(tmp_path):
    write_job(str(tmp_path), 6)
    generate(tmp_path)
    before = written(tmp_path)
    for kind in ("frames", "shadow"):
        (tmp_path / kind / "0007.png").write_bytes(b"of a longer job")
    assert generate(tmp_path)[0].reused == 6 and written(tmp_path) == before


@pytest.mark.parametrize("name, code", [
    ("job.json", "job_missing"), ("pose.json", "pose_missing"), ("reference.png", "reference_missing"),
    ("source/0003.png", "source_missing"), ("mask/0001.png", "mask_missing"), ("mask/0004.png", "mask_missing"),
    ("objects/0001.png", "mask_missing"), ("objects/0002.png", "mask_missing")])
def test_missing_files_are_named(tmp_path, name, code):
    write_job(str(tmp_path), 4, masks=True, objects=np.zeros((240, 320), np.uint16))
    os.remove(tmp_path / name)
    event = asked(tmp_path)
    assert isinstance(event, events.Failed) and event.code == code
    assert os.path.basename(name) in event.message
    log = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert log[-1] == events.to_json(event)


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
from engine.lock import held
with held(sys.argv[1], lambda: None):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def hold():
    """hold(folder, seconds) is another process that holds the folder's lock."""
    started = []

    def start(folder, seconds):
        started.append(subprocess.Popen([sys.executable, "-c", HOLDER, str(folder), str(seconds)], stdout=subprocess.PIPE,
                                        cwd=Path(__file__).parents[2]))
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
    assert event.code == "job_busy" and f"process {other.pid} on" in event.message and event.hint and unfinished.exists()
    other.kill()
    other.wait()
    assert isinstance(asked(tmp_path), events.Finished) and not unfinished.exists()


def test_an_engine_that_is_about_to_end_is_waited_for(tmp_path, hold):
    write_job(str(tmp_path), 2)
    hold(tmp_path, 0.5)
    assert isinstance(asked(tmp_path), events.Finished)


def test_who_waits_can_be_stopped(tmp_path, hold):
    write_job(str(tmp_path), 2)
    hold(tmp_path, 600)
    looks = iter(range(10**6))
    assert isinstance(asked(tmp_path, stop_asked=lambda: next(looks) >= 3), events.Cancelled)


def test_a_drive_that_knows_no_locks_can_be_written_to(tmp_path, monkeypatch):
    def unknown(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    monkeypatch.setattr(lock, "_take", unknown)
    write_job(str(tmp_path), 2)
    assert isinstance(asked(tmp_path), events.Finished)


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


@pytest.fixture
def mounted(tmp_path):
    """mount(*options) -> a folder on a mount of its own; a loud skip where mounting is not allowed."""
    folder = tmp_path / "mounted"
    folder.mkdir()

    def mount(*options):
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"NOT TESTED: mount {' '.join(options)}: {done.stderr.strip()} (needs root and CAP_SYS_ADMIN)")
        return folder
    yield mount
    subprocess.run(["umount", str(folder)], capture_output=True)


def test_a_full_disk(mounted):
    folder = mounted("-t", "tmpfs", "-o", "size=2m", "tmpfs")
    write_job(str(folder), 3, size=(320, 240))
    filler = folder / "filler"
    with filler.open("wb") as file:
        free = os.statvfs(folder)
        file.write(b"\0" * (free.f_bavail * free.f_bsize - 90_000))
    event = asked(folder)
    assert event.code == "disk_full" and str(folder) in event.message
    kept = written(folder)
    filler.unlink()
    assert isinstance(asked(folder), events.Finished)
    assert all(written(folder)[name] == data for name, data in kept.items())


@pytest.fixture
def read_only(tmp_path, mounted):
    """read_only(folder) -> the folder as nobody can write to it: of a read-only drive for root, who may write everywhere else."""
    changed = []

    def read_only(folder):
        if os.geteuid() == 0:
            return mounted("-o", "bind,ro", str(folder))
        changed.extend([folder, *(path for path in folder.rglob("*") if path.is_dir())])
        for path in changed:
            path.chmod(0o555)
        return folder
    yield read_only
    for path in changed:
        path.chmod(0o755)


@pytest.mark.parametrize("ask", [events.Run, events.Preview, events.Estimate, lambda job: events.Deliver(job, "exr", ["matte"])])
def test_a_folder_that_may_only_be_read_gives_its_reason(tmp_path, read_only, ask, caplog):
    write_job(str(tmp_path / "job"), 2)
    generate(tmp_path / "job")
    folder = read_only(tmp_path / "job")
    event = asked(folder, request=ask(str(folder)))
    assert isinstance(event, events.Failed) and event.code == "job_not_writable" and str(folder) in event.message and event.hint
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_folder_that_may_only_be_read_can_be_checked(tmp_path, read_only):
    write_job(str(tmp_path / "job"), 2)
    folder = read_only(tmp_path / "job")
    assert isinstance(asked(folder, request=events.Check(str(folder))), events.Finished)


def test_memory_does_not_grow_with_the_shot(tmp_path):
    def peak(count):
        write_job(str(tmp_path / str(count)), count, size=(160, 120))
        tracemalloc.start()
        generate(tmp_path / str(count))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most
    peak(8)
    assert peak(80) < 1.1 * peak(16)


