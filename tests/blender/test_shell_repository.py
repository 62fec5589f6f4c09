"""`build.py repo`: Blender adds the folder by its address, lists the extension, installs it from there and removes
it."""
import json
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import bpy
import pytest

ROOT = Path(__file__).resolve().parents[2]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, *_words):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("a repository é")
    done = subprocess.run([sys.executable, ROOT / "build.py", "repo", made, "--platform", "linux-x64"], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def address(folder):
    """The address at which a web server of this test offers the folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/index.json"
    server.shutdown()
    server.server_close()


def test_the_index_names_what_lies_beside_it(folder):
    listed = json.loads((folder / "index.json").read_text())["data"]
    assert [(one["id"], one["platforms"]) for one in listed] == [("aa2_blender", ["linux-x64"])]
    archive = folder / listed[0]["archive_url"].removeprefix("./")
    assert archive.stat().st_size == listed[0]["archive_size"]


def test_blender_installs_from_it_and_takes_it_away(folder, address, tmp_path):
    preferences = bpy.context.preferences
    preferences.system.use_online_access = True
    repos = preferences.extensions.repos
    repo = repos.new(name="AA2", module="aa2_test", custom_directory=str(tmp_path / "installed"), remote_url=address)
    index = list(repos).index(repo)
    try:
        assert bpy.ops.extensions.repo_sync(repo_index=index) == {"FINISHED"}
        assert bpy.ops.extensions.package_install(repo_index=index, pkg_id="aa2_blender",
                                                  enable_on_install=False) == {"FINISHED"}
        installed = tmp_path / "installed" / "aa2_blender"
        assert (installed / "__init__.py").is_file() and (installed / "embedded" / "engine").is_dir()
        assert bpy.ops.extensions.package_uninstall(repo_index=index, pkg_id="aa2_blender") == {"FINISHED"}
        assert not installed.exists()
    finally:
        repos.remove(repo)
