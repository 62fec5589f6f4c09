"""A lit scene and places in it -> its light (contract/harmonics.py), as shown by a white ball that casts no shadow."""

import math

import bmesh
import bpy  # first: it brings bmesh
import numpy as np

from aa2_blender.embedded.engine.contract import harmonics
from aa2_blender.embedded.engine.contract.skeleton import BODY_INDEX

from . import materials, passes, shapes

RADIUS = 0.02           # metres; so small that the light is the same all over it
SIZE, SAMPLES = (64, 32), 16            # of one ball's picture: 32,768 samples, whose noise nine numbers do not show
APART = 0.25            # metres that the chest may move before the light is measured again
CHEST = 0.3             # of the way from the neck to the hips' middle
CAMERA_AXES = np.diag([1.0, -1.0, -1.0])        # of Blender's camera: to x right, y down, z away


def lights_at(scene, hidden, places, cameras):
    """(F, 9, 3) coefficients in each frame's camera axes, of the scene's linear light before any exposure.

    `places` (F, 3) metres; `cameras` (F, 4, 4) in the world; `hidden`: objects that are removed during this, for all
    rays. Lights must stand still. A frame whose place is within APART of an earlier measured one has that one's light.
    """
    measured, chosen = [], []
    for place in places:
        away = [float(np.linalg.norm(place - other)) for other in measured]
        if not away or min(away) > APART:
            measured.append(place)
            away.append(0.0)
        chosen.append(int(np.argmin(away)))
    pictures = _pictures(scene, hidden, measured)
    normals, areas = _normals()
    axes = [camera[:3, :3] @ CAMERA_AXES for camera in cameras]
    return np.array([_coefficients(pictures[k], normals @ turn, areas) for k, turn in zip(chosen, axes, strict=True)])


def chests_of(joints):
    """(F, 3) metres: the middle of the chest, of (F, 62, 3) joints as truth.joints_of has them."""
    neck, left, right = (joints[:, BODY_INDEX[name]] for name in ("neck", "left_hip", "right_hip"))
    return neck + CHEST * ((left + right) / 2 - neck)


def level_of(coefficients):
    """(...,) how bright the ball's disc is to the camera, on average and over R, G, B, of (..., 9, 3) coefficients."""
    towards = np.array(harmonics.basis(0.0, 0.0, -1.0)) * np.array(harmonics.LAMBERT)[list(harmonics.DEGREES)]
    return np.einsum("...kc,k->...", coefficients, towards) / (3 * math.pi)


def record(gain, coefficients):
    """`gain` and `light` of clip.json, of (..., 9, 3) coefficients before the exposure."""
    return {"gain": [round(float(gain), 6)] * 3, "light": np.round(gain * coefficients, 5).tolist()}


def _pictures(scene, hidden, places):
    """(n, h, w, 3) linear: the ball at each place, all around, as a camera in its middle sees its inner side.

    Only the camera sees the ball, so light passes through it, and Cycles turns a surface's normal to the viewer. So
    what the camera sees in one direction is what an outer side facing the opposite direction would show (ours: one
    picture shows all sides).
    """
    ball = _ball(scene.collection)
    camera = bpy.data.objects.new("Probe", bpy.data.cameras.new("Probe"))
    camera.data.type, camera.data.panorama_type, camera.data.clip_start = "PANO", "EQUIRECTANGULAR", RADIUS / 10
    scene.collection.objects.link(camera)
    for frame, place in enumerate(places, 1):
        for thing in (ball, camera):
            thing.location = place
            thing.keyframe_insert("location", frame=frame)
    try:
        with passes.changed(hidden, hide_render=True), passes.changed([scene], camera=camera), \
                passes.changed([scene.render], resolution_x=SIZE[0], resolution_y=SIZE[1]), \
                passes.changed([scene.cycles], samples=SAMPLES, use_denoising=False):
            return passes.rendered(scene, list(range(1, len(places) + 1)), "the light")[..., :3]
    finally:
        for thing in (ball, camera):
            bpy.data.objects.remove(thing)


def _ball(collection):
    """White and matt, seen by the camera alone, so that it neither shades nor lights anything."""
    material = materials.plain("Ball", (1.0, 1.0, 1.0), 1.0, Specular_IOR_Level=0.0)
    made = bmesh.new()
    bmesh.ops.create_uvsphere(made, u_segments=64, v_segments=32, radius=RADIUS)
    ball = shapes.add(collection, "Ball", shapes.finished(made, "Ball"), material, smooth=True)
    ball.visible_shadow = ball.visible_diffuse = ball.visible_glossy = ball.visible_transmission = False
    return ball


def _normals():
    """Of each pixel around an unturned camera: (h * w, 3) the ball's outer normal in the world, (h * w,) how much of
    the sphere it is."""
    width, height = SIZE
    across = ((np.arange(width) + 0.5) / width - 0.5) * 2 * math.pi
    up = (0.5 - (np.arange(height) + 0.5) / height) * math.pi
    across, up = np.meshgrid(across, up)
    seen = np.stack([np.cos(up) * np.sin(across), np.sin(up), -np.cos(up) * np.cos(across)], axis=-1)
    areas = np.cos(up)
    return -seen.reshape(-1, 3), (4 * math.pi * areas / areas.sum()).ravel()


def _coefficients(picture, normals, areas):
    terms = np.stack(harmonics.basis(*normals.T), axis=-1)
    return np.einsum("n,nk,nc->kc", areas, terms, picture.reshape(-1, 3))
