"""surface/ of a job, which the engine wrote -> the character's surface in a lit scene, where the engine draws it."""

import zipfile
from dataclasses import dataclass

import bpy
import numpy as np

from ..embedded.engine.contract import files
from .camera import camera_at, pixel_aspect, unproject
from .layers import check_moves, evaluated, moving_layers
from .problem import GatherError
from .shot import Shot
from .smooth_mesh import smooth_mesh

_AGAIN = "Generate again: the engine writes it anew."


@dataclass(frozen=True)
class Surface:
    """What all frames share (docs/architecture.md): faces (T, 3), uvs (T, 3, 2) from the atlas' left top, atlas
    (H, W, 3) uint8 sRGB, boxes (frames, 4) left, top, right, bottom in pixels of the job."""

    faces: np.ndarray
    uvs: np.ndarray
    atlas: np.ndarray
    boxes: np.ndarray


def read(folder: str, frames: int) -> Surface:
    """The Surface of a job; raises GatherError."""
    path = files.path(folder, files.MESH)
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = Surface(*(stored[name] for name in ("faces", "uvs", "atlas", "boxes")))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise GatherError(f"{path} cannot be read: {error}.", _AGAIN) from None
    count = len(found.faces)
    shapes = found.faces.shape, found.uvs.shape, found.atlas.shape[2:], found.boxes.shape
    if shapes != ((count, 3), (count, 3, 2), (3,), (frames, 4)):
        raise GatherError(f"{path}: expected faces, uvs, atlas and {frames} boxes, got the shapes {shapes}.", _AGAIN)
    return found


def vertices(folder: str, number: int, surface: Surface) -> np.ndarray | None:
    """(V, 3) metres in the camera's axes of frame `number`; None where the engine draws no surface. Raises
    GatherError."""
    path = files.vertices(folder, number)
    try:
        found = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        raise GatherError(f"{path} cannot be read: {error}.", _AGAIN) from None
    if found.ndim != 2 or found.shape[1] != 3 or surface.faces.max(initial=0) >= len(found) or not (
            np.isfinite(found).all() and (found[:, 2] > 0).all()):
        raise GatherError(f"{path}: expected points in front of the camera for all faces, got {found.shape}.", _AGAIN)
    return found


def in_world(places: np.ndarray, shot: Shot, frame: int) -> np.ndarray:
    """(V, 3) in the world of the driver's scene, which is set to `frame`. places: (V, 3) metres in the axes of a camera
    that looks through the picture's middle; the scene's own camera may be shifted."""
    driver, camera = shot.driver, camera_at(shot.driver, frame, shot.camera)
    if camera is None:
        raise GatherError(f"Scene {driver.name!r} has no camera on frame {frame}.", "Choose the camera of the plate.")
    driver.frame_set(frame)
    check_moves(driver, shot.rig)
    layer, aspect = moving_layers(driver, shot.rig)[0], pixel_aspect(driver, shot.size)
    seen = evaluated(driver, camera, layer)
    projection = np.array(seen.calc_matrix_camera(layer.depsgraph, x=shot.size[0], y=shot.size[1], scale_x=aspect[0],
                                                  scale_y=aspect[1]))
    depth = places[:, 2:].astype(float)
    pixels = places[:, :2] / depth * projection[1, 1] * shot.size[1] / 2 + np.array(shot.size) / 2
    matrix = np.array(seen.matrix_world.normalized())
    return unproject(np.concatenate([pixels, depth], axis=1)[None], matrix[None], projection[None], shot.size)[0]


def add(scene: bpy.types.Scene, surface: Surface, places: np.ndarray,
        material: bpy.types.Material) -> bpy.types.Object:
    """A new object of the temporary scene: the surface with its vertices at `places` (V, 3) in the world."""
    mesh = smooth_mesh("AA2 surface", places, surface.faces, material)
    unwrapped = mesh.uv_layers.new(name="AA2 atlas")
    unwrapped.data.foreach_set("uv", (surface.uvs * (1, -1) + (0, 1)).astype(np.float32).ravel())
    thing = bpy.data.objects.new("AA2 surface", mesh)
    scene.collection.objects.link(thing)
    return thing


def clothes(surface: Surface) -> bpy.types.Material:
    """A new matt material in the character's own colours, so that the light it throws back has them."""
    height, width = surface.atlas.shape[:2]
    image = bpy.data.images.new("AA2 atlas", width, height, alpha=False)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = surface.atlas[::-1] / np.float32(255)            # Blender's rows begin at the bottom
    image.pixels.foreach_set(pixels.ravel())
    made = bpy.data.materials.new("AA2 clothes")
    if not made.node_tree:                                            # from 5.0 every material has nodes
        made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    nodes.clear()
    picture, matt, output = map(nodes.new, ("ShaderNodeTexImage", "ShaderNodeBsdfDiffuse", "ShaderNodeOutputMaterial"))
    picture.image = image
    links.new(picture.outputs["Color"], matt.inputs["Color"])
    links.new(matt.outputs[0], output.inputs["Surface"])
    return made
