"""A range of a finished shot is made again: its neighbours stay exactly the same, the networks see them, and a resume
knows them."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine.conditions.frames import read_picture, write_picture
from engine.contract import files, jobs, messages
from engine.contract.errors import JobError
from engine.engines.windows import Window, plan
from engine.job.progress import Stopped
from tests.unit.fake_runtime import FakeRuntime
from tests.unit.test_run import generate, layers, written
from tests.unit.walker import write_job

FRAMES = 12


class Watching(FakeRuntime):
    """Stores the noise levels of each denoising call."""

    def __init__(self):
        super().__init__()
        self.levels = []

    def denoise(self, noisy, levels, **told):
        self.levels.append(levels.copy())
        return super().denoise(noisy, levels, **told)


@pytest.fixture
def finished(tmp_path):
    folder = tmp_path / "v001"
    write_job(str(folder), FRAMES, settings=jobs.Settings(seed=1))
    generate(folder)
    return folder


def fixed(folder, first, last, seed=2, target=None):
    """Another version, which fixes a range of a finished one, as the add-on makes it."""
    target = target or folder.parent / "v002"
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("state", "made.json", "engine.lock"))
    job = jobs.read(str(folder))
    jobs.write(str(target), replace(job, fix=jobs.FixRange(first, last), settings=replace(job.settings, seed=seed)))
    return target


@pytest.mark.parametrize("first, last", [(5, 6), (1, 3), (10, 12), (3, 11), (7, 7), (1, 12)])
def test_only_the_range_changes(finished, first, last):
    target = fixed(finished, first, last)
    done, told = generate(target)
    inside = last - first + 1
    assert (done.made, done.reused) == (inside, FRAMES - inside)
    assert sorted(event.number for event in told.of(messages.Frame)) == list(range(1, FRAMES + 1))
    before, after = written(finished), written(target)
    for number in range(1, FRAMES + 1):
        name = next(path for path in before if path.name == f"{number:04d}.png" and path.parts[0] == "frames")
        assert (before[name] != after[name]) == (first <= number <= last), number


def test_neighbours_on_both_sides_ride_along_at_level_0(finished):
    runtime = Watching()
    generate(fixed(finished, 6, 6), runtime=runtime)
    assert (runtime.levels[0] == 0).tolist() == [True, True, False, True]


def test_the_range_follows_its_neighbours(finished):
    """If a neighbour was painted over, the frames beside it change: the pictures are what counts."""
    plain = fixed(finished, 6, 7)
    generate(plain)
    painted = fixed(finished, 6, 7, target=finished.parent / "v003")
    path = files.picture(str(painted), files.FRAMES, 8)
    picture = read_picture(path)
    picture[..., :3] = 255 - picture[..., :3]
    write_picture(path, picture)
    generate(painted)
    assert any((layers(plain, n)[0] != layers(painted, n)[0]).any() for n in (6, 7))
    assert (read_picture(path) == picture).all(), "what the artist painted stays"


def test_a_fixed_range_resumes_to_the_same_bits(finished):
    whole = fixed(finished, 3, 11)
    generate(whole)
    stopped = fixed(finished, 3, 11, target=finished.parent / "v003")
    calls = []

    def stop():
        calls.append(1)
        return len(calls) > 60
    with pytest.raises(Stopped):
        generate(stopped, stop_asked=stop)
    done, _told = generate(stopped)
    assert 0 < done.made < 9 and written(stopped) == written(whole)


def test_a_finished_fix_makes_nothing_again(finished):
    target = fixed(finished, 4, 5)
    generate(target)
    done, _told = generate(target)
    assert (done.made, done.reused) == (0, FRAMES)


def test_a_held_frame_that_is_missing_is_named(finished):
    target = fixed(finished, 4, 5)
    (target / "shadow" / "0009.png").unlink()
    with pytest.raises(JobError) as caught:
        generate(target)
    assert caught.value.code == "held_missing" and "0009.png" in caught.value.message


@pytest.mark.parametrize("first, last", [(0, 3), (5, 4), (5, 13)])
def test_a_range_outside_of_the_shot_is_no_job(finished, first, last):
    with pytest.raises(JobError, match="fix"):
        fixed(finished, first, last)


@pytest.mark.parametrize("size, overlap, made", [
    (8, 2, range(5, 6)), (8, 2, range(1, 21)), (8, 2, range(3, 15)), (4, 2, range(4, 9)), (2, 1, range(3, 6)),
    (1, 0, range(2, 4)), (8, 2, range(18, 21))])
def test_windows_make_each_frame_of_the_range_once(size, overlap, made):
    span = range(1, 21)
    windows = plan(span, size, overlap, made)
    assert [number for window in windows for number in window.made] == list(made)
    for window in windows:
        assert len(window.frames) <= size and len(window.before) <= overlap and len(window.after) <= overlap
        assert window.made and window.frames.start >= span.start and window.frames.stop <= span.stop
    assert plan(span, size, overlap, span) == plan(span, size, overlap)
    if size > 2 * overlap + 1:
        assert len(windows[-1].after) == min(overlap, span.stop - made.stop)


def test_a_window_without_a_range_has_nothing_after_it():
    assert Window(1, 3, 9).frames == range(1, 9) and not Window(1, 3, 9).after


def test_grow_and_feather_reach_the_layer(tmp_path):
    alphas = {}
    for name, more in {"plain": {}, "grown": {"mask_grow": (12.0,) * 2}, "shrunk": {"mask_grow": (-8.0,) * 2},
                       "soft": {"mask_feather": (10.0,) * 2}, "second": {"mask_grow": (0.0, 12.0)}}.items():
        folder = tmp_path / name
        write_job(str(folder), 2, settings=jobs.Settings(shape="256x256"))
        jobs.write(str(folder), replace(jobs.read(str(folder)), **more))
        generate(folder)
        alphas[name] = [layers(folder, number)[0][..., 3].astype(float).sum() for number in (1, 2)]
    assert alphas["grown"][0] > 1.1 * alphas["plain"][0] > alphas["plain"][0] > 1.05 * alphas["shrunk"][0]
    assert alphas["soft"][0] < 0.95 * alphas["plain"][0]
    assert np.isclose(alphas["second"][0], alphas["plain"][0],
                      rtol=0.1) and alphas["second"][1] > 1.1 * alphas["plain"][1]


@pytest.mark.parametrize("field, values", [("mask_grow", (1.0,)), ("mask_feather", (1.0, -1.0)), ("mask_grow", "wide")])
def test_lists_that_do_not_fit_the_frames_are_refused(tmp_path, field, values):
    write_job(str(tmp_path), 2)
    with pytest.raises(JobError, match=field):
        jobs.write(str(tmp_path), replace(jobs.read(str(tmp_path)), **{field: values}))
