"""A place in a lit scene, or in an HDRI -> its light, by a small picture of a grey ball.

The ball is as large as a head, and no ray but the camera's meets it. So it shades nothing, and it is lit as the place
would be without it. (Debevec 1998 takes a mirror ball; a matt one is what nine numbers can hold.)
"""

from collections.abc import Collection
from functools import cache
from typing import NamedTuple

import bpy
import numpy as np

from . import grey, lit_scene, sphere
from .smooth_mesh import smooth_mesh
from .stand import Stand

# Of a ball's picture (ours): together 2,400 samples for nine numbers, so that a ball takes less than half as long again
# as the start of a render. Few pixels and as many samples a pixel as that allows, since a view transform shows the mean
# of noise too dark: 16 x 16 pixels of 16 samples take longer and are no nearer to the light.
SIZE, SAMPLES = 10, 24
THUMBNAIL = 64
CAMERA_AXES = np.diag([1.0, -1.0, -1.0])        # of Blender's camera: to x right, y down, z away
_SEGMENTS, _RINGS = 48, 24


class Ball(NamedTuple):
    """What a ball shows: `light` (9, 3) in the axes of the shot's camera, and `picture` (h, w, 4) uint8 RGBA, to look
    at."""

    light: np.ndarray
    picture: np.ndarray


def rendered(scene: bpy.types.Scene, stand: Stand, path: str, *, frame: int = 1,
             character: Collection[bpy.types.Object] = ()) -> Ball:
    """The Ball of one frame of a temporary scene (lit_scene). `path` is where its picture may be written; `character`,
    whose light linking it takes. What is made in the scene stays there until it is removed."""
    axes = _looking(stand)
    ball, eye = _made(scene, stand, axes)
    render = scene.render
    render.resolution_x = render.resolution_y = SIZE
    render.film_transparent, scene.cycles.samples, scene.camera = True, SAMPLES, eye
    grey.show(scene, path)
    with lit_scene.stands_in(ball, character):
        lit_scene.render(scene, frame, f"the light of frame {frame}")
    turn = CAMERA_AXES @ stand.camera[:3, :3].T @ axes @ CAMERA_AXES        # from the ball's camera to the shot's
    return seen(grey.read(path)[..., :3], turn)


def seen(shown: np.ndarray, turn: np.ndarray, albedo: float = grey.GREY) -> Ball:
    """The Ball of this albedo in a square picture (size, size, 3) 0..1 sRGB that it just fills; `turn` (3, 3): from the
    axes of the picture's camera to those of the shot's."""
    normals, inside = sphere.normals(len(shown))
    return Ball(sphere.fitted(normals @ turn.T, grey.shading(shown[inside], albedo)), thumbnail(shown))


def thumbnail(shown: np.ndarray) -> np.ndarray:
    """(THUMBNAIL, THUMBNAIL, 4) uint8 of a square picture (size, size, 3) 0..1 that a ball just fills."""
    corners, shares, cover = _blown_up(len(shown))
    colour = (shown.reshape(-1, 3)[corners] * shares[..., None]).sum(axis=0)
    return np.rint(255 * np.concatenate([colour, cover[..., None]], axis=2)).clip(0, 255).astype(np.uint8)


@cache
def _blown_up(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How a ball's thumbnail is read from its picture: (4, t, t) the pixels around each of its places, as indices, and
    their shares; (t, t) 0..1 how much of a place the ball covers."""
    side = (np.arange(THUMBNAIL) + 0.5) / THUMBNAIL * 2 - 1
    x, y = np.meshgrid(side, side)
    away = np.hypot(x, y)
    inwards = np.minimum(1.0, (sphere.RIM - 2 / size) / np.maximum(away, 1e-6))     # the rim's own pixels are mixed
    at = (np.stack([y * inwards, x * inwards]) + 1) / 2 * size - 0.5
    row, column = low = np.clip(np.floor(at).astype(int), 0, size - 2)
    down, right = np.clip(at - low, 0, 1)
    first = row * size + column
    corners = np.stack([first, first + 1, first + size, first + size + 1])
    shares = np.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right])
    return corners, shares.astype(np.float32), np.clip((1 - away) * THUMBNAIL / 2 + 0.5, 0, 1).astype(np.float32)


def _made(scene: bpy.types.Scene, stand: Stand, axes: np.ndarray) -> tuple[bpy.types.Object, bpy.types.Object]:
    """The ball, and a camera with these axes that looks at it from right in front of it."""
    ball = bpy.data.objects.new("AA2 ball", _mesh(stand.radius))
    ball.visible_shadow = ball.visible_diffuse = ball.visible_glossy = ball.visible_transmission = False
    ball.visible_volume_scatter = False
    ball.location = stand.chest
    data = bpy.data.cameras.new("AA2 eye")
    data.type, data.ortho_scale = "ORTHO", 2 * stand.radius
    data.clip_start, data.clip_end = stand.radius * 1e-3, stand.radius * 4
    eye = bpy.data.objects.new("AA2 eye", data)
    place = np.eye(4)
    place[:3, :3], place[:3, 3] = axes, stand.chest + 1.01 * stand.radius * axes[:, 2]
    eye.matrix_world = place.T                                        # Blender takes columns
    for one in (ball, eye):
        scene.collection.objects.link(one)
    return ball, eye


def _mesh(radius: float) -> bpy.types.Mesh:
    points, faces = _sphere()
    return smooth_mesh("AA2 ball", radius * points, faces, grey.material())


@cache
def _sphere() -> tuple[np.ndarray, np.ndarray]:
    """A sphere of radius 1: points (V, 3), and faces (N, 4). Quads all over, since nobody sees its poles."""
    across = np.arange(_SEGMENTS) / _SEGMENTS * 2 * np.pi
    up = (np.arange(_RINGS + 1) / _RINGS - 0.5) * np.pi
    up, across = np.meshgrid(up, across, indexing="ij")
    points = np.stack([np.cos(up) * np.cos(across), np.cos(up) * np.sin(across), np.sin(up)], axis=-1)
    first = np.arange(_RINGS * _SEGMENTS).reshape(_RINGS, _SEGMENTS)
    after = np.roll(first, -1, axis=1)
    faces = np.stack([first, after, after + _SEGMENTS, first + _SEGMENTS], axis=-1)
    return points.reshape(-1, 3), faces.reshape(-1, 4)


def _looking(stand: Stand) -> np.ndarray:
    """(3, 3) the axes of a camera, in columns, that looks from the shot's camera at the chest and is as upright; of an
    orthographic one, or one inside the chest, the camera's own."""
    own = stand.camera[:3, :3]
    back = stand.camera[:3, 3] - stand.chest
    far = float(np.linalg.norm(back))
    if far < 2 * stand.radius or back @ own[:, 2] < 0.3 * far:
        return own
    back = back / far
    right = np.cross(own[:, 1], back)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(back, right), back], axis=1)
