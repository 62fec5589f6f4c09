"""A picture of a grey ball, or an HDRI -> its light, for plates whose scene has no lamps."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..settings.table import LightSource, PictureFrom
from . import ball, display, grey, lit_scene, media
from .circle import circle_in, circle_of
from .names import Name, find, plain, said
from .problem import GatherError
from .request import LightPicture
from .restore import no_new_datablocks, temporary_scene
from .stand import Stand
from .workshop import workshop

_WORDS = {LightSource.PICTURE: "picture of the ball", LightSource.HDRI: "HDRI"}
_REMEDY = "Choose another picture in Light."
_MOST = 512             # pixels along the longer side in which a ball is looked for (ours)
# Where a performer drives: nobody knows the camera, so it is level and looks along Y.
LEVEL = Stand(np.zeros(3), 0.1, np.array([[1.0, 0, 0, 0], [0, 0, -1, -3], [0, 1, 0, 0], [0, 0, 0, 1]]))


def problem(picture: LightPicture, source: LightSource) -> str:
    """A sentence when the picture of the light is missing, else ""; quick enough for every redraw."""
    what = _WORDS[source]
    if not picture.name:
        return f"No {what} is chosen."
    if picture.kind is PictureFrom.IMAGE:
        name = _name(picture)
        return "" if find(bpy.data.images, name) else f"The {what}, image {said(name)}, is not in this file."
    path = bpy.path.abspath(picture.name)
    if os.path.isdir(path):
        return f"The {what} {picture.name!r} is a folder, not a picture."
    return "" if os.path.isfile(path) else f"The {what} {picture.name!r} does not exist."


def of_picture(picture: LightPicture) -> ball.Ball:
    """The Ball in a picture. Its outline is the picture's alpha if that is a disc, else a circle that is found. Raises
    GatherError."""
    with _loaded(picture, LightSource.PICTURE) as image:
        width, height = image.size
        pixels = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        is_linear = image.is_float
    pixels = pixels.reshape(height, width, -1)[::-1]
    colours = pixels[..., :3] if pixels.shape[2] > 2 else np.repeat(pixels[..., :1], 3, axis=2)
    light = colours if is_linear else grey.linear(colours)
    step = max(1, -(-max(width, height) // _MOST))
    alpha = pixels[::step, ::step, 3] if pixels.shape[2] == 4 else None
    found = circle_of(alpha) if alpha is not None and alpha.min() < 0.5 else circle_in(
        grey.shown(light)[::step, ::step])
    if found is None:
        raise GatherError(f"No ball is found in the picture {picture.name!r}.",
                          "Crop the picture so that the ball fills most of it, or make all but the ball transparent.")
    x, y, radius = (value * step for value in found)
    square = _square(light, x, y, radius)
    return ball.seen(grey.shown(square), np.eye(3), picture.albedo)


def of_hdri(picture: LightPicture, folder: str, stand: Stand = LEVEL) -> ball.Ball:
    """The Ball that an HDRI alone lights, as a camera sees it; `folder` is the job's. Raises GatherError."""
    with temporary_scene() as scene, workshop(folder) as place:
        display.make_exact(scene)
        with _loaded(picture, LightSource.HDRI) as image:
            scene.world = _world(image, picture)
            lit_scene.set_up(scene)
            return ball.rendered(scene, stand, os.path.join(place, "ball.png"))


def _square(picture: np.ndarray, x: float, y: float, radius: float) -> np.ndarray:
    """(SIZE, SIZE, 3): the square around a circle, each pixel the mean of those that it covers."""
    edges = np.arange(ball.SIZE + 1) / ball.SIZE * 2 - 1
    found = np.zeros((ball.SIZE, ball.SIZE, 3), np.float32)
    columns, rows = (np.clip(np.rint(middle + radius * edges).astype(int), 0, side)
                     for middle, side in ((x, picture.shape[1]), (y, picture.shape[0])))
    for i in range(ball.SIZE):
        for j in range(ball.SIZE):
            top, left = min(rows[i], len(picture) - 1), min(columns[j], picture.shape[1] - 1)
            part = picture[top:max(rows[i + 1], top + 1), left:max(columns[j + 1], left + 1)]
            found[i, j] = part.mean(axis=(0, 1))
    return found


def _world(image: bpy.types.Image, picture: LightPicture) -> bpy.types.World:
    world = bpy.data.worlds.new("AA2 HDRI")
    if not world.node_tree:                                           # from 5.0 every world has nodes
        world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    nodes.clear()
    place, turn, sky, shine, output = (nodes.new(kind) for kind in (
        "ShaderNodeTexCoord", "ShaderNodeMapping", "ShaderNodeTexEnvironment", "ShaderNodeBackground",
        "ShaderNodeOutputWorld"))
    sky.image = image
    turn.inputs["Rotation"].default_value = (0, 0, picture.rotation)
    shine.inputs["Strength"].default_value = picture.strength
    for source, target in ((place.outputs["Generated"], turn.inputs["Vector"]), (turn.outputs[0], sky.inputs[0]),
                           (sky.outputs["Color"], shine.inputs["Color"]), (shine.outputs[0], output.inputs["Surface"])):
        links.new(source, target)
    return world


@contextmanager
def _loaded(picture: LightPicture, source: LightSource) -> Iterator[bpy.types.Image]:
    """The image, which is removed afterwards if it was loaded from a file."""
    message = problem(picture, source)
    if message:
        raise GatherError(message, _REMEDY)
    with no_new_datablocks():
        image = _from_file(picture, source) if picture.kind is PictureFrom.FILE else find(
            bpy.data.images, _name(picture))
        if image.source not in ("FILE", "GENERATED") or not all(image.size):
            raise GatherError(f"The {_WORDS[source]} {plain(_name(picture))!r} is not a picture that Blender can read.",
                              _REMEDY)
        yield image


def _from_file(picture: LightPicture, source: LightSource) -> bpy.types.Image:
    path = bpy.path.abspath(picture.name)
    why, _ = media.look_at_picture(path)
    if why:
        raise GatherError(f"The {_WORDS[source]} {picture.name!r} {why}.", _REMEDY)
    try:
        return bpy.data.images.load(path, check_existing=False)
    except RuntimeError as error:
        raise GatherError(f"The {_WORDS[source]} {picture.name!r} cannot be read: {str(error).strip()}",
                          _REMEDY) from None


def _name(picture: LightPicture) -> Name:
    return (picture.name, picture.library) if picture.library else picture.name
