"""A job's frames -> a character strip and a shadow strip over the plate, on the same frames, pixel on pixel."""

import os

import bpy

from ..embedded.engine.contract import folder as files
from ..embedded.engine.contract import job as contract
from ..embedded.engine.contract import version
from ..gather.png import write_plain
from ..gather.problem import GatherError
from ..versions import all_strips, quiet_sequencer, strip_range, strips

# What stands in for a frame that is not made: nothing of the character, all of the light.
_BLANK = "blank.png"
_NOTHING = {files.FRAMES: (0, 0, 0, 0), files.SHADOW: (255, 255, 255)}
_BLEND = {files.SHADOW: "MULTIPLY", files.FRAMES: "ALPHA_OVER"}
_TITLE = {files.SHADOW: "shadow", files.FRAMES: "character"}
# Names of the strips' custom properties.
JOB, KIND, SEED, PACK, ENGINE = "aa2_job", "aa2_kind", "aa2_seed", "aa2_pack", "aa2_engine"


class PlaceError(GatherError):
    """The frames cannot be laid into the scene now."""


def place(scene, folder, plate="", pack=""):
    """Lay the frames that exist in a job's folder into a scene; returns the names of the strips, shadow first.

    Strips that an earlier call made for this job are replaced, in their channels; no other strip is touched. `plate`
    names the strip to lie over, "" takes the lowest picture strip on those frames; `pack` is the hash of the weights, ""
    keeps what the earlier strips say. Never called during a render.
    """
    if bpy.app.is_job_running("RENDER"):
        raise PlaceError("Strips cannot be added while Blender renders.", "Wait for the render's end and place again.")
    folder = os.path.abspath(os.fspath(folder))
    job = contract.read(folder)
    kinds = [kind for kind in (files.SHADOW, files.FRAMES) if files.numbers(folder, kind)]
    editor = scene.sequence_editor or scene.sequence_editor_create()
    with quiet_sequencer(editor):
        earlier = _remove_earlier(editor, folder)
        below = _plate_channel(editor, job, plate)
        made = []
        for kind in kinds:
            channel, earlier_pack = earlier.get(kind, (None, ""))
            below = _channel(editor, job, channel, below)
            made.append(_add(scene, editor, job, folder, kind=kind, channel=below, pack=pack or earlier_pack))
    return tuple(strip.name for strip in made)


def _add(scene, editor, job, folder, *, kind, channel, pack):
    names = _names(job, folder, kind)
    where = os.path.join(folder, kind)
    directory = told(where)
    strip = strips(editor).new_image(
        name=f"{job.name} {_TITLE[kind]}", filepath=os.path.join(directory, names[0]), channel=channel,
        frame_start=job.first_frame, fit_method="ORIGINAL")
    for name in names[1:]:
        strip.elements.append(name)
    strip.directory = directory
    strip.blend_type = _BLEND[kind]
    strip.alpha_mode = "STRAIGHT"
    strip.colorspace_settings.name = "sRGB"
    # Blender shrinks pictures with the render's percentage; the job's are already that small.
    strip.transform.scale_x = strip.transform.scale_y = 100 / scene.render.resolution_percentage
    strip[JOB], strip[KIND] = told(folder), kind
    strip[SEED] = str(job.settings.seed)
    strip[PACK], strip[ENGINE] = pack, version.ENGINE
    return strip


def _names(job, folder, kind):
    """A file name for each frame; the blank one, written here, where the engine has made none yet."""
    there = set(files.numbers(folder, kind))
    if len(there) < job.frames:
        write_plain(os.path.join(folder, kind, _BLANK), job.size, _NOTHING[kind])
    return [os.path.basename(files.picture(folder, kind, number)) if number in there else _BLANK
            for number in range(1, job.frames + 1)]


def _remove_earlier(editor, folder):
    """Take out this job's own strips; returns the (channel, pack) that each kind had."""
    earlier = {}
    for strip in list(all_strips(editor)):
        if strip.get(JOB) and same_folder(strip[JOB], folder):
            earlier[strip.get(KIND)] = strip.channel, strip.get(PACK, "")
            strips(strip.parent_meta() or editor).remove(strip)
    return earlier


def _plate_channel(editor, job, plate):
    """The channel to lie above: the plate's (its outermost meta's), or the lowest picture's on those frames."""
    strip = all_strips(editor).get(plate) if plate else None
    while strip and strip.parent_meta():
        strip = strip.parent_meta()
    if strip:
        return strip.channel
    under = [other.channel for other in strips(editor) if other.type != "SOUND" and _overlaps(other, job)]
    return min(under, default=0)


def _channel(editor, job, earlier, below):
    """The first channel above `below` that is free on the job's frames; the one it had before where that still is."""
    taken = {strip.channel for strip in strips(editor) if _overlaps(strip, job)}
    if earlier and earlier > below and earlier not in taken:
        return earlier
    return next(channel for channel in range(below + 1, below + 1 + len(taken) + 1) if channel not in taken)


def _overlaps(strip, job):
    first, end = strip_range(strip)
    return first < job.first_frame + job.frames and end > job.first_frame


def told(path):
    """A path as it is kept in the file: relative where the blend is saved and on the same drive."""
    if not bpy.data.filepath:
        return path
    try:
        return bpy.path.relpath(path)
    except ValueError:
        return path


def same_folder(kept, folder):
    """Whether a kept path means this folder."""
    return os.path.abspath(bpy.path.abspath(kept)) == os.path.abspath(folder)
