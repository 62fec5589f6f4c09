"""A gathered job with its surface -> irradiance/ and cast/: how the driver's scene lights the character, and how the
character darkens the scene, rendered by Cycles.

Three kinds of renders a frame, all in the same light: a grey surface that alone is seen; the scene with the surface,
which the camera does not see; and the scene without it. The last two differ in what the character casts: shadow,
contact, and light that it throws back. The same seed gives both the same noise. They are rendered small first, which
shows where the shadow is, and then only there.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from pathlib import Path

import bpy
import numpy as np

from ..embedded.engine.contract import files, jobs
from . import grey, surface
from .camera import camera_at, pixel_aspect
from .carried import carried_by
from .light_pictures import cast_of, irradiance_of, resized, shadow_box, within
from .lit_scene import lit_scene, render, stands_in
from .png import write_colour, write_grey
from .request import Request
from .shot import Shot

Step = tuple[str, int, int, float | None]
STAGE = "render"
# Samples a pixel: of the light, of the shadow, and of the small pictures that show where the shadow is (ours: with the
# denoiser, more are not seen).
SAMPLES, SHADOW_SAMPLES, SEARCH_SAMPLES = 16, 8, 8
_FORMAT = 1
_LOOKED_AT = 8           # frames from one look at the scene to the next (ours: it costs a bare start of Cycles)
_LOOK_SIDE = 48          # pixels
_MOST_PIXELS = 65536     # of a shadow: a larger one is rendered smaller (ours: pixels cost seconds)
_SMALLER = 8             # pixels in one of those of the small pictures
_BOUNCES = 4             # of the light in a shadow, which is divided by the same scene without it (ours)


class _Seen(StrEnum):
    """What a render shows."""

    GREY = "the light on the character"
    CAST = "the shadow of the character"
    BARE = "the scene without the character"


def looks(request: Request, folder: str, frames: Sequence[int]) -> Iterator[tuple[str, int, int]]:
    """Write scene/, small pictures of the driver's scene without the character on some of `frames` (of the timeline).
    They are inputs of the job: in another light, the shot is another version, and what was rendered counts no more."""
    picked = sorted({*frames[::_LOOKED_AT], frames[-1]})
    for done, frame in enumerate(picked, 1):
        shot = Shot(request)
        share = _LOOK_SIDE / max(shot.size)
        size = tuple(max(round(side * share), 4) for side in shot.size)
        seen = _render(shot, frame + shot.offset, _Seen.BARE, size=size, samples=1)
        number = frame - frames[0] + 1
        write_colour(files.picture(folder, files.SCENE, number), np.rint(seen[..., :3] * 255).astype(np.uint8))
        yield files.SCENE, done, len(picked)


def remove(folder: str) -> None:
    """Remove what was rendered, because the job's light comes from elsewhere now. Raises JobError."""
    for kind, endings in ((files.IRRADIANCE, ("png",)), (files.CAST, ("png",)), (files.SURFACE, ("npy", "light"))):
        files.remove_numbered(files.path(folder, kind), endings)
    with suppress(FileNotFoundError):
        os.remove(files.path(folder, files.MESH))


def render_light(request: Request, folder: str, numbers: Sequence[int] | None = None) -> Iterator[Step]:
    """Render what frames still lack, one render a step. Frames that were rendered from the same surface in the same
    scene stay. `numbers` (1..N): only these frames, None for all; other machines may render the others at the same
    time. Raises GatherError if the request's names mean nothing any more."""
    job = jobs.read(folder)
    wanted = range(1, job.frames + 1) if numbers is None else numbers
    found, shared = surface.read(folder, job.frames), _digest_of_the_shot(folder, job)
    missing = [number for number in wanted if not _is_rendered(folder, number, _key(folder, number, shared))]
    began, ready = time.monotonic(), len(wanted) - len(missing)
    for count, number in enumerate(missing):
        left = (time.monotonic() - began) / count * (len(missing) - count) if count else None
        for _ in _render_frame(request, folder, job, found, number):
            yield STAGE, ready + count, len(wanted), left
        files.write_whole(files.light_key(folder, number), _key(folder, number, shared).encode())
    yield STAGE, len(wanted), len(wanted), 0.0


