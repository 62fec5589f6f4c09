"""A job's frames in a 3D scene: in front of a camera's view, or on a plane that fills it. Both are replaced when they
are laid again."""

import os
from pathlib import Path

import bpy

from ..embedded.engine.contract import files, jobs
from ..gather.display import exact
from .strip import JOB, PlaceError, path_in_blend, same_shot


def job_of(folder: str | Path) -> jobs.Job:
    """The job of a version's folder."""
    return jobs.read(os.path.abspath(os.fspath(folder)))


def show_in_camera(camera: bpy.types.Object | None, folder: str | Path,
                   offset: int = 0) -> bpy.types.CameraBackgroundImage:
    """A background image of the camera, drawn in front of the scene; `offset`: the scene's frame less the edit's."""
    data = _perspective(camera)
    folder = os.path.abspath(os.fspath(folder))
    for shown in list(data.background_images):
        if shown.image and shown.image.get(JOB) and same_shot(shown.image[JOB], folder):
            data.background_images.remove(shown)
    shown = data.background_images.new()
    shown.image = _sequence(folder)
    _time(shown.image_user, job_of(folder), offset)
    shown.display_depth, shown.frame_method, shown.alpha = "FRONT", "STRETCH", 1.0
    data.show_background_images = True
    return shown


def show_on_plane(scene: bpy.types.Scene, camera: bpy.types.Object | None, folder: str | Path,
                  offset: int = 0) -> bpy.types.Object:
    """A plane, child of the camera, that fills its view at the scene's distance of focus. It emits the picture's own
    colours and takes no light."""
    data = _perspective(camera)
    folder = os.path.abspath(os.fspath(folder))
    job = job_of(folder)
    for thing in [thing for thing in scene.objects if thing.get(JOB) and same_shot(thing[JOB], folder)]:
        mesh = thing.data
        bpy.data.objects.remove(thing)
        if not mesh.users:
            bpy.data.meshes.remove(mesh)
    corners = data.view_frame(scene=scene)  # at one unit's distance in perspective: right top, right bottom, left ...
    mesh = bpy.data.meshes.new(job.name)
    mesh.from_pydata([tuple(corner) for corner in corners], [], [(3, 2, 1, 0)])
    layer = mesh.uv_layers.new(name="UVMap")
    places = {0: (1, 1), 1: (1, 0), 2: (0, 0), 3: (0, 1)}
    for loop in mesh.loops:
        layer.data[loop.index].uv = places[loop.vertex_index]
    mesh.materials.append(_material(job, folder, offset))
    plane = bpy.data.objects.new(job.name, mesh)
    plane[JOB] = path_in_blend(folder)
    scene.collection.objects.link(plane)
    plane.parent = camera
    if data.type == "PERSP":
        away = _distance(scene, camera, job)
        plane.scale = (away / -corners[0].z,) * 3
    return plane


def _perspective(camera: bpy.types.Object | None) -> bpy.types.Camera:
    if camera is None or camera.type != "CAMERA" or camera.data.type == "PANO":
        raise PlaceError("There is no perspective or orthographic camera to show the result in.",
                         "Add or choose a camera.")
    return camera.data


def _distance(scene: bpy.types.Scene, camera: bpy.types.Object, job: jobs.Job) -> float:
    """The distance of the rig from the camera, along its view. Ten units if the rig is gone or behind the camera."""
    rig = scene.objects.get(job.driver.rig)
    away = -(camera.matrix_world.inverted() @ rig.matrix_world.translation).z if rig else 0.0
    return away if away > 0.01 else 10.0


def _sequence(folder: str) -> bpy.types.Image:
    numbers = files.numbers(folder, files.FRAMES)
    if not numbers:
        raise PlaceError(f"{folder} holds no finished frame.", "Generate first.")
    image = bpy.data.images.load(path_in_blend(files.picture(folder, files.FRAMES, numbers[0])), check_existing=False)
    image.source, image.alpha_mode = "SEQUENCE", "STRAIGHT"
    image.colorspace_settings.name = exact().space
    image[JOB] = path_in_blend(folder)
    return image


def _time(user: bpy.types.ImageUser, job: jobs.Job, offset: int) -> None:
    user.frame_start, user.frame_duration, user.frame_offset = job.first_frame + offset, job.frames, 0
    user.use_auto_refresh = True


def _material(job: jobs.Job, folder: str, offset: int) -> bpy.types.Material:
    """Emission where the picture is, nothing elsewhere."""
    material = bpy.data.materials.new(job.name)
    if not material.node_tree:  # from 5.0 every material has one
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    texture, shine, clear, mix, output = (tree.nodes.new(f"ShaderNode{kind}") for kind in (
        "TexImage", "Emission", "BsdfTransparent", "MixShader", "OutputMaterial"))
    texture.image, texture.extension = _sequence(folder), "CLIP"
    _time(texture.image_user, job, offset)
    tree.links.new(texture.outputs["Color"], shine.inputs["Color"])
    tree.links.new(texture.outputs["Alpha"], mix.inputs[0])
    tree.links.new(clear.outputs[0], mix.inputs[1])
    tree.links.new(shine.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs["Surface"])
    return material
