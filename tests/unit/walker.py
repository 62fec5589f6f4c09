"""A figure of 205 px in a 256 x 256 picture in a few poses, its drawn reference, and a small job folder with it."""
import json

import cv2
import numpy as np

from engine.conditions import frames
from engine.contract import files, jobs
from engine.contract.skeleton import BODY, BODY_INDEX, HAND

SIZE, HEIGHT_PX = (256, 256), 205.0
STANDING = dict(
    nose=(128, 45), neck=(128, 67), right_shoulder=(104, 70), right_elbow=(97, 105), right_wrist=(93, 138),
    left_shoulder=(152, 70), left_elbow=(159, 105), left_wrist=(163, 138), right_hip=(114, 130), right_knee=(112, 176),
    right_ankle=(111, 218), left_hip=(142, 130), left_knee=(144, 176), left_ankle=(145, 218), right_eye=(122, 40),
    left_eye=(134, 40), right_ear=(116, 42), left_ear=(140, 42), right_toe=(106, 226), left_toe=(150, 226))
REACHING = dict(left_elbow=(190, 72, 3.8), left_wrist=(226, 64, 3.5))
SITTING = dict(right_knee=(88, 148, 3.5), right_ankle=(90, 196, 3.5), left_knee=(170, 150, 3.5),
               left_ankle=(168, 198, 3.5))
SLEEVES = {"right": (0.8, 0.2, 0.2), "left": (0.2, 0.7, 0.2)}


def figure(changed=None, behind=False):
    """(20, 4): the figure stands at 4 m and is seen from the front; `changed` moves joints to (x, y, depth)."""
    places = {name: (*xy, 4.0) for name, xy in STANDING.items()} | (changed or {})
    body = np.array([(*places[name], 1.0) for name in BODY])
    if behind:
        body[:, 0] = SIZE[0] - body[:, 0]
        body[[BODY_INDEX[n] for n in ("nose", "right_eye", "left_eye")], 3] = 0.0
    return body


def hand_at(x, y, depth=4.0):
    """(21, 4): an open hand of 15 px."""
    spread = np.linspace(-0.6, 0.6, 5)
    points = [(0.0, 0.0)] + [(15 * k / 4 * np.sin(a), 15 * k / 4 * np.cos(a)) for a in spread for k in (1, 2, 3, 4)]
    assert len(points) == len(HAND)
    return np.array([(x + dx, y + dy, depth, 1.0) for dx, dy in points])


def drawn_reference():
    """(256, 256, 3) float32: the standing figure with an orange coat, a red right and a green left sleeve,
    blue legs."""
    body, picture = figure(), np.full((256, 256, 3), 0.8, np.float32)

    def limb(a, b, colour, width):
        ends = [tuple(int(v) for v in body[BODY_INDEX[n], :2]) for n in (a, b)]
        cv2.line(picture, *ends, colour, width, cv2.LINE_8)
    for side, colour in SLEEVES.items():
        limb(f"{side}_hip", f"{side}_knee", (0.1, 0.1, 0.5), 20)
        limb(f"{side}_knee", f"{side}_ankle", (0.1, 0.1, 0.5), 14)
        limb(f"{side}_shoulder", f"{side}_elbow", colour, 14)
        limb(f"{side}_elbow", f"{side}_wrist", colour, 12)
    cv2.fillConvexPoly(picture, np.array([(104, 64), (152, 64), (146, 136), (110, 136)]), (0.9, 0.6, 0.1))
    cv2.circle(picture, (128, 42), 17, (0.9, 0.7, 0.6), -1)
    return picture


def moved(body, scale, x, y):
    """The figure scaled about its feet, which move to (x, y); a figure that is twice as large is half as far away."""
    body = body.copy()
    body[:, :2] = (body[:, :2] - (128, 226)) * scale + (x, y)
    body[:, 2] /= scale
    return body


def walking_back(count):
    """The people of write_job from frame 14 on, who would leave the picture: they go back."""
    found = {}
    for number in range(14, count + 1):
        body = moved(figure(), 0.6, 320 - 12 * (number - 13), 200)
        found[number] = [{"body": body.tolist(), "left_hand": None, "right_hand": None, "height_px": HEIGHT_PX * 0.6}]
    return found


def write_job(folder, count=6, *, size=(320, 240), masks=False, objects=None, people=None, **fields):
    """A job folder of a figure walking from left to right, half a picture tall; `people` replaces frames' poses."""
    bodies = [moved(figure(), 0.6, 80 + 20 * i, 200) for i in range(count)]
    entries = [
        {"people": [{"body": body.tolist(), "left_hand": None, "right_hand": None, "height_px": HEIGHT_PX * 0.6}]}
               for body in bodies]
    for number, entry in (people or {}).items():
        entries[number - 1] = {"people": entry}
    plate = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8)
    for number in range(1, count + 1):
        frames.write_picture(files.picture(folder, files.SOURCE, number), plate)
        if masks:
            mask = np.zeros((size[1], size[0]), np.uint8)
            cv2.circle(mask, (80 + 20 * (number - 1), 140), 40, 255, -1)
            frames.write_picture(files.picture(folder, files.MASK, number), mask)
        if objects is not None:
            frames.write_picture(files.picture(folder, files.OBJECTS, number), objects)
    frames.write_picture(files.path(folder, files.REFERENCE), frames.as_bits(drawn_reference()))
    with open(files.path(folder, files.POSE), "w", encoding="utf-8") as file:
        json.dump({"version": 1, "frames": entries}, file)
    if objects is not None:
        fields["objects"] = jobs.DepthRange(near=2.0, far=10.0)
    job = jobs.Job(name="walk", size=size, frames=count, **fields)
    jobs.write(folder, job)
    return jobs.read(folder)
