"""Progress of the command line, for people, for programs and for render farms."""
import json

import pytest

from engine.contract import messages, telling

EVENTS = [messages.Progress("j", "denoise", 3, 8, 4.5), messages.Warned("j", "frames_passed", "Nobody.", (1, 2)),
          messages.Failed("j", "disk_full", "The disk is\nfull.", "Free some space."),
          messages.Finished("j", 4, 2, 1, 1, 9.5, {"read": 1.5})]


@pytest.fixture
def told(capsys):
    def of(kind):
        for event in EVENTS:
            telling.teller(kind)(event)
        return capsys.readouterr()
    return of


def test_a_farm_reads_each_line(told):
    lines = told("openjd").out.splitlines()
    assert lines == ["openjd_progress: 37.5", "openjd_status: denoise 3 of 8", "openjd_status: Nobody. Frames 1-2.",
                     "openjd_fail: disk_full: The disk is full. Free some space.", "openjd_progress: 100",
                     "openjd_status: 2 frames made, 1 reused"]


def test_a_program_reads_objects(told):
    lines = told("json").out.splitlines()
    assert [messages.event(json.loads(line)) for line in lines] == EVENTS


def test_people_read_stderr_and_stdout_stays_empty(told):
    said = told("people")
    assert said.out == "" and "denoise 3 of 8, 4 s left" in said.err and "2 made, 1 reused" in said.err
