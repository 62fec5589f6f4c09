"""Weights that are missing, truncated, changed by one bit, too new or no weights at all: each case has its own
error."""

import dataclasses
import json
import shutil
import sys

import pytest

from engine.__main__ import main as engine_main
from engine.contract.errors import JobError
from engine.engines.compact.runtimes.choose import choose
from engine.packs import manifest as manifests
from engine.packs import store
from engine.packs.manifest import FILES, GRAPHS, WEIGHTS
from engine.packs.renewal import main as renew
from engine.packs.store import open_pack


@pytest.fixture
def pack(tiny_pack, tmp_path):
    """A whole pack that a test may damage."""
    return shutil.copytree(tiny_pack, tmp_path / "pack")


def change(folder, sealed=True, **changes):
    """Changes fields of pack.json; `...` removes one. `sealed`: as its maker would write it."""
    value = json.loads((folder / "pack.json").read_text()) | changes
    value = {name: given for name, given in value.items() if given is not ...}
    seal = value.pop("sha256")
    value["sha256"] = manifests.seal(value) if sealed else seal
    (folder / "pack.json").write_text(json.dumps(value))


def refused(folder):
    with pytest.raises(JobError) as error:
        open_pack(folder)
    assert error.value.remedy or error.value.code == "pack_invalid"
    return error.value


def test_a_right_pack_opens_and_its_hash_stands_for_it(tiny_pack, pack):
    right = open_pack(tiny_pack)
    assert right.manifest.name == "compact" and set(right.manifest.files) == {*GRAPHS, WEIGHTS}
    assert open_pack(pack).hash == right.hash
    change(pack, name="other")
    assert open_pack(pack).hash != right.hash


@pytest.mark.parametrize("name", ["pack.json", *FILES])
def test_the_hash_depends_on_every_byte(tiny_pack, pack, name):
    """One bit is changed anywhere: the pack is refused. If the bit belongs to the layout of pack.json, it is another
    pack."""
    right, data = open_pack(tiny_pack).hash, (pack / name).read_bytes()
    for place in range(0, len(data), max(len(data) // 40, 1)):
        (pack / name).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1:])
        try:
            assert open_pack(pack).hash != right and name == "pack.json", f"bit of byte {place} of {name}"
        except JobError as error:
            assert error.code in ("pack_corrupt", "pack_invalid"), error


def test_missing(pack, tmp_path):
    for folder in (tmp_path / "nowhere", tmp_path):
        assert refused(folder).code == "pack_missing"
    (pack / "encode.onnx").unlink()
    error = refused(pack)
    assert error.code == "pack_missing" and "encode.onnx" in error.message


@pytest.mark.parametrize("harm", [lambda data: b"", lambda data: data[:-1], lambda data: data + b"x"])
def test_truncated_or_longer(pack, harm):
    path = pack / WEIGHTS
    right = path.stat().st_size
    path.write_bytes(harm(path.read_bytes()))
    error = refused(pack)
    assert error.code == "pack_truncated" and f"expected {right} bytes, got {path.stat().st_size}" in error.message


@pytest.mark.parametrize("part", [0, 0.5, 1])
def test_one_bit_changed(pack, part):
    path = pack / WEIGHTS
    open_pack(pack)
    data = bytearray(path.read_bytes())
    data[int(part * (len(data) - 1))] ^= 1
    path.write_bytes(data)
    error = refused(pack)
    assert error.code == "pack_corrupt" and WEIGHTS in error.message


