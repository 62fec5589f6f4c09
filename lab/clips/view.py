"""The places that a person's joints reach -> a camera that sees them: near or far, high or low, still or moving a
little."""

import math

import bpy
import numpy as np
from mathutils import Vector

from aa2_blender.embedded.engine.contract.skeleton import BODY_INDEX

CROWN = 0.12            # of the height, from the nose to over the hair
FAR = 6.0               # metres that a shadow is followed
CUBE = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
CLOTHED = 0.20          # metres about the joints within which hair, clothes and what they darken stay
SENSOR = 36.0           # millimetres along the picture's longer side


def add_camera(scene, rng, *, path, height, size, frames, whole=False, around=None):
    """Adds the camera of `scene`, keyed over `frames`; returns whether it moves.

    `path` (frames, n, 3) joints' places, the body's first; `whole`: nobody is cut by the edge; `around`: degrees about
    the performer, 0 = from the front, None draws it.
    """
    width, tall = size
    crowns = path[:, [BODY_INDEX["nose"]]] + (0, 0, CROWN * height)
    points = np.concatenate([path, crowns], axis=1).reshape(-1, 3)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    azimuth = math.radians(around if around is not None
                           else rng.choice([rng.uniform(-75, 75), rng.uniform(-180, 180)], p=[0.75, 0.25]))
    lens = float(rng.uniform(24, 60))
    share = rng.uniform(0.78, 0.92) if whole else rng.uniform(0.55, 0.9)
    cut = not whole and rng.random() < 0.12
    lift = float(np.clip(rng.normal(1.35, 0.5), 0.35, 2.8))
    target = Vector(middle) + Vector(rng.normal(0, 0.04, 3)) * (not whole)
    eye = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    eye.data.sensor_width, eye.data.lens, eye.data.sensor_fit = SENSOR, lens, "AUTO"
    scene.collection.objects.link(eye)
    scene.camera = eye
    near, far = 0.8, 30.0
    # bisection: the nearest place from which all are within `share`
    for _ in range(24):
        distance = (near + far) / 2
        place = Vector((middle[0] + distance * math.sin(azimuth), middle[1] - distance * math.cos(azimuth), lift))
        near, far = (near, distance) if _spread(points, place, target, lens, size) < share else (distance, far)
    distance = far * (rng.uniform(0.55, 0.85) if cut else 1.0)
    moving = frames > 1 and rng.random() < 0.25
    drift, roll = rng.normal(0, 1, 4) * moving, float(rng.normal(0, 0.012))
    for frame in range(1, frames + 1):
        u = (frame - 1) / max(frames - 1, 1) - 0.5
        turn = azimuth + 0.10 * drift[0] * u
        reach = distance * (1 + 0.08 * drift[1] * u)
        eye.location = (middle[0] + reach * math.sin(turn), middle[1] - reach * math.cos(turn),
                        lift + 0.12 * drift[2] * u)
        eye.rotation_euler = looking(eye.location, target, roll)
        if moving:
            eye.keyframe_insert("location", frame=frame)
            eye.keyframe_insert("rotation_euler", frame=frame)
    return moving


def view_matrices(scene, frames, size):
    """(F, 4, 4) each: the camera's place in the world and its projection, as gather.camera.project takes them."""
    cameras, projections = np.empty((frames, 4, 4)), np.empty((frames, 4, 4))
    for i in range(frames):
        scene.frame_set(i + 1)
        graph = bpy.context.evaluated_depsgraph_get()
        seen = scene.camera.evaluated_get(graph)
        cameras[i] = seen.matrix_world.normalized()
        projections[i] = seen.calc_matrix_camera(graph, x=size[0], y=size[1])
    return cameras, projections


def optics_of(projections, size):
    """`focal_px` and `centre_px` of clip.json: of each frame the focal length and the principal point in pixels."""
    focal = (projections[:, 0, 0] * size[0] / 2).round(4).tolist()
    return {"focal_px": focal, "centre_px": [[size[0] / 2, size[1] / 2]] * len(focal)}


def about(middles, reach):
    """(F, n, 3) metres -> (F, 8 n, 3): the corners of cubes about them, `reach` to each side."""
    return (middles[:, :, None] + reach * CUBE).reshape(len(middles), -1, 3)


def shadows_of(places, lamps):
    """(F, n, 3) metres -> (F, lamps * n, 3): where the lamps' light carries them on the floor; a shadow on anything
    nearer lies between. A place as high as its lamp falls FAR away."""
    found = [places * (1, 1, 0)]
    for lamp in lamps:
        if lamp.data.type == "SUN":
            way = np.broadcast_to(np.array(lamp.rotation_euler.to_matrix() @ Vector((0, 0, -1))), places.shape)
        else:
            way = places - np.array(lamp.location)
        fall = np.where(way[..., 2:] < 0, places[..., 2:] / np.maximum(-way[..., 2:], 1e-6), FAR)
        size = np.linalg.norm(way, axis=-1, keepdims=True)
        found.append(places + way * np.minimum(fall, FAR / size))
    return np.concatenate(found, axis=1)


def box_of(seen):
    """(F, n, 3) of gather.camera.project, in parts of the picture -> (left, top, right, bottom);
    the whole where one is behind."""
    if (seen[..., 2] <= 0.05).any():
        return (0.0, 0.0, 1.0, 1.0)
    low, high = seen[..., :2].min(axis=(0, 1)), seen[..., :2].max(axis=(0, 1))
    return tuple(float(x) for x in np.clip([*(low - 0.01), *(high + 0.01)], 0, 1))


def looking(place, target, roll=0.0):
    """The rotation of a camera at `place` that looks at `target`, `roll` radians about its axis."""
    euler = (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    euler.rotate_axis("Z", roll)
    return euler


def _spread(points, place, target, lens, size):
    """The largest of |x|, |y| of the points as parts of the half picture; infinite where one is behind the camera."""
    matrix = np.array(looking(place, target).to_matrix())
    seen = (points - np.array(place)) @ matrix
    if (seen[:, 2] > -0.3).any():
        return math.inf
    flat = seen[:, :2] / -seen[:, 2:]
    half = np.array([size[0], size[1]]) / max(size) * (SENSOR / lens / 2)
    return float((np.abs(flat) / half).max())
