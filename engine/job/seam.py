"""How much two makings of the same frames differ in what is shown (ours).

No two runs of the networks paint quite alike, and much of that is not shown: where the character's surface is known, it
gives the picture, and the networks give only its light and its shadow. So the frames are composed over the plate before
they are compared. What only the composition depends on (grain, exposure ...) is left out: changing it must not change
which windows are denoised again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..conditions.bundle import Bundle, build_window, plate_maps
from ..conditions.frames import as_float, read_colour
from ..contract import files
from ..engines.compact.denoise.windows import Window
from ..layers.compose import canvas_of, compose
from .resume import Latents
from .run import Generation, shown_of

_BITS = 16      # of the layers that are compared: finer than what is looked for
_COVERED = 0.5  # of the alpha


@dataclass(frozen=True)
class Making:
    """The frames of a window, as the networks made them."""

    window: Window
    latents: Latents


def difference(generation: Generation, numbers: Sequence[int], one: Making, other: Making) -> float:
    """How much these frames differ: grey levels of 255 of all that differs in the picture, its shadow too, spread over
    the pixels that the character covers in either making. So a shadow counts as much as it is large. 0.0 where the
    character covers none."""
    apart, pixels = 0.0, 0
    bundle = build_window(generation.shot, generation.reference, numbers, generation.plates.in_crop)
    for place in range(len(numbers)):
        pictures, alphas = zip(*_shown(generation, bundle, place, (one, other)), strict=True)
        apart += float(np.abs(pictures[0] - pictures[1]).mean(axis=-1).sum())
        pixels += int((np.maximum(*alphas) > _COVERED).sum())
    return round(255 * apart / pixels, 4) if pixels else 0.0


def _shown(generation: Generation, bundle: Bundle, place: int,
           makings: Sequence[Making]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the picture (h, w, 3) and the layer's alpha (h, w) of one frame of the bundle in each making, 0..1, in job
    pixels."""
    job, number = generation.job, bundle.numbers[place]
    is_clean = job.clean_plate or job.clean_pictures
    kind = files.SOURCE if job.clean_plate or not is_clean else files.CLEAN
    plate = as_float(read_colour(files.picture(generation.folder, kind, number), job.size))
    canvas = canvas_of(job.size, _BITS, generation.shot.plan.crops[number - 1])
    maps = plate_maps(generation.shot, generation.reference, number, canvas.box)
    white, cast = generation.white_of(number, maps, canvas.box), generation.cast_of(number)
    for making in makings:
        at, heads = number - making.window.start, making.latents.heads
        with generation.watch.stage("decode"):
            decoded = generation.runtime.decode(making.latents.latents[at:at + 1])[0]
        with generation.watch.stage("compose"):
            layers = compose(decoded, plate=bundle.plate[place], region=bundle.region[place], canvas=canvas,
                             clean_plate=is_clean and generation.pack.manifest.matte_and_shadow, shadow=True, cast=cast,
                             shown=shown_of(maps, bundle, place, None if heads is None else heads[at], white))
        character, alpha = as_float(layers.character[..., :3]), as_float(layers.character[..., 3:])
        yield alpha * character + (1 - alpha) * plate * as_float(layers.shadow), alpha[..., 0]
