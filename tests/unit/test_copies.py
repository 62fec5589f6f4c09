"""Copies of what the engine loads: made once for each state of the originals, older ones removed, never half a copy."""
import os
import sys

import pytest

from engine.door import copies


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An embedded folder of an extension, its packages on sys.path."""
    folder = tmp_path / "embedded"
    for name, text in (("packages/any/first.py", "1"), ("packages/cp311/inner/second.py", "2"),
                       ("packages/cp313/other.py", "3"), ("engine/packs/compact/weights.bin", "4")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setattr(sys, "path",
                        [str(folder), str(folder / "packages/any"), str(folder / "packages/cp311"), "/else"])
    return folder


def use(home, folder):
    return copies.use(folder, home, home / "engine/packs/compact")


def test_packages_and_weights_come_from_the_copy(home, tmp_path):
    pack = use(home, tmp_path / "copies")
    made = next((tmp_path / "copies").iterdir())
    assert sys.path == [str(home), str(made / "packages/any"), str(made / "packages/cp311"), "/else"]
    assert pack == made / "engine/packs/compact" and (pack / "weights.bin").read_text() == "4"
    assert (made / "packages/cp311/inner/second.py").read_text() == "2" and not (made / "packages/cp313").exists()


def test_a_copy_is_made_once_and_a_new_version_makes_another(home, tmp_path, monkeypatch):
    before = list(sys.path)
    first = use(home, tmp_path / "copies")
    (first / "weights.bin").write_text("still the same copy")
    monkeypatch.setattr(sys, "path", list(before))
    assert use(home, tmp_path / "copies") == first and (first / "weights.bin").read_text() == "still the same copy"
    (home / "engine/packs/compact/weights.bin").write_text("new weights")
    monkeypatch.setattr(sys, "path", list(before))
    second = use(home, tmp_path / "copies")
    assert second != first and (second / "weights.bin").read_text() == "new weights"
    assert [path.name for path in (tmp_path / "copies").iterdir()] == [second.parents[2].name], \
        "the old one is cleared away"


def test_what_is_in_use_stays(home, tmp_path, monkeypatch):
    """Windows refuses to rename a folder with loaded libraries."""
    (tmp_path / "copies" / "0123456789abcdef").mkdir(parents=True)
    real = os.rename

    def rename(old, new):
        if "0123456789abcdef" in str(old):
            raise PermissionError(13, "in use", str(old))
        real(old, new)
    monkeypatch.setattr(os, "rename", rename)
    use(home, tmp_path / "copies")
    assert (tmp_path / "copies" / "0123456789abcdef").is_dir()


def test_a_copy_that_is_being_made_stays_and_an_abandoned_one_goes(home, tmp_path):
    for name in ("aaaaaaaaaaaaaaaa.17", "bbbbbbbbbbbbbbbb.18"):
        (tmp_path / "copies" / name).mkdir(parents=True)
    os.utime(tmp_path / "copies" / "bbbbbbbbbbbbbbbb.18", (1, 1))
    use(home, tmp_path / "copies")
    left = {path.name for path in (tmp_path / "copies").iterdir()}
    assert "aaaaaaaaaaaaaaaa.17" in left and not any(name.startswith("b" * 16) for name in left)


def test_half_a_copy_is_none(home, tmp_path, monkeypatch):
    before = list(sys.path)

    def copy(source, target):
        os.makedirs(target)
        raise OSError(28, "No space left on device", str(target))
    monkeypatch.setattr(copies.shutil, "copytree", copy)
    with pytest.raises(OSError, match="No space left"):
        use(home, tmp_path / "copies")
    assert sys.path == before and list((tmp_path / "copies").iterdir()) == []
