"""A sequencer strip -> its frames as PNG files of the job's size,
pixel for pixel what the sequencer shows of it alone."""

import ctypes
import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import bpy

from ..blender_api import (
    Strip,
    all_strips,
    keep_animation,
    render_path,
    set_picture_format,
    show_missing_media,
    shown_range,
    strip_range,
    strips,
)
from ..embedded.engine.contract import files, jobs
from ..embedded.engine.contract.numbers_told import spans
from . import display, media, rendering
from .media import Fault
from .problem import GatherError
from .restore import temporary_scene
from .workshop import workshop

_MOST_NAMED = 3      # files of an error
_SMALL = 64          # pixels of the longer side of renders that only tell whether there is a picture
# In percent: 12 to 22 is zlib's level 1, less is no compression at all (measured in 4.2, 4.5 and 5.0).
_COMPRESSION = 15
_NO_PICTURE = {"SOUND": "a sound", "COLOR": "a plain color"}
_HOW_SHOWN = ("mute", "blend_alpha", "blend_type")
_GPU_ENGINES = ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH")


def find(scene: bpy.types.Scene, name: str) -> Strip:
    """The strip `name` of a scene, or a GatherError."""
    editor = scene.sequence_editor
    strip = all_strips(editor).get(name) if editor else None
    if strip is None:
        raise GatherError(f"Scene {scene.name!r} has no strip {name!r}.", "Select the plate's strip in the Sequencer.")
    return strip


def why_no_plate(strip: Strip) -> str:
    """A sentence if a strip cannot be a plate, else "". Reads no file."""
    if strip.type in _NO_PICTURE:
        return f"Strip {strip.name!r} is {_NO_PICTURE[strip.type]}; expected a movie, images, a scene or a meta strip."
    if strip.type == "META" and all(child.type in ("SOUND", "META") for child in _within(strip)):
        return f"Meta strip {strip.name!r} has no pictures in it."
    first, end = shown_range(strip)
    if end <= first:
        return f"Strip {strip.name!r} shows no frame."
    if strip.type == "IMAGE" and len(strip.elements) == 0 or strip.type == "SCENE" and strip.scene is None:
        return f"Strip {strip.name!r} has lost its {'images' if strip.type == 'IMAGE' else 'scene'}."
    return ""


def frames_of(strip: Strip, wanted: tuple[int, int] | None = None) -> tuple[int, int]:
    """(first, last) frame of the timeline; `wanted` (first, last) cuts the strip's own range."""
    first, end = shown_range(strip)
    if wanted:
        first, end = max(first, wanted[0]), min(end, wanted[1] + 1)
    if end <= first:
        raise GatherError(f"Strip {strip.name!r} shows no frame"
                          + (f" from {wanted[0]} to {wanted[1]}." if wanted else "."), "Widen the range of frames.")
    return first, end - 1


def check_files(strip: Strip, first: int, last: int, *, closely: bool = False) -> None:
    """Raises a GatherError that names the files behind the frames first..last that are missing, no media or not whole,
    and their frames. `closely` reads each picture to its end, which takes a hundredth of the time of its render."""
    found = []
    for fault in media.faults(strip, first, last, closely=closely):
        frames = _without_picture(fault) if fault.strip else fault.frames
        found += [fault._replace(frames=frames)] if frames else []
    if not found:
        return
    named = "; ".join(f"{fault.path} ({_named(fault.frames)}) {fault.why}" for fault in found[:_MOST_NAMED])
    more = f"; and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    if all(fault.why == media.MISSING for fault in found):
        raise GatherError(f"Strip {strip.name!r} needs files that are not there: {named}{more}.",
                          "Find them with File > External Data > Find Missing Files.", "find_files")
    raise GatherError(f"Strip {strip.name!r} needs files that cannot be read whole: {named}{more}.",
                      "Copy or export them again, or trim the strip to the frames that are there.")


def bits_of(strip: Strip) -> jobs.Bits:
    """Bits a channel that hold the strip's pixels: 8, or 16 where its source is deeper or is rendered."""
    if strip.type == "META":
        return _deepest(strips(strip))
    if strip.type == "SCENE":
        return 16
    sources = media.inputs(strip)
    if sources:
        return _deepest(sources)
    path = _first_file(strip)
    return 16 if path and _is_deep(path) else 8


