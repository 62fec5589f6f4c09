"""A film of a known figure -> a job. Joints and mask are in the right place, warnings say what is odd, and the estimate
can be stopped and continued."""

import json
import os
import shutil
import tracemalloc
from itertools import pairwise

import cv2
import numpy as np
import performer_shot as shots
import pytest

from engine import __main__ as command
from engine.conditions.bundle import plan_shot
from engine.conditions.poses import read_poses
from engine.contract import files, jobs, messages
from engine.contract.errors import WARNINGS, JobError
from engine.contract.skeleton import BODY_INDEX
from engine.door import answer
from engine.estimate import performer
from engine.estimate.silhouette import cut_off
from engine.estimate.source import Source
from engine.job.progress import Stopped

FRAMES = 12


def estimate(job, video=None, *, stop_asked=lambda: False, **asked):
    """(Finished, [events])."""
    told = []
    return performer.estimate(messages.Estimate(str(job), video and str(video), **asked), emit=told.append,
                              stop_asked=stop_asked, threads=1), told


def warnings(told):
    found = {event.code: event.frames for event in told if isinstance(event, messages.Warned)}
    assert set(found) <= set(WARNINGS)
    return found


def figures(job):
    return [people[0] if people else None for people in read_poses(str(job), jobs.read(str(job)).frames)]


def masks(job):
    return [shots.picture_of(job, files.MASK, n) > 127 for n in range(1, jobs.read(str(job)).frames + 1)]


def assert_found(figure, place, within=0.05):
    true = shots.true_joints(place)
    for joint, at in true.items():
        x, y, _, sure = figure.body[BODY_INDEX[joint]]
        if sure > 0 and 0 <= at[0] < shots.SIZE[0]:
            assert np.hypot(x - at[0], y - at[1]) < within * shots.HEIGHT_PX, joint


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """(path of a folder of pictures, masks)."""
    pictures, truth = zip(*shots.film(FRAMES), strict=True)
    return shots.as_folder(tmp_path_factory.mktemp("film"), pictures), truth


@pytest.fixture(scope="module")
def made(film, tmp_path_factory):
    """(the job that was estimated from the film, its events)."""
    job = tmp_path_factory.mktemp("made")
    done, told = estimate(job, film[0], clean=True)
    return job, done, told


def test_joints_and_mask_lie_where_they_are(made, film):
    job, done, told = made
    assert (done.frames, done.made, done.passed) == (FRAMES, FRAMES, 0) and warnings(told) == {}
    for figure, place in zip(figures(job), shots.places(FRAMES), strict=True):
        assert_found(figure, place)
        assert figure.height_px == pytest.approx(shots.HEIGHT_PX, rel=0.08)
    for mask, true in zip(masks(job), film[1], strict=True):
        assert (mask & true).sum() / (mask | true).sum() > 0.85


def test_hands_are_found_and_face_the_right_way(made):
    for figure in figures(made[0])[4:]:
        left, right = figure.hands
        assert left is not None and right is not None
        for hand, side in ((left, "left"), (right, "right")):
            wrist = figure.body[BODY_INDEX[f"{side}_wrist"]]
            assert np.hypot(*(hand[0, :2] - wrist[:2])) < 0.05 * figure.height_px
            assert abs(hand[:, 2] - wrist[2]).max() < 0.3 and 0.5 < hand[:, 3].max() <= 1


def test_no_limb_of_the_skeleton_is_cut_off(made):
    for figure, mask in zip(figures(made[0]), masks(made[0]), strict=True):
        assert cut_off(mask, figure.body) == []


def test_the_job_can_be_generated_from(made):
    job = jobs.read(str(made[0]))
    assert (job.size, job.frames, job.clean_plate, job.clean_pictures) == (shots.SIZE, FRAMES, False, True)
    assert all(plan_shot(str(made[0]), job).plan.present)


def test_the_clean_plate_is_the_room(made):
    room = shots.room()
    for number in (1, 6, FRAMES):
        clean = shots.picture_of(made[0], files.CLEAN, number)[..., ::-1].astype(int)
        assert np.abs(clean - room).mean() < 1.5
        source = shots.picture_of(made[0], files.SOURCE, number)[..., ::-1]
        away = ~cv2.dilate(shots.picture_of(made[0], files.MASK, number), np.ones((31, 31))).astype(bool)
        assert np.array_equal(clean[away], source[away].astype(int)), "what nobody covers stays as it was shot"


def test_progress_comes_to_its_end_and_says_when(made):
    steps = [event for event in made[2] if isinstance(event, messages.Progress)]
    assert steps[-1].step == steps[-1].total and {step.stage for step in steps} == {"read", "follow", "mask", "clean"}
    assert all(b.step >= a.step for a, b in pairwise(steps)) and steps[-1].eta_s == pytest.approx(0, abs=1e-6)


