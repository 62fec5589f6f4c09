"""A job's passes (matte, skeleton, shadow) as muted strips above its layers, on the same frames."""

import os
from collections.abc import Sequence
from pathlib import Path

import bpy

from ..blender_api import Strip, quiet_sequencer, strips
from ..embedded.engine.contract import files, jobs
from .channels import free_channel
from .marks import mark
from .strip import JOB, KIND, PlaceError, folder_of, job_at, of_ours, path_in_blend, trim_to, why_not_now

FORM = "png8"


def lay_passes(scene: bpy.types.Scene, folder: str | Path, layers: Sequence[files.Layer], plate: Strip | None = None,
               moved: int = 0) -> tuple[str, ...]:
    """Lay delivered layers of a job into a scene; returns the strips' names. Those that were there before are replaced.
    `plate` and `moved` as in strip.py: lay_frames."""
    reason = why_not_now(scene)
    if reason:
        raise PlaceError(reason, "Wait for its end and add the passes again.")
    folder = os.path.abspath(os.fspath(folder))
    job = job_at(folder, moved)
    editor = scene.sequence_editor or scene.sequence_editor_create()
    names = []
    with quiet_sequencer(editor):
        for layer in layers:
            kind = f"{files.OUTPUT}/{layer}_{FORM}"
            for strip in of_ours(scene):
                if strip.get(KIND) == kind and folder_of(strip) == folder:
                    strips(strip.parent_meta() or editor).remove(strip)
            strip = _add(scene, editor, job, folder, layer, kind)
            mark(strip, plate)
            trim_to(strip, plate)
            names.append(strip.name)
    return tuple(names)


def _add(scene: bpy.types.Scene, editor: bpy.types.SequenceEditor, job: jobs.Job, folder: str, layer: files.Layer,
         kind: str) -> Strip:
    above = max((strip.channel for strip in of_ours(scene) if folder_of(strip) == folder), default=0)
    directory = path_in_blend(os.path.join(folder, *kind.split("/")))
    names = [os.path.basename(files.delivered(folder, layer, FORM, number)) for number in range(1, job.frames + 1)]
    strip = strips(editor).new_image(
        name=f"{layer} pass {job.name}", filepath=os.path.join(directory, names[0]),
        channel=free_channel(editor, job, above), frame_start=job.first_frame, fit_method="ORIGINAL")
    for name in names[1:]:
        strip.elements.append(name)
    strip.directory = directory
    strip.mute = True
    strip.transform.scale_x = strip.transform.scale_y = 100 / scene.render.resolution_percentage
    strip[JOB], strip[KIND] = path_in_blend(folder), kind
    return strip
