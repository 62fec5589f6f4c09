"""A clean plate that the engine made of a job -> a muted strip above its layers, which from then on is the artist's own."""

import os

from ..embedded.engine.contract import folder as files
from ..embedded.engine.contract import job as contract
from ..versions import all_strips, quiet_sequencer, strips
from .strip import PlaceError, free_channel, same_folder, told, why_not_now

# Of the strip: the job it was made for. Not strip.JOB: generating again must not take away what the artist works with.
MADE_FOR = "aa2_clean_plate_of"


def is_made(folder):
    """Whether the engine has made a clean plate of this job; cheap enough for every redraw."""
    return os.path.isfile(files.picture(folder, files.CLEAN, 1)) and os.path.isfile(files.path(folder, files.ESTIMATED))


def place(scene, folder):
    """Lay the clean plate of a job's folder into a scene; returns the strip's name. One that was there before is replaced."""
    reason = why_not_now(scene)
    if reason:
        raise PlaceError(reason, "Wait for its end and add the clean plate again.")
    folder = os.path.abspath(os.fspath(folder))
    job = contract.read(folder)
    numbers = files.numbers(folder, files.CLEAN)
    if numbers[:job.frames] != list(range(1, job.frames + 1)):
        raise PlaceError(f"{folder} holds {len(numbers)} of {job.frames} pictures of a clean plate.",
                         "Switch on Make Clean Plate and generate.")
    editor = scene.sequence_editor or scene.sequence_editor_create()
    with quiet_sequencer(editor):
        name, above = f"{job.name} clean plate", 0
        for strip in list(all_strips(editor)):
            if strip.get(MADE_FOR) and same_folder(strip[MADE_FOR], folder):
                name, above = strip.name, strip.channel - 1
                strips(strip.parent_meta() or editor).remove(strip)
        strip = _add(scene, editor, job, folder, name, above or max((other.channel for other in strips(editor)), default=0))
    return strip.name


def _add(scene, editor, job, folder, name, above):
    directory = told(os.path.join(folder, files.CLEAN))
    names = [os.path.basename(files.picture(folder, files.CLEAN, number)) for number in range(1, job.frames + 1)]
    strip = strips(editor).new_image(name=name, filepath=os.path.join(directory, names[0]),
                                     channel=free_channel(editor, job, above), frame_start=job.first_frame,
                                     fit_method="ORIGINAL")
    for other in names[1:]:
        strip.elements.append(other)
    strip.directory = directory
    strip.mute = True
    strip.colorspace_settings.name = "sRGB"
    # Blender shrinks pictures with the render's percentage; the job's are already that small.
    strip.transform.scale_x = strip.transform.scale_y = 100 / scene.render.resolution_percentage
    strip[MADE_FOR] = told(folder)
    editor.active_strip = strip
    return strip
