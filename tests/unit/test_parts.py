"""A long shot in parts: which windows they have, that machines and order do not matter, seams and their repair."""
import argparse
import json
import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from engine import __main__ as command
from engine.contract import files, jobs, messages
from engine.contract import parts as counting
from engine.contract.errors import JobError
from engine.door.answer import Host
from engine.engines.base import Made
from engine.engines.compact.engine import CompactEngine
from engine.engines.windows import plan
from engine.job import assemble as assemble_module
from engine.job.parts import parts_of
from engine.job.plan import facts_of
from engine.job.progress import Stopped
from engine.job.resume import load_latents
from engine.job.run import Generation, begun, run
from engine.job.seam import Making, difference
from engine.job.split import assemble, planned, run_shot
from lab.evaluation.seams import measured, table
from tests.unit.fake_runtime import FakeRuntime, fake_engine, fake_pack, person_in, whole_person_in
from tests.unit.test_run import Teller, layers, written
from tests.unit.walker import HEIGHT_PX, figure, moved, write_job

FRAMES = 14                 # 6 windows of 4 frames that overlap by 2
PLAN = jobs.Parts(windows=2, run_in=2)


class Quick(FakeRuntime):
    """A runtime whose chain forgets how it began within two windows."""

    follows = 0.03


class Slow(FakeRuntime):
    """A runtime whose colours follow those of the frames before so much that a chain forgets slowly."""

    def denoise(self, noisy, levels, environment, masks, *rest, **named):
        x0, heads = super().denoise(noisy, levels, environment, masks, *rest, **named)
        given, region = noisy[levels == 0], masks[:, ::4, ::4, :1]
        if len(given):
            before = given[-1][masks[len(given) - 1, ::4, ::4, 0] > 0][:, :3].mean(axis=0)
            x0[..., :3] += 0.8 * region * (before - x0[..., :3])
        return x0, heads


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Even short shots are split here."""
    monkeypatch.setattr(counting, "MOST_WHOLE", 10)


@pytest.fixture
def job(tmp_path):
    """Writes a job of FRAMES frames; returns its folder."""
    return lambda name="job", **fields: write(tmp_path / name, **fields)


def write(folder, **fields):
    bodies = {k: [{"body": moved(figure(), 0.6, 80 + 6 * k, 200).tolist(), "left_hand": None, "right_hand": None,
                   "height_px": HEIGHT_PX * 0.6}] for k in range(1, FRAMES + 1)}
    write_job(str(folder), FRAMES, people={**bodies, **fields.pop("people", {})}, **{"parts": PLAN, **fields})
    return folder


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A job that was made in one process, part by part."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "MOST_WHOLE", 10)
        folder = write(tmp_path_factory.mktemp("whole") / "job")
        made(folder)
    return folder


@pytest.fixture
def finished(original, tmp_path):
    """A copy of that job."""
    return shutil.copytree(original, tmp_path / "job")


def fake_facts(job):
    return facts_of(CompactEngine, fake_pack(), job)


def made(folder, part=None, runtime=None, **told):
    return run_shot(str(folder), fake_engine(runtime or Quick(), told.pop("pack", None)), emit=told.pop("emit", print),
                    find_joints=person_in, part=part, **told)


def put_together(folder, runtime=None, pack=None):
    return assemble(str(folder), fake_engine(runtime or Quick(), pack), emit=lambda event: None,
                    find_joints=person_in)


def seams(folder):
    return json.loads((folder / files.SEAMS).read_text())["seams"]


def windows_of(*ranges):
    return tuple(tuple(plan(frames, 4, 2)) for frames in ranges)


def test_every_frame_is_made_by_one_part_and_a_part_begins_early():
    spans = windows_of(range(1, 151), range(160, 171))
    parts = parts_of(spans, jobs.Parts(windows=8, run_in=4))
    assert [number for part in parts for number in part.made] == [*range(1, 151), *range(160, 171)]
    assert [len(part.windows) for part in parts[:-1]] == [8] * (len(parts) - 1) and len(parts[-1].windows) >= 4
    assert not parts[0].leading
    for before, part in zip(parts, parts[1:], strict=False):
        assert len(part.leading) == 4 and part.leading[-1].stop == part.windows[0].start == before.made[-1] + 1
        assert not part.leading[0].before and part.leading[0].stop - part.leading[0].start == 4


def test_short_shots_are_whole_and_a_short_last_part_joins_the_one_before(monkeypatch):
    monkeypatch.setattr(counting, "MOST_WHOLE", 100)
    assert len(parts_of(windows_of(range(1, 101)), jobs.Parts(windows=8))) == 1
    assert len(parts_of(windows_of(range(1, 400)), None)) == 1
    spans = windows_of(range(1, 3 + 2 * 50))          # 50 windows: six parts of 8, and 2 more
    assert [len(part.windows) for part in parts_of(spans, jobs.Parts(windows=8))] == [8, 8, 8, 8, 8, 10]
    assert parts_of((), jobs.Parts()) [0].made == []


def test_a_new_run_of_frames_needs_no_run_in():
    first, second = windows_of(range(1, 120), range(130, 250))
    (_, part) = parts_of((first, second), jobs.Parts(windows=len(first), run_in=4))
    assert not part.leading and part.made[0] == 130


def test_machines_order_and_how_many_parts_a_task_has_do_not_matter(job, original):
    shared = job()
    assert len(planned(str(shared), fake_facts, person_in)) == 3
    for number in (3, 1, 2):
        made(shared, number)
    assert put_together(shared).made == FRAMES
    assert written(original) == written(shared) and len(written(original)) == 2 * FRAMES


def test_a_range_means_those_parts_that_the_shot_has(job, capsys):
    """A farm's tasks are written before anybody knows how many parts there are."""
    folder, host = str(job()), SimpleNamespace(facts=fake_facts, find_joints=person_in)
    for text, wanted in (("1-2", [1, 2]), ("2-", [2, 3]), ("3-9", [3]), ("1-", [1, 2, 3]), ("4-", [])):
        asked = SimpleNamespace(subject=folder, part=command._parts(text))
        assert [request.part for request in command._parts_there(asked, host)] == wanted, text
    assert "Nothing to do: the shot has 3 parts." in capsys.readouterr().err
    assert command._parts("2") == (2, 2, False), "one part must be there"
    for text in ("0", "3-2", "0-"):
        with pytest.raises(argparse.ArgumentTypeError, match="K, K-L or K-"):
            command._parts(text)


