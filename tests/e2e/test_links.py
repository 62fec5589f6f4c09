"""`build.py link` in a real Blender: the engine's packages are found, and an edit takes effect after Reload Scripts."""

import json
import os
import shutil
import zipfile

import pytest
from conftest import HERE, ROOT

from tools import links


@pytest.fixture
def linked(tmp_path, surroundings):
    """A copy of the checkout, and a Blender's folder whose user_default links to it and to the zip's packages."""
    checkout = tmp_path / "checkout"
    for name in ("aa2_blender", "engine"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "blender_manifest.toml", checkout)
    with zipfile.ZipFile(surroundings["AA2_ZIP"]) as archive:
        archive.extractall(
            tmp_path / "unpacked", [name for name in archive.namelist() if name.startswith("embedded/packages/")]
        )
    resources = tmp_path / "resources"
    links.link(
        checkout,
        resources / "extensions" / "user_default" / "aa2_blender",
        tmp_path / "unpacked" / "embedded" / "packages",
    )
    return checkout, resources


def test_an_edit_is_there_after_reload_scripts(linked, blender):
    checkout, resources = linked
    done = blender(HERE / "edit_and_reload.py", checkout, BLENDER_USER_RESOURCES=os.fspath(resources))
    assert done.returncode == 0, done.stderr
    before, after = json.loads(done.stdout.splitlines()[-1])
    assert before["error"] == after["error"] == ""
    assert before["registered"] and after["registered"] and before["panels"] == after["panels"] > 5
    assert before["known"] == before["child"] != "9.8.7"
    assert after["known"] == after["child"] == "9.8.7"
    assert after["tooltip"] == "An edited tooltip" != before["tooltip"]
