"""Weights that are missing, truncated, one bit changed, too new or no weights at all: each with an error of its own."""

import hashlib
import json
import shutil
import sys

import pytest

from engine.contract.errors import JobError
from engine.packs import store
from engine.packs.store import open_pack
from engine.runtimes.choose import choose

FILES = {"weights.safetensors": bytes(range(256)) * 40, "encode.onnx": b"graph"}


def write_fake(folder, **changes):
    """A pack's folder with files of known bytes; `changes` to the manifest, `...` takes a field out."""
    folder.mkdir(exist_ok=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    files = {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in FILES.items()}
    manifest = {"format": 1, "name": "tiny", "license": "GPL-3.0-or-later", "sizes": {"width": 8}, "parametrisation": "x0",
                "schedule": "cosine", "depth_convention": "near=1", "window": 8, "overlap": 2, "default_steps": 4,
                "files": files, "training": {"minutes": 1}} | changes
    (folder / "pack.json").write_text(json.dumps({name: value for name, value in manifest.items() if value is not ...}))
    return folder


def refused(folder):
    with pytest.raises(JobError) as error:
        open_pack(folder)
    assert error.value.hint or error.value.code == "pack_invalid"
    return error.value


def test_a_right_pack_opens_and_its_hash_stands_for_it(tmp_path):
    pack = open_pack(write_fake(tmp_path / "a"))
    assert pack.manifest.name == "tiny" and pack.manifest.files["encode.onnx"].bytes == 5
    assert open_pack(write_fake(tmp_path / "b")).hash == pack.hash
    assert open_pack(write_fake(tmp_path / "c", name="other")).hash != pack.hash


def test_missing(tmp_path):
    for folder in (tmp_path / "nowhere", tmp_path):
        assert refused(folder).code == "pack_missing"
    write_fake(tmp_path / "pack")
    (tmp_path / "pack" / "encode.onnx").unlink()
    error = refused(tmp_path / "pack")
    assert error.code == "pack_missing" and "encode.onnx" in error.message


@pytest.mark.parametrize("data", [b"", FILES["weights.safetensors"][:-1], FILES["weights.safetensors"] + b"x"])
def test_truncated_or_longer(tmp_path, data):
    (write_fake(tmp_path / "pack") / "weights.safetensors").write_bytes(data)
    error = refused(tmp_path / "pack")
    assert error.code == "pack_truncated" and f"expected 10240 bytes, got {len(data)}" in error.message


@pytest.mark.parametrize("place", [0, 5000, 10239])
def test_one_bit_changed(tmp_path, place):
    path = write_fake(tmp_path / "pack") / "weights.safetensors"
    open_pack(tmp_path / "pack")
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    error = refused(tmp_path / "pack")
    assert error.code == "pack_corrupt" and "weights.safetensors" in error.message


def test_files_are_read_once(tmp_path, monkeypatch):
    write_fake(tmp_path / "pack")
    open_pack(tmp_path / "pack")
    monkeypatch.setattr(store.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    open_pack(tmp_path / "pack")


def test_newer(tmp_path):
    assert refused(write_fake(tmp_path / "pack", format=2, something="else")).code == "pack_newer"


@pytest.mark.parametrize("changes, message", [
    (dict(window=...), "window: missing"), (dict(window="8"), "window: expected a whole number"),
    (dict(overlap=8), "overlap: expected less than window 8, got 8"), (dict(parametrisation="v"), "parametrisation"),
    (dict(files={"../x": {"sha256": "0" * 64, "bytes": 1}}), "files"), (dict(files={"x": {"sha256": "0"}}), "files"),
    (dict(files=[]), "files"), (dict(extra=1), "extra: unknown field"), (dict(format="1"), "format")])
def test_a_manifest_that_is_wrong_in_a_field(tmp_path, changes, message):
    error = refused(write_fake(tmp_path / "pack", **changes))
    assert error.code == "pack_invalid" and message in error.message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xff", b"[" * 100_000])
def test_a_manifest_that_is_none(tmp_path, content):
    (write_fake(tmp_path / "pack") / "pack.json").write_bytes(content)
    assert refused(tmp_path / "pack").code == "pack_invalid"


def test_a_runtime_of_an_unknown_name(tmp_path):
    with pytest.raises(JobError, match="expected one of onnxruntime, pytorch, got 'abacus'"):
        choose(open_pack(write_fake(tmp_path / "pack")), "abacus")


def test_no_runtime_at_all(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in ("ort", "pytorch"):
        monkeypatch.delitem(sys.modules, f"engine.runtimes.{name}", raising=False)
    with pytest.raises(JobError) as error:
        choose(open_pack(write_fake(tmp_path / "pack")))
    assert error.value.code == "runtime_missing" and "onnxruntime:" in error.value.message


def test_the_embedded_pack_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "DEFAULT", shutil.copytree(write_fake(tmp_path / "pack"), tmp_path / "embedded"))
    assert open_pack().folder == tmp_path / "embedded"
