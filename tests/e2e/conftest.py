"""Real processes: a bpy with the installed zip, the engine that it starts, and a whole pack of small random weights."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import installed

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BPY = os.environ.get("AA2_BPY_PYTHON", str(ROOT / ".build/envs/bpy-4.5.15/bin/python"))


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory):
    """The environment of a fresh Blender. If you start pytest by hand, the newest zip is used."""
    return installed.surroundings(tmp_path_factory.mktemp("resources"))


@pytest.fixture(scope="session")
def pack(tmp_path_factory):
    """A pack of the real networks at tiny size with random weights."""
    return installed.tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="session")
def blender(surroundings):
    """blender(script, *arguments) runs a script in the bpy's Python; returns the finished process."""
    def run(script, *arguments, **more):
        return subprocess.run([BPY, str(script), *map(str, arguments)], env={**surroundings, **more}, text=True,
                              capture_output=True, timeout=180, cwd=ROOT)
    return run


@pytest.fixture(scope="session")
def first_shot(blender, tmp_path_factory):
    return make_shot(blender, tmp_path_factory.mktemp("first"))


@pytest.fixture
def shot(first_shot, tmp_path):
    """A saved small shot: its .blend, in a folder with a space, an accent and a leading dash in its name."""
    return Path(shutil.copytree(first_shot.parent, tmp_path / first_shot.parent.name)) / first_shot.name


def make_shot(blender, tmp_path, *numbers):
    folder = tmp_path / "-a shot é"
    done = blender(HERE / "make_shot.py", folder, "-shot ü.blend", *numbers)
    assert done.returncode == 0, done.stderr
    return folder / "-shot ü.blend"


@pytest.fixture
def generate(blender, pack):
    """generate(blend, *options) runs the command; returns (exit code, summary, stderr)."""
    def run(blend, *options, **more):
        given = {"--pack": pack, "--threads": 1}
        extra = [word for name, value in given.items() if name not in options for word in (name, value)]
        done = blender(ROOT / "tools" / "generate.py", blend, *extra, *options, **more)
        lines = done.stdout.splitlines()
        assert len(lines) <= 1, f"stdout is for the summary alone:\n{done.stdout}"
        return done.returncode, json.loads(lines[0]) if lines else None, done.stderr
    return run


@pytest.fixture
def fake(tmp_path):
    """fake("paints", "--one") is a Python for --engine-python that starts this engine of tests/engines."""
    def make(name, *arguments):
        script = tmp_path / f"fake {name}"
        engine = ROOT / "tests" / "engines" / f"{name}.py"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{engine}" {" ".join(arguments)}\n')
        script.chmod(0o755)
        return script
    return make
