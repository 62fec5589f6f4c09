"""A warning says that a movie was cut off, and a shorter video never removes what is finished in the job's folder."""

import numpy as np
import performer_shot as shots
import pytest

from engine.conditions.frames import write_picture
from engine.contract import files, jobs
from engine.contract.errors import WARNINGS, JobError
from engine.estimate import intake
from engine.estimate.footage import Clock, Footage
from engine.job.progress import Watch

FRAMES = 20
FINISHED = (files.SOURCE, files.FRAMES, files.SHADOW, files.MASK)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A movie of 20 pictures, the same cut at 70 %, and one of 12."""
    folder = tmp_path_factory.mktemp("films")
    backdrop = shots.room((160, 120))
    pictures = [np.roll(backdrop, 3 * k, axis=1) for k in range(FRAMES)]
    whole = shots.as_movie(folder / "whole.avi", pictures)
    data = (folder / "whole.avi").read_bytes()
    (folder / "cut.avi").write_bytes(data[:int(0.7 * len(data))])
    return {"whole": whole, "cut": str(folder / "cut.avi"),
            "short": shots.as_movie(folder / "short.avi", pictures[:12]),
            "pictures": shots.as_folder(folder / "pictures", pictures[:12])}


def taken(job, video):
    """(Intake, {code: message})."""
    told = {}
    watch = Watch(str(job), lambda event: None, lambda: False)
    watch.work_begins()
    found = intake.take_in(str(job), video, watch=watch, pieces=1,
                           say=lambda code, message, frames: told.setdefault(code, message))
    return found, told


def finish(job):
    """Makes the job look as if it had been estimated and generated."""
    (job / files.POSE).write_text("the pose of 20 frames")
    for kind in FINISHED[1:]:
        for number in range(1, FRAMES + 1):
            write_picture(files.picture(str(job), kind, number), np.full((4, 4), number, np.uint8))


def everything(job):
    return {path: path.read_bytes() for path in job.rglob("*") if path.is_file() and path.parent.name != "estimate"}


def test_a_movie_cut_off_is_said_to_be_one(films, tmp_path):
    found, told = taken(tmp_path / "job", films["cut"])
    assert 10 <= found.frames <= 15 and set(told) == {"footage_cut_off"} <= set(WARNINGS)
    assert f"should have {FRAMES} frames, but only {found.frames} can be read" in told["footage_cut_off"]
    assert taken(tmp_path / "job", films["cut"])[1] == told, "said again where nothing is read again"
    assert taken(tmp_path / "other", films["whole"])[1] == {}


def test_a_movie_cut_off_leaves_a_finished_job_as_it_is(films, tmp_path):
    job = tmp_path / "job"
    taken(job, films["whole"])
    finish(job)
    before = everything(job)
    with pytest.raises(JobError, match="cut.avi has 1. frames .* holds 20") as failure:
        taken(job, films["cut"])
    assert failure.value.code == "footage_shorter" and failure.value.remedy
    assert everything(job) == before and jobs.read(str(job)).frames == FRAMES
    assert taken(job, films["whole"])[0].frames == FRAMES and everything(job) == before


def test_a_movie_cut_off_leaves_a_job_that_is_not_generated_yet(films, tmp_path):
    job = tmp_path / "job"
    taken(job, films["whole"])
    (job / files.POSE).write_text("the pose of 20 frames")
    before = everything(job)
    with pytest.raises(JobError, match="holds 20"):
        taken(job, films["cut"])
    assert everything(job) == before


@pytest.mark.parametrize("video", ["short", "pictures"])
def test_another_shorter_video_touches_no_finished_job(films, tmp_path, video):
    job = tmp_path / "job"
    taken(job, films["whole"])
    finish(job)
    before = everything(job)
    with pytest.raises(JobError) as failure:
        taken(job, films[video])
    assert failure.value.code == "footage_shorter" and everything(job) == before


def test_a_shorter_video_takes_the_place_of_one_of_which_nothing_is_finished(films, tmp_path):
    job = tmp_path / "job"
    taken(job, films["whole"])
    assert taken(job, films["short"])[0].frames == 12
    assert files.numbers(str(job), files.SOURCE) == list(range(1, 13)) and jobs.read(str(job)).frames == 12


@pytest.mark.parametrize("told, dues, missing", [
    (20, range(20), 0), (20, range(18), 0), (20, range(17), 3), (0, range(5), 0), (20, (), 0),
    (1000, range(991), 0), (1000, range(989), 11), (100_000, range(99_970), 30),
    (20, [2 * k for k in range(10)], 0)])                                  # as long as it says, but with fewer pictures
def test_how_many_are_missing(told, dues, missing):
    """Up to two missing frames, or one in a hundred up to one second's worth, may be the container's fault."""
    clock = Clock()
    for due in dues:
        clock.tell(due)
    assert clock.missing(Footage(None, (16, 16), 25.0, told, False)) == missing


def test_what_the_job_holds_beyond_its_frames_is_not_delivered(films, tmp_path):
    from engine.job.deliver import deliver
    job = tmp_path / "job"
    taken(job, films["short"])
    write_picture(files.picture(str(job), files.FRAMES, 13), np.zeros((4, 4), np.uint8))
    with pytest.raises(JobError, match="0 of 12 frames"):
        deliver(str(job), "png8", ("matte",), emit=None, find_joints=None)
