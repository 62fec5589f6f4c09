"""Nothing outside a job's folder is written or removed, whatever in it is a link, and the artist's own files in it
stay."""

import itertools
import os
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from engine.conditions.frames import write_picture
from engine.contract import files, job_log, jobs, messages
from engine.contract.errors import JobError
from engine.door.answer import Host, Tail, answer
from engine.estimate.appearance import empty_unless
from tests.unit.fake_runtime import fake_engine, person_in
from tests.unit.test_run import asked, generate, written
from tests.unit.walker import write_job

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
DOCS = Path(__file__).parents[2] / "docs" / "architecture.md"
REQUESTS = (messages.Run, messages.Preview, messages.Check, messages.Estimate,
            lambda job: messages.Deliver(job, "png8", files.DELIVERED))


def named_in_docs():
    """Every file and folder of docs/architecture.md's "Job folder", relative to it."""
    block = DOCS.read_text(encoding="utf-8").partition("## Job folder")[2].split("```")[1]
    block = re.sub(r"\(.*?\.py.*?\)", "", block)
    told = re.findall(r"[\w{},/]+\.(?:jsonl?|png|log|lock|look|latents|exr|mov)\b|\b[a-z_]+/(?=[\s,;:])", block)
    found = set()
    for name in told:
        parts = [part[1:-1].split(",") if part.startswith("{") else [part] for part in re.split(r"/", name.strip("/"))]
        for path in itertools.product(*parts):
            found.update("/".join(path[:count]) for count in range(1, len(path) + 1))
    return sorted(found)


NAMES = named_in_docs()
SINGLE = [name for name in NAMES if re.fullmatch(r"\d{4}\.\w+", name.rpartition("/")[2])]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished job of two frames, for copying."""
    folder = tmp_path_factory.mktemp("finished") / "v001"
    write_job(str(folder), 2)
    for number in (1, 2):
        write_picture(files.picture(str(folder), files.IRRADIANCE, number), np.full((240, 320, 3), 128, np.uint8))
        for kind in (files.CAST, files.FRONT):
            write_picture(files.picture(str(folder), kind, number), np.full((240, 320), 128, np.uint8))
    generate(folder)
    return folder


@pytest.fixture
def job(finished, tmp_path):
    return Path(shutil.copytree(finished, tmp_path / "job"))


@pytest.fixture
def outside(tmp_path):
    """A folder of the artist's, with files that have the engine's names."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("0001.png", "0002.png", "0009.png", "0006.latents", "0001.look", "key.json", "made.json", "notes.txt"):
        (folder / name).write_text(f"the artist's {name}")
    return folder


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lead_out(job, name, outside):
    """The job's file or folder becomes a link to one like it in `outside`."""
    inside, target = job / name, outside
    inside.parent.mkdir(parents=True, exist_ok=True)
    if "." in inside.name:
        target = outside / f"given {inside.name}"
        target.write_bytes(inside.read_bytes() if inside.is_file() else b"the artist's")
        inside.unlink(missing_ok=True)
    elif inside.is_dir():
        shutil.rmtree(inside)
    inside.symlink_to(target)


def last_answer(request):
    told = []
    answer(request, Host(fake_engine(), person_in), emit=told.append,
           stop_asked=lambda: False, tail=Tail())
    return told[-1]


def test_the_docs_and_the_rule_name_the_same():
    assert {"engine.lock", "events.jsonl", "engine.log", "frames/made.json", "state", "preview/mask",
            "estimate/looks", "output",
            "output/character.mov", "target", "clip.json", "shadow/blank.png"} <= set(NAMES) and len(NAMES) > 60
    assert set(NAMES) - set(SINGLE) <= {*files.FOLDERS, *files.FILES, *files.IN_PLACE}


@pytest.mark.parametrize("name", sorted({*NAMES, *files.FOLDERS, *files.FILES, *files.IN_PLACE} - set(SINGLE)))
def test_a_name_that_leads_outside_is_refused_before_anything_is_written(job, outside, name):
    lead_out(job, name, outside)
    before = content(outside)
    for request in (*REQUESTS, messages.Surface):
        event = last_answer(request(str(job)))
        assert isinstance(event, messages.Failed) and event.code == "job_linked", (request, event)
        assert str(job / name) in event.message and event.hint
    assert content(outside) == before


