"""The character of a seed, in another pose, view and light, whole in the picture, cut out on a random background."""

import json

import bpy
import numpy as np

from ..embedded.engine.contract import folder as files
from ..embedded.engine.contract import version
from ..gather.camera import project
from ..gather.png import write_colour, write_grey
from . import fabric, passes, truth
from .motions import draw_action
from .person import build_person
from .posture import strike
from .room import light
from .seeds import generator
from .view import CLOTHED, about, add_camera, box_of

POSES = ("stand", "stand", "stand", "walk", "dance", "turn")


def write_reference(folder, recipe, data, threads):
    """Writes reference.png, reference_matte.png and reference_pose.json; returns the person of that pose. Ends with another scene
    than it found."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene, rng = bpy.context.scene, generator(recipe.seed, "reference")
    person = build_person(scene, data, recipe.seed)
    action = draw_action(rng, person.measures, POSES[rng.integers(len(POSES))])
    posture = action.pose(float(rng.uniform(*action.span)))
    strike(person.puppet, posture, person.measures)
    person.puppet.key(1)
    joints = truth.joints_of(person.puppet, person.face)[None]
    ahead = posture.hips.col[1].xy * -1                     # where the performer faces
    facing = float(np.degrees(np.arctan2(ahead.x, -ahead.y)))
    turn = rng.normal(0, 22) if rng.random() < 0.8 else rng.uniform(-110, 110)
    add_camera(scene, rng, path=joints, height=person.measures.height, size=recipe.size, frames=1, whole=True, around=facing + turn)
    light(scene, scene.collection, rng, False, np.radians(90 - facing))
    passes.set_up(scene, recipe.size, threads=threads)
    from .clip import view_matrices
    matrices = view_matrices(scene, 1, recipe.size)
    figure = passes.figures(scene, [], [1], box_of(project(about(joints, CLOTHED), *matrices, (1, 1))))[0]
    people = truth.people_of(joints, *matrices, size=recipe.size, height=person.measures.height)
    gain = passes.exposure(rng, figure[figure[..., 3] > 0.5][None, :, :3], figure) * 1.2
    colour, matte = passes.display(figure[..., :3], gain), figure[..., 3:]
    picture = matte * colour + (1 - matte) * _background(rng, recipe.size)
    write_colour(files.path(folder, files.REFERENCE), np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
    write_grey(files.path(folder, "reference_matte.png"), np.rint(matte[..., 0] * 255).astype(np.uint8))
    told = {"version": version.POSE, "frames": [{"people": people[0]}]}
    files.write_whole(files.path(folder, "reference_pose.json"), json.dumps(told).encode())
    return people[0][0]


def _background(rng, size):
    """(h, w, 3): one colour, a gradient, or soft-edged patches of several."""
    width, height = size
    colours = [np.array(fabric.draw_colour(rng, 0.02, 0.9)) ** (1 / 2.2) for _ in range(6)]
    kind = rng.random()
    rows, columns = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    if kind < 0.4:
        return np.broadcast_to(colours[0], (height, width, 3))
    if kind < 0.6:
        return colours[0] + (colours[1] - colours[0]) * rows[..., None]
    picture = np.broadcast_to(colours[0], (height, width, 3)).copy()
    for colour in colours[1:]:
        x, y, w, h = rng.uniform(0, 1, 2).tolist() + rng.uniform(0.1, 0.6, 2).tolist()
        edge = 1 / (1 + np.exp(-np.clip((np.minimum(w - abs(columns - x), h - abs(rows - y))) * rng.uniform(20, 400), -60, 60)))
        picture += edge[..., None] * (colour - picture)
    return picture