def is_shown_wrong(strip: Strip) -> bool:
    """Whether Blender shows the strip with wrong colours as soon as another one lies over it: 5.2 and later do so with
    bytes of any colour space but its own (a fault of Blender; 13 to 73 levels measured). Floats are right."""
    if bpy.app.version < (5, 2) or strip.type not in ("IMAGE", "MOVIE") or strip.use_float:
        return False
    space = strip.colorspace_settings.name
    is_other = space != strip.id_data.sequencer_colorspace_settings.name and not strip.colorspace_settings.is_data
    return is_other and bits_of(strip) == 8


def _deepest(several: Iterable[Strip]) -> jobs.Bits:
    return 16 if any(bits_of(strip) == 16 for strip in several) else 8


def render(scene: bpy.types.Scene, strip: Strip, *, first: int, last: int, write_to: Callable[[int], str],
           bits: int = 8, mode: str = "RGB") -> None:
    """Render the frames first..last of one strip alone; `write_to(frame)` is the PNG's path.

    Works on a copy of the scene that is gone afterwards: view transform Standard, no look, no exposure, so 8-bit
    sources come out bit for bit. 8 or 16 `bits`; `mode` RGB, or BW for one channel.
    """
    _check_engine(strip)
    check_files(strip, first, last, closely=True)
    path = write_to(first)
    with workshop(os.path.dirname(path)) as place, temporary_scene(scene) as copy:
        _isolate(copy, strip.name)
        _make_exact(copy, bits, mode)
        for frame, made in _run(copy, first, last, place):
            if not os.path.isfile(made):
                raise GatherError(f"Frame {frame} of strip {strip.name!r} could not be rendered into {place}.",
                                  "Look at the disk's free space and at the folder's permissions.")
            os.replace(made, write_to(frame))


def write_plate(scene: bpy.types.Scene, strip: Strip, folder: str | Path, *, first: int, last: int, start: int,
                bits: int) -> None:
    """The frames first..last into the job's source/, of which the frame `start` is number 1."""
    render(scene, strip, first=first, last=last, bits=bits,
           write_to=lambda frame: files.picture(folder, files.SOURCE, frame - start + 1))


def _run(scene: bpy.types.Scene, first: int, last: int, place: str) -> Iterator[tuple[int, str]]:
    """Yields (frame, path). One render for all frames; Blender renders no animation before frame 0, so those singly."""
    for frame in range(first, min(last, -1) + 1):
        scene.frame_set(frame)
        made = os.path.join(place, f"before{frame}.png")
        scene.render.filepath = render_path(made)
        rendering.render(scene, f"frame {frame} of the plate")
        yield frame, made
    if last >= 0:
        scene.frame_start, scene.frame_end = max(first, 0), last
        scene.render.filepath = render_path(os.path.join(place, "####"))
        rendering.render(scene, "the plate", animation=True)
        for frame in range(max(first, 0), last + 1):
            yield frame, os.path.join(place, f"{frame:04d}.png")


def _isolate(scene: bpy.types.Scene, name: str) -> None:
    """Show the strip's own pixels and nothing else, whatever is muted, transparent or animated in the edit: mute
    everything but the strip and the metas around it, and show their channels."""
    strip = all_strips(scene.sequence_editor)[name]
    kept = [strip]
    while kept[-1].parent_meta():
        kept.append(kept[-1].parent_meta())
    inside = [*_used_by(strip)]
    _keep_own_animation(scene, kept, inside)
    for other in all_strips(scene.sequence_editor):
        if other in kept:
            other.mute = False
            other.blend_type, other.blend_alpha = "ALPHA_OVER", 1.0
        elif other not in inside or other in media.inputs(strip):
            other.mute = True
    for one in kept:
        owner = one.parent_meta() or scene.sequence_editor
        owner.channels[one.channel].mute = False


def _used_by(strip: Strip) -> Iterator[Strip]:
    """The strips that a strip is made of: those inside a meta, and those that an effect works on."""
    for one in [*(_within(strip) if strip.type == "META" else ()), *media.inputs(strip)]:
        yield one
        if one.type != "META" or strip.type != "META":      # _within has been in the metas already
            yield from _used_by(one)


def _keep_own_animation(scene: bpy.types.Scene, kept: list[Strip], inside: list[Strip]) -> None:
    """Of what is animated, keep what changes the strip's own pixels: not whether and how strongly it is shown."""
    begins = {f"{one.path_from_id()}.": one in kept for one in [*kept, *inside]}

    def is_own(path: str) -> bool:
        is_around = next((is_around for begin, is_around in begins.items() if path.startswith(begin)), None)
        return is_around is not None and not (is_around and path.rpartition(".")[2] in _HOW_SHOWN)
    keep_animation(scene, is_own)


