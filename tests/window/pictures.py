"""The pictures of the window test: those of a run, compared with the committed ones of docs/images/.

    python tests/window/pictures.py      makes the last run's pictures the new ones: few colours, small

The sidebar and the timeline are compared, as means of squares of eight pixels. What differs from run to run (seconds,
how far a bar is, the newest frame) stays below the tolerated number of squares; a missing button does not.
"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
IMAGES, TAKEN = ROOT / "docs" / "images", ROOT / ".build" / "window" / "pictures"
WHOLE_WIDTH = 800
# Committed picture -> what it shows; a picture of the window is made smaller. Other pictures of a run are compared
# through `SAME`.
SHOWN = {"open": "window", "character": "sidebar", "joints": "window", "bones": "sidebar",
         "driver": "sidebar", "preview": "window", "frame": "window",
         "running": "window", "cancelled": "sidebar", "result": "window", "placed": "window", "undone": "window",
         "compare": "window", "reopened": "sidebar", "fixed": "sidebar", "light-panel": "sidebar", "look": "sidebar",
         "replace": "sidebar", "performer": "window", "queue": "sidebar", "farm": "sidebar", "replaced": "window",
         "output": "sidebar"}
SAME = {"redone": "placed"}
SQUARE = 8          # pixels of the window
TABS = 28           # pixels
DIFFERENT = 10      # of 255: a button differs from the panel under it by 23, squares with different letters by less
# In squares. A button of half the sidebar's width covers 60, a strip 700.
TOLERATED = {"sidebar": 30, "timeline": 100}
WITH_A_BAR = {"running": 90, "queue": 120}     # in the sidebar: how far the bar is, and the newest frame


def prepared(name: str, folder: Path, places: dict) -> Image.Image:
    """A run's picture as it would be committed; `places`: its parts in the window, (left, top, width, height)."""
    picture = Image.open(folder / f"{name}.png").convert("RGB")
    if SHOWN[SAME.get(name, name)] == "sidebar":
        x, y, width, height = places["sidebar"]
        return picture.crop((x, y, x + width, y + height))
    return picture.resize((WHOLE_WIDTH, picture.height * WHOLE_WIDTH // picture.width), Image.LANCZOS)


def squares(picture: Image.Image, shown: str, part: str, places: dict) -> np.ndarray:
    """Means of a part's squares, (rows, columns, 3) float32 0..255. The tabs beside the panels are left out, because
    they come and go with strips."""
    x, y, width, height = places[part]
    scale = picture.width / (places["window"][2] if shown == "window" else width)
    left, top = (x, y) if shown == "window" else (0, 0)
    width -= TABS if part == "sidebar" else 0
    cut = picture.crop(tuple(round(value * scale) for value in (left, top, left + width, top + height)))
    return np.asarray(cut.resize((width // SQUARE, height // SQUARE), Image.BOX), np.float32)


def different(first: np.ndarray, second: np.ndarray) -> int:
    """How many squares differ."""
    return int((np.abs(first - second).max(axis=2) > DIFFERENT).sum())


def faults(name: str, picture: Image.Image, committed: Image.Image, places: dict) -> list[str]:
    """What differs by more than the tolerance, in words."""
    shown = SHOWN[SAME.get(name, name)]
    found = []
    for part in ("sidebar",) if shown == "sidebar" else TOLERATED:
        count = different(squares(picture, shown, part, places), squares(committed.convert("RGB"), shown, part, places))
        tolerated = WITH_A_BAR.get(name, TOLERATED[part]) if part == "sidebar" else TOLERATED[part]
        if count > tolerated:
            found.append(f"the {part} differs in {count} squares, {tolerated} are tolerated")
    return found


def main():
    told = json.loads((TAKEN / "told.json").read_text())
    for name in SHOWN:
        target = IMAGES / f"{name}.png"
        # Median cut uses its colours up for the many greys of a sidebar; the octree keeps the colours of the strips.
        method = Image.Quantize.MEDIANCUT if SHOWN[name] == "sidebar" else Image.Quantize.FASTOCTREE
        prepared(name, TAKEN, told["pictures"][name]).quantize(256, method).save(target, optimize=True)
        print(f"{target.stat().st_size / 1e3:6.1f} kB  {target.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
