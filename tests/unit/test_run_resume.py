"""What a run finds of an earlier one: it continues to the same bits, and makes only what changed again."""

import json
import os

import numpy as np
import pytest

from engine.conditions.frames import write_picture
from engine.contract import files, jobs, messages
from engine.contract.errors import JobError
from engine.job.progress import Stopped
from tests.unit.fake_runtime import FakeRuntime, fake_pack
from tests.unit.test_run import asked, generate, written
from tests.unit.walker import write_job


def test_a_second_run_makes_nothing(tmp_path):
    write_job(str(tmp_path), 6, people={6: []})
    generate(tmp_path)
    before, runtime = written(tmp_path), FakeRuntime()
    finished, told = generate(tmp_path, runtime=runtime)
    assert (finished.made, finished.reused, finished.passed) == (0, 5, 1) and runtime.steps == 0
    assert written(tmp_path) == before and len(told.of(messages.Frame)) == 6


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


@pytest.mark.parametrize("changes", [
    {"settings": jobs.Settings(exposure=1.0)}, {"settings": jobs.Settings(warmth=-0.5)},
    {"settings": jobs.Settings(grain=False, blur=False)}, {"mask_feather": (3.0,) * 8}])
def test_what_only_the_composition_depends_on_is_changed_without_denoising(tmp_path, changes):
    write_job(str(tmp_path), 8)
    generate(tmp_path)
    first = written(tmp_path)
    for made, wanted in ((changes, None), ({}, first)):
        write_job(str(tmp_path), 8, **made)
        runtime = FakeRuntime()
        finished, _ = generate(tmp_path, runtime=runtime)
        assert (finished.made, finished.reused, runtime.steps) == (8, 0, 0)
        assert (written(tmp_path) == first) == (wanted is not None)
    write_job(str(tmp_path), 8, settings=jobs.Settings(seed=2))
    assert generate(tmp_path)[0].made == 8


@pytest.mark.parametrize("damage", [lambda data: data[:-4], lambda data: data[:200] + b"?" + data[201:],
                                    lambda data: b'{"format": 2}' + data, lambda data: b""])
def test_damaged_latents_are_made_again(tmp_path, damage):
    write_job(str(tmp_path), 8)
    generate(tmp_path)
    first = written(tmp_path)
    path = tmp_path / "state" / "0004.latents"
    path.write_bytes(damage(path.read_bytes()))
    finished, _ = generate(tmp_path)
    assert finished.made >= 4 and written(tmp_path) == first


def test_pictures_that_are_not_read_are_not_in_the_key(tmp_path):
    write_job(str(tmp_path), 4)
    generate(tmp_path)
    for kind in (files.OBJECTS, files.DEPTH):
        write_picture(files.picture(str(tmp_path), kind, 1), np.full((240, 320), 9, np.uint16))
    assert generate(tmp_path)[0].reused == 4


@pytest.mark.parametrize("kind", [files.OBJECTS, files.DEPTH, files.MASK, files.CLEAN])
def test_every_picture_that_is_read_is_in_the_key(tmp_path, kind):
    nothing = np.zeros((240, 320), np.uint16)
    write_job(str(tmp_path), 4, masks=True, objects=nothing, depth=jobs.DepthRange(near=2.0, far=10.0),
              clean_plate=False, clean_pictures=True)
    for number in range(1, 5):
        for other in (files.DEPTH, files.CLEAN):
            write_picture(files.picture(str(tmp_path), other, number), nothing)
    generate(tmp_path)
    write_picture(files.picture(str(tmp_path), kind, 2), np.full((240, 320), 200, np.uint16))
    assert generate(tmp_path)[0].made == 4


def test_what_stays_in_front_is_composed_again_without_denoising(tmp_path):
    write_job(str(tmp_path), 4)
    generate(tmp_path)
    before = written(tmp_path)
    latents = (tmp_path / "state" / "0004.latents").stat().st_mtime_ns
    for number in range(1, 5):
        write_picture(files.picture(str(tmp_path), files.FRONT, number), np.full((240, 320), 255, np.uint8))
    assert generate(tmp_path)[0].made == 4 and generate(tmp_path)[0].reused == 4
    assert written(tmp_path) != before and (tmp_path / "state" / "0004.latents").stat().st_mtime_ns == latents
    write_picture(files.picture(str(tmp_path), files.FRONT, 2), np.zeros((240, 320), np.uint8))
    assert generate(tmp_path)[0].made == 4


def test_a_missing_picture_of_what_stays_in_front_is_named(tmp_path):
    write_job(str(tmp_path), 4)
    write_picture(files.picture(str(tmp_path), files.FRONT, 1), np.zeros((240, 320), np.uint8))
    with pytest.raises(JobError) as failed:
        generate(tmp_path)
    assert failed.value.code == "mask_missing" and "front/" in str(failed.value)


def test_latents_that_no_later_run_can_use_are_removed(tmp_path):
    write_job(str(tmp_path), 8)
    generate(tmp_path)
    assert sorted(os.listdir(tmp_path / "state")) == ["0004.latents", "0006.latents", "0008.latents"]
    write_job(str(tmp_path), 8, settings=jobs.Settings(window=8))
    generate(tmp_path)
    assert os.listdir(tmp_path / "state") == ["0008.latents"]


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


def after_a_frame(folder):
    """A stop that is asked for as soon as a frame was told, however often an engine looks before."""
    told = folder / "events.jsonl"
    return lambda: told.exists() and '"type": "frame"' in told.read_text().replace('":"', '": "')


def test_a_stop_is_answered_with_the_frames_that_stay(tmp_path):
    write_job(str(tmp_path), 8)
    event = asked(tmp_path, stop_asked=after_a_frame(tmp_path))
    assert isinstance(event, messages.Cancelled) and event.frames == len(written(tmp_path)) // 2 > 0


def test_frames_of_an_earlier_job_do_not_count_as_finished(tmp_path):
    write_job(str(tmp_path), 8)
    generate(tmp_path)
    write_job(str(tmp_path), 8, settings=jobs.Settings(seed=5))
    event = asked(tmp_path, stop_asked=after_a_frame(tmp_path))
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
    if isinstance(event, messages.Cancelled) and event.frames == 0:
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
