"""The strips beside the plate, on its frames: the artist's masks, white on black, and a clean plate -> pictures of the
job."""

import bpy
import numpy as np

from ..blender_api import Strip, shown_range
from ..embedded.engine.contract import files
from . import strip as plate
from .problem import GatherError
from .request import Request


def mask_kind(request: Request) -> str:
    """The job's folder for the artist's mask. With a performer the engine makes mask/ from it and from what it sees."""
    return files.GIVEN_MASK if request.performer else files.MASK


def find(scene: bpy.types.Scene, name: str, what: str) -> Strip:
    """The strip `name` of a scene. If it is gone, the GatherError says what (`what`) it is chosen as."""
    try:
        return plate.find(scene, name)
    except GatherError:
        raise GatherError(f"The {what} {name!r} is not in scene {scene.name!r}.", "Choose it again in Shot.") from None


def check(scene: bpy.types.Scene, name: str, what: str, plate_name: str, frames: tuple[int, int], *,
          whole: bool) -> None:
    """Raises a GatherError if a strip cannot be what it is chosen as. `frames` is (first, last) of the plate; a strip
    that has to be `whole` must show all of them. Reads no file."""
    strip = find(scene, name, what)
    if name == plate_name:
        raise GatherError(f"The {what} is the plate itself.", f"Choose another strip as {what}, or none.")
    message = plate.why_no_plate(strip)
    if message:
        raise GatherError(message, f"Choose another strip as {what}.")
    first, end = shown_range(strip)
    if whole and (first > frames[0] or end <= frames[1]):
        raise GatherError(f"The {what} {name!r} shows the frames {first} to {end - 1}, the plate {frames[0]} to "
                          f"{frames[1]}.",
                          "Extend it over all frames of the plate.")
    if end <= frames[0] or first > frames[1]:
        raise GatherError(f"The {what} {name!r} shows none of the plate's frames ({frames[0]} to {frames[1]}).",
                          f"Move it over the plate, or choose another {what}.")


def check_files(strip: Strip, frames: tuple[int, int]) -> None:
    """As strip.check_files, of those frames (first, last) that the strip shows."""
    first, end = shown_range(strip)
    plate.check_files(strip, max(first, frames[0]), min(end - 1, frames[1]))


def write(scene: bpy.types.Scene, strip: Strip, folder: str, kind: str, part: range, start: int) -> None:
    """The frames of `part` (a range of the timeline) into the job's pictures of a kind, of which `start` is number 1:
    masks grey, clean plates in colour. Frames that the strip doesn't show are black."""
    mode = "RGB" if kind == files.CLEAN else "BW"
    plate.render(scene, strip, first=part[0], last=part[-1], mode=mode,
                 write_to=lambda frame: files.picture(folder, kind, frame - start + 1))


def read_mask(folder: str, number: int, size: tuple[int, int]) -> np.ndarray:
    """mask/NNNN.png as `write` has left it: (height, width) uint8. Blender's rows begin at the bottom."""
    image = bpy.data.images.load(files.picture(folder, files.MASK, number), check_existing=False)
    try:
        image.colorspace_settings.is_data = True
        pixels = np.empty(size[0] * size[1] * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(image)
    return np.rint(pixels.reshape(size[1], size[0], -1)[::-1, :, 0] * 255).astype(np.uint8)
