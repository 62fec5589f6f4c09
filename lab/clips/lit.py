"""A cut clip (lab/evaluation/lit.py) -> the light that the product reads from the clip's own scene, built again.

The scene has the same person, room, camera and lamps by its seed. The product measures balls in it, which gives
light.json, and renders irradiance/ and cast/. The clip's exposure is the scene's view exposure,
so the shoulder of its film above 0.7 is not in the light.
"""

import math
from pathlib import Path

import bpy

from aa2_blender.embedded.engine.contract import files, jobs, json_reader
from aa2_blender.gather import light, pose
from aa2_blender.gather.request import ReferenceSource, Request
from aa2_blender.gather.scene_light import render_light
from aa2_blender.gather.shot import Shot, bone_map
from aa2_blender.gather.stand import Stand
from aa2_blender.settings.table import LightSource, ReferenceKind

from . import passes
from .clip import TOLD, Recipe, stage

WHOLE = 16              # frames of a held-out clip: its motion is drawn for so many


def lit(folder: Path, recipe: Recipe, *, data: Path, motions: Path | None, threads: int = 1) -> None:
    """Write light.json, irradiance/ and cast/ into a cut clip whose surface/ the engine has written."""
    job, told = jobs.read(folder), json_reader.read(folder / TOLD)
    made = stage(recipe, data, motions)
    scene = bpy.context.scene
    passes.set_up(scene, recipe.size, threads=threads)
    scene.view_settings.view_transform, scene.view_settings.exposure = "Standard", math.log2(told["gain"][0])
    request = _request(scene, folder, job, made.person)
    frames = range(1, job.frames + 1)
    for _ in light.gather(request, str(folder), frames, _stands(request, frames)):
        pass
    for _ in render_light(request, str(folder)):
        pass


def _stands(request: Request, frames: range) -> list[Stand | None]:
    """Where the person stands, as the product reads it from the armature."""
    shot = Shot(request)
    skeleton = pose.skeleton_of(shot.rig, bone_map(request, shot.rig).joints, shot.driver, list(frames))
    people, stands = pose.seen(shot.driver, shot.rig, skeleton, size=shot.size, camera=shot.camera, frames=list(frames))
    return [stand if there else None for stand, there in zip(stands, people, strict=True)]


def is_lit(folder: Path) -> bool:
    """Whether a cut clip has its light."""
    wanted = jobs.read(folder).frames
    return (folder / files.LIGHT).exists() and len(files.numbers(folder, files.CAST)) == wanted


def _request(scene: bpy.types.Scene, folder: Path, job: jobs.Job, person) -> Request:
    """A shot with the clip's source as its plate and the person's armature as its driver."""
    strip = scene.sequence_editor_create().strips.new_image("plate", files.picture(folder, files.SOURCE, 1), 1, 1)
    for number in range(2, job.frames + 1):
        strip.elements.append(Path(files.picture(folder, files.SOURCE, number)).name)
    return Request(name=job.name, scene=scene.name, strip=strip.name, rig=person.rig.name,
                   meshes=tuple(thing.name for thing in person.objects), light_source=LightSource.BALL,
                   reference=ReferenceSource(ReferenceKind.FILE, str(folder / job.reference.file)))