def test_a_second_estimate_looks_at_nothing_again(made, film, tmp_path, monkeypatch):
    job = tmp_path / "job"
    shutil.copytree(made[0], job)
    pose = (job / files.POSE).read_bytes()
    looked = []
    look = performer.Follower._people
    monkeypatch.setattr("engine.estimate.hands.find_hands", lambda *_: looked.append(1))
    monkeypatch.setattr(performer.Follower, "_people", lambda self, picture, **where: look(self, picture, **where))
    done, _ = estimate(job, film[0])
    assert done.reused == FRAMES - 1 and not looked, "all but the frame in which he is chosen"
    assert (job / files.POSE).read_bytes() == pose


def test_stopped_it_goes_on_to_the_same(made, film, tmp_path):
    job, asked = tmp_path / "job", []

    def stop():
        looks = tmp_path / "job" / "estimate" / "looks"
        asked.append(1)
        return looks.is_dir() and len(list(looks.glob("*.look"))) >= 5
    with pytest.raises(Stopped):
        estimate(job, film[0], clean=True, stop_asked=stop)
    assert not (job / files.POSE).exists()
    done, _ = estimate(job, film[0], clean=True)
    assert done.reused >= 3
    assert (job / files.POSE).read_bytes() == (made[0] / files.POSE).read_bytes()


def test_of_two_the_one_in_the_box(tmp_path):
    room = shots.room((400, 260))
    small, large = shots.figure(scale=0.5), shots.figure(scale=0.65)
    pictures = [shots.laid(shots.laid(room, (10 + 3 * t, 10), large)[0], (250 - 3 * t, 50), small)[0] for t in range(6)]
    folder = shots.as_folder(tmp_path / "film", pictures)
    estimate(tmp_path / "largest", folder, hands=False)
    estimate(tmp_path / "chosen", folder, hands=False, box=(250, 50, 375, 240), frame=2)
    assert figures(tmp_path / "largest")[2].body[1, 0] < 200 < figures(tmp_path / "chosen")[2].body[1, 0]


def test_two_who_cross_are_not_taken_for_one_another(tmp_path):
    red, blue = (shots.figure(scale=0.55, tint=tint) for tint in ((1.0, 0.45, 0.45), (0.45, 0.45, 1.0)))
    room, steps = shots.room((560, 260)), range(0, 400, 20)
    pictures = [shots.laid(shots.laid(room, (10 + x, 20), red)[0], (400 - x, 26), blue)[0] for x in steps]
    _, told = estimate(tmp_path / "job", shots.as_movie(tmp_path / "film.avi", pictures, fps=12.0), hands=False,
                       box=(10, 20, 150, 230))
    found = [(x, figure.body[1, 0]) for x, figure in zip(steps, figures(tmp_path / "job"), strict=True)
             if figure is not None]
    assert len(found) > 14 and "people_crossing" in warnings(told)
    middle = 10 + 0.55 * 128
    apart = [abs(neck - (middle + x)) for x, neck in found if abs(2 * x - 390) > 150]
    assert max(apart) < 15, "he goes to the right, the other one to the left"


