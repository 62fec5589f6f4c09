"""Whatever bytes come in, the result is a small JSON object or one error that says what is wrong with them."""

import json
import os
import tracemalloc

import pytest

from engine.contract import json_reader
from engine.contract.errors import JobError
from engine.contract.json_reader import DEEPEST, Unreadable, keep_aside, parse, read
from tests.unit import fuzzed


def nested(levels):
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize("value", [{}, {"a": [1, -2.5, 1e300, "é\0\ud800", None, True, {"b": [[]]}]},
                                   {"[" * 50: "]" * 50 + '\\"{'},
                                   {"big": 10**400, "small": 1e-400}])
def test_what_is_right_is_read_as_it_is(value):
    assert parse(json.dumps(value).encode()) == value


@pytest.mark.parametrize("raw, words", [
    (b"", "expected JSON"), (b'{"a": 1', "expected JSON"), (b'\xef\xbb\xbf{}', "expected JSON"),
    (b"[1]", "expected an object, got list"), (b"3", "got int"),
    (b'{"a": NaN}', "expected a number, got NaN"), (b'{"a": Infinity}', "got Infinity"),
    (b'{"a": [-Infinity]}', "got -Infinity"),
    (b'{"a": 1e999}', "that a float can hold, got 1e999"), (b'{"a": -1E+400}', "got -1E+400"),
    (b'{"a": ' + b"1" * 310 + b".0}", "got 111"), (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
    (b'{"a": 1, "b": {"c": 1, "c": 2}}', "each name once, got 'c' twice"),
    (b'{"a": "\xff"}', "expected UTF-8, got byte 0xff at place 7"),
    (nested(DEEPEST + 1), f"at most {DEEPEST} levels"), (nested(989), "levels"), (b"[" * 200_000, "levels"),
    (b'{"a":' * 200_000, "levels"), (b'{"a": ' + b"[}" * 100, "levels")])
def test_what_is_wrong_is_told(raw, words):
    with pytest.raises(Unreadable) as error:
        parse(raw)
    assert words in str(error.value) and len(str(error.value)) < 300


def test_the_bounds_are_exact():
    assert parse(nested(DEEPEST))["a"]
    assert parse(b'{"a": "xyz"}', largest=12) == {"a": "xyz"}
    with pytest.raises(Unreadable, match="expected at most 11 bytes, got 12"):
        parse(b'{"a": "xyz"}', largest=11)
    assert parse(b'{"a": [[], [], {}]}', most_containers=5)["a"] == [[], [], {}]
    with pytest.raises(Unreadable, match="at most 4 lists and objects, got 5"):
        parse(b'{"a": [[], [], {}]}', most_containers=4)
    assert parse(b'{"a": "[[[[[["}', most_containers=1) == {"a": "[[[[[["}, "brackets in a text are none"


def test_a_small_file_takes_little_memory(tmp_path):
    (tmp_path / "a").write_bytes(b"{}")
    tracemalloc.start()
    assert read(tmp_path / "a") == {}
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 100_000


def test_a_long_unfinished_text_takes_no_time():
    """It would take hours to look for its end from every quotation mark in it."""
    with pytest.raises(Unreadable):
        parse(b'{"a": [[' + b'"' + b'\\"' * 2_000_000 + b"[" * DEEPEST)


def test_thousands_of_seeded_bytes_raise_nothing_else():
    for raw in fuzzed.lines(6, 2000):
        try:
            value = parse(raw, most_containers=10_000)
        except Unreadable as error:
            assert str(error) and len(str(error)) < 300
        else:
            assert isinstance(value, dict) and json.dumps(value, allow_nan=False)


def test_a_file_is_read_and_what_is_none_is_told(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a": 1}')
    assert read(path) == {"a": 1}
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.json")
    os.mkfifo(tmp_path / "pipe")
    for name in (".", "pipe"):
        with pytest.raises(Unreadable, match="something else by that name"):
            read(tmp_path / name)
    for name in ("nul\0", "half \ud800"):
        with pytest.raises(Unreadable, match="no file can have that name"):
            read(f"{tmp_path}/{name}")
    with pytest.raises(Unreadable, match="at most 7 bytes"):
        read(path, largest=7)


def test_a_damaged_file_is_kept_aside_and_none_before_it_is_lost(tmp_path, monkeypatch):
    path = tmp_path / "queue.json"
    for count, aside in enumerate(("queue.json.damaged", "queue.json.damaged-2", "queue.json.damaged-3")):
        path.write_text(str(count))
        assert keep_aside(path) == str(tmp_path / aside) and not path.exists()
        assert (tmp_path / aside).read_text() == str(count)
    assert (tmp_path / "queue.json.damaged").read_text() == "0"
    monkeypatch.setattr(json_reader, "_MOST_ASIDE", 3)
    path.write_text("3")
    with pytest.raises(JobError, match="3 such files"):
        keep_aside(path)
    assert path.read_text() == "3"
