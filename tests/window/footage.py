"""The demo's reference -> pictures of a take: a performer whom the body model recognises slides in front of a wall of
soft colours."""
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

REFERENCE = Path(__file__).resolve().parents[1] / "demo" / "reference.png"
SIZE, FRAMES, TALL, STEP = (384, 216), 12, 190, 8      # pixels; as large as the shot


def make(folder: Path) -> None:
    """Writes 0001.png ... into `folder`."""
    folder.mkdir(parents=True)
    figure, mask = _person()
    x, y = np.meshgrid(np.linspace(0, 6, SIZE[0]), np.linspace(0, 5, SIZE[1]))
    wall = np.stack([110 + 50 * np.sin(x + k) * np.cos(y - k) for k in range(3)], axis=-1).astype(np.uint8)
    for i in range(FRAMES):
        picture = Image.fromarray(wall)
        picture.paste(figure, (90 + STEP * i, 16), mask)
        picture.save(folder / f"{i + 1:04}.png")


def _person():
    """(the figure, its mask), cut out of its even backdrop."""
    picture = Image.open(REFERENCE).convert("RGB")
    whole = np.array(picture)
    backdrop = np.median(whole[:, :4].reshape(-1, 3), axis=0)
    _count, parts, stats, _centres = cv2.connectedComponentsWithStats(
        (np.abs(whole - backdrop).max(axis=-1) > 24).astype(np.uint8))
    figure = 1 + stats[1:, cv2.CC_STAT_AREA].argmax()     # not the darker corner of the backdrop
    mask = Image.fromarray(255 * (parts == figure).astype(np.uint8))
    box = mask.getbbox()
    size = round((box[2] - box[0]) * TALL / (box[3] - box[1])), TALL
    return tuple(one.crop(box).resize(size, Image.Resampling.LANCZOS) for one in (picture, mask))
