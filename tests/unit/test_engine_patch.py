"""An engine that gives patches, in windows of 4 k + 1 frames, goes through all that a run has: parts, ranges, stops and
resumes, conditions as pictures, settings of its own, and the wire."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine.conditions.frames import read_picture, write_picture
from engine.contract import files, jobs, messages
from engine.contract import parts as counting
from engine.contract.errors import JobError
from engine.door.answer import Host
from engine.engines import choose
from engine.engines.base import padded_count
from engine.engines.compact.engine import CompactEngine
from engine.job.deliver import deliver
from engine.job.plan import plan_job
from engine.job.preview import check, preview
from engine.job.progress import Stopped
from engine.job.split import assemble, run_shot
from engine.packs.engine_manifest import write_engine
from tests.unit.fake_runtime import fake_engine, person_in, whole_person_in
from tests.unit.patch_engine import GRID, NAME, SETTINGS, SHAPES, STEPS, PatchEngine, patch_pack
from tests.unit.test_run import Teller, asked, generate, layers, written
from tests.unit.walker import write_job

FRAMES = 7                  # of a shot of which a range is fixed
OWN = jobs.Settings(engine=NAME, engines=SETTINGS, grain=False, blur=False)


def job(folder, frames=13, settings=OWN, **fields):
    write_job(str(folder), frames, settings=settings, **fields)
    return folder


def run(folder, engine=None, **told):
    return generate(folder, engine=engine or PatchEngine(), **told)


@pytest.mark.parametrize("frames, count", [(1, 1), (2, 5), (4, 5), (5, 5), (6, 9)])
def test_the_next_count_that_fits(frames, count):
    assert padded_count(frames, 4) == count and padded_count(frames, 1) == frames


@pytest.mark.parametrize("frames, gone, windows", [
    (1, (), [(1, 1, 2)]), (2, (), [(1, 1, 3)]), (5, (), [(1, 1, 6)]), (13, (), [(1, 1, 10), (9, 10, 14)]),
    (11, (4,), [(1, 1, 4), (5, 5, 12)]), (3, (1, 3), [(2, 2, 3)])])
def test_any_number_of_frames_is_made_once(tmp_path, frames, gone, windows):
    engine = PatchEngine()
    done, told = run(job(tmp_path, frames, people={number: [] for number in gone}), engine)
    assert (done.made, done.passed) == (frames - len(gone), len(gone))
    assert (done.device, done.peak_device_mb) == ("cuda", 6000.0)
    assert [(one.first, one.start, one.stop) for one in engine.windows] == windows and engine.opened == 1
    assert sorted(event.number for event in told.of(messages.Frame)) == list(range(1, frames + 1))
    steps = [event for event in told.of(messages.Progress) if event.stage == "denoise"]
    assert steps[-1].step == steps[-1].total == len(windows) * STEPS


def test_a_window_that_the_artist_chooses_is_cut_to_what_fits(tmp_path):
    engine = PatchEngine()
    run(job(tmp_path, 9, settings=replace(OWN, window=8)), engine)
    assert [len(window.frames) for window in engine.windows] == [5, 5]


def test_the_layer_is_a_patch_of_whole_blocks(tmp_path):
    """Whatever the plate is: outside of the region nothing is laid, and there is no shadow."""
    run(job(tmp_path, 1, bits=16))
    preview(str(tmp_path), facts=Host(PatchEngine(), person_in).facts, emit=print, find_joints=person_in)
    region = read_picture(files.picture(str(tmp_path), "preview/mask", 1))[..., 0] > 0
    assert region.shape[::-1] in SHAPES
    high, wide = region.shape
    whole = region.reshape(high // GRID, GRID, wide // GRID, GRID)
    assert (whole.all(axis=(1, 3)) == whole.any(axis=(1, 3))).all() and 0 < region.mean() < 0.9
    character, shadow = layers(tmp_path, 1)
    assert (shadow == 65535).all() and character[130, 80, 3] == 65535 and character[5, 5, 3] == 0
    environment = read_picture(files.picture(str(tmp_path), "preview/environment", 1))
    assert (environment[region] != 128).any(), "on a clean plate, what the character covers is known"


def test_output_of_such_a_job_is_written_without_asking_the_engine(tmp_path):
    """The crop that it names is none of the embedded engine's."""
    done, _ = run(job(tmp_path, 1, settings=replace(OWN, shape="96x176")), find_joints=whole_person_in)
    assert done.made == 1
    assert deliver(str(tmp_path), "png8", ("matte", "skeleton"), emit=print, find_joints=whole_person_in).made == 1


