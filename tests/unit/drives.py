"""Fixtures: a folder on its own mount, and a read-only folder. Test files name this module in `pytest_plugins`."""
import os
import subprocess

import pytest


@pytest.fixture
def mounted(tmp_path):
    """mount(*options) -> a folder on its own mount; skips loudly if mounting is not allowed."""
    folder = tmp_path / "mounted"
    folder.mkdir()

    def mount(*options):
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"NOT TESTED: mount {' '.join(options)}: {done.stderr.strip()} (needs root and CAP_SYS_ADMIN)")
        return folder
    yield mount
    subprocess.run(["umount", str(folder)], capture_output=True)


@pytest.fixture
def read_only(tmp_path, mounted):
    """read_only(folder) -> the same folder, but nobody can write to it. For root, who may write everywhere else, it is
    on a read-only drive."""
    changed = []

    def read_only(folder):
        if os.geteuid() == 0:
            return mounted("-o", "bind,ro", str(folder))
        changed.extend([folder, *(path for path in folder.rglob("*") if path.is_dir())])
        for path in changed:
            path.chmod(0o555)
        return folder
    yield read_only
    for path in changed:
        path.chmod(0o755)
