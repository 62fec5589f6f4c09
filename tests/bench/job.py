"""A job of any length for the bench: a figure that sways in the middle of a noisy 256x256 plate."""
import json
import math

import cv2
import numpy as np

from engine.conditions.frames import as_bits, write_picture
from engine.contract import files, jobs
from engine.contract.skeleton import BODY

SIZE, HEIGHT_PX = (256, 256), 205.0
# A standing figure, 205 pixels tall: (x, y) of its right half and its middle; the left half mirrors the right at 128.
HALF = {"nose": (128, 45), "neck": (128, 67), "shoulder": (104, 70), "elbow": (97, 105), "wrist": (93, 138),
        "hip": (114, 130), "knee": (112, 176), "ankle": (111, 218), "toe": (106, 226),
        "eye": (122, 40), "ear": (116, 42)}
CLOTHES = (("hip", "knee", (0.1, 0.1, 0.5), 20), ("knee", "ankle", (0.1, 0.1, 0.5), 14),
           ("shoulder", "elbow", (0.8, 0.5, 0.1), 14), ("elbow", "wrist", (0.8, 0.5, 0.1), 12))


def write_job(folder, count, steps=None):
    """A whole job folder of `count` frames in the square crop; `steps` None: as the weights say. Returns the folder."""
    noise = np.random.default_rng(3)
    plates = [noise.integers(90, 150, (*SIZE[::-1], 3), np.uint8) for _ in range(4)]
    people = []
    for number in range(1, count + 1):
        write_picture(files.picture(folder, files.SOURCE, number), plates[number % len(plates)])
        body = figure(number / 12)
        people.append({"people": [{"body": body.tolist(), "left_hand": None, "right_hand": None,
                                   "height_px": HEIGHT_PX}]})
    write_picture(files.path(folder, files.REFERENCE), as_bits(drawn(figure(0.0))))
    with open(files.path(folder, files.POSE), "w", encoding="utf-8") as file:
        json.dump({"version": 1, "frames": people}, file)
    joints = tuple((float(x), float(y), 1.0) for x, y in figure(0.0)[:, :2])
    jobs.write(folder, jobs.Job(
        name="bench", size=SIZE, frames=count, reference=jobs.Reference(joints=joints, height_px=HEIGHT_PX),
        settings=jobs.Settings(shape="256x256", steps=steps)))
    return folder


def figure(phase):
    """(20, 4) x, y, depth, confidence of the figure, its arms and knees swaying."""
    body = np.ones((len(BODY), 4))
    for row, name in zip(body, BODY, strict=True):
        side, part = name.split("_") if "_" in name else ("right", name)
        x, y = HALF[part]
        sway = 10 * math.sin(2 * math.pi * phase) * {"wrist": 1.0, "elbow": 0.5, "knee": 0.4}.get(part, 0.0)
        row[:3] = (256 - x if side == "left" else x) + sway, y, 4.0
    return body


def drawn(body):
    """(256, 256, 3) float32: the figure in a coat."""
    picture = np.full((*SIZE[::-1], 3), 0.8, np.float32)
    place = {name: tuple(int(v) for v in row[:2]) for name, row in zip(BODY, body, strict=True)}
    for side in ("right", "left"):
        for a, b, colour, width in CLOTHES:
            cv2.line(picture, place[f"{side}_{a}"], place[f"{side}_{b}"], colour, width)
    trunk = [place[name] for name in ("right_shoulder", "left_shoulder", "left_hip", "right_hip")]
    cv2.fillConvexPoly(picture, np.array(trunk), (0.9, 0.6, 0.1))
    cv2.circle(picture, place["nose"], 17, (0.9, 0.7, 0.6), -1)
    return picture