def test_a_part_that_is_made_again_reuses_its_frames_and_a_stopped_one_goes_on(job):
    folder, looks = job(), iter([False] * 40)
    with pytest.raises(Stopped):
        made(folder, 2, stop_asked=lambda: next(looks, True))
    runtime = Quick()
    first = made(folder, 2, runtime)
    again = made(folder, 2, runtime=(idle := Quick()))
    assert first.made + first.reused == again.reused == 4 and again.made == 0
    assert runtime.steps > 0 and idle.steps == 0


def test_a_finished_assembly_is_reused(finished):
    before, runtime = written(finished), Quick()
    again = put_together(finished, runtime)
    assert (again.made, again.reused, runtime.steps) == (0, FRAMES, 0) and written(finished) == before


def test_seams_that_are_lost_are_measured_again(finished):
    """An assembly may be killed between its last frame and seams.json."""
    before, told = written(finished), seams(finished)
    (finished / files.SEAMS).unlink()
    put_together(finished)
    assert seams(finished) == told and written(finished) == before


def test_a_shot_with_nobody_in_it_is_one_empty_part(job):
    folder = job(people={number: [] for number in range(1, FRAMES + 1)})
    made(folder, 1)
    assert put_together(folder).passed == FRAMES and seams(folder) == []


def test_a_part_that_a_network_drive_shows_late_is_waited_for(finished, monkeypatch):
    told = finished / "parts" / "0003" / "part.json"
    told.rename(told.with_name("late"))
    listdir = os.listdir

    def listed(folder):
        if os.fspath(folder) == str(told.parent):
            told.with_name("late").rename(told)
        return listdir(folder)
    monkeypatch.setattr(os, "listdir", listed)
    assert put_together(finished).reused == FRAMES


def test_a_part_that_is_missing_or_of_something_else_is_named(finished, monkeypatch):
    monkeypatch.setattr(assemble_module, "PATIENCE_S", 0.0)
    (finished / "parts" / "0003" / "part.json").unlink()
    with pytest.raises(JobError, match="Part 3 of 3 is not finished") as failed:
        put_together(finished)
    assert failed.value.code == "part_missing"
    made(finished, 3, pack=fake_pack("1" * 64))
    with pytest.raises(JobError, match="Part 3 of 3 was made with other weights than the job has now"):
        put_together(finished)
    made(finished, 3)
    write(finished, settings=jobs.Settings(seed=9))
    with pytest.raises(JobError, match="lacks the latents"):
        put_together(finished)
    with pytest.raises(JobError, match="no part 4"):
        made(finished, 4)


