"""Packs of engines for graphics cards: files in sub-folders, variants, and files that are hashed once."""

import json
import os
import time

import pytest

from engine.__main__ import main as engine_main
from engine.contract.errors import JobError
from engine.contract.reckoning import Reckoning
from engine.packs import stamps, store
from engine.packs.engine_manifest import write_engine
from engine.packs.pack_file import SEAL, seal
from engine.packs.store import Pack, check_files, open_pack, read_pack

FILES = {"model_index.json": b"{}", "vae/a.safetensors": b"v" * 300, "net/half.safetensors": b"h" * 2000,
         "net/quarter.gguf": b"q" * 500}
ABOUT = {"engine": "wan-vace", "name": "tiny", "license": "Apache-2.0", "window": 81, "overlap": 5, "default_steps": 20,
         "guidance": 5.0, "shapes": ["480x832", "640x640"], "own": {"shift": 3.0},
         "variants": {"half": {"files": ["net/half.safetensors"],
                               "needs": {"base_mb": 4000, "device_base_mb": 9000, "device_frame_mb": 50}},
                      "quarter": {"files": ["net/quarter.gguf"]}}}


@pytest.fixture
def folder(tmp_path):
    """A whole pack, whose files have been there for a while."""
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
        os.utime(tmp_path / name, (time.time() - 100,) * 2)
    write_engine(tmp_path, ABOUT, FILES)
    return tmp_path


@pytest.fixture
def hashed(monkeypatch):
    """The names of the files that are hashed, in order."""
    names, real = [], store._check_sum

    def listed(path, *rest):
        names.append(path.name)
        real(path, *rest)
    monkeypatch.setattr(store, "_check_sum", listed)
    return names


def checked(folder, variant=None, **told):
    looked = []
    check_files(read_pack(folder), variant, look=lambda *now: looked.append(now), **told)
    return looked


def rewritten(folder, **changes):
    value = json.loads((folder / "pack.json").read_text()) | changes
    value.pop(SEAL)
    value = {name: given for name, given in value.items() if given is not ...}
    (folder / "pack.json").write_text(json.dumps({**value, SEAL: seal(value)}))


def test_what_a_manifest_says(folder):
    pack = read_pack(folder)
    manifest = pack.manifest
    assert (manifest.engine, manifest.window, manifest.guidance, manifest.own) == ("wan-vace", 81, 5.0, {"shift": 3.0})
    assert manifest.shapes == ((480, 832), (640, 640)) == manifest.shapes_in(32)
    with pytest.raises(JobError, match="multiples of 64"):
        manifest.shapes_in(64)
    assert manifest.variants["half"].needs == Reckoning(base_mb=4000.0, device_base_mb=9000.0, device_frame_mb=50.0)
    assert manifest.variants["half"].needs.device(81) == 9000 + 81 * 50 and manifest.needs == Reckoning()
    before = pack.hash
    rewritten(folder, default_steps=30)
    assert read_pack(folder).hash != before


@pytest.mark.parametrize("variant, left_out", [(None, ()), ("half", ("net/quarter.gguf",)),
                                              ("quarter", ("net/half.safetensors",))])
def test_only_what_a_variant_needs_is_checked(folder, variant, left_out):
    for name in left_out:
        (folder / name).unlink()
    looked = checked(folder, variant)
    total = sum(len(data) for name, data in FILES.items() if name not in left_out)
    assert looked[-1] == (total, total) and sorted(looked) == looked


def test_files_are_hashed_once_and_again_where_they_changed(folder, hashed):
    checked(folder)
    assert len(hashed) == len(FILES) and (folder / stamps.NAME).exists()
    hashed.clear()
    assert checked(folder)[-1][0] == sum(map(len, FILES.values())) and not hashed
    checked(folder, anew=True)
    assert len(hashed) == len(FILES)
    hashed.clear()
    (folder / "vae/a.safetensors").write_bytes(b"w" * 300)
    with pytest.raises(JobError, match="expected sha256") as caught:
        checked(folder)
    assert caught.value.code == "pack_corrupt" and hashed == ["a.safetensors"]


