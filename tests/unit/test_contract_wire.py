"""Messages come out of the wire as they went in; garbage is stored and reported, and reading continues."""

import io
import json
import os
import threading

import pytest

from engine.contract import messages
from engine.contract.errors import JobError
from engine.contract.wire import LONGEST_LINE, Garbage, Wire
from tests.unit import fuzzed

JOINTS = tuple((0.5, 1.5, 1.0) for _ in range(20))
MESSAGES = [
    messages.Run("/jobs/ä b"), messages.Run("j", 3), messages.Assemble("j"),
    messages.Preview("-x"), messages.Check("x"), messages.Deliver("x", "exr", ("matte",)),
    messages.FindJoints("p.png"), messages.Cancel(),
    messages.Estimate("j"),
    messages.Estimate("j", "a b.mp4", 3, (1.0, 2.0, 30.5, 40.0), "m", "override", False, True, "d.onnx"),
    messages.FindPeople("p.png"), messages.People("p.png", ((1.0, 2.0, 3.5, 4.0),)), messages.People("p.png"),
    messages.FindSubject("j"), messages.Surface("j"),
    messages.Shutdown(), messages.Hello(1, "0.1.0", "onnxruntime", "cpu", {"name": "compact", "hash": "ab"}),
    messages.Progress("j", "denoise", 3, 10, 4.5), messages.Progress("j", "prepare", 0, 1), messages.Frame("j", 7),
    messages.Warned("j", "frames_passed", "nobody", (1, 2)), messages.Joints("p", JOINTS, 120.0), messages.Joints("p"),
    messages.Failed(None, "internal", "a\nb"), messages.Failed("j", "disk_full", "full", "hint"),
    messages.Cancelled("j", 3),
    messages.Finished("j", 4, 2, 1, 1, 9.5, {"read": 1.5}),
    messages.Finished("j", 1, 1, 0, 0, 9.5, {}, 900.5, "cuda", 6000.5), messages.Heartbeat(True)]


def parse(value, message):
    return (messages.request if type(message) in messages.REQUESTS.values() else messages.event)(value)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_there_and_back(message):
    stream = io.BytesIO()
    Wire(writer=stream).send(messages.to_json(message))
    assert stream.getvalue().count(b"\n") == 1 and stream.getvalue().isascii()
    assert parse(Wire(reader=io.BytesIO(stream.getvalue())).receive(), message) == message


def test_every_message_is_tried():
    assert {type(m) for m in MESSAGES} == {*messages.REQUESTS.values(), *messages.EVENTS.values()}


@pytest.mark.parametrize("raw",
                         [b"Traceback (most recent call last):\n", b"\xff\xfe\x00\n", b"[1]\n", b"3\n", b'{"type": \n',
                          b"[" * 100_000 + b"\n"])
def test_garbage_is_kept_and_reading_goes_on(raw):
    wire = Wire(reader=io.BytesIO(raw + b'\n  \n{"type": "cancel"}\n'))
    with pytest.raises(Garbage) as error:
        wire.receive()
    assert error.value.raw == raw and error.value.code == "protocol_garbage"
    assert wire.receive() == {"type": "cancel"}
    assert wire.receive() is None


def test_a_line_without_its_end_is_the_last():
    wire = Wire(reader=io.BytesIO(b'{"type": "cancel"}'))
    assert wire.receive() == {"type": "cancel"} and wire.receive() is None


@pytest.mark.parametrize("value", [{}, {"type": 3}, {"type": "dance"}, {"type": "run"}, {"type": "run", "job": 3},
                                   {"type": "run", "job": "x", "extra": 1}, {"type": "hello"}, {"type": ["run"]}])
def test_wrong_requests_are_garbage(value):
    with pytest.raises(JobError) as error:
        messages.request(value)
    assert error.value.code == "protocol_garbage"


@pytest.mark.parametrize("value", [
    {"type": "progress", "job": "j", "stage": "s", "step": 1, "total": 2, "eta_s": 10**400},
    {"type": "frame", "job": "j", "number": 10**400}, {"type": "joints", "picture": "p", "height_px": float("nan")}])
def test_wrong_events_are_garbage(value):
    with pytest.raises(JobError) as error:
        messages.event(value)
    assert error.value.code == "protocol_garbage"


