"""farm.json marks a version that a farm makes; its progress is read from the files of the parts."""
import json
import os

import pytest
from add_on import part

from engine.contract import files, jobs, messages

farm, folders = part("versions.farm"), part("versions.folders")


@pytest.fixture
def marked(tmp_path):
    """v001 with a mark for three parts; nothing is gathered yet."""
    farm.write_mark(tmp_path / "v001", "openjd", 3)
    return tmp_path / "v001"


def said(folder, number, *events, at):
    home = files.part_folder(folder, number) if number else folder
    os.makedirs(home, exist_ok=True)
    path = files.path(home, files.EVENTS)
    with open(path, "w") as file:
        file.writelines(json.dumps(messages.to_json(event)) + "\n" for event in events)
    os.utime(path, (at, at))


def test_a_mark_is_read_as_it_was_written(marked):
    mark = farm.mark_of(marked)
    assert (mark.target, mark.parts) == ("openjd", 3) and mark.written > 1e9
    assert farm.mark_of(marked.parent / "v002") is None
    for damaged in ('{"version": 2}', '{"version": 1, "target": 3}', "{"):
        (marked / files.FARM).write_text(damaged)
        assert farm.mark_of(marked) is None and farm.is_marked(marked), "a farm may still be at work"


def test_parts_are_counted_and_the_newest_event_counts(marked):
    assert farm.progress_of(marked) == farm.FarmProgress(0, 3, 0, 0)
    jobs.write(marked, jobs.Job("shot", (64, 48), 2))
    said(marked, 1, messages.Finished("j", 2, 2, 0, 0, 1.0, {}), at=1000)
    (marked / "parts/0001/part.json").write_text("{}")
    said(marked, 2, messages.Progress("j", "denoise", 1, 2), messages.Failed("j", "disk_full", "The disk is full."),
         at=2000)
    found = farm.progress_of(marked)
    assert (found.done, found.parts, found.heard, found.error) == (1, 3, 2000.0, "The disk is full.")
    said(marked, 3, messages.Progress("j", "denoise", 1, 2), at=3000)
    assert farm.progress_of(marked).error == "", "another part goes on"
    with open(files.path(files.part_folder(marked, 3), files.EVENTS), "a") as file:
        file.write('{"type": "fai')
    assert farm.progress_of(marked).error == "", "a line that is being written says nothing"


def test_a_version_is_home_when_all_frames_are_there(marked):
    jobs.write(marked, jobs.Job("shot", (64, 48), 2))
    assert farm.is_at_work(marked)
    (marked / "frames").mkdir()
    for number in (1, 2):
        assert farm.is_at_work(marked)
        (marked / f"frames/{number:04}.png").write_bytes(b"frame")
    assert not farm.is_at_work(marked) and farm.progress_of(marked).is_home


def test_no_generate_takes_a_version_that_a_farm_has(marked):
    assert folders.vacant(marked.parent) == marked.parent / "v002", "not even before it is gathered"
    jobs.write(marked, jobs.Job("shot", (64, 48), 2))
    jobs.write(marked.parent / "v002", jobs.Job("shot", (64, 48), 2))
    assert folders.vacant(marked.parent) == marked.parent / "v002"
    steps = folders.twin(marked.parent / "v002")
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    assert end.value.value is None, "the farm's version was gathered from the same inputs, and is not continued"


def test_pictures_that_a_network_drive_lists_late_are_found_by_their_names(tmp_path, monkeypatch):
    (tmp_path / "frames").mkdir()
    for number in (1, 2):
        (tmp_path / f"frames/{number:04}.png").write_bytes(b"frame")
    monkeypatch.setattr(os, "listdir", lambda folder: ["0001.png"] if os.fspath(folder).endswith("frames") else [])
    assert files.missing(tmp_path, files.FRAMES, 2) == [] and files.missing(tmp_path, files.FRAMES, 3) == [3]
    monkeypatch.setattr(os, "listdir", lambda folder: [])
    assert files.has(tmp_path, files.FRAMES) and not files.has(tmp_path, files.SHADOW)
