"""Generate in Blender with the engines for graphics cards: tiny ones with random weights, on the processor, in a Python
with torch that the artist names in the preferences. Everything else runs in Blender's own."""
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import HERE, ROOT
from PIL import Image

from engine.contract import files
from tools import environments
from tools.telling import Missing

FIGURE = ROOT / "tests" / "unit" / "figures" / "front.png"
# What writes the tiny weights of an engine, and the guidance that they name.
WEIGHTS = {"wan-vace": ("from tests.torch.tiny_wan import write_pack; write_pack(folder, 'wan-vace')", 1.0),
           "sd15-aa2": ("from tests.torch.sd15_pack import make_pack; make_pack(folder)", 1.5)}


@pytest.fixture(scope="module")
def torch_python():
    """The Python of the tier torch."""
    try:
        return environments.ensure("torch")
    except Missing as missing:
        pytest.skip(f"NOT RUN, because there is no Python with torch and diffusers: {missing}")


@pytest.mark.parametrize("engine", WEIGHTS)
def test_generate_lays_strips_over_the_plate(blender, shot, torch_python, tmp_path, engine):
    written, guidance = WEIGHTS[engine]
    code = f"import pathlib, sys; folder = pathlib.Path(sys.argv[1]); {written}"
    told = subprocess.run([str(torch_python), "-c", code, str(tmp_path / "weights")], cwd=ROOT, capture_output=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, timeout=180)
    assert told.returncode == 0, told.stderr
    done = blender(HERE / "other_engine.py", shot, engine, tmp_path / "weights", torch_python, FIGURE,
                   OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"ended": ["FINISHED"], "guidance": guidance}, done.stderr

    seen = blender(HERE / "look.py", shot)
    strips = json.loads(seen.stdout.splitlines()[-1])
    made, = (strip for name, strip in strips.items() if files.FRAMES in Path(strip["folder"]).name)
    plate = strips["plate"]
    assert made["channel"] > plate["channel"] and made["start"] == plate["start"]
    assert made["blend"] == "ALPHA_OVER" and made["frames"] == plate["frames"] == len(made["files"])
    job = Path(made["folder"]).parent
    pictures = [np.asarray(Image.open(job / files.FRAMES / name), np.float32) for name in made["files"]]
    assert all(picture[..., 3].max() == 255 and picture[picture[..., 3] > 200].std() > 2 for picture in pictures)

    asked, ran = (json.loads((job / name).read_text()) for name in (files.JOB, files.RUN))
    assert (asked["settings"]["engine"], asked["settings"]["guidance"]) == (engine, guidance)
    assert (ran["runtime"], ran["device"]) == ("pytorch", "cpu")
    assert len(json.loads((job / files.FOUND).read_text())["person"]["body"]) == 20, "who is in the reference"