def test_conditions_are_planned_in_the_engines_crops(tmp_path):
    one, facts = jobs.read(str(job(tmp_path, 1))), Host(PatchEngine(), person_in).facts
    assert plan_job(str(tmp_path), one, None, facts(one)).shot.plan.shape in SHAPES
    assert plan_job(str(tmp_path), one).shot.plan.shape not in SHAPES


def test_what_the_performer_covers_is_the_hole(tmp_path):
    preview(str(job(tmp_path, 1, clean_plate=False)), facts=Host(PatchEngine(), person_in).facts, emit=print,
            find_joints=person_in)
    region = read_picture(files.picture(str(tmp_path), "preview/mask", 1))[..., 0] > 0
    assert (read_picture(files.picture(str(tmp_path), "preview/environment", 1))[region] == 128).all()


def test_the_body_surface_is_not_laid_over_it(tmp_path):
    """Inside the patch there is only what the engine painted: blocks of one colour."""
    run(job(tmp_path, 1), find_joints=whole_person_in)
    seen = layers(tmp_path, 1)[0][..., :3][layers(tmp_path, 1)[0][..., 3] == 255]
    assert len(seen) > 1000 and len(np.unique(seen // 16, axis=0)) < 30


@pytest.mark.parametrize("stop_after", range(1, 60, 9))
def test_stopped_anywhere_it_goes_on_to_the_same_bits(tmp_path, stop_after):
    for name in ("whole", "stopped"):
        job(tmp_path / name, 9, people={7: []}, settings=replace(OWN, window=5))
    run(tmp_path / "whole")
    looks = iter(range(10**6))
    with pytest.raises(Stopped):
        run(tmp_path / "stopped", stop_asked=lambda: next(looks) >= stop_after)
    run(tmp_path / "stopped")
    assert written(tmp_path / "stopped") == written(tmp_path / "whole")


class Rounding(PatchEngine):
    """Hands pictures of 8 bits on."""

    def make(self, window, *rest, **told):
        made = super().make(window, *rest, **told)
        return replace(made, handed_on=(np.rint(made.handed_on * 255) / 255).astype(np.float32))


def test_what_is_handed_on_stays_float(tmp_path):
    """The engine of these tests would show it: frames after a seam would be others."""
    for name, engine in (("whole", PatchEngine()), ("rounded", Rounding()), ("resumed", PatchEngine())):
        job(tmp_path / name, 7, settings=replace(OWN, window=5))
        if name == "resumed":
            looks = iter(range(10**6))
            with pytest.raises(Stopped):
                run(tmp_path / name, engine,
                    stop_asked=lambda looks=looks, folder=tmp_path / name:
                    next(looks) > 0 and os.path.exists(folder / "frames" / "0005.png"))
        run(tmp_path / name, engine)
    whole, rounded = ([layers(tmp_path / name, n)[0].astype(int) for n in (5, 7)] for name in ("whole", "rounded"))
    assert (whole[0] == rounded[0]).all() and np.abs(whole[1] - rounded[1]).max() > 5
    assert written(tmp_path / "resumed") == written(tmp_path / "whole")


def test_finished_frames_need_no_weights(tmp_path):
    run(job(tmp_path, 3))
    engine = PatchEngine()
    done, _ = run(tmp_path, engine)
    assert (done.made, done.reused, engine.opened, done.device, done.peak_device_mb) == (0, 3, 0, "", None)
    write_job(str(tmp_path), 3, settings=replace(OWN, exposure=1.0))
    done, _ = run(tmp_path, engine)
    assert done.made == 3 and not engine.windows and engine.opened == 1


def test_loading_is_told_and_can_be_stopped(tmp_path):
    told, engine = Teller(), PatchEngine()
    with pytest.raises(Stopped):
        from engine.job.run import run as run_engine
        run_engine(str(job(tmp_path, 2)), engine, emit=told.append, find_joints=person_in,
                   stop_asked=lambda: any(one.stage == "load" and one.step == 1 for one in told.of(messages.Progress)))
    assert not engine.opened and not written(tmp_path)
    done, told = run(tmp_path, engine)
    assert [(one.step, one.total) for one in told.of(messages.Progress) if one.stage == "load"] \
        == [(0, 3), (1, 3), (2, 3)] and "load" in done.stages


@pytest.fixture
def finished(tmp_path):
    run(job(tmp_path / "v001", FRAMES))
    return tmp_path / "v001"


def fixed(folder, first, last, name="v002"):
    target = folder.parent / name
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("state", "made.json", "engine.lock"))
    one = jobs.read(str(folder))
    jobs.write(str(target), replace(one, fix=jobs.FixRange(first, last), settings=replace(one.settings, seed=2)))
    return target


@pytest.mark.parametrize("first, last", [(3, 4), (1, 2), (6, 7), (2, 6), (4, 4)])
def test_only_the_range_changes(finished, first, last):
    done, _ = run(fixed(finished, first, last))
    assert (done.made, done.reused) == (last - first + 1, FRAMES - (last - first + 1))
    for number in range(1, FRAMES + 1):
        same = (layers(finished, number)[0] == layers(finished.parent / "v002", number)[0]).all()
        assert same == (not first <= number <= last), number


@pytest.mark.parametrize("neighbour", [4, 7])
def test_the_range_follows_the_frames_on_both_sides(finished, neighbour):
    plain, painted = fixed(finished, 5, 6), fixed(finished, 5, 6, "v003")
    path = files.picture(str(painted), files.FRAMES, neighbour)
    picture = read_picture(path)
    picture[..., :3] = 255 - picture[..., :3]
    write_picture(path, picture)
    for folder in (plain, painted):
        run(folder)
    assert any((layers(plain, n)[0] != layers(painted, n)[0]).any() for n in (5, 6))


class Blind(PatchEngine):
    """Cannot be given what comes after a window."""

    @staticmethod
    def facts(manifest, settings):
        return replace(PatchEngine.facts(manifest, settings), holds_after=False)


def test_an_engine_that_holds_nothing_after_gets_nothing(finished):
    engine = Blind()
    run(fixed(finished, 5, 6), engine)
    assert [(one.first, one.start, one.stop, len(one.after)) for one in engine.windows] == [(4, 5, 7, 0)]


def test_its_own_settings_count_and_those_of_others_do_not(tmp_path):
    run(job(tmp_path, 2))
    first = written(tmp_path)
    others = {**SETTINGS, "wan-vace": {"prompt": "nobody reads this"}}
    write_job(str(tmp_path), 2, settings=replace(OWN, engines=others))
    assert run(tmp_path)[0].reused == 2 and written(tmp_path) == first
    write_job(str(tmp_path), 2, settings=replace(OWN, engines={NAME: {"prompt": "a runner"}}))
    assert run(tmp_path)[0].made == 2 and written(tmp_path) != first


@pytest.mark.parametrize("settings, engine, message", [
    (replace(OWN, engines={NAME: {"promt": ""}}), PatchEngine(), "expected a prompt"),
    (replace(OWN, shape="192x352"), PatchEngine(), "settings.shape: expected auto or one of 96x176"),
    (jobs.Settings(), PatchEngine(), "The job is for the engine compact"), (OWN, fake_engine(), "for compact"),
    (jobs.Settings(engines={"compact": {"prompt": ""}}), fake_engine(), "expected nothing for compact"),
    (jobs.Settings(shape="96x176"), fake_engine(), "settings.shape: expected auto or one of 192x352")])
def test_settings_that_do_not_fit_are_told_before_anything_is_opened(tmp_path, settings, engine, message):
    with pytest.raises(JobError, match=message) as caught:
        run(job(tmp_path, 1, settings=settings), engine)
    assert caught.value.code == "settings_invalid" and not written(tmp_path)
    host = Host(engine, person_in)
    with pytest.raises(JobError, match=message):
        check(str(tmp_path), facts=host.facts, emit=print)


class Forgets(PatchEngine):
    """Its colours do not follow the frames beside at all: every seam is closed at once."""

    follows = 0.0


@pytest.mark.parametrize("kind", [PatchEngine, Forgets])
def test_a_long_shot_in_parts_is_what_machines_make(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(counting, "MOST_WHOLE", 10)
    for name in ("one", "many"):
        job(tmp_path / name, 13, settings=replace(OWN, window=5), parts=jobs.Parts(windows=2, run_in=1))
    run_shot(str(tmp_path / "one"), kind(), emit=print, find_joints=person_in)
    for number in (2, 1):
        run_shot(str(tmp_path / "many"), kind(), emit=print, find_joints=person_in, part=number)
    assemble(str(tmp_path / "many"), kind(), emit=print, find_joints=person_in)
    assert written(tmp_path / "one") == written(tmp_path / "many")
    seam, = json.loads((tmp_path / "one" / files.SEAMS).read_text())["seams"]
    assert (seam["difference"] > 0.3 and seam["repaired"] > 0) if kind is PatchEngine else not seam["repaired"]
    run(job(tmp_path / "whole", 13, settings=replace(OWN, window=5)), kind())
    assert written(tmp_path / "one") == written(tmp_path / "whole"), "a repair reaches what a sequential run makes"


@pytest.fixture
def offered(monkeypatch):
    """The engine is one of those that packs and jobs may name."""
    monkeypatch.setitem(choose.ENGINES, NAME, ("tests.unit.patch_engine", "PatchEngine"))


def test_hello_comes_before_the_weights_and_tells_how_long_to_wait(tmp_path, offered):
    (tmp_path / "pack" / "unet").mkdir(parents=True)
    (tmp_path / "pack" / "unet" / "weights.bin").write_bytes(bytes(100))
    write_engine(tmp_path / "pack", {"engine": NAME, "name": "large", "license": "none", "window": 9, "overlap": 1,
                                     "default_steps": 2, "shapes": ["96x176"]}, ["unet/weights.bin"])
    host = Host.open(folder=tmp_path / "pack")
    hello = host.hello()
    assert (hello.kind, hello.device, hello.runtime, hello.silence_s, hello.cancel_s) \
        == (NAME, "none", "pytorch", 300.0, 240.0)
    assert messages.event(messages.to_json(hello)) == hello
    host.find_joints = person_in
    done = asked(job(tmp_path / "job", 2), host)
    assert isinstance(done, messages.Finished) and done.device == "cuda" and host.engine.opened == 1
    (tmp_path / "pack" / "unet" / "weights.bin").write_bytes(bytes(99))
    done = asked(job(tmp_path / "other", 2), Host.open(folder=tmp_path / "pack"))
    assert isinstance(done, messages.Failed) and done.code == "pack_truncated"


def test_the_embedded_engine_reckons_the_memory_that_the_panel_shows():
    """The same figures as before engines reckoned it; tests of the panel assert them, too."""
    needs = fake_engine().needs((1000, 500), 24, jobs.Settings(window=8))
    assert (needs.host_mb, needs.device_mb) == (325 + 22 * 8 + 15 * 0.5, 0)


def test_the_embedded_engine_asks_for_no_more_patience_than_usual():
    hello = Host(fake_engine(), person_in).hello()
    assert (hello.kind, hello.silence_s, hello.cancel_s) == ("compact", None, None)


def test_only_names_that_there_are_lead_to_an_engine(offered):
    assert choose.kind_of(NAME) is PatchEngine and choose.kind_of("compact") is CompactEngine
    with pytest.raises(JobError, match="engine: expected one of compact") as caught:
        choose.kind_of("huge")
    assert caught.value.code == "settings_invalid" and patch_pack().manifest.engine == NAME
