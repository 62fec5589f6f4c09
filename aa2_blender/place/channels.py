"""The channels that laid strips go to: directly above the plate, visible and unlocked. What lies higher is moved up."""
import bpy

from ..blender_api import Strip, shown_range, strips
from ..embedded.engine.contract import jobs
from ..embedded.engine.contract.errors import JobError

_MOST = 128  # channels of Blender's sequencer


class PlaceError(JobError):
    """The frames cannot be laid into the scene now."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__("place", message, remedy)


def overlaps(strip: Strip, job: jobs.Job) -> bool:
    """Whether a strip lies on any frame of a job."""
    first, end = shown_range(strip)
    return first < job.first_frame + job.frames and end > job.first_frame


def is_free(editor: bpy.types.SequenceEditor, job: jobs.Job, channel: int) -> bool:
    """Whether a channel is empty on the job's frames, and what is laid there can be seen and selected."""
    settings = editor.channels[channel]
    return not settings.mute and not settings.lock and not any(
        strip.channel == channel and overlaps(strip, job) for strip in strips(editor))


def free_channel(editor: bpy.types.SequenceEditor, job: jobs.Job, below: int, earlier: int | None = None) -> int:
    """The first channel above `below` that is free on the job's frames, or `earlier`, the channel it had before, if
    that is still free. Raises PlaceError."""
    if earlier and earlier > below and is_free(editor, job, earlier):
        return earlier
    found = next((channel for channel in range(below + 1, _MOST + 1) if is_free(editor, job, channel)), None)
    if found is None:
        raise _full(below)
    return found


def make_room(editor: bpy.types.SequenceEditor, job: jobs.Job, below: int, count: int) -> list[int]:
    """Make the `count` channels directly above `below` free on the job's frames, by moving everything above up by as
    many channels as are missing; returns them. Raises PlaceError, and moves nothing, if Blender has too few."""
    above = range(below + 1, min(below + count, _MOST) + 1)
    free = next((number for number, channel in enumerate(above) if not is_free(editor, job, channel)), len(above))
    at, missing = below + 1 + free, count - free
    raised = sorted((strip for strip in strips(editor) if strip.channel >= at), key=lambda one: -one.channel)
    if max([below + count, *(strip.channel + missing for strip in raised[:1])]) > _MOST:
        raise _full(below)
    if missing:
        for strip in raised:
            strip.channel += missing
        _move_settings(editor, at, missing)
    return list(range(below + 1, below + 1 + count))


def _full(below: int) -> PlaceError:
    return PlaceError(f"There is no free channel above channel {below}; Blender has {_MOST}.",
                      "Move the plate to a lower channel.")


def _move_settings(editor: bpy.types.SequenceEditor, at: int, by: int) -> None:
    """Let what is muted, locked or named above a channel stay so where it is now; the new channels are plain."""
    channels = editor.channels
    plain = {number: f"Channel {number}" for number in range(at, _MOST + 1)}
    before = {number: (channels[number].mute, channels[number].lock, channels[number].name) for number in plain}
    for number in plain:
        mute, lock, name = before.get(number - by, (False, False, plain[number]))
        channels[number].mute, channels[number].lock = mute, lock
        channels[number].name = plain[number] if name == plain.get(number - by) else name
