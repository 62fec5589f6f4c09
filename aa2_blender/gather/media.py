"""A strip and frames of the timeline -> the files behind them that are missing, no media or not whole, with their
frames.

Blender shows a coloured placeholder for what it cannot read. For all frames that a cut-off movie lacks, it shows the
last picture. Neither may become a plate. The colour proves nothing: a plate may contain it, and for pictures Blender
often draws a single pixel of it.
"""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import bpy

from ..blender_api import Strip, content_length, content_start, content_trimmed, is_retimed, strip_range, strips
from ..embedded.engine.contract.cut_off import is_known_picture, why_not_whole
from ..embedded.engine.contract.picture_file import Unreadable, open_regular
from ..embedded.engine.contract.picture_header import picture_size

MISSING = "does not exist"


class Fault(NamedTuple):
    """`why` follows the path in a sentence. `frames` are numbers of the timeline of the strip's scene. `strip` is a
    movie strip if only a render shows which of these frames have no picture. `repeats`: Blender may repeat its last
    picture instead."""

    path: str
    why: str
    frames: tuple
    strip: object = None
    repeats: bool = False


def faults(strip: Strip, first: int, last: int, *, closely: bool = False) -> Iterator[Fault]:
    """Yields the Faults of the files that the frames first..last of a strip need. Quick, unless `closely`: then each
    picture is read to its end."""
    if last < first:
        return
    if strip.type == "META":
        yield from _of_several(strips(strip), first, last, closely)
    elif strip.type == "SCENE":
        yield from _of_scene(strip, first, last, closely)
    elif strip.type == "IMAGE":
        yield from _of_pictures(strip, first, last, closely)
    elif strip.type == "MOVIE":
        yield from _of_movie(strip, first, last, closely)
    else:
        for source in inputs(strip):
            if strip.type == "SPEED":                                      # it asks for frames of its own choice
                first, last = strip_range(source)[0], strip_range(source)[1] - 1
            yield from faults(source, first, last, closely=closely)


def inputs(strip: Strip) -> list[Strip]:
    """The strips that an effect strip works on."""
    return [source for source in (getattr(strip, "input_1", None), getattr(strip, "input_2", None)) if source]


def _of_several(inside: Iterable[Strip], first: int, last: int, closely: bool) -> Iterator[Fault]:
    for strip in inside:
        if not strip.mute:
            start, end = strip_range(strip)
            yield from faults(strip, max(first, start), min(last, end - 1), closely=closely)


def _of_scene(strip: Strip, first: int, last: int, closely: bool) -> Iterator[Fault]:
    """Of the sequencer of a scene, where the strip shows that. A retimed strip may show any frame of it."""
    editor = strip.scene.sequence_editor if strip.scene and strip.scene_input == "SEQUENCER" else None
    if editor is None:
        return
    offset = strip.scene.frame_start - round(content_start(strip)) + content_trimmed(strip)
    first, last = first + offset, last + offset
    if strip.use_reverse_frames or is_retimed(strip):
        first, last = strip.scene.frame_start, strip.scene.frame_end
    yield from _of_several(strips(editor), first, last, closely)


def _of_pictures(strip: Strip, first: int, last: int, closely: bool) -> Iterator[Fault]:
    folder, shown = bpy.path.abspath(strip.directory), {}
    for frame in range(first, last + 1):
        element = strip.strip_elem_from_frame(frame)
        if element:
            shown.setdefault(element.filename, []).append(frame)
    for name, frames in shown.items():
        path = os.path.join(folder, name)
        why = _of_file(path, closely) or (_unless_loaded(path) if closely and not _is_known(path) else "")
        if why:
            yield Fault(path, why, tuple(frames))


def _of_movie(strip: Strip, first: int, last: int, closely: bool) -> Iterator[Fault]:
    """`closely`, when its frames have been looked at before, only whether it is there."""
    path, frames = bpy.path.abspath(strip.filepath), tuple(range(first, last + 1))
    cut = _of_file(path, False)
    if not os.path.isfile(path):
        yield Fault(path, cut, frames)
        return
    there, needed = _movie_length(path), content_trimmed(strip) + content_length(strip)
    if not there:
        yield Fault(path, cut or "is no movie that Blender can read", frames)
    elif not closely and (cut or there < needed):
        why = cut or f"has {there} frames, and the strip was made of {needed}"
        yield Fault(path, why, frames, strip, bool(cut))


def _of_file(path: str, closely: bool) -> str:
    try:
        with open_regular(path) as file:
            return why_not_whole(file, closely=closely)
    except Unreadable as error:
        return MISSING if error.kind == "missing" else error.message.removeprefix(path).strip(" .")
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def look_at_picture(path: str) -> tuple[str, tuple[int, int] | None]:
    """(why a picture can't be read, "" where nothing is known against it; its size by its header, None for unknown)."""
    why = _of_file(path, True)
    if why:
        return why, None
    with open_regular(path) as file:
        return "", picture_size(file)


def _is_known(path: str) -> bool:
    with open_regular(path) as file:
        return is_known_picture(file)


def _unless_loaded(path: str) -> str:
    """For kinds of pictures that this module does not know, Blender says whether it can read them."""
    try:
        image = bpy.data.images.load(path, check_existing=False)
    except RuntimeError as error:
        return f"cannot be read: {str(error).strip()}"
    try:
        return "" if image.size[0] else "is no picture that Blender can read"
    finally:
        bpy.data.images.remove(image)


def _movie_length(path: str) -> int:
    """How many frames Blender counts in the file now, 0 if it is no movie. A strip keeps the number it was made
    with."""
    try:
        clip = bpy.data.movieclips.load(path, check_existing=False)
    except RuntimeError:
        return 0
    try:
        return clip.frame_duration
    finally:
        bpy.data.movieclips.remove(clip)