def test_pictures_are_let_go(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    shots.as_folder(tmp_path / files.SOURCE, [picture] * 200)
    tracemalloc.start()
    with Source(str(tmp_path), 200, (160, 120)) as source:
        for number in (*range(1, 201), *range(200, 0, -1)):
            assert source.read(number).shape == (120, 160, 3)
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * picture.nbytes


def test_the_artists_mask_chooses_joins_or_overrides(tmp_path):
    pair = [shots.laid(shots.laid(shots.room(), (10, 10), shots.figure(scale=0.65))[0], (250, 50),
                       shots.figure(scale=0.5))
            for _ in range(4)]
    folder = shots.as_folder(tmp_path / "film", [picture for picture, _ in pair])
    grey = [np.repeat((mask * 255).astype(np.uint8)[..., None], 3, -1) for _, mask in pair]
    for picture in grey:
        picture[:20, :20] = 255  # the artist's own addition
    mask = shots.as_folder(tmp_path / "mask", grey)
    for use, corner in (("choose", False), ("join", True), ("override", True)):
        estimate(tmp_path / use, folder, hands=False, mask=mask, mask_use=use)
        assert figures(tmp_path / use)[1].body[1, 0] > 240
        assert masks(tmp_path / use)[1][:20, :20].all() == corner
    assert np.array_equal(masks(tmp_path / "override")[1], grey[1][..., 0] > 127)
    with pytest.raises(JobError, match="expected a picture for each of 4 frames"):
        estimate(tmp_path / "short", folder, mask=shots.as_folder(tmp_path / "few", grey[:2]))
    with pytest.raises(JobError, match="expected 400x260"):
        estimate(tmp_path / "small", folder, mask=shots.as_folder(tmp_path / "tiny", [g[:100] for g in grey]))


def test_a_mask_may_be_a_movie(tmp_path):
    pictures, truth = zip(*shots.film(3), strict=True)
    folder = shots.as_folder(tmp_path / "film", pictures)
    movie = shots.as_movie(tmp_path / "mask.avi",
                           [np.repeat((m * 255).astype(np.uint8)[..., None], 3, -1) for m in truth])
    estimate(tmp_path / "job", folder, hands=False, mask=movie, mask_use="override")
    for mask, true in zip(masks(tmp_path / "job"), truth, strict=True):
        assert (mask & true).sum() / (mask | true).sum() > 0.97


def test_a_jobs_own_source(tmp_path):
    pictures, _ = zip(*shots.film(4), strict=True)
    shots.as_folder(tmp_path / files.SOURCE, pictures)
    with pytest.raises(JobError) as failure:
        estimate(tmp_path)
    assert failure.value.code == "job_missing"
    jobs.write(str(tmp_path), jobs.Job("own", shots.SIZE, 4, clean_plate=False, retarget=0.5))
    done, _ = estimate(tmp_path, hands=False)
    assert done.made == 4 and jobs.read(str(tmp_path)).retarget == 0.5
    (tmp_path / files.SOURCE / "0003.png").unlink()
    with pytest.raises(JobError) as failure:
        estimate(tmp_path)
    assert failure.value.code == "source_missing"


def test_a_cut_is_found_and_the_performer_after_it(tmp_path):
    second = shots.film(8, backdrop=255 - shots.room(seed=5), start=220, step=-20)
    pictures = [picture for picture, _ in shots.film(8) + second]
    _, told = estimate(tmp_path / "job", shots.as_folder(tmp_path / "film", pictures), hands=False)
    assert warnings(told) == {"cut_found": (9,)}
    found = figures(tmp_path / "job")
    assert_found(found[7], shots.places(8)[7])
    assert_found(found[8], shots.places(8, start=220, step=-20)[0])


def test_one_who_leaves_and_returns(tmp_path):
    room, drawn = shots.room(), shots.figure(scale=shots.SCALE)
    steps = [*range(60, 400, 20), *[400] * 16, *range(390, 60, -20)]
    pictures = [shots.laid(room, (x, 15), drawn)[0] for x in steps]
    _, told = estimate(tmp_path / "job", shots.as_movie(tmp_path / "film.avi", pictures, fps=12.0), hands=False)
    lost = warnings(told)["performer_lost"]
    away = [n for n, x in enumerate(steps, 1) if x >= 400]
    assert set(away) <= set(lost) and len(lost) < len(away) + 12
    assert figures(tmp_path / "job")[-2] is not None and not masks(tmp_path / "job")[away[5] - 1].any()


def test_nobody(tmp_path):
    folder = shots.as_folder(tmp_path / "film", [shots.room()] * 5)
    done, told = estimate(tmp_path / "job", folder)
    assert done.passed == 5 and warnings(told) == {"nobody_found": (1, 2, 3, 4, 5)}
    assert figures(tmp_path / "job") == [None] * 5 and not any(mask.any() for mask in masks(tmp_path / "job"))


def test_one_of_five_pixels_is_nobody_and_one_of_fifty_is_small(tmp_path):
    for height, code in ((5, "nobody_found"), (50, "performer_small")):
        drawn = shots.figure(scale=height / shots.TRUTH["front"]["height_px"])
        pictures = [shots.laid(np.full((150, 200, 3), 170, np.uint8), (60 + t, 60), drawn)[0] for t in range(4)]
        _, told = estimate(tmp_path / f"{height}", shots.as_folder(tmp_path / f"film{height}", pictures), hands=False)
        assert code in warnings(told)


def test_upside_down(tmp_path):
    pictures = [np.ascontiguousarray(picture[::-1, ::-1]) for picture, _ in shots.film(3)]
    estimate(tmp_path / "job", shots.as_folder(tmp_path / "film", pictures), hands=False)
    for figure, place in zip(figures(tmp_path / "job"), shots.places(3), strict=True):
        turned = figure.body.copy()
        turned[:, :2] = shots.SIZE - turned[:, :2]
        true = shots.true_joints(place)
        assert np.hypot(*(turned[BODY_INDEX["left_knee"], :2] - true["left_knee"])) < 0.06 * shots.HEIGHT_PX
        assert turned[BODY_INDEX["left_ankle"], 1] > turned[BODY_INDEX["neck"], 1] + 80


def test_motion_blur(tmp_path):
    kernel = np.full((1, 11), 1 / 11)
    pictures = [cv2.filter2D(picture, -1, kernel) for picture, _ in shots.film(4)]
    estimate(tmp_path / "job", shots.as_folder(tmp_path / "film", pictures), hands=False)
    for figure, place in zip(figures(tmp_path / "job"), shots.places(4), strict=True):
        assert_found(figure, place, within=0.07)


def test_a_still(tmp_path):
    shots.as_folder(tmp_path, [shots.film(1, start=100)[0][0]])
    done, told = estimate(tmp_path / "job", tmp_path / "0001.png", clean=True)
    assert done.frames == done.made == 1 and warnings(told) == {"clean_holes": (1,)}
    assert_found(figures(tmp_path / "job")[0], (100, 15))


def test_files_that_are_no_video(tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_bytes(b"no movie " * 99)
    for name, code in (("empty.mp4", "footage_unreadable"), ("text.mp4", "footage_unreadable"),
                       ("none.mp4", "footage_missing")):
        with pytest.raises(JobError) as failure:
            estimate(tmp_path / "job", tmp_path / name)
        assert failure.value.code == code and name in failure.value.message
    assert not (tmp_path / "job" / files.POSE).exists()


def test_a_shorter_video_leaves_nothing_of_the_longer(tmp_path):
    pictures = [picture for picture, _ in shots.film(6)]
    estimate(tmp_path / "job", shots.as_folder(tmp_path / "long", pictures), hands=False)
    estimate(tmp_path / "job", shots.as_folder(tmp_path / "short", pictures[:3]), hands=False)
    for kind in (files.SOURCE, files.MASK):
        assert files.numbers(str(tmp_path / "job"), kind) == [1, 2, 3]
    assert len(figures(tmp_path / "job")) == 3


def test_what_is_kept_belongs_to_its_choice(made, tmp_path):
    job = tmp_path / "job"
    shutil.copytree(made[0], job)
    looks = job / "estimate" / "looks"
    key = json.loads((looks / "key.json").read_text())
    broken = looks / "0004.look"
    broken.write_bytes(b"half")
    done, _ = estimate(job)
    assert done.made >= 1, "a broken look is looked at again"
    estimate(job, box=(0, 0, 150, 250))
    assert json.loads((looks / "key.json").read_text()) != key


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "job").write_text("a file")
    with pytest.raises(JobError) as failure:
        estimate(tmp_path / "job", shots.as_folder(tmp_path / "film", [shots.room()]))
    assert failure.value.code == "job_not_writable" and os.path.isfile(tmp_path / "job")


def answered(request):
    told = []
    good = answer.answer(request, None, emit=told.append, stop_asked=lambda: False, tail=answer.Tail())
    return good, told[-1]


def test_the_engine_answers_without_weights(film, tmp_path):
    folder = shots.as_folder(tmp_path / "film", [cv2.imread(f"{film[0]}/0006.png")[..., ::-1]])
    good, done = answered(messages.Estimate(str(tmp_path / "job"), folder, hands=False))
    assert good and isinstance(done, messages.Finished) and done.made == 1
    good, people = answered(messages.FindPeople(f"{film[0]}/0006.png"))
    left, top, right, bottom = people.boxes[0]
    hips = shots.true_joints(shots.places(FRAMES)[5])["left_hip"]
    assert good and len(people.boxes) == 1 and left < hips[0] < right and top < hips[1] < bottom
    good, failed = answered(messages.Estimate(str(tmp_path / "job"), str(tmp_path / "none.mp4")))
    assert not good and failed.code == "footage_missing"


def test_the_command_line_asks_for_what_it_says(tmp_path):
    picture = tmp_path / "hero.png"
    picture.write_bytes(b"picture")
    line = ["estimate", "a.mp4", "-o", str(tmp_path / "job"), "--box", "1,2,3.5,4", "--frame", "7",
            "--mask", "m", "--mask-use",
            "override", "--no-hands", "--clean", "--depth-model", "d.onnx", "--reference", str(picture)]
    [asked] = command._requests(command._parser().parse_args(line))
    assert asked == messages.Estimate(str(tmp_path / "job"), "a.mp4", 7, (1.0, 2.0, 3.5, 4.0), "m", "override",
                                    False, True, "d.onnx")
    assert (tmp_path / "job" / files.REFERENCE).read_bytes() == b"picture"
    assert command._requests(command._parser().parse_args(["estimate", "-o", "j"])) == [messages.Estimate("j")]
    with pytest.raises(JobError, match="none.png"):
        command._requests(command._parser().parse_args(["estimate", "-o", "j", "--reference",
                                                        str(tmp_path / "none.png")]))
    with pytest.raises(SystemExit):
        command._parser().parse_args(["estimate", "-o", "j", "--box", "1,2,3"])
