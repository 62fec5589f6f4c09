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
from ..engines.base import Made, Window
from ..layers.compose import canvas_of, compose, five_channels
from .run import Generation, shown_of

_BITS = 16      # of the layers that are compared: finer than what is looked for
_COVERED = 0.5  # of the alpha


@dataclass(frozen=True)
class Making:
    """The frames of a window, as the engine made them."""

    window: Window
    made: Made


def difference(generation: Generation, numbers: Sequence[int], one: Making, other: Making) -> float:
    """How much these frames differ: grey levels of 255 of all that differs in the picture, its shadow too, spread over
    the pixels that the character covers in either making. So a shadow counts as much as it is large. 0.0 where the
    character covers none."""
    apart, pixels = 0.0, 0
    generation.open_engine()
    for ours, theirs in zip(*(_shown(generation, numbers, making) for making in (one, other)), strict=True):
        apart += float(np.abs(ours[0] - theirs[0]).mean(axis=-1).sum())
        pixels += int((np.maximum(ours[1], theirs[1]) > _COVERED).sum())
    return round(255 * apart / pixels, 4) if pixels else 0.0


def _shown(generation: Generation, numbers: Sequence[int], making: Making) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the picture (h, w, 3) and the layer's alpha (h, w) of each of these frames, 0..1, in job pixels."""
    window, heads = making.window, making.made.heads
    bundle = build_window(generation.shot, generation.reference, window.frames, generation.plates.in_crop)
    pictures, has_matte = generation.painted(window, making.made, bundle)
    for i, number in enumerate(window.made):
        with generation.watch.stage("decode"):
            picture = next(pictures)
        if number in numbers:
            with generation.watch.stage("compose"):
                yield _composed(generation, bundle, len(window.before) + i, picture,
                                None if heads is None else heads[i], has_matte)


def _composed(generation: Generation, bundle: Bundle, place: int, picture: np.ndarray, heads: np.ndarray | None,
              has_matte: bool) -> tuple[np.ndarray, np.ndarray]:
    job, facts, number = generation.job, generation.plan.facts, bundle.numbers[place]
    is_clean = job.clean_plate or job.clean_pictures
    kind = files.SOURCE if job.clean_plate or not is_clean else files.CLEAN
    plate = as_float(read_colour(files.picture(generation.folder, kind, number), job.size))
    canvas = canvas_of(job.size, _BITS, generation.shot.plan.crops[number - 1])
    maps = plate_maps(generation.shot, generation.reference, number, canvas.box)
    shown = shown_of(maps if facts.lays_surface else None, bundle, place, heads,
                     generation.white_of(number, maps, canvas.box))
    layers = compose(five_channels(picture, bundle.mask[place]), plate=bundle.plate[place],
                     region=bundle.region[place], canvas=canvas, clean_plate=is_clean and has_matte, shadow=True,
                     cast=generation.cast_of(number), fade=facts.region.fade, shown=shown)
    character, alpha = as_float(layers.character[..., :3]), as_float(layers.character[..., 3:])
    return alpha * character + (1 - alpha) * plate * as_float(layers.shadow), alpha[..., 0]
