"""A training run that is stopped, killed, paused or out of disk space continues as if nothing had happened."""

import errno
import io
import itertools
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.contract import files
from engine.contract.errors import JobError
from lab.training import loop, stage_autoencoder, stage_image, stage_motion, stage_surface
from lab.training.loop import Batches, Run
from tests.unit.tiny import TINY


@pytest.mark.parametrize("stage", [stage_autoencoder, stage_image, stage_motion, stage_surface])
def test_a_cut_run_resumes_bit_exactly(stage, clips, tmp_path):
    sizes = replace(TINY, surface=stage is stage_surface)
    recipe = replace(stage.RECIPE, batch=2, frames=min(stage.RECIPE.frames, 2))
    batches = Batches(clips, recipe, seed=0, sizes=sizes)

    def steps(run, count):
        for _ in range(count):
            generator = torch.Generator().manual_seed(run.step)
            loss, _ = stage.loss_of(run.model, batches[run.step], generator, 0.9)
            run.learn(loss, 1.0)

    straight = Run(tmp_path / "straight", recipe, None, "cpu", sizes)
    steps(straight, 2)
    cut = Run(tmp_path / "cut", recipe, None, "cpu", sizes)
    steps(cut, 1)
    cut.save()
    resumed = Run(tmp_path / "cut", recipe, None, "cpu", sizes)
    steps(resumed, 1)
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    for name, value in straight.average.state_dict().items():
        assert torch.equal(value, resumed.average.state_dict()[name]), name


TRAIN = """
import sys, pathlib, torch
from dataclasses import replace
from lab.training import loop, stage_image
from tests.unit.tiny import TINY
loop.SAVE_EVERY = 0
torch.set_num_threads(1)
pool, folder = map(pathlib.Path, sys.argv[1:])
run = loop.Run(folder, replace(stage_image.RECIPE, batch=1), None, "cpu", TINY)
loop.train(run, loop.batches_of(run, pool, seed=3, workers=1), loop.Budget(steps=14), stage_image.loss_of,
           stage_image.picture_of, seed=3)
"""


def test_killed_at_any_moment_a_run_ends_in_the_same_bits(clips, tmp_path):
    def begin(folder):
        return subprocess.Popen([sys.executable, "-W", "ignore", "-c", TRAIN, str(clips), str(folder)])
    assert begin(tmp_path / "straight").wait() == 0
    seen = tmp_path / "cut" / "checkpoint.pt"
    for wait_s in (0.0, 0.15, 0.4):
        before, process = seen.stat().st_mtime_ns if seen.exists() else 0, begin(tmp_path / "cut")
        while process.poll() is None and (seen.stat().st_mtime_ns if seen.exists() else 0) == before:
            time.sleep(0.01)
        time.sleep(wait_s)
        process.kill()
        process.wait()
    assert begin(tmp_path / "cut").wait() == 0
    straight, cut = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("straight", "cut"))
    assert straight["step"] == cut["step"] == 14
    for part in ("model", "average"):
        for name, value in straight[part].items():
            assert torch.equal(value, cut[part][name]), name
    weights = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("straight", "cut")]
    assert weights[0] == weights[1] and not list((tmp_path / "cut").glob(".*"))
    assert begin(tmp_path / "cut").wait() == 0, "a run that is finished has nothing to do"


def test_what_a_run_was_killed_in_the_middle_of_writing_is_removed(tmp_path):
    """Only what a writer on this machine began; a run's folder may be on a shared drive."""
    begun = tmp_path / files.own_name("checkpoint.pt")
    begun.write_bytes(b"half")
    others = tmp_path / ".aa2-00000000-0123456789abcdef-checkpoint.pt"
    others.write_bytes(b"half")
    small_run(tmp_path)
    assert not begun.exists() and others.exists()
    os.utime(others, (time.time() - files.OLD_S - 60,) * 2)
    small_run(tmp_path)
    assert not others.exists(), "a container's name changes"


