"""The light source that a request names -> light.json, and balls/ to look at.

Not every frame has a ball of its own. Balls are rendered every few frames, where the keys of lamps and worlds say that
light changes, and between two that look different, until it is known where the light changes; the rest is linear in
between.
"""

import json
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import cast

import numpy as np

from ..embedded.engine.contract import files
from ..settings.table import LightSource
from . import ball, light_picture, own_light, sphere
from .carried import carried_by
from .light_source import meant
from .lit_scene import lit_scene
from .png import write_colour
from .request import Request
from .shot import Shot
from .stand import Stand
from .workshop import workshop

STAGE = "light"
EVERY = 8               # frames between two balls, where the light does not change (ours)
VISIBLE = 3 / 255       # sphere.difference: what differs less is the same light, or noise (ours)
Stands = Sequence[Stand | None]
Measure = Callable[[int, Stand], ball.Ball]     # the index of a frame, and who stands there -> its ball


def gather(request: Request, folder: str, frames: range, stands: Stands | None) -> Iterator[tuple[str, int, int]]:
    """Writes light.json and balls/, if the light is known; yields (STAGE, step, total) after each ball. `stands`: where
    the character is on each of `frames`, None where it is not in the picture, or None for all if a performer drives."""
    shot = Shot(request)
    source = meant(request.light_source, None if request.performer else shot.driver)
    if source is LightSource.BALL and stands:
        turns = {frame - shot.offset - frames[0] for frame in own_light.turning_points(shot.driver)}
        lights = yield from _followed(folder, stands, turns,
                                      lambda i, stand: _in_scene(request, folder, frames[i], stand))
    elif source is LightSource.HDRI and stands:
        lights = yield from _followed(folder, stands, set(),
                                      lambda i, stand: light_picture.of_hdri(request.light_picture, folder, stand))
    elif source in (LightSource.HDRI, LightSource.PICTURE):
        found = light_picture.of_picture(request.light_picture) if source is LightSource.PICTURE else \
            light_picture.of_hdri(request.light_picture, folder)
        _write_ball(folder, 1, found)
        lights = [found.light] * len(frames) if stands is None else [
            None if stand is None else found.light for stand in stands]
        if source is LightSource.HDRI:
            yield STAGE, len(frames), len(frames)
    else:
        return
    _write(folder, lights)


def balls_of(source: LightSource | None, frames: int, *, performed: bool) -> int:
    """How many balls at least are rendered for so many frames, if the light comes from `source` (not Automatic).
    performed: a performer drives, so that the camera is not known and a panorama has one ball."""
    if source is LightSource.BALL or source is LightSource.HDRI and not performed:
        return -(-frames // EVERY) + (frames > 1)
    return int(source is LightSource.HDRI)


def _in_scene(request: Request, folder: str, frame: int, stand: Stand) -> ball.Ball:
    """The Ball of a frame of the edit."""
    shot = Shot(request)
    character = carried_by(shot.rig, shot.meshes)
    with workshop(folder) as place, lit_scene(shot.driver, character) as scene:
        return ball.rendered(scene, stand, os.path.join(place, "ball.png"), frame=frame + shot.offset,
                             character=character)


def _followed(folder: str, places: Stands, turns: set[int],
              measure: Measure) -> Generator[tuple[str, int, int], None, list[np.ndarray | None]]:
    """The light of each frame, None where nobody is."""
    lights: list[np.ndarray | None] = [None] * len(places)
    for run in _runs(places):
        known: dict[int, np.ndarray] = {}
        points = {i for i in turns if i in run} | set(run[::EVERY]) | {run[-1]}
        for i in refined(sorted(points), known):
            found = measure(i, cast("Stand", places[i]))
            known[i] = found.light
            _write_ball(folder, i + 1, found)
            yield STAGE, i + 1, len(places)
        at = sorted(known)
        values = np.array([known[i] for i in at]).reshape(len(at), -1)
        between = np.stack([np.interp(run, at, column) for column in values.T], axis=1)
        lights[run[0]:run[-1] + 1] = list(between.reshape(len(run), -1, 3))
    return lights


def refined(points: Sequence[int], known: dict[int, np.ndarray]) -> Iterator[int]:
    """The frames to measure, in an order from left to right; the caller puts each light into `known` before it asks for
    the next. Between two lights that look different, the middle is measured, until it lies where it was expected."""
    waiting, linear, before = list(points)[::-1], set(), None
    while waiting:
        here = waiting[-1]
        if here not in known:
            yield here
            after = waiting[-2] if len(waiting) > 1 else None
            if before is not None and after in known and _is_between(known, before, here, after):
                linear |= {(before, here), (here, after)}
        if before is not None and here - before > 1 and (before, here) not in linear and \
                sphere.difference(known[before], known[here]) > VISIBLE:
            waiting.append((before + here) // 2)
            continue
        before = waiting.pop()


def _is_between(known: dict[int, np.ndarray], before: int, here: int, after: int) -> bool:
    share = (here - before) / (after - before)
    expected = (1 - share) * known[before] + share * known[after]
    return sphere.difference(known[here], expected) <= VISIBLE


def _runs(places: Stands) -> list[range]:
    """The ranges of frames on which somebody is there."""
    there = np.array([False, *(place is not None for place in places), False])
    changes = np.flatnonzero(there[1:] != there[:-1])
    return [range(int(first), int(end)) for first, end in zip(changes[::2], changes[1::2], strict=True)]


def _write_ball(folder: str, number: int, found: ball.Ball) -> None:
    write_colour(files.picture(folder, files.BALLS, number), found.picture)


def _write(folder: str, lights: Sequence[np.ndarray | None]) -> None:
    frames = [None if light is None else np.round(light, 5).tolist() for light in lights]
    files.write_whole(files.path(folder, files.LIGHT), json.dumps({"version": 1, "frames": frames}).encode())
