"""A shot whose scene renders the light, end to end: headless, with the real engine and Cycles."""
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import BPY, HERE, ROOT
from PIL import Image

NOT_OURS = re.compile(r"blender_\w+|\.ses$")       # in a temporary folder: Blender's session, onnxruntime's


@pytest.fixture
def lit(blender, tmp_path):
    """lit(frames, width, height) is the .blend of a small shot with a floor and a sun."""
    def make(*numbers):
        folder = tmp_path / "a shot é"
        folder.mkdir()
        Image.open(ROOT / "tests" / "demo" / "reference.png").save(folder / "reference.png")
        done = blender(HERE / "make_lit.py", folder, "lit ü.blend", *numbers)
        assert done.returncode == 0, done.stderr
        return folder / "lit ü.blend"
    return make


def killed(surroundings, pack, blend, source, at, end):
    """Generates with a light source, and sends the signal `end` as soon as the file `at` is there; returns the exit
    code."""
    words = [BPY, ROOT / "tools" / "generate.py", blend, "--pack", pack, "--threads", 1, "--light-source", source]
    with subprocess.Popen(list(map(str, words)), env=surroundings, cwd=ROOT, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as running:
        limit = time.monotonic() + 150
        while not list(blend.parent.glob(at)) and running.poll() is None and time.monotonic() < limit:
            time.sleep(0.002)
        running.send_signal(end)
        told = running.communicate(timeout=30)[1]
    assert list(blend.parent.glob(at)), told
    return running.returncode


@pytest.mark.parametrize(("source", "ends"), [
    ("ball", [("balls/0001.png", signal.SIGKILL, -9)]),
    ("rendered", [("cast/0001.png", signal.SIGTERM, 130), ("cast/0002.png", signal.SIGKILL, -9)])])
def test_what_ends_while_light_is_rendered_goes_on(surroundings, generate, pack, lit, tmp_path, source, ends):
    """The file is as it was, nothing lies about but in the job, and what was rendered of the surface stays."""
    blend, places, rendered_at = lit(4, 96, 72), tmp_path / "temporary", {}
    places.mkdir()
    before = blend.read_bytes()
    for name, end, code in ends:
        at = f"aa2_jobs/*/v001/{name}"
        assert killed({**surroundings, "TMPDIR": str(places)}, pack, blend, source, at, end) == code
        made, = blend.parent.glob(at)
        job, rendered_at[made] = made.parents[1], made.stat().st_mtime_ns
        assert blend.read_bytes() == before and not (job / "frames/0001.png").exists()
        assert [one.name for one in places.iterdir() if not NOT_OURS.match(one.name)] == []

    code, summary, told = generate(blend, "--light-source", source)
    assert (code, summary["state"], summary["made"], summary["job"]) == (0, "done", 4, str(job)), told
    assert (made.parent / "0004.png").is_file()
    if source == "rendered":
        made, first = next(iter(rendered_at.items()))
        assert made.stat().st_mtime_ns == first, "the first frame was rendered again"


def test_the_scene_lights_the_character_and_gets_its_shadow(generate, lit):
    blend = lit(2, 160, 120)
    code, summary, told = generate(blend, "--light-source", "rendered")
    assert code == 0 and (summary["state"], summary["made"]) == ("done", 2), told
    assert "Posing the character" in told and "Rendering the light" in told
    job = Path(summary["job"])
    cast = np.array(Image.open(job / "cast/0001.png")) / 65535
    dark = np.nonzero(cast < 0.5)
    pose = np.nonzero(np.array(Image.open(job / "frames/0001.png"))[..., 3] > 128)
    assert len(dark[0]) > 20 and dark[1].mean() > pose[1].mean() and dark[0].max() > 0.9 * pose[0].max()
    shadow = np.array(Image.open(job / "shadow/0001.png"))[..., 0] / 255
    assert np.abs(shadow - cast).max() < 1 / 255
    assert (job / "depth/0001.png").exists(), "the scene hides the character"

    rendered = (job / "surface/0001.light").stat().st_mtime_ns
    code, again, told = generate(blend)
    assert (code, again["job"], again["made"], again["reused"]) == (0, summary["job"], 0, 2), told
    assert (job / "surface/0001.light").stat().st_mtime_ns == rendered
