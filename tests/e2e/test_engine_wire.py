"""Every line on stdin is answered. No line and no error in a thread leaves an engine behind that hears nobody."""

import threading
import time

import pytest

from engine.contract import messages
from engine.contract.errors import JobError
from engine.contract.json_reader import Unreadable, parse
from tests.e2e.test_engine_process import ENDS, PATIENCE_S, slow, start
from tests.unit import fuzzed
from tests.unit.walker import write_job

__all__ = ["start"]  # the fixture


@pytest.mark.parametrize("raw", [b'{"type": "run", "job": ""}\n',
                                 b'{"type": "run", "job": ' + b"[" * 988 + b"]" * 988 + b"}\n",
                                 b'{"type": ' + b'{"a":' * 988 + b"1" + b"}" * 988 + b"}\n",
                                 b'{"type": "people", "picture": ""}\n',
                                 b'{"type": "estimate", "job": "a", "frame": 1e999}\n',
                                 b'{"type": "run", "job": "\\udc80"}\n'])
def test_no_line_ends_the_reader_of_a_busy_engine(start, tmp_path, raw):
    """Afterwards it is cancelled and ends as usual."""
    write_job(str(tmp_path), 8)
    process = slow(start, "0.1")
    process.ask(messages.Run(str(tmp_path)))
    process.next(messages.Progress)
    process.child.stdin.write(raw)
    process.child.stdin.flush()
    assert process.next(messages.Failed).code in ("protocol_garbage", "engine_busy")
    process.ask(messages.Cancel())
    assert isinstance(process.next(*ENDS), messages.Cancelled)
    assert process.end() == 0


def test_five_thousand_fuzzed_lines_are_answered_one_by_one(start, tmp_path, monkeypatch):
    """Each line gets one event, whatever it is: while a job runs, and while none does. Then the engine works and ends
    as usual."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")  # paths in the lines are relative
    write_job("job", 4)
    process = slow(start, "0")
    for seed in range(10):
        process.ask(messages.Run("job"))
        lines = [line.replace(b"\n", b"") for line in fuzzed.lines(seed, 500)]
        writing = threading.Thread(target=write, args=(process, lines))
        writing.start()  # in its own thread: without a reader, the writer would fill the pipe and wait for ever
        for _ in range(1 + sum(map(is_answered, lines))):
            ended(process)
        writing.join(PATIENCE_S)
    process.ask(messages.Run("job"))
    assert ended(process) == "finished", "every answer before belonged to a line"
    assert process.end() == 0
    written_beside = {path.name for path in tmp_path.rglob("*") if path.is_file() and "job" not in path.parts}
    assert written_beside <= {"events.jsonl",
                              "engine.lock"}, "an estimate that failed says so in the folder it was asked for"


def write(process, lines) -> None:
    process.child.stdin.write(b"".join(line + b"\n" for line in lines))
    process.child.stdin.flush()


def is_answered(line) -> bool:
    """All lines are, except blank ones and cancel, which either stops nothing or ends a job that is counted already."""
    try:
        return bool(line.strip()) and not isinstance(messages.request(parse(line)), messages.Cancel)
    except (Unreadable, JobError):
        return True


def ended(process) -> str:
    """The type of the next event that answers a line."""
    end = time.monotonic() + PATIENCE_S
    while (value := process.wire.receive()) is not None:
        assert time.monotonic() < end, f"a line was not answered within {PATIENCE_S} s"
        if value["type"] in ("finished", "failed", "cancelled", "joints", "people"):
            return value["type"]
    raise AssertionError(f"the engine ended: {process.child.stderr.read().decode()}")


@pytest.mark.parametrize("fault", ["deaf", "dumb"])
def test_a_thread_that_dies_of_a_fault_takes_the_process_with_it(start, tmp_path, fault):
    """Meanwhile a step runs that never returns, and stdin stays open."""
    write_job(str(tmp_path), 8)
    process = slow(start, "0", "hangs", fault)
    process.ask(messages.Run(str(tmp_path)))
    if fault == "deaf":
        process.ask(messages.Check("x"))
    assert process.child.wait(PATIENCE_S) == 1
    assert b"a fault that nobody foresaw" in process.child.stderr.read()