@pytest.mark.parametrize("message, field", [
    (messages.Progress("j", "denoise", 1, 2, float("nan")), "eta_s"),
    (messages.Joints("p", None, float("inf")), "height_px"),
    (messages.Finished("j", 1, 1, 0, 0, 1.0, {"read": float("nan")}), "stages")])
def test_what_would_be_garbage_is_not_said(message, field):
    with pytest.raises(JobError) as error:
        messages.to_json(message)
    assert error.value.code == "protocol_garbage" and field in error.value.message


def test_many_threads_write_whole_lines():
    reading, writing = os.pipe()
    wire = Wire(writer=os.fdopen(writing, "wb"))
    threads = [threading.Thread(target=lambda: [wire.send({"text": "x" * 2000}) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    with os.fdopen(reading, "rb") as stream:
        assert all(json.loads(stream.readline()) for _ in range(200))


def test_a_reader_that_is_gone_is_told():
    reading, writing = os.pipe()
    os.close(reading)
    assert not Wire(writer=os.fdopen(writing, "wb", buffering=0)).send({"type": "cancel"})


@pytest.mark.parametrize("size", [LONGEST_LINE, LONGEST_LINE + 1, 3 * LONGEST_LINE + 5])
def test_a_line_that_is_too_long_is_one_line_and_its_end_is_none(size):
    hidden = b'{"type": "shutdown"}'
    wire = Wire(reader=io.BytesIO(b"x" * size + hidden + b'\n{"type": "cancel"}\n' + b"y" * size))
    with pytest.raises(Garbage, match=f"longer than {LONGEST_LINE} bytes") as error:
        wire.receive()
    assert len(error.value.raw) <= LONGEST_LINE and len(error.value.message) < 1000
    assert wire.receive() == {"type": "cancel"}
    with pytest.raises(Garbage):
        wire.receive()
    assert wire.receive() is None


def test_the_longest_that_is_said_is_heard():
    """An hour of frames, an error with twenty endless log lines, and paths of the greatest length that a system
    allows."""
    path = "/" + "\U0001f600" * 5000
    for message in (messages.Warned(path, "nobody_found", "x" * 10**5, tuple(range(1, 150_000))),
                    messages.Failed(path, "internal", "\U0001f600" * 10**5, "\U0001f600" * 10**5)):
        stream = io.BytesIO()
        Wire(writer=stream).send(messages.to_json(message))
        heard = messages.event(Wire(reader=io.BytesIO(stream.getvalue())).receive())
        assert heard.job == path and len(heard.message) == messages.LONGEST_TEXT
        if isinstance(message, messages.Warned):
            assert heard.frames == tuple(range(1, messages.MOST_NAMED + 1))


@pytest.mark.parametrize("path", ["", "a\0b", "half \ud800", "not utf-8 \udcff", "x" * 40_000])
def test_a_path_that_no_system_has_is_no_request(path):
    for value in ({"type": "run", "job": path}, {"type": "joints", "picture": path}, {"type": "estimate", "job": "j",
                                                                                      "video": path}):
        with pytest.raises(JobError, match="expected the path of a file or folder"):
            messages.request(value)
    with pytest.raises(JobError):
        messages.to_json(messages.Run(path))


def test_texts_that_are_not_utf_8_are_shown():
    failed = messages.event({"type": "failed", "job": "\udcff", "code": "internal", "message": "half \ud800, NUL \0",
                           "hint": "\udcff"})
    assert (failed.message, failed.hint) == ("half \\ud800, NUL \\0", "\\udcff")


def test_five_thousand_fuzzed_lines_raise_what_is_foreseen():
    spoken = [messages.to_json(message) for message in MESSAGES]
    for parse_line, lines in ((messages.request, fuzzed.lines(10, 5000)),
                              (messages.event, fuzzed.lines(11, 5000, spoken))):
        wire = Wire(reader=io.BytesIO(b"".join(line + b"\n" for line in lines)))
        right = wrong = 0
        while True:
            try:
                value = wire.receive()
                if value is None:
                    break
                again = messages.to_json(parse_line(value))
                right += again["type"] == value["type"]
            except JobError as error:
                assert error.code == "protocol_garbage" and 0 < len(error.message) < 3000
                wrong += 1
        assert right > 800 and wrong > 1000
