"""The demo as a stranger starts it, on a small shot: every promised file exists, and the character is recognisable."""
import subprocess

import numpy as np
from conftest import BPY, ROOT
from PIL import Image

FRAMES = 48
EMBEDDED = ROOT / "engine" / "packs" / "compact" / "pack.json"


def away_from_the_layers(job, composite):
    """How far the last composite is from the plate with its shadow and the character over it, in levels of 255."""
    def layer(kind):
        return np.asarray(Image.open(job / kind / f"{FRAMES:04}.png"), np.float32)[..., :4] / 255
    character, plate = layer("frames"), layer("source")[..., :3] * layer("shadow")[..., :3]
    laid = plate + character[..., 3:] * (character[..., :3] - plate)
    return np.abs(255 * laid - np.asarray(Image.open(composite).convert("RGB"), np.float32)).mean()


def test_the_demo_leaves_what_it_promises(surroundings, pack, tmp_path):
    """If the checkout has no trained weights, random ones are used; then nobody can be recognised."""
    trained = EMBEDDED.exists()
    weights = [] if trained else ["--pack", pack]
    output = tmp_path / "demo"
    done = subprocess.run([BPY, ROOT / "tests" / "demo" / "demo.py", "--small", "--light", "ball", "--output", output,
                           *weights],
                          env={**surroundings, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, text=True,
                          timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    job = next((output / "aa2_jobs").glob("*/v*"))
    frames = [Image.open(path) for path in sorted((job / "frames").glob("*.png"))]
    assert len(frames) == len(list((job / "shadow").glob("*.png"))) == FRAMES
    composites = sorted((output / "composite").glob("*.png"))
    assert {(frame.mode, frame.size) for frame in frames} == {("RGBA", Image.open(composites[0]).size)}
    assert len(composites) == FRAMES and (output / "shot.blend").exists()
    assert away_from_the_layers(job, composites[-1]) < 0.5, "the film shows the layers and nothing else"
    assert (output / "composite.mp4").stat().st_size > 10_000
    assert Image.open(output / "contact_sheet.png").width > 1000
    for told in ("How long it took", "engine: denoise", "contact sheet", "joints inside matte", " s left"):
        assert told in done.stdout + done.stderr
    missed = [line.strip() for line in done.stdout.splitlines() if "NOT REACHED" in line]
    assert not (trained and missed), "\n".join(missed)
