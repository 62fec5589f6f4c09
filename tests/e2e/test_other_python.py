"""An artist's own Python, which has torch but neither onnxruntime nor onnx nor safetensors; real networks."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from engine.contract import files
from tests.unit.walker import write_job

FIGURE = ROOT / "tests" / "unit" / "figures" / "front.png"
HIDDEN = "import sys\nsys.modules.update(dict.fromkeys(('onnx', 'onnxruntime', 'safetensors')))\n"


@pytest.fixture
def torch_python(tmp_path):
    """A Python that has torch, numpy and OpenCV."""
    folder = tmp_path / "hidden"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HIDDEN)
    script = tmp_path / "torch python"
    script.write_text(f'#!/bin/sh\nexport PYTHONPATH="{folder}:$PYTHONPATH"\nexec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    return script


def engine(python, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([str(python), "-m", "engine", *map(str, arguments)], env=environment, capture_output=True,
                          text=True, timeout=180, cwd=ROOT)


@pytest.fixture
def job(tmp_path):
    """A job without joints, whose reference is a picture of a person."""
    write_job(str(tmp_path / "job"), 2)
    shutil.copy(FIGURE, files.path(str(tmp_path / "job"), files.REFERENCE))
    return tmp_path / "job"


def frames(job):
    return [(job / kind / f"{number:04d}.png").read_bytes() for kind in ("frames", "shadow") for number in (1, 2)]


def test_it_generates_what_another_engine_has_looked_at(torch_python, pack, job, tmp_path):
    twin = Path(shutil.copytree(job, tmp_path / "twin"))
    told = engine(torch_python, "run", job, "--pack", pack, "--threads", 1)
    assert told.returncode == 1 and "runtime_missing" in told.stderr and "engine subject JOB" in told.stderr
    assert "onnxruntime" in told.stderr and "Install the extension again" not in told.stderr
    assert engine(sys.executable, "subject", job).returncode == 0
    told = engine(torch_python, "run", job, "--pack", pack, "--threads", 1)
    assert told.returncode == 0, told.stderr
    told = engine(sys.executable, "run", twin, "--pack", pack, "--threads", 1, "--runtime", "pytorch")
    assert told.returncode == 0 and frames(job) == frames(twin), "the same runtime, whoever looked"


def test_the_add_on_lets_its_own_engine_look(generate, shot, torch_python):
    code, summary, told = generate(shot, "--engine-python", torch_python, "--reference", FIGURE)
    assert code == 0 and summary["made"] == 4, told
    ran = json.loads((Path(summary["job"]) / "run.json").read_text())
    assert (ran["runtime"], ran["device"]) == ("pytorch", "cpu")
    found = json.loads(Path(files.path(summary["job"], files.FOUND)).read_text())
    assert len(found["person"]["body"]) == 20
    assert "Looking at the reference" in told