def test_a_single_picture_is_never_written_through(job, outside):
    given = {name: outside / name.replace("/", " ") for name in SINGLE}
    for name, target in given.items():
        (job / name).parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((job / name).read_bytes() if (job / name).is_file() else b"the artist's")
        (job / name).unlink(missing_ok=True)
        (job / name).symlink_to(target)
    before = content(outside)
    write_job(str(job), 2, masks=True, settings=jobs.Settings(seed=3))
    for request in (messages.Run, messages.Preview, REQUESTS[-1]):
        assert isinstance(last_answer(request(str(job))), messages.Finished), request
    for name in SINGLE:
        files.write_whole(str(job / name), b"anew")
    assert content(outside) == before and len(SINGLE) > 20


def test_the_folder_itself_may_be_reached_through_a_link(job, tmp_path):
    (tmp_path / "link").symlink_to(job)
    os.remove(job / "frames" / "0001.png")
    assert asked(tmp_path / "link").made == 2 and (job / "frames" / "0001.png").is_file()


@pytest.mark.parametrize("name", files.IN_PLACE)
@pytest.mark.parametrize("kind", ["hard link", "pipe"])
def test_what_is_written_in_place_is_an_ordinary_file(job, outside, name, kind):
    (job / name).parent.mkdir(exist_ok=True)
    (job / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(job / name)
    else:
        os.link(outside / "notes.txt", job / name)
    assert asked(job).code == "job_linked" and (outside / "notes.txt").read_text() == "the artist's notes.txt"
    with pytest.raises(JobError):
        job_log.append(str(job / name), b"a line")


def test_a_link_that_comes_after_the_look_is_not_followed(job, outside):
    (job / "events.jsonl").symlink_to(outside / "notes.txt")
    with pytest.raises(JobError) as caught:
        job_log.append(str(job / "events.jsonl"), b"a line")
    assert caught.value.code == "job_linked" and (outside / "notes.txt").read_text() == "the artist's notes.txt"


def test_what_is_the_artists_in_the_engines_folders_stays(job):
    own = [job / name for name in ("state/notes.txt", "state/0006.latents.bak", "state/0006", "frames/sheet.png",
                                   "frames/0001.jpg", "shadow/.0001.png", "frames/.aa2-notes.png")]
    for path in own:
        path.write_text("mine")
    (job / "state" / "0009.latents").write_text("of a longer job")
    write_job(str(job), 2, settings=jobs.Settings(seed=3))
    assert asked(job).made == 2
    assert all(path.read_text() == "mine" for path in own) and not (job / "state" / "0009.latents").exists()


def test_what_an_estimate_kept_goes_by_its_own_names(tmp_path):
    looks = tmp_path / "looks"
    empty_unless(str(looks), {"key": 1})
    for name in ("0001.look", "0001.parts", "notes.txt", "0001.look.bak"):
        (looks / name).write_text("")
    empty_unless(str(looks), {"key": 1})
    assert len(list(looks.iterdir())) == 5
    empty_unless(str(looks), {"key": 2})
    assert sorted(path.name for path in looks.iterdir()) == ["0001.look.bak", "key.json", "notes.txt"]


def test_temporaries_go_when_nobody_can_be_writing_them(job):
    ours, theirs = files.own_name("0001.png"), f".aa2-{'0' * 8}-{'1' * 16}-0001.png"
    assert len({files.own_name("a"), files.own_name("a")}) == 2 and files._HOST in ours != theirs
    at_once = [job / "frames" / ours, job / "state" / files.own_name("0004.latents"),
               job / "frames" / files.own_name("made.json")]
    later = [job / "frames" / theirs, job / "source" / ours, job / "output" / ours,
             job / "frames" / files.own_name("blank.png")]
    for path in [*at_once, *later]:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    asked(job)
    assert not any(path.exists() for path in at_once) and all(path.exists() for path in later)
    for path in later:
        os.utime(path, (time.time() - files.OLD_S - 60,) * 2)
    asked(job)
    assert not any(path.exists() for path in later)


def test_a_temporary_is_never_written_through_a_link(tmp_path, monkeypatch):
    (tmp_path / "outside").write_text("the artist's")
    monkeypatch.setattr(files.secrets, "token_hex", lambda count: "0" * 2 * count)
    os.symlink(tmp_path / "outside", tmp_path / files.own_name("job.json"))
    with pytest.raises(JobError):
        files.write_whole(str(tmp_path / "job.json"), b"{}")
    assert (tmp_path / "outside").read_text() == "the artist's" and not (tmp_path / "job.json").exists()


def test_a_finished_job_is_left_as_it_is_by_a_second_run(job):
    before = written(job)
    assert asked(job).reused == 2 and written(job) == before
