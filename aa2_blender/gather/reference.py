"""A file, an image datablock or a frame of a strip -> the job's reference.png, 8 bits a channel."""

import io
import os
from pathlib import Path

import bpy
import numpy as np

from ..blender_api import set_picture_format
from ..embedded.engine.contract import files
from ..embedded.engine.contract.picture_file import MOST_REFERENCE, MOST_SIDE, Unreadable, open_regular
from ..embedded.engine.contract.picture_orientation import UPRIGHT, orientation
from ..settings.table import ReferenceKind
from . import display, media
from . import strip as plate
from .problem import GatherError
from .request import ReferenceSource
from .restore import temporary_scene

# A smaller picture shows no character (ours).
SMALLEST = 32
_UNREADABLE = {".heic": "a HEIC picture", ".heif": "a HEIF picture", ".avif": "an AVIF picture", ".gif": "a GIF",
               ".svg": "an SVG drawing", ".pdf": "a PDF", ".psd": "a Photoshop file"}
# What turns the stored rows upright, by the number of EXIF.
_STEPS = {2: (np.fliplr,), 3: (np.flipud, np.fliplr), 4: (np.flipud,), 5: (lambda rows: rows.swapaxes(0, 1),),
          6: (lambda rows: rows.swapaxes(0, 1), np.fliplr), 7: (lambda rows: rows[::-1, ::-1].swapaxes(0, 1),),
          8: (lambda rows: rows.swapaxes(0, 1), np.flipud)}
_REMEDY = "Choose a PNG, JPEG or EXR picture that shows the whole character."


def problem(source: ReferenceSource) -> str:
    """A sentence when the reference is missing, else ""; quick enough for every redraw."""
    if not source.name:
        return "No reference picture of the character is chosen."
    if source.kind == ReferenceKind.FILE:
        return _file_problem(source.name)
    if source.kind == ReferenceKind.IMAGE and source.name not in bpy.data.images:
        return f"The reference image {source.name!r} is not in this file."
    return ""


def _file_problem(name: str) -> str:
    if name.startswith("//") and not bpy.data.filepath:
        return f"The reference {name!r} lies beside this file, which is not saved."
    path = bpy.path.abspath(name)
    if os.path.isdir(path):
        return f"The reference {name!r} is a folder, not a picture."
    if not os.path.isfile(path):
        return f"The reference picture {name!r} does not exist."
    kind = _UNREADABLE.get(os.path.splitext(path)[1].lower())
    return f"The reference {name!r} is {kind}, which Blender cannot read as a picture." if kind else ""


def is_turned(path: str) -> bool:
    """Whether the camera of a picture file was turned, so that its pixels lie on a side."""
    try:
        with open_regular(path) as file:
            return orientation(file) != UPRIGHT
    except (Unreadable, OSError):
        return False


def write(source: ReferenceSource, scene: bpy.types.Scene, folder: str | Path) -> None:
    """Write reference.png; `scene` is the edit's, for a reference taken from one of its strips."""
    message = problem(source)
    if message:
        raise GatherError(message, _REMEDY)
    target = files.path(folder, files.REFERENCE)
    if source.kind == ReferenceKind.STRIP:
        _write_strip(source, scene, target)
        return
    with temporary_scene() as workshop:
        image = _loaded(source.name) if source.kind == ReferenceKind.FILE else _kept(source.name)
        _check(image, source.name)
        _save(_turned(image), workshop, target)


def _write_strip(source: ReferenceSource, scene: bpy.types.Scene, target: str) -> None:
    strip = plate.find(scene, source.name)
    message = plate.why_no_plate(strip)
    if message:
        raise GatherError(message, "Choose another strip for the reference.")
    first, last = plate.frames_of(strip)
    if not first <= source.frame <= last:
        raise GatherError(f"Strip {strip.name!r} shows the frames {first} to {last}, not {source.frame}.",
                          "Choose a frame within the strip.")
    plate.check_files(strip, source.frame, source.frame)
    plate.render(scene, strip, first=source.frame, last=source.frame, write_to=lambda _: target)


