"""A job's drawn conditions -> strips in one metastrip over the plate, named for the job: to look at. The skeleton is
shown at once; the others are muted."""

import os
from pathlib import Path

import bpy

from ..blender_api import Strip, quiet_sequencer, strips, trim
from ..embedded.engine.contract import files, jobs
from ..gather.display import exact
from .channels import free_channel, overlaps
from .marks import mark
from .strip import PlaceError, folder_above, job_at, path_in_blend, same_shot, why_not_now

# Names of custom properties: of the metastrip, its job's folder; of a strip in it, which condition it shows.
JOB, KIND = "aa2_conditions", "aa2_condition"
_FIRST = "skeleton"  # the condition that is shown when none was shown before


def lay_conditions(scene: bpy.types.Scene, folder: str | Path, plate: Strip | None = None, moved: int = 0) -> str:
    """Lay what the engine drew for a job into a scene, the skeleton shown; returns the metastrip's name. The metastrip
    that an earlier call made for this job, or another version of it, is replaced. `plate` and `moved` as in strip.py:
    lay_frames. Raises PlaceError."""
    reason = why_not_now(scene)
    if reason:
        raise PlaceError(reason, "Wait for its end and press Preview Conditions again.")
    folder = os.path.abspath(os.fspath(folder))
    job = job_at(folder, moved)
    kinds = [kind for kind in files.SHOWN_KINDS if len(files.numbers(folder, f"{files.SHOWN}/{kind}")) == job.frames]
    if not kinds:
        raise PlaceError(f"{folder} holds no drawn conditions.", "Press Preview Conditions again.")
    editor = scene.sequence_editor or scene.sequence_editor_create()
    with quiet_sequencer(editor):
        channel, shown = _remove_earlier(editor, folder)
        shown = shown or {_FIRST}
        above = max((strip.channel for strip in strips(editor) if overlaps(strip, job)), default=0)
        meta = strips(editor).new_meta(name=f"conditions {job.name}", channel=free_channel(editor, job, above, channel),
                                       frame_start=job.first_frame)
        for kind in kinds:
            _add(meta, scene, job, folder, kind).mute = kind not in shown
        trim(meta, job.first_frame, job.first_frame + job.frames)
        meta[JOB] = path_in_blend(folder)
        mark(meta, plate)
        meta.blend_type = "ALPHA_OVER"
        meta.mute = not shown.intersection(kinds)
    return meta.name


def metas(scene: bpy.types.Scene) -> list[Strip]:
    """The metastrips of conditions in a scene."""
    editor = scene.sequence_editor
    return [strip for strip in strips(editor) if strip.get(JOB)] if editor else []


def meta_of(scene: bpy.types.Scene, folder: str | Path) -> Strip | None:
    """The metastrip of a job's conditions, or None."""
    return next((meta for meta in metas(scene) if same_shot(_folder_of(meta), folder)), None)


def switch(meta: Strip, kind: str) -> None:
    """Show or hide one condition; the metastrip is muted where none is shown."""
    for strip in strips(meta):
        if strip.get(KIND) == kind:
            strip.mute = not strip.mute
    meta.mute = all(strip.mute for strip in strips(meta))


def relink(scene: bpy.types.Scene, folder: str | Path, found: str | Path) -> None:
    """Let the strips of a job's conditions show the same files in the folder `found`, where there are any."""
    meta = meta_of(scene, os.path.abspath(folder))
    if meta is None or not os.path.isdir(os.path.join(found, files.SHOWN)):
        return
    meta[JOB] = path_in_blend(os.path.abspath(found))
    for strip in strips(meta):
        if strip.get(KIND):
            strip.directory = path_in_blend(os.path.join(os.path.abspath(found), files.SHOWN, strip[KIND]))


def _folder_of(meta: Strip) -> str:
    """The job folder whose conditions a metastrip shows."""
    drawn = next((strip for strip in strips(meta) if strip.get(KIND)), None)
    return folder_above(drawn, f"{files.SHOWN}/{drawn[KIND]}") if drawn else bpy.path.abspath(meta[JOB])


def _add(owner: Strip, scene: bpy.types.Scene, job: jobs.Job, folder: str, kind: str) -> Strip:
    where = os.path.join(folder, files.SHOWN, kind)
    directory = path_in_blend(where)
    names = [os.path.basename(files.picture(folder, f"{files.SHOWN}/{kind}", n)) for n in range(1, job.frames + 1)]
    strip = strips(owner).new_image(
        name=f"{kind} {job.name}", filepath=os.path.join(directory, names[0]),
        channel=1 + files.SHOWN_KINDS.index(kind), frame_start=job.first_frame, fit_method="ORIGINAL")
    for name in names[1:]:
        strip.elements.append(name)
    strip.directory = directory
    strip.blend_type, strip.alpha_mode = "ALPHA_OVER", "STRAIGHT"
    strip.colorspace_settings.name = exact().space
    scale = 100 / scene.render.resolution_percentage
    width, height = (size / -(-size // 2) for size in job.size)  # pictures are half as wide and high, rounded up
    strip.transform.scale_x, strip.transform.scale_y = width * scale, height * scale
    strip[KIND] = kind
    return strip


def _remove_earlier(editor: bpy.types.SequenceEditor, folder: str) -> tuple[int | None, set[str]]:
    """Takes out the shot's earlier metastrip; returns its channel, None where there was none,
    and what was shown in it."""
    channel, shown = None, set()
    for meta in [strip for strip in strips(editor) if strip.get(JOB) and same_shot(_folder_of(strip), folder)]:
        channel = meta.channel
        shown |= {strip[KIND] for strip in strips(meta) if not strip.mute and strip.get(KIND)}
        strips(editor).remove(meta)
    return channel, shown