def test_seams_are_measured_and_repaired_until_the_chain_agrees(job):
    sequential, split = job("sequential", parts=None), job("split")
    run(str(sequential), fake_engine(Slow()), emit=print, find_joints=person_in)
    made(split, runtime=Slow())
    found = seams(split)
    assert [seam["frame"] for seam in found] == [7, 11]
    assert found[0]["difference"] == 0, "the second part's run-in begins where the shot begins"
    assert found[1]["difference"] > 0.3 and found[1]["repaired"] > 0, found
    job("split", settings=jobs.Settings(exposure=0.5))
    made(split, runtime=(idle := Slow()))
    assert idle.steps == 0, "what was repaired is composed again without denoising"
    job("split")
    made(split, runtime=Slow())
    apart = [np.abs(layers(sequential, k)[0].astype(int) - layers(split, k)[0]).max() for k in range(1, FRAMES + 1)]
    assert max(apart) <= 2, apart


def rough(latents):
    """The same frames with a pattern in their colours that has no light in it: +-0.2 in turn."""
    signs = np.indices(latents.shape[1:3]).sum(axis=0) % 2 * 2 - 1
    return np.concatenate([latents[..., :3] + 0.2 * signs[..., None], latents[..., 3:]], axis=-1).astype(np.float32)


@pytest.mark.parametrize("person, least, most", [(person_in, 20, 60), (whole_person_in, 0.01, 10)])
def test_a_seam_is_what_is_shown_of_it(job, person, least, most):
    """Where the surface is known, it gives the picture; without it, what was painted shows. A shadow shows, and so does
    nothing outside of the region. The artist's settings change none of it."""
    apart = []
    for name, settings in (("as it is", jobs.Settings()), ("graded", jobs.Settings(exposure=1.0, shadow=False))):
        with begun(Generation, str(job(name, parts=None, settings=settings)), fake_engine(),
                   emit=lambda event: None, stop_asked=lambda: False) as generation:
            generation.prepare(person)
            window = generation.spans[0][0]
            generation.make_span([window])
            found = load_latents(generation.out, window, generation.keys[window])
            outside, dark = found.latents.copy(), found.latents.copy()
            outside[..., :3][found.latents[..., 3] == 0] = 0.9
            dark[..., 4] *= 0.8
            apart.append([difference(generation, window.made, Making(window, found), Making(window, Made(of, of)))
                          for of in (found.latents, outside, dark, rough(found.latents))])
    same, unseen, shadow, painted = apart[0]
    assert same == unseen == 0 and shadow > 1 and least < painted < most, apart
    assert apart[0] == apart[1]


def test_without_a_run_in_every_seam_shows(job, original):
    without = job(parts=jobs.Parts(windows=2, run_in=0))
    made(without)
    assert all(seam["difference"] <= 0.3 and not seam["repaired"] for seam in seams(original)), seams(original)
    assert all(seam["difference"] > 0.3 and seam["repaired"] for seam in seams(without)), seams(without)


def test_the_lab_measures_what_a_run_in_is_worth(job, tmp_path):
    plans = [jobs.Parts(windows=2, run_in=run_in) for run_in in (0, 2)]
    none, two = measured(job(parts=None), Host(fake_engine(Slow()), person_in), plans, tmp_path)
    assert len(none.before) == len(none.after) == len(none.seams) == 2
    assert max(none.before) > max(two.before) > 1.01, "the step at a seam is larger than in the sequential run"
    assert none.after == pytest.approx([1, 1], abs=0.01) == two.after, "and is not after the repair"
    assert none.difference[0] > two.difference[0] > two.difference[1] and none.difference[1] < 1, (none, two)
    assert "| 0 | 2 |" in "\n".join(table(tmp_path, [none, two]))


def test_frames_with_nobody_are_passed_and_all_frames_are_there(job):
    folder, told = job(people={7: []}), Teller()
    finished = made(folder, emit=told.append)
    assert finished.passed == 1 and finished.made == FRAMES - 1 and len(written(folder)) == 2 * FRAMES
    assert len(told.of(messages.Warned)) == len(set(told.of(messages.Warned))) > 0


def test_another_exposure_is_composed_again_without_denoising(finished):
    before, runtime = written(finished), Quick()
    write(finished, settings=jobs.Settings(exposure=0.5))
    made(finished, runtime=runtime)
    assert runtime.steps == 0 and written(finished) != before
