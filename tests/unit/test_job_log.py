"""The logs of a job stay small, however much is written to them, and lie in the right place."""

import json
import logging
import os

import pytest

from engine.contract import job_log
from engine.contract.job_log import LogFile, append


@pytest.fixture
def small(monkeypatch):
    """Logs of 4 kB, of which the first 500 bytes and the last 2 kB are kept."""
    for name, size in (("LARGEST", 4000), ("_BEGINNING", 500), ("_END", 2000)):
        monkeypatch.setattr(job_log, name, size)


def test_the_beginning_and_the_end_outlast(small, tmp_path):
    path = tmp_path / "engine.log"
    for number in range(1000):
        append(path, b"line %03d\n" % number)
        assert path.stat().st_size <= 4000
    lines = path.read_text().splitlines()
    gone = lines.index("... Older lines were taken out here, so that this file stays small. ...")
    assert lines[:gone] == [f"line {number:03}" for number in range(gone)] and gone > 40
    assert lines[gone + 1:] == [f"line {number:03}" for number in range(1000 - len(lines) + gone + 1,
                                                                        1000)] and len(lines) > 250
    assert os.listdir(tmp_path) == ["engine.log"]


def test_events_stay_json_lines(small, tmp_path):
    path = tmp_path / "events.jsonl"
    for number in range(300):
        append(path, json.dumps({"type": "frame", "number": number}).encode() + b"\n")
    kinds = [json.loads(line)["type"] for line in path.read_text().splitlines()]
    assert kinds.count("shortened") == 1 and kinds[0] == kinds[-1] == "frame"


def test_one_endless_line_is_bounded_too(small, tmp_path):
    path = tmp_path / "engine.log"
    for _ in range(100):
        append(path, b"x" * 1000)
    assert path.stat().st_size <= 4000


def test_what_cannot_be_shortened_grows_no_further(small, tmp_path, monkeypatch):
    path = tmp_path / "engine.log"
    monkeypatch.setattr(job_log.files, "write_whole", refuse)
    for _ in range(100):
        try:
            append(path, b"x" * 99 + b"\n")
        except job_log.JobError as error:
            assert "held open" in str(error)
    assert 8000 < path.stat().st_size < 8200


def refuse(*_):
    raise job_log.JobError("job_not_writable", "held open")


@pytest.mark.parametrize("make", [lambda path, other: os.symlink(other, path), lambda path, other: os.mkfifo(path)])
def test_a_link_or_a_pipe_by_its_name_is_refused(tmp_path, make):
    other = tmp_path / "of the artist's"
    other.write_text("kept")
    make(tmp_path / "engine.log", other)
    with pytest.raises(job_log.JobError):
        append(tmp_path / "engine.log", b"x")
    assert other.read_text() == "kept"


def test_what_is_logged_goes_there(tmp_path):
    handler = LogFile(tmp_path / "engine.log")
    handler.emit(logging.LogRecord("n", logging.WARNING, "p", 1, "half %s", ("\ud800" + "x" * 100_000,), None))
    assert (tmp_path / "engine.log").read_bytes().startswith(b"half \\ud800xxx")
    assert (tmp_path / "engine.log").stat().st_size < 70_000