def trained(folder, steps):
    """Trains until step `steps`, on nothing; returns the step that is on the disk then."""
    run = small_run(folder)
    weight = run.learning[0]
    loop.train(run, itertools.repeat({}), loop.Budget(steps=steps),
               lambda *_: (weight.square().mean(), {"loss": torch.zeros(())}),
               lambda *_: np.zeros((2, 2, 3), np.uint8), seed=0)
    return torch.load(folder / "checkpoint.pt", weights_only=True)["step"]


def test_the_last_step_is_on_the_disk(tmp_path):
    """Also that of a run which is resumed, and at whose end a line of the log has just been written."""
    assert [trained(tmp_path, steps) for steps in (1, 50, 100, 101)] == [1, 50, 100, 101]


def test_weights_that_could_not_be_written_at_the_end_are_made_again(tmp_path, monkeypatch):
    trained(tmp_path, 1)
    written = (tmp_path / "weights.safetensors").stat().st_mtime_ns
    with monkeypatch.context() as full:
        full.setattr(loop, "save_weights", lambda *_: (_ for _ in ()).throw(JobError("disk_full", "The disk is full.")))
        with pytest.raises(JobError):
            trained(tmp_path, 3)
    assert small_run(tmp_path).step == 1, "a checkpoint of step 3 would say that nothing is left to do"
    assert trained(tmp_path, 3) == 3 and (tmp_path / "weights.safetensors").stat().st_mtime_ns > written


def test_a_log_that_cannot_be_written_stops_no_training(tmp_path, monkeypatch, caplog):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(loop, "open_log", lambda *_: Full())
    assert trained(tmp_path, 51) == 51 and "step 50: the log could not be written" in caplog.text


def small_run(folder):
    return Run(folder, replace(stage_image.RECIPE, batch=1), None, "cpu", TINY)


def test_a_full_disk_costs_no_training_and_leaves_the_last_checkpoint(clips, tmp_path, monkeypatch, caplog):
    run = small_run(tmp_path)
    run.save()
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    full = type("Full", (io.BytesIO,),
                {"write": lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left"))})
    monkeypatch.setattr("builtins.open", lambda *_, **__: full())
    run.step = 5
    run.save_if_there_is_room()
    with pytest.raises(JobError) as error:
        run.save()
    monkeypatch.undo()
    assert error.value.code == "disk_full" and "step 5" in caplog.text and "the disk is full" in caplog.text
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
    assert small_run(tmp_path).step == 0


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:len(data) // 2], lambda data: b"x" * 100])
def test_a_checkpoint_that_is_none_is_named(tmp_path, damage):
    small_run(tmp_path).save()
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="checkpoint.pt: cannot go on"):
        small_run(tmp_path)


def test_a_checkpoint_of_other_sizes_is_named(tmp_path):
    small_run(tmp_path).save()
    with pytest.raises(ValueError, match="cannot go on"):
        Run(tmp_path, stage_image.RECIPE, None, "cpu", replace(TINY, pose_width=64))


def test_a_gradient_that_is_no_number_changes_nothing_and_ten_end_the_run(tmp_path):
    run = small_run(tmp_path)
    before = {name: value.clone() for name, value in run.model.state_dict().items()}

    def nothing():
        return sum(parameter.sum() for parameter in run.learning) * float("nan")
    for _ in range(9):
        run.learn(nothing(), 1.0)
    assert all(torch.equal(value, before[name]) for name, value in run.model.state_dict().items())
    with pytest.raises(ValueError, match="10 steps in a row"):
        run.learn(nothing(), 1.0)


def test_lines_of_steps_that_are_trained_again_leave_the_log(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps({"step": step}) + "\n" for step in (50, 100, 150)))
    loop.open_log(path, 120).close()
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [50, 100]
    with path.open("a") as file:
        file.write('{"step": 150, "lo')
    loop.open_log(path, 200).close()
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [50, 100]


def test_a_file_pauses_a_run_until_it_is_gone(tmp_path, monkeypatch):
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            (tmp_path / loop.PAUSE).unlink()
    monkeypatch.setattr(loop, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: sum(slept)))
    assert loop.wait_while_paused(tmp_path) == 0
    (tmp_path / loop.PAUSE).touch()
    assert loop.wait_while_paused(tmp_path) == 3 and not (tmp_path / loop.PAUSE).exists()
