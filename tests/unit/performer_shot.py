"""A short film of a MakeHuman figure (figures/) that slides through a patterned room, with its true joints and mask."""

import json
import subprocess
from pathlib import Path

import cv2
import numpy as np

from engine.conditions.frames import write_picture
from engine.contract import files

FIGURES = Path(__file__).parent / "figures"
TRUTH = json.loads((FIGURES / "figures.json").read_text(encoding="utf-8"))
SIZE, SCALE = (400, 260), 0.6


def read(name):
    return np.ascontiguousarray(cv2.imread(str(FIGURES / f"{name}.png"))[:, :, ::-1])


def room(size=SIZE, seed=1):
    """(h, w, 3) uint8: soft blotches, which make a camera's motion visible."""
    rng = np.random.default_rng(seed)
    small = rng.integers(90, 200, (size[1] // 20 + 2, size[0] // 20 + 2, 3), np.uint8)
    return cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)


def figure(name="front", scale=1.0, tint=(1.0, 1.0, 1.0)):
    """((h, w, 3) uint8, (h, w) float32 cover)."""
    picture = read(name)
    cover = (np.abs(picture.astype(int) - picture[0, 0]).max(axis=2) > 12).astype(np.float32)
    picture = np.clip(picture * np.array(tint), 0, 255).astype(np.uint8)
    if scale != 1.0:
        picture, cover = (cv2.resize(a, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                          for a in (picture, cover))
    return picture, cover


def laid(backdrop, place, drawn):
    """The backdrop with a figure at `place` (x, y), which may be partly outside, and the figure's mask."""
    picture, cover = drawn
    result, mask = backdrop.copy(), np.zeros(backdrop.shape[:2], bool)
    x, y = place
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + cover.shape[1], backdrop.shape[1]), min(y + cover.shape[0], backdrop.shape[0])
    if left < right and top < bottom:
        part = np.s_[top - y:bottom - y, left - x:right - x]
        here, a = np.s_[top:bottom, left:right], cover[part][..., None]
        result[here] = np.rint(picture[part] * a + result[here] * (1 - a)).astype(np.uint8)
        mask[here] = cover[part] > 0.5
    return result, mask


def places(frames, start=0, step=20):
    return [(start + step * t, 15) for t in range(frames)]


def film(frames=12, *, backdrop=None, name="front", **where):
    """[(picture, mask)] of a figure that moves to the right."""
    backdrop = room() if backdrop is None else backdrop
    drawn = figure(name, SCALE)
    return [laid(backdrop, place, drawn) for place in places(frames, **where)]


def as_folder(folder, pictures):
    for number, picture in enumerate(pictures, 1):
        write_picture(str(Path(folder) / f"{number:04d}.png"), picture)
    return str(folder)


def as_movie(path, pictures, fps=25.0, code="MJPG"):
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*code), fps, (width, height))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    writer.release()
    return str(path)


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-y", "-loglevel", "error", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL)


def true_joints(place, name="front"):
    """{joint: (x, y)} of the figure at a place."""
    return {joint: SCALE * np.array(at) + place for joint, at in TRUTH[name]["joints"].items()}


HEIGHT_PX = SCALE * TRUTH["front"]["height_px"]


def picture_of(job, kind, number):
    return cv2.imread(files.picture(str(job), kind, number), cv2.IMREAD_UNCHANGED)
