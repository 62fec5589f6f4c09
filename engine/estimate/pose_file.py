"""Steady bodies and hands of a shot -> its pose.json."""

import json
from typing import Any

import numpy as np

from ..conditions.limbs import clean_joints
from ..contract import files, version
from .motion import Body


def write_pose(folder: str, frames: int, bodies: dict[int, Body], hands: dict[int, list[np.ndarray | None]]) -> None:
    """{number: motion.Body} and {number: [left, right]}, each (21, 4) or None -> pose.json of frames 1..frames; frames
    without a body have nobody in them. Values are rounded to hundredths of a pixel and tenths of a millimetre, which is
    finer than the eye can see."""
    entries = [_entry(bodies.get(number), *hands.get(number, (None, None))) for number in range(1, frames + 1)]
    text = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    files.write_whole(files.path(folder, files.POSE),
                      f'{{"version": {version.POSE}, "frames": [\n{text}\n]}}\n'.encode())


def _entry(body: Body | None, left: np.ndarray | None, right: np.ndarray | None) -> dict[str, Any]:
    if body is None:
        return {"people": []}
    return {"people": [{"body": _rounded(body.body), "left_hand": _rounded(left), "right_hand": _rounded(right),
                        "height_px": round(float(body.height_px), 2)}]}


def _rounded(joints: np.ndarray | None) -> list[list[float]] | None:
    if joints is None:
        return None
    return [[round(x, 2), round(y, 2), round(z, 4), round(c, 3)] for x, y, z, c in clean_joints(joints).tolist()]
