"""A shot whose scene renders the light, end to end: headless, with the real engine and Cycles."""
from pathlib import Path

import numpy as np
from conftest import HERE, ROOT
from PIL import Image


def test_the_scene_lights_the_character_and_gets_its_shadow(blender, generate, tmp_path):
    folder = tmp_path / "a shot é"
    folder.mkdir()
    Image.open(ROOT / "tests" / "demo" / "reference.png").save(folder / "reference.png")
    done = blender(HERE / "make_lit.py", folder, "lit ü.blend", 2, 160, 120)
    assert done.returncode == 0, done.stderr

    code, summary, told = generate(folder / "lit ü.blend", "--light-source", "rendered")
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
    code, again, told = generate(folder / "lit ü.blend")
    assert (code, again["job"], again["made"], again["reused"]) == (0, summary["job"], 0, 2), told
    assert (job / "surface/0001.light").stat().st_mtime_ns == rendered