def _render_frame(request: Request, folder: str, job: jobs.Job, found: surface.Surface,
                  number: int) -> Generator[None, None, None]:
    places, box = surface.vertices(folder, number, found), found.boxes[number - 1]
    white, cast = np.zeros((*job.size[::-1], 3), np.uint16), np.full(job.size[::-1], 65535, np.uint16)
    if places is not None and box[2] > box[0] and box[3] > box[1]:
        def seen(kind: _Seen, samples: int, **where: Sequence[int]) -> np.ndarray:
            return _render(Shot(request), job.first_frame + number - 1 + job.driver.frame_offset, kind,
                           samples=samples, character=None if kind is _Seen.BARE else (found, places), **where)
        white[within(box)] = irradiance_of(seen(_Seen.GREY, SAMPLES, size=job.size, border=box))
        yield
        small = [max(side // _SMALLER, 4) for side in job.size]
        bare = seen(_Seen.BARE, SEARCH_SAMPLES, size=small)
        yield
        there = shadow_box(seen(_Seen.CAST, SEARCH_SAMPLES, size=small), bare, job.size)
        yield
        if there is not None:
            size, part = resized(there, job.size, _MOST_PIXELS)
            bare = seen(_Seen.BARE, SHADOW_SAMPLES, size=size, border=part)
            yield
            darkened = seen(_Seen.CAST, SHADOW_SAMPLES, size=size, border=part)
            cast[within(there)] = cast_of(darkened, bare, there, job.size, size=size, part=part)
            yield
    write_colour(files.picture(folder, files.IRRADIANCE, number), white)
    write_grey(files.picture(folder, files.CAST, number), cast)
    for kind in (files.IRRADIANCE, files.CAST):
        files.sync_file(files.picture(folder, kind, number))


def _render(shot: Shot, frame: int, kind: _Seen, *, size: Sequence[int], samples: int,
            border: Sequence[int] | None = None,
            character: tuple[surface.Surface, np.ndarray] | None = None) -> np.ndarray:
    """(h, w, 4) 0..1 as the display shows it, in the border (left, top, right, bottom) of a picture of `size`.
    character: its surface, and its vertices in the camera's axes; None for the scene alone."""
    carried = carried_by(shot.rig, shot.meshes)
    with tempfile.TemporaryDirectory(prefix="aa2-light-") as folder, ExitStack() as stack:
        scene = stack.enter_context(lit_scene(shot.driver, carried))
        stack.enter_context(_plain(scene.collection.all_objects))
        scene.camera = camera_at(shot.driver, frame, shot.camera)
        if kind is _Seen.GREY:
            _hide_from_camera(scene)
        if character is not None:
            found, places = character
            material = grey.material() if kind is _Seen.GREY else surface.clothes(found)
            thing = surface.add(scene, found, surface.in_world(places, shot, frame), material)
            thing.visible_camera = kind is _Seen.GREY
            stack.enter_context(stands_in(thing, carried))
        _set_up(scene, pixel_aspect(shot.driver, shot.size), size, samples, border)
        if kind is _Seen.GREY:
            scene.render.film_transparent = True
        else:
            scene.render.film_transparent = False
            scene.cycles.max_bounces = min(scene.cycles.max_bounces, _BOUNCES)
        path = os.path.join(folder, "light.png")
        grey.show(scene, path)
        render(scene, frame, f"{kind} on frame {frame}")
        return grey.read(path)


def _set_up(scene: bpy.types.Scene, aspect: tuple[float, float], size: Sequence[int], samples: int,
            border: Sequence[int] | None) -> None:
    settings, cycles = scene.render, scene.cycles
    settings.resolution_x, settings.resolution_y = size
    settings.pixel_aspect_x, settings.pixel_aspect_y = aspect
    cycles.samples, cycles.seed, cycles.use_animated_seed = samples, 0, False
    if samples > 1:
        _denoise(cycles)
    if border is not None:
        settings.use_border = settings.use_crop_to_border = True
        left, top, right, bottom = np.add(border, 0.5)        # Blender cuts off the rest
        settings.border_min_x, settings.border_max_x = left / size[0], min(right / size[0], 1.0)
        settings.border_min_y = max((size[1] - bottom + 1) / size[1], 0.0)
        settings.border_max_y = min((size[1] - top + 1) / size[1], 1.0)


def _denoise(cycles: bpy.types.PropertyGroup) -> None:
    """Switch on Blender's own denoiser; a Blender that was built without it does without."""
    try:
        cycles.denoiser = "OPENIMAGEDENOISE"
    except TypeError:
        return
    cycles.use_denoising = True


def _hide_from_camera(scene: bpy.types.Scene) -> None:
    """Let all objects of a temporary scene light the surface, but only indirectly be seen."""
    group = bpy.data.collections.new("AA2 around")
    for thing in list(scene.collection.objects):
        group.objects.link(thing)
        scene.collection.objects.unlink(thing)
    scene.collection.children.link(group)
    layer = scene.view_layers[0]
    layer.update()
    layer.layer_collection.children[group.name].indirect_only = True


@contextmanager
def _plain(things: Iterable[bpy.types.Object]) -> Iterator[None]:
    """Render holdouts and shadow catchers as the bodies they are: they stand for what the plate shows there."""
    special = [(thing, name) for thing in things for name in ("is_holdout", "is_shadow_catcher")
               if getattr(thing, name)]
    try:
        for thing, name in special:
            setattr(thing, name, False)
        yield
    finally:
        for thing, name in special:
            setattr(thing, name, True)


def _digest_of_the_shot(folder: str, job: jobs.Job) -> bytes:
    """A digest of what all frames are rendered from: the looks at the scene, and the surface's mesh."""
    told = hashlib.sha256(repr((_FORMAT, SAMPLES, SHADOW_SAMPLES, job.size)).encode())
    told.update(Path(files.path(folder, files.MESH)).read_bytes())
    for number in files.numbers(folder, files.SCENE):
        told.update(b"%d" % number + Path(files.picture(folder, files.SCENE, number)).read_bytes())
    return told.digest()


def _key(folder: str, number: int, shared: bytes) -> str:
    """What a frame's pictures are rendered from, as 32 hex digits. shared: as from _digest_of_the_shot."""
    told = hashlib.sha256(shared)
    with suppress(FileNotFoundError):
        told.update(Path(files.vertices(folder, number)).read_bytes())
    return told.hexdigest()[:32]


def _is_rendered(folder: str, number: int, key: str) -> bool:
    """Whether a frame's pictures are there and were rendered from this key. Each frame has a file for its key, because
    several machines render one shot."""
    try:
        there = Path(files.light_key(folder, number)).read_bytes()
    except OSError:
        return False
    return there == key.encode() and all(
        os.path.isfile(files.picture(folder, kind, number)) for kind in (files.IRRADIANCE, files.CAST))