def _within(meta: Strip) -> Iterator[Strip]:
    for child in strips(meta):
        yield child
        if child.type == "META":
            yield from _within(child)


def _make_exact(scene: bpy.types.Scene, bits: int, mode: str) -> None:
    """Settings under which pixels pass unchanged (measured in every Blender release), at the scene's own size."""
    display.make_exact(scene)
    render = scene.render
    render.use_sequencer, render.use_compositing = True, False
    for stamp in (name for name in dir(render) if name.startswith("use_stamp")):
        setattr(render, stamp, False)                              # else dates and file names lie in the pictures
    render.use_border = render.use_multiview = render.use_placeholder = False
    render.use_overwrite = render.use_file_extension = True
    render.dither_intensity = 0.0
    scene.frame_step = 1
    set_picture_format(render.image_settings, "PNG", color_mode=mode, color_depth=str(bits))
    render.image_settings.compression = _COMPRESSION
    render.image_settings.color_management = "FOLLOW_SCENE"


def _without_picture(fault: Fault) -> tuple[int, ...]:
    """Those of a Fault's frames, numbers in a row, at which its movie has no picture: where the sequencer draws another
    one with placeholders than without them; and, of a movie that was cut off, those at the end that are alike."""
    first = max(fault.frames[0] - 1, strip_range(fault.strip)[0])      # a single one is compared with the one before
    numbers = range(first, fault.frames[-1] + 1)
    shown, hidden = (_small_pictures(fault.strip, numbers, placeholders) for placeholders in (True, False))
    without = {frame for frame in numbers if shown[frame] != hidden[frame]}
    for frame in reversed(numbers[1:] if fault.repeats else ()):
        if shown[frame] != shown[frame - 1]:
            break
        without.add(frame)
    return tuple(sorted(without.intersection(fault.frames)))


def _small_pictures(strip: Strip, numbers: range, placeholders: bool) -> dict[int, bytes]:
    """{frame: the bytes of a small picture of a strip alone}."""
    with tempfile.TemporaryDirectory() as folder, temporary_scene(strip.id_data) as scene:
        _isolate(scene, strip.name)
        _make_exact(scene, 8, "RGBA")
        show_missing_media(scene.sequence_editor, placeholders)
        longer = max(scene.render.resolution_x, scene.render.resolution_y)
        scene.render.resolution_percentage = min(max(100 * _SMALL // longer, 1), 100)
        return {frame: Path(made).read_bytes() for frame, made in _run(scene, numbers[0], numbers[-1], folder)}


def _named(frames: tuple[int, ...]) -> str:
    """'frames 4, 6 to 9'."""
    return ("frame " if len(frames) == 1 else "frames ") + spans(frames, _MOST_NAMED)


def _first_file(strip: Strip) -> str:
    if strip.type == "IMAGE":
        return os.path.join(bpy.path.abspath(strip.directory), strip.elements[0].filename)
    return bpy.path.abspath(strip.filepath) if strip.type == "MOVIE" else ""


def _is_deep(path: str) -> bool:
    """Whether Blender decodes the file to floats: EXR, 16-bit PNG, 10-bit movies."""
    try:
        return _is_float(path, os.path.getmtime(path))
    except OSError:
        return False


@functools.lru_cache(maxsize=256)
def _is_float(path: str, _changed: float) -> bool:
    """Blender opens a file once, until it changes: a panel asks at every redraw."""
    try:
        image = bpy.data.images.load(path, check_existing=False)
    except RuntimeError:
        return False
    try:
        return image.size[0] > 0 and image.is_float
    finally:
        bpy.data.images.remove(image)


def _check_engine(strip: Strip) -> None:
    """Without libEGL, a scene strip drawn by EEVEE or Workbench ends the whole process on a headless Linux."""
    if not (bpy.app.background and sys.platform.startswith("linux")):
        return
    scenes = {child.scene for child in (_within(strip) if strip.type == "META" else [strip]) if child.type == "SCENE"}
    drawn = [scene.name for scene in scenes if scene and scene.render.engine in _GPU_ENGINES]
    if drawn and not _has_egl():
        raise GatherError(f"Scene {drawn[0]!r} is rendered with EEVEE or Workbench, which needs libEGL here.",
                          "Install libegl1 and libgl1-mesa-dri, or render that scene with Cycles.")


def _has_egl() -> bool:
    try:
        return bool(ctypes.CDLL("libEGL.so.1"))
    except OSError:
        return False
