"""The character of a seed, in another pose, view and light, whole in the picture, cut out on a random background.

How a reference is exposed has two versions. The second, which training sees, is a photographer's with a light meter:
the white ball of `ball.py` is as bright at the reference's chest as at the character's in the room, times 2^s, where s
is normal with a deviation of STOPS and cut at MOST_STOPS; but it stays within LEVELS, since nobody hands in a picture
in which the person is lost in the dark or in the light. So the exposure follows the reference's own light, and no
clothes change it: dark ones stay dark. The first version, which held-out clips keep beside it, gave the figure itself a
medium brightness and then made it OVER times as bright.
"""

import json

import bpy
import numpy as np

from aa2_blender.embedded.engine.contract import files, version
from aa2_blender.gather.camera import project
from aa2_blender.gather.png import write_colour, write_grey

from . import ball, fabric, passes, truth
from .motions import draw_action
from .person import build_person
from .posture import strike
from .room import light
from .seeds import generator, held_out
from .view import CLOTHED, about, add_camera, box_of, optics_of, view_matrices

SECOND = "reference_v2.png"     # of held-out clips, whose reference.png is the first
STOPS, MOST_STOPS = 0.5, 1.0    # ours: as far apart as two photographs of one person often are
LEVELS = 0.4, 2.0               # of the white ball, linear, 1 = white; ours: skin of every kind can be made out
OVER = 1.2                      # the first version's
POSES = ("stand", "stand", "stand", "walk", "dance", "turn")


def write_reference(folder, recipe, data, threads, level):
    """Writes reference.png, reference_matte.png, reference_pose.json, and SECOND for a held-out clip; returns the
    person of that pose and `references` of clip.json. Ends with another scene than it found. `level`: how bright the
    ball is in the room's pictures."""
    rng = generator(recipe.seed, "reference")
    person, joints = _stage(rng, recipe, data)
    scene = bpy.context.scene
    passes.set_up(scene, recipe.size, threads=threads)
    cameras, projections = view_matrices(scene, 1, recipe.size)
    figure = passes.figures(scene, [], [1], box_of(project(about(joints, CLOTHED), cameras, projections, (1, 1))))[0]
    shone = ball.lights_at(scene, person.objects, ball.chests_of(joints), cameras)[0]
    gains = {"first": OVER * passes.exposure(rng, figure[figure[..., 3] > 0.5][None, :, :3], figure),
             "second": metered(generator(recipe.seed, "exposure"), level, float(ball.level_of(shone)))}
    matte, ground, written = figure[..., 3:], _background(rng, recipe.size), {}
    names = {"first": files.REFERENCE, "second": SECOND} if held_out(recipe.seed) else {"second": files.REFERENCE}
    for which, file in names.items():
        picture = matte * passes.display(figure[..., :3], gains[which]) + (1 - matte) * ground
        write_colour(files.path(folder, file), np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
        optics = {name: value[0] for name, value in optics_of(projections, recipe.size).items()}
        written[which] = {"file": file, **optics, **ball.record(gains[which], shone)}
    write_grey(files.path(folder, "reference_matte.png"), np.rint(matte[..., 0] * 255).astype(np.uint8))
    (posed,) = truth.people_of(joints, cameras, projections, size=recipe.size, height=person.measures.height)[0]
    told = {"version": version.POSE, "frames": [{"people": [posed]}]}
    files.write_whole(files.path(folder, "reference_pose.json"), json.dumps(told).encode())
    return posed, written


def metered(rng, level, own):
    """The second version's gain. `level`: the ball in the room's pictures; `own`: the ball's linear light here."""
    wanted = level * 2 ** float(np.clip(rng.normal(0, STOPS), -MOST_STOPS, MOST_STOPS))
    return float(np.clip(wanted, *LEVELS)) / max(own, 1e-4)


def _stage(rng, recipe, data):
    """The person in a pose, before a camera, in a light, in an empty file. Returns the person and (1, 62, 3) joints."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    person = build_person(scene, data, recipe.seed)
    action = draw_action(rng, person.measures, POSES[rng.integers(len(POSES))])
    posture = action.pose(float(rng.uniform(*action.span)))
    strike(person.puppet, posture, person.measures)
    person.puppet.key(1)
    joints = truth.joints_of(person.puppet, person.face)[None]
    ahead = posture.hips.col[1].xy * -1                     # where the performer faces
    facing = float(np.degrees(np.arctan2(ahead.x, -ahead.y)))
    turn = rng.normal(0, 22) if rng.random() < 0.8 else rng.uniform(-110, 110)
    add_camera(scene, rng, path=joints, height=person.measures.height, size=recipe.size, frames=1, whole=True,
               around=facing + turn)
    light(scene, scene.collection, rng, False, np.radians(90 - facing))
    return person, joints


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
        edge = 1 / (
            1 + np.exp(-np.clip((np.minimum(w - abs(columns - x), h - abs(rows - y))) * rng.uniform(20, 400), -60, 60)))
        picture += edge[..., None] * (colour - picture)
    return picture
