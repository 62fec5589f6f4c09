"""A shot for the Wan engines' tests: a performer walks over a still plate, 96x64 pixels in the crop. The reference is
cut out and its joints are given, so that nobody has to look for them."""
from pathlib import Path

import numpy as np

from engine.conditions.frames import as_bits, read_picture, write_picture
from engine.contract import files, jobs
from tests.unit.walker import HEIGHT_PX, drawn_reference, figure, write_job

SHAPE, SMALL = "96x64", "32x48"     # crops; in the small one, the region covers nearly everything
SIZE = (340, 220)


def write_shot(folder: Path, engine: str, count: int, *, own: dict | None = None, people: dict | None = None,
               clean_plate: bool = False, bits: int = 8, **settings) -> jobs.Job:
    """A job folder for an engine. bits 16: small changes of a picture are seen."""
    body = figure()
    joints = tuple((float(x), float(y), float(sure)) for x, y, _, sure in body)
    fields = {"steps": 2, "window": 9, "grain": False, "blur": False, "shape": SHAPE, **settings}
    job = write_job(str(folder), count, size=SIZE, people=people, bits=bits, clean_plate=clean_plate,
                    reference=jobs.Reference(joints=joints, height_px=HEIGHT_PX, depths=tuple(body[:, 2].tolist())),
                    settings=jobs.Settings(engine=engine, engines={engine: {"variant": "float32", **(own or {})}},
                                           **fields))
    picture = drawn_reference()
    cut_out = np.dstack([picture, np.abs(picture - 0.8).max(axis=-1) > 0.05])
    write_picture(files.path(str(folder), files.REFERENCE), as_bits(cut_out.astype(np.float32)))
    return job


def frames(folder: Path, count: int) -> np.ndarray:
    """(count, h, w, 4) 0..1: the finished frames."""
    found = np.stack([read_picture(files.picture(str(folder), files.FRAMES, number)) for number in range(1, count + 1)])
    return found.astype(np.float64) / np.iinfo(found.dtype).max


def written(folder: Path) -> dict:
    """The bytes of every frame and shadow."""
    return {path.relative_to(folder): path.read_bytes() for kind in ("frames", "shadow")
            for path in sorted(Path(folder, kind).glob("[!.]*.png"))}


def change(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(frames,) how much two takes differ where either shows something."""
    seen = np.maximum(one[..., 3], other[..., 3]) > 0.5
    return np.array([np.abs(a - b)[..., :3][where].mean() for a, b, where in zip(one, other, seen, strict=True)])