def test_files_are_read_once(pack, monkeypatch):
    open_pack(pack)
    monkeypatch.setattr(store, "_check_sum", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr(store, "check_contents", lambda *_: pytest.fail("looked at again"))
    open_pack(pack)


def test_newer(pack):
    change(pack, format=manifests.NEWEST + 1, something="else")
    assert refused(pack).code == "pack_newer"


def test_a_setting_changed_by_hand_is_told(pack):
    change(pack, sealed=False, default_steps=3)
    error = refused(pack)
    assert error.code == "pack_corrupt" and "pack.json" in error.message


@pytest.mark.parametrize("changes, message", [
    (dict(window=...), "window: missing"), (dict(window="8"), "window: expected a whole number"),
    (dict(overlap=8), "overlap: expected less than window 8, got 8"), (dict(parametrisation="v"), "parametrisation"),
    (dict(files={"../x": {"sha256": "0" * 64, "bytes": 1}}), "files"), (dict(files={"x": {"sha256": "0"}}), "files"),
    (dict(files=[]), "files"), (dict(extra=1), "extra: unknown field"), (dict(format="1"), "format"),
    (dict(unread="all"), "unread"), (dict(sizes={"width": 8}), "sizes"), (dict(sizes={"widths": [64, 160]}), "sizes"),
    (dict(sizes={"latent_channels": -1}), "sizes"), (dict(sizes={"encoder_width": 10**9}), "sizes"),
    (dict(sizes={"warp": 1}), "sizes"), (dict(sizes={"likeness": -0.5}), "sizes"),
    (dict(sizes={"likeness": float("nan")}), "expected a number, got NaN")])
def test_a_manifest_that_is_wrong_in_a_field(pack, changes, message):
    change(pack, **changes)
    error = refused(pack)
    assert error.code == "pack_invalid" and message in error.message


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_the_manifest_does_not_list(pack, name):
    """It would be run without being in any checksum."""
    files = json.loads((pack / "pack.json").read_text())["files"]
    change(pack, files={one: entry for one, entry in files.items() if one != name})
    error = refused(pack)
    assert error.code == "pack_invalid" and name in error.message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xff", b"[" * 100_000,
                                     b'{"format": 2, "training": ' + b"[" * 800 + b"]" * 800 + b"}"])
def test_a_manifest_that_is_none(pack, content):
    (pack / "pack.json").write_bytes(content)
    assert refused(pack).code in ("pack_invalid", "pack_corrupt")


def test_an_earlier_manifest_is_written_anew_and_no_other_file(pack, tiny_pack, capsys):
    old = json.loads((pack / "pack.json").read_text()) | {"format": 1}
    (pack / "pack.json").write_text(json.dumps({name: old[name] for name in old if name not in ("sha256", "unread")}))
    error = refused(pack)
    assert error.code == "pack_invalid" and "engine manifest" in error.remedy
    assert engine_main(["manifest", str(pack)]) == 0 and capsys.readouterr().out.strip() == open_pack(tiny_pack).hash
    assert all((pack / name).read_bytes() == (tiny_pack / name).read_bytes() for name in (*FILES, "pack.json"))


@pytest.mark.parametrize("name", ["denoise.onnx", WEIGHTS])
def test_no_manifest_is_written_for_damaged_files(pack, name, capsys):
    data = bytearray((pack / name).read_bytes())
    data[-1] ^= 1
    (pack / name).write_bytes(data)
    before = (pack / "pack.json").read_bytes()
    assert renew([str(pack)]) == 1 and "pack_corrupt" in capsys.readouterr().err
    assert (pack / "pack.json").read_bytes() == before


def test_the_shipped_pack_is_as_its_tool_writes_it(tmp_path, capsys):
    folder = shutil.copytree(store.DEFAULT, tmp_path / "pack")
    assert renew([str(folder)]) == 0
    assert (folder / "pack.json").read_bytes() == (store.DEFAULT / "pack.json").read_bytes()
    assert capsys.readouterr().out.strip() == open_pack().hash


def test_a_runtime_of_an_unknown_name(pack):
    with pytest.raises(JobError, match="expected one of onnxruntime, pytorch, got 'abacus'"):
        choose(open_pack(pack), "abacus")


def test_no_runtime_at_all(pack, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in ("ort", "pytorch"):
        monkeypatch.delitem(sys.modules, f"engine.engines.compact.runtimes.{name}", raising=False)
    with pytest.raises(JobError) as error:
        choose(open_pack(pack))
    assert error.value.code == "runtime_missing" and "onnxruntime:" in error.value.message
    assert sys.executable in error.value.remedy


def test_the_embedded_pack_is_the_default(pack, monkeypatch):
    monkeypatch.setattr(store, "DEFAULT", pack)
    assert open_pack().folder == pack


def test_every_field_of_the_manifest_is_told(tiny_pack):
    value = json.loads((tiny_pack / "pack.json").read_text())
    assert set(value) == {field.name for field in dataclasses.fields(manifests.Manifest)} | {"sha256"}
