"""The clean plate or the mask that the engine made for a performer -> a muted strip above the job's layers, which
belongs to the artist from then on."""

import os
from pathlib import Path

import bpy

from ..blender_api import Strip, all_strips, quiet_sequencer, strips
from ..embedded.engine.contract import files, jobs
from ..gather.display import exact
from .channels import free_channel
from .marks import mark
from .strip import PlaceError, folder_above, job_at, path_in_blend, trim_to, why_not_now

# Of the strip: the job it was made for, and which pictures of it. Not strip.JOB: generating again must not take away
# what the artist works with.
MADE_FOR, MADE = "aa2_made_for", "aa2_made"
WORDS = {files.CLEAN: "clean plate", files.MASK: "mask"}


def is_made(folder: str | Path, kind: str) -> bool:
    """Whether the engine has made pictures of a kind (WORDS) of this job's performer; cheap enough for every redraw."""
    return os.path.isfile(files.picture(folder, kind, 1)) and os.path.isfile(files.path(folder, files.ESTIMATED))


def lay_estimated(scene: bpy.types.Scene, folder: str | Path, kind: str, plate: Strip | None = None,
                  moved: int = 0) -> str:
    """Lay what the engine made (a kind of WORDS) into a scene; returns the strip's name. One that was there is
    replaced. `plate` and `moved` as in strip.py: lay_frames."""
    reason = why_not_now(scene)
    if reason:
        raise PlaceError(reason, f"Wait for its end and add the {WORDS[kind]} again.")
    folder = os.path.abspath(os.fspath(folder))
    job = job_at(folder, moved)
    numbers = files.numbers(folder, kind)
    if numbers[:job.frames] != list(range(1, job.frames + 1)):
        raise PlaceError(f"{folder} holds {len(numbers)} of {job.frames} pictures of a {WORDS[kind]}.",
                         "Generate with a performer.")
    editor = scene.sequence_editor or scene.sequence_editor_create()
    with quiet_sequencer(editor):
        name, above = f"{WORDS[kind]} {job.name}", 0
        for strip in list(all_strips(editor)):
            if strip.get(MADE) == kind and folder_above(strip, kind) == folder:
                name, above = strip.name, strip.channel - 1
                strips(strip.parent_meta() or editor).remove(strip)
        above = above or max((other.channel for other in strips(editor)), default=0)
        strip = _add(scene, editor, job, folder, kind, name, above)
        mark(strip, plate)
        trim_to(strip, plate)
    return strip.name


def _add(scene: bpy.types.Scene, editor: bpy.types.SequenceEditor, job: jobs.Job, folder: str, kind: str, name: str,
         above: int) -> Strip:
    directory = path_in_blend(os.path.join(folder, kind))
    names = [os.path.basename(files.picture(folder, kind, number)) for number in range(1, job.frames + 1)]
    strip = strips(editor).new_image(name=name, filepath=os.path.join(directory, names[0]),
                                     channel=free_channel(editor, job, above), frame_start=job.first_frame,
                                     fit_method="ORIGINAL")
    for other in names[1:]:
        strip.elements.append(other)
    strip.directory = directory
    strip.mute = True
    strip.colorspace_settings.name = exact().space
    # Blender shrinks pictures with the render's percentage; the job's are already that small.
    strip.transform.scale_x = strip.transform.scale_y = 100 / scene.render.resolution_percentage
    strip[MADE_FOR], strip[MADE] = path_in_blend(folder), kind
    editor.active_strip = strip
    return strip
