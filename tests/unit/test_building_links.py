"""`build.py link` makes a folder of links into a checkout, and never touches a file that it did not make."""

import os

import pytest

from tools import links
from tools.telling import Stop


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    for place in (
        "aa2_blender/__init__.py",
        "aa2_blender/panels/shot.py",
        "aa2_blender/__pycache__/old.pyc",
        "engine/job/run.py",
        "blender_manifest.toml",
    ):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(place)
    (tmp_path / "packages" / "cp311").mkdir(parents=True)
    return folder


def test_every_part_is_a_link_and_an_edit_is_there(checkout, tmp_path):
    made = links.link(checkout, tmp_path / "user_default" / "aa2_blender", tmp_path / "packages")
    assert sorted(path.name for path in made.iterdir()) == [
        "__init__.py",
        "blender_manifest.toml",
        "embedded",
        "panels",
    ]
    (checkout / "aa2_blender" / "panels" / "shot.py").write_text("edited")
    (checkout / "engine" / "new.py").write_text("new")
    assert (made / "panels" / "shot.py").read_text() == "edited"
    assert (made / "embedded" / "engine" / "new.py").read_text() == "new"
    assert (made / "embedded" / "packages" / "cp311").is_dir() and (made / "embedded" / "__init__.py").read_text() == ""


def test_linked_again_what_is_new_is_there_what_is_gone_is_not_and_the_checkout_stays(checkout, tmp_path):
    folder = tmp_path / "user_default" / "aa2_blender"
    links.link(checkout, folder, tmp_path / "packages")
    (checkout / "aa2_blender" / "task.py").write_text("new")
    (checkout / "aa2_blender" / "panels" / "shot.py").unlink()
    (checkout / "aa2_blender" / "panels").rmdir()
    links.link(checkout, folder, tmp_path / "packages")
    assert sorted(path.name for path in folder.iterdir()) == [
        "__init__.py",
        "blender_manifest.toml",
        "embedded",
        "task.py",
    ]
    assert (checkout / "engine" / "job" / "run.py").read_text() == "engine/job/run.py" and (
        tmp_path / "packages" / "cp311"
    ).is_dir()


def test_an_installed_extension_is_left_alone(checkout, tmp_path):
    folder = tmp_path / "user_default" / "aa2_blender"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("installed")
    with pytest.raises(Stop, match="was not made by `build.py link`; remove the extension"):
        links.link(checkout, folder, tmp_path / "packages")
    assert (folder / "__init__.py").read_text() == "installed"


def test_where_links_cannot_be_made_it_says_what_to_do(checkout, tmp_path, monkeypatch):
    def refused(*_more, **_told):
        raise OSError("A required privilege is not held by the client")

    monkeypatch.setattr(links.Path, "symlink_to", refused)
    with pytest.raises(Stop, match="required privilege.*Developer Mode"):
        links.link(checkout, tmp_path / "user_default" / "aa2_blender", tmp_path / "packages")
    assert not (tmp_path / "user_default" / "aa2_blender").exists()


def test_the_newest_blender_s_own_folder_is_taken(tmp_path, monkeypatch):
    for name in ("BLENDER_USER_EXTENSIONS", "BLENDER_USER_RESOURCES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(links.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path))
    with pytest.raises(Stop, match="start Blender once"):
        links.users_own()
    for version in ("4.2", "4.10", "4.5", "old.stuff"):
        (tmp_path / "blender" / version).mkdir(parents=True)
    assert links.users_own() == tmp_path / "blender" / "4.10" / "extensions" / "user_default"
    monkeypatch.setenv("BLENDER_USER_RESOURCES", "/elsewhere")
    assert links.users_own().as_posix() == "/elsewhere/extensions/user_default"
