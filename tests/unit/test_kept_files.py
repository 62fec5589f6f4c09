"""The add-on's own files after any kind of damage: rows, requests and runs have the right types, or there are none and
a warning says so."""

import dataclasses
import json
import random
import types
import typing

import pytest

from engine.contract import jobs
from tests.unit import fuzzed
from tests.unit.add_on import part

queue_file, takes, runs, request = (part(name) for name in
                                    ("queue.queue_file", "versions.folders", "versions.runs", "gather.request"))
FULL = request.Request(
    name="shot", scene="Scène", strip="plate", reference=request.ReferenceSource("FILE", "/a é.png", "", 0, ((1.5, 2.5,
                                                                                                          1.0),) * 20,
                                                                                 120.0),
    frames=(-3, 20), driver_scene="Set", rig=("Rig", "//lib é.blend"), bone_map="/map.json",
                       bones=(("neck", "Neck", "head"),),
                       preset="rigify", camera="Cam",
    frame_offset=2, meshes=("body",), objects=("ball", ("chair", "//lib é.blend")), collections=("props",),
                       holdouts=True,
                       clean_plate=False, clothing=0.5,
    performer=True, performer_box=(1.0, 2.0, 3.0, 4.0), performer_frame=7, mask_strip="mask", mask_use="override",
                       clean_strip="clean",
    make_clean=True, retarget=0.25, settings=part("embedded.engine.contract.jobs").Settings(steps=4, seed=9))


@pytest.fixture
def root(tmp_path):
    """A folder of jobs: shot/v001 is done, v002 is half made, and both are in the list; v003 is half made but not in
    the list."""
    for number, made in ((1, 2), (2, 1), (3, 0)):
        folder = tmp_path / "shot" / f"v{number:03}"
        jobs.write(str(folder), jobs.Job("shot", (64, 48), 2))
        takes.write_request(folder, dataclasses.replace(FULL, name=folder.name))
        (folder / "frames").mkdir()
        for frame in range(1, made + 1):
            (folder / "frames" / f"{frame:04d}.png").write_bytes(b"x")
    queue_file.write(tmp_path, [row(tmp_path, 1, "done", placed=True), row(tmp_path, 2, "waiting")])
    return tmp_path


def row(root, number, state, placed=False):
    return queue_file.Kept(root / "shot" / f"v{number:03}", "Scène", "plate", state, 2, placed)


def told(rows):
    return [(one.folder.name, one.state) for one in rows]


def test_what_is_kept_is_read(root, caplog):
    assert queue_file.read(root) == [row(root, 1, "done", placed=True), row(root, 2, "waiting")]
    assert takes.read_request(root / "shot" / "v001") == dataclasses.replace(FULL, name="v001")
    assert takes.read_request(root / "shot") is None and queue_file.read(root / "shot" / "none") == []
    assert not caplog.records


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"version": 1, "jobs": Infinity}',
                                    b'{"version": 1, "jobs": {}}',
                                    b'{"version": 2, "jobs": []}', b'{"version": true, "jobs": []}',
                                    b'{"jobs": [' + b"[" * 989 + b"]" * 989 + b"]}"])
def test_a_damaged_list_is_made_anew_and_kept_aside(root, caplog, damage):
    (root / "queue.json").write_bytes(damage)
    assert told(queue_file.read(root)) == [("v002", "paused"), ("v003", "paused")], "what is not finished"
    assert "queue.json is damaged" in caplog.text
    queue_file.write(root, [row(root, 3, "running")])
    assert told(queue_file.read(root)) == [("v003", "running"), ("v002", "paused")]
    assert (root / "queue.json.damaged").read_bytes() == damage


@pytest.mark.parametrize("changes", [{"frames": 10**400}, {"frames": "2"}, {"frames": 2.0}, {"frames": True},
                                     {"placed": 1}, {"state": ["done"]}, {"scene": None},
                                     {"folder": "../.."}, {"folder": "/etc/x"}, {"folder": "a\0/b"},
                                     {"folder": "\ud800/b"}, {"folder": "."}, {"extra": 1}])