def _loaded(path: str) -> bpy.types.Image:
    _check_file(bpy.path.abspath(path), path)
    try:
        return bpy.data.images.load(bpy.path.abspath(path), check_existing=False)
    except RuntimeError as error:
        raise GatherError(f"The reference {path!r} cannot be read: {str(error).strip()}", _REMEDY) from None


def _kept(name: str) -> bpy.types.Image:
    """An image of this blend. If Blender has not read its file yet, the file is checked first."""
    image = bpy.data.images[name]
    if image.source == "FILE" and not (image.has_data or image.packed_file):
        _check_file(bpy.path.abspath(image.filepath, library=image.library), name)
    return image


def _turned(image: bpy.types.Image) -> bpy.types.Image:
    """The image as its camera was held; the image itself where that was upright."""
    number = _orientation_of(image)
    if number == UPRIGHT:
        return image
    width, height = image.size
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    rows = pixels.reshape(height, width, image.channels)[::-1]      # from the top, as EXIF counts
    for step in _STEPS[number]:
        rows = step(rows)
    four = np.ones((*rows.shape[:2], 4), np.float32)
    four[..., :rows.shape[2]] = rows if rows.shape[2] > 2 else rows[..., :1]
    turned = bpy.data.images.new(image.name, four.shape[1], four.shape[0], alpha=image.channels == 4,
                                 float_buffer=image.is_float)
    turned.colorspace_settings.name, turned.alpha_mode = image.colorspace_settings.name, image.alpha_mode
    turned.pixels.foreach_set(four[::-1].ravel())
    return turned


def _orientation_of(image: bpy.types.Image) -> int:
    if image.packed_file:
        return orientation(io.BytesIO(image.packed_file.data))
    if image.source != "FILE":
        return UPRIGHT
    try:
        with open_regular(bpy.path.abspath(image.filepath, library=image.library)) as file:
            return orientation(file)
    except (Unreadable, OSError):               # unsaved, or its file is gone: the pixels are there
        return UPRIGHT


def _check_file(path: str, name: str) -> None:
    """Checks the file before Blender decodes it: it may be a pipe, or unpack to gigabytes."""
    why, size = media.look_at_picture(path)
    if why:
        raise GatherError(f"The reference {name!r} {why}.", _REMEDY)
    _check_pixels(size or (0, 0), name)


def _check_pixels(size: tuple[int, int], name: str) -> None:
    if max(size) > MOST_SIDE or size[0] * size[1] > MOST_REFERENCE:
        raise GatherError(f"The reference {name!r} has {size[0]} x {size[1]} pixels; expected at most {MOST_SIDE} each "
                          f"way and {MOST_REFERENCE / 1e6:.0f} million in all.",
                          "Scale it down in any picture program.")


def _check(image: bpy.types.Image, name: str) -> None:
    if image.source not in ("FILE", "GENERATED"):
        raise GatherError(f"The reference {name!r} is a {image.source.lower()}, not one picture.", _REMEDY)
    width, height = image.size
    if not (width and height):
        raise GatherError(f"The reference {name!r} is not a picture that Blender can read.", _REMEDY)
    if min(width, height) < SMALLEST:
        raise GatherError(f"The reference {name!r} has {width} x {height} pixels; expected at least {SMALLEST} "
                          "each way.",
                          _REMEDY)
    _check_pixels((width, height), name)


def _save(image: bpy.types.Image, workshop: bpy.types.Scene, target: str) -> None:
    """Saves through a temporary scene that shows sRGB bytes as they are."""
    display.make_exact(workshop)
    workshop.render.dither_intensity = 0.0
    mode = "RGBA" if image.channels == 4 and image.depth in (32, 64, 128) else "RGB"
    set_picture_format(workshop.render.image_settings, "PNG", color_mode=mode, color_depth="8")
    try:
        with files.unfinished(target) as beside:
            image.save_render(beside, scene=workshop)
    except RuntimeError as error:
        raise GatherError(f"The reference cannot be written to {target}: {str(error).strip()}",
                          "Look at the disk's free space and at the folder's permissions.") from None