def test_a_file_that_has_just_changed_gets_no_stamp(folder, hashed):
    """It may change again without another time of change."""
    os.utime(folder / "vae/a.safetensors", (time.time() + 60,) * 2)     # however slow this machine is
    checked(folder)
    hashed.clear()
    checked(folder)
    assert hashed == ["a.safetensors"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version": 1}', b'{"version": 9, "files": {}}',
                                     b'{"version": 1, "files": {"vae/a.safetensors": [300, 1, "00"]}}'])
def test_stamps_that_are_no_stamps_are_as_none(folder, hashed, content):
    (folder / stamps.NAME).write_bytes(content)
    checked(folder)
    assert len(hashed) == len(FILES)


def test_a_folder_that_cannot_be_written_is_hashed_each_time(folder, hashed):
    (folder / stamps.NAME).mkdir()
    for _ in range(2):
        checked(folder)
    assert len(hashed) == 2 * len(FILES)


def test_hashing_can_be_stopped_within_a_file(folder, monkeypatch):
    monkeypatch.setattr(store, "_PIECE", 100)
    looked = checked(folder, anew=True)
    assert (502, 2802) in looked and len(looked) > 20


@pytest.mark.parametrize("harm, code", [(lambda path: path.unlink(), "pack_missing"),
                                        (lambda path: path.write_bytes(b"v" * 299), "pack_truncated"),
                                        (lambda path: path.write_bytes(b"V" * 300), "pack_corrupt")])
def test_what_is_wrong_with_a_file_is_told(folder, harm, code, capsys):
    assert engine_main(["verify", str(folder)]) == 0 and capsys.readouterr().out.strip() == read_pack(folder).hash
    harm(folder / "vae/a.safetensors")
    with pytest.raises(JobError, match="a.safetensors") as caught:
        checked(folder)
    assert caught.value.code == code
    assert engine_main(["verify", str(folder)]) == 1 and f"{code}: " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../a.bin", "/etc/passwd", "a\\b", "C:/a", "net//a", "net/", "./a", "", "a\0b"])
def test_no_manifest_leads_out_of_its_folder(folder, name):
    value = json.loads((folder / "pack.json").read_text())
    rewritten(folder, files={**value["files"], name: {"sha256": "0" * 64, "bytes": 1}})
    with pytest.raises(JobError, match="the path of a file inside the folder") as caught:
        read_pack(folder)
    assert caught.value.code == "pack_invalid"


@pytest.mark.parametrize("changes, message", [
    (dict(engine="compact"), "another engine than compact"), (dict(engine="Wan!"), "an engine's name"),
    (dict(files={}), "1 to 10000 files"), (dict(overlap=81), "less than window 81"), (dict(window=...), "window"),
    (dict(shapes=[]), "1 to 100 of width x height"), (dict(shapes=[480]), "as in"),
    (dict(shapes=["480"]), "at most 4096"), (dict(shapes=...), "shapes"),
    (dict(variants={"half": {"files": ["gone.bin"]}}), "variants.half: gone.bin is not among the files"),
    (dict(variants={"half": {}}), "half.files: missing"), (dict(sizes={}), "sizes: unknown field")])
def test_a_wrong_manifest_is_told(folder, changes, message):
    rewritten(folder, **changes)
    with pytest.raises(JobError, match=message) as caught:
        read_pack(folder)
    assert caught.value.code == "pack_invalid"


def test_an_unknown_variant_and_another_engine_are_told(folder):
    with pytest.raises(JobError, match="variant: expected one of half, quarter, got 'full'"):
        checked(folder, "full")
    with pytest.raises(JobError, match="expected weights for compact, got some for wan-vace"):
        open_pack(folder)
    assert isinstance(read_pack(folder), Pack)
