"""What the add-on writes into a job's folder stays inside it, and the artist's own files there stay."""
import os
from importlib import import_module

import pytest
from test_gather_job import edited_shot, everything
from test_place_strip import job_folder

MODULE = "bl_ext.user_default.aa2_blender"


@pytest.fixture
def job(part):
    return part("gather.job")


@pytest.fixture
def shot(blank, tmp_path):
    return edited_shot(blank, tmp_path)


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("0001.png", "0009.png", "notes.txt", "blank.png"):
        (folder / name).write_text("the artist's")
    return folder


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", ["source", "mask", "objects", "depth", "clean", "estimate", "pose.json", "run.json"])
def test_nothing_is_gathered_into_a_link(job, shot, outside, tmp_path, kind):
    from bl_ext.user_default.aa2_blender.embedded.engine.contract.errors import JobError
    folder, before = tmp_path / "job", content(outside)
    folder.mkdir()
    (folder / kind).symlink_to(outside / "notes.txt" if "." in kind else outside)
    with pytest.raises(JobError) as caught:
        list(job.gather(everything(tmp_path), folder))
    assert caught.value.code == "job_linked" and kind in caught.value.message
    assert content(outside) == before and os.listdir(folder) == [kind]


def test_what_the_artist_laid_into_a_version_stays(job, shot, tmp_path):
    folder = tmp_path / "job"
    for name in ("source/notes.txt", "mask/0001.psd", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("mine")
    (folder / "source" / "0099.png").write_text("of a longer shot")
    list(job.gather(everything(tmp_path), folder))
    assert sorted(os.listdir(folder / "source")) == [*(f"000{i}.png" for i in (1, 2, 3, 4)), "notes.txt"]
    assert (folder / "mask" / "0001.psd").read_text() == "mine"
    takes = import_module(f"{MODULE}.versions.folders")
    takes.discard(folder)
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "mask/0001.psd", "notes.txt", "source/notes.txt"]
    assert sorted(os.listdir(folder)) == ["mask", "notes.txt", "source"]


def test_a_version_of_which_nothing_is_the_artists_goes_whole(job, shot, outside, tmp_path):
    folder, takes = tmp_path / "job", import_module(f"{MODULE}.versions.folders")
    list(job.gather(everything(tmp_path), folder))
    (folder / "state").symlink_to(outside)
    before = content(outside)
    takes.discard(folder)
    assert (folder / "job.json").exists() and content(outside) == before, "a folder with links is left as it is"
    (folder / "state").unlink()
    takes.discard(folder)
    assert not folder.exists()


def test_blank_frames_are_not_written_into_a_link(blank, outside, tmp_path):
    from bl_ext.user_default.aa2_blender.embedded.engine.contract.errors import JobError
    folder, before = job_folder(tmp_path / "job", made=(1,)), content(outside)
    (folder / "frames").rename(tmp_path / "real frames")
    (folder / "frames").symlink_to(outside)
    with pytest.raises(JobError) as caught:
        import_module(f"{MODULE}.place.strip").lay_frames(blank, folder)
    assert caught.value.code == "job_linked" and content(outside) == before