def test_a_damaged_entry_costs_only_its_state(root, changes):
    path = root / "queue.json"
    value = json.loads(path.read_text())
    value["jobs"][1] |= changes
    path.write_text(json.dumps(value))
    assert told(queue_file.read(root)) == [("v001", "done"), ("v002", "paused"), ("v003", "paused")]
    queue_file.forget(root / "shot" / "v001")
    assert told(queue_file.read(root)) == [("v002", "paused"), ("v003", "paused")]
    assert json.loads((root / "queue.json.damaged").read_text()) == value


def test_names_that_are_not_utf_8_are_kept(root):
    odd = dataclasses.replace(row(root, 2, "failed"), strip="half \udcff")
    queue_file.write(root, [odd])
    assert odd in queue_file.read(root)


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"version": 1, "name": Infinity}',
                                    b'{"version": 1}'])
def test_a_damaged_request_is_as_none_and_kept_aside(root, caplog, damage):
    folder = root / "shot" / "v001"
    (folder / "request.json").write_bytes(damage)
    assert takes.read_request(folder) is None and "request.json cannot be read: " in caplog.text
    takes.write_request(folder, FULL)
    assert takes.read_request(folder) == FULL and (folder / "request.json.damaged").read_bytes() == damage


def test_requests_of_before_are_read(tmp_path):
    """They name all datablocks without a library, and have no `library` for the picture."""
    takes.write_request(tmp_path, FULL)
    path = tmp_path / "request.json"
    before = json.loads(path.read_text()) | {"rig": "Rig", "objects": ["ball", "chair"]}
    del before["reference"]["library"]
    path.write_text(json.dumps(before))
    assert takes.read_request(tmp_path) == dataclasses.replace(FULL, rig="Rig", objects=("ball", "chair"))


def test_a_thousand_mutated_requests_are_right_or_none(tmp_path):
    """Right means that every field has its declared type."""
    takes.write_request(tmp_path, FULL)
    chance, path = random.Random(20), tmp_path / "request.json"
    right, read = json.loads(path.read_text()), 0
    for _ in range(1000):
        path.write_text(json.dumps(fuzzed.mutated(chance, right)))
        kept = takes.read_request(tmp_path)
        if kept is not None:
            read += 1
            assert_types(kept)
    assert 100 < read < 900


def assert_types(value) -> None:
    """Checks the fields of a dataclass against its annotations."""
    for name, wanted in typing.get_type_hints(type(value)).items():
        found = getattr(value, name)
        is_union = typing.get_origin(wanted) in (types.UnionType, typing.Union)
        options = typing.get_args(wanted) if is_union else (wanted,)
        assert any(_is_of(found, one) for one in options), f"{name}: {found!r}"
        if dataclasses.is_dataclass(found):
            assert_types(found)
        if name in ("meshes", "objects", "collections"):
            assert all(_is_name(one) for one in found)
        if name in ("rig", "camera", "driver_scene"):
            assert _is_name(found)


def _is_name(value) -> bool:
    """A local datablock's name, or those of a linked one and of its library."""
    return type(value) is str or type(value) is tuple and [type(part) for part in value] == [str, str]


def _is_of(value, wanted) -> bool:
    origin = typing.get_origin(wanted)
    if origin is typing.Literal:
        return value in typing.get_args(wanted)
    return type(value) is (origin or wanted)


RUN = {"engine": "0.1.0", "runtime": "onnxruntime", "device": "cpu", "pack": {"name": "compact", "hash": "ab"},
       "state": "done", "seconds": 1.5,
       "stages": {"read": 0.5}, "kind": "compact"}


@pytest.mark.parametrize("changes", [{"pack": []}, {"pack": {"hash": 3, "name": "x"}}, {"seconds": "1"},
                                     {"seconds": float("nan")}, {"stages": [1]},
                                     {"stages": {"read": "x"}}, {"engine": None}, {"extra": [[]]},
                                     {"device": "half \ud800"}])
def test_a_damaged_run_is_as_none(tmp_path, caplog, changes):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(RUN))
    assert runs.read(tmp_path) == RUN and runs.pack_hash(tmp_path) == "ab" and not caplog.records
    path.write_text(json.dumps({**RUN, **changes}))
    assert runs.read(tmp_path) == {} and runs.pack_hash(tmp_path) == "" and "run.json cannot be read" in caplog.text
    path.write_text(json.dumps({name: value for name, value in RUN.items() if name != "kind"}))
    assert runs.read(tmp_path) == RUN, "before there were others, the engine was the embedded one"
    path.unlink()
    assert runs.read(tmp_path) == {}
