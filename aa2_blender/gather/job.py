"""A Request -> a whole job folder, in slices. Between two slices the blend is as it was."""

import os
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import bpy

from ..embedded.engine.contract import files, jobs
from ..embedded.engine.contract.errors import writing_failed
from ..settings.table import KEYED, PASSED, MaskUse
from . import companions, depth, light, objects, pose, reference, scene_light
from . import strip as plate
from .keyframes import values
from .names import plain, said
from .problem import GatherError
from .request import Request
from .rig import BoneMap
from .shot import Shot, bone_map, problems
from .stand import Stand

__all__ = ["empty", "gather", "problems"]

# Frames a slice: a window stays alive between two of them; in background mode nobody waits for one. Each slice of the
# plate pays a render's start-up, so it is not one frame (ours; at 1080p a slice of 32 froze a window for 3.2 s, and one
# of 4 with objects for 2.3 to 6.5 s).
_POSE_SLICE = 96
_PLATE_SLICE, _DEPTH_SLICE = (32, 4) if bpy.app.background else (8, 1)


def gather(request: Request, folder: str | Path) -> Iterator[tuple[str, int, int]]:
    """A generator that fills `folder` and yields (stage, step, total) after each slice.

    Run it to its end, or take one slice at a time from a timer. If it is dropped half-way, the blend is as it was and
    there is no job.json. Raises GatherError or another JobError. Frames that the engine made before stay.
    """
    folder = os.fspath(folder)
    for problem in problems(request):
        raise problem
    shot = Shot(request)
    first, last = plate.frames_of(shot.strip, request.frames)
    plate.check_files(shot.strip, first, last)
    for strip in filter(None, (shot.mask_strip, shot.clean_strip, shot.front_strip)):
        companions.check_files(strip, (first, last))
    bits = plate.bits_of(shot.strip)
    files.refuse_links(folder)
    empty(folder)
    if not request.is_lit:
        scene_light.remove(folder)
    reference.write(request.reference, shot.scene, folder)
    yield "reference", 1, 1
    frames = range(first, last + 1)
    bones = None if request.performer else bone_map(request, shot.rig)
    stands = None
    if bones:
        stands = yield from _pose(request, folder, frames, bones)
    yield from light.gather(request, folder, frames, stands)
    yield from _beside(request, folder, frames)
    ranges = yield from _depths(request, folder, frames)
    if request.is_lit:
        yield from scene_light.looks(request, folder, frames)
    for part in _slices(frames, _PLATE_SLICE):
        shot = Shot(request)
        plate.write_plate(shot.scene, shot.strip, folder, first=part[0], last=part[-1], start=first, bits=bits)
        yield "plate", part[-1] - first + 1, len(frames)
    jobs.write(folder, _job(request, Shot(request), frames, bits, bones, ranges))
    yield "job", 1, 1


def _pose(request: Request, folder: str, frames: range,
          bones: BoneMap) -> Generator[tuple[str, int, int], None, list[Stand | None]]:
    """Writes pose.json; returns where the person stands on each frame, None where nobody is in the picture."""
    shot = Shot(request)
    skeleton = pose.skeleton_of(shot.rig, bones.joints, shot.driver, [frame + shot.offset for frame in frames])
    people, places = [], []
    for part in _slices(frames, _POSE_SLICE):
        shot = Shot(request)
        more, stands = pose.seen(shot.driver, shot.rig, skeleton, size=shot.size, camera=shot.camera,
                                 frames=[frame + shot.offset for frame in part])
        people += more
        places += stands
        yield "pose", len(people), len(frames)
    if not any(people):
        raise GatherError(f"Rig {said(request.rig)} is behind the camera or out of the picture on every frame "
                          f"({frames[0]} to {frames[-1]} of the edit).",
                          "Look at the frame offset, the camera and the range of the strip.")
    pose.write(folder, people)
    return [stand if there else None for stand, there in zip(places, people, strict=True)]


def _beside(request: Request, folder: str, frames: range) -> Iterator[tuple[str, int, int]]:
    """Writes the artist's mask, the clean plate and what stays in front, where there are any."""
    for kind, of in ((companions.mask_kind(request), lambda shot: shot.mask_strip),
                     (files.CLEAN, lambda shot: shot.clean_strip), (files.FRONT, lambda shot: shot.front_strip)):
        if of(Shot(request)) is None:
            continue
        for part in _slices(frames, _PLATE_SLICE):
            shot = Shot(request)
            companions.write(shot.scene, of(shot), folder, kind, part, frames[0])
            yield kind, part[-1] - frames[0] + 1, len(frames)


def _depths(request: Request, folder: str,
            frames: range) -> Generator[tuple[str, int, int], None, dict[str, jobs.DepthRange | None]]:
    """Writes mask/, objects/ and depth/ where they are asked for; returns the DepthRange of the last two by name."""
    shot = Shot(request)
    joins = shot.mask_strip is not None
    pictures = {kind: objects.DepthPictures(folder, kind) for kind in (files.OBJECTS, files.DEPTH)}
    wanted = {files.MASK: lambda shot: _silhouettes(request, shot), files.OBJECTS: lambda shot: shot.objects,
              files.DEPTH: lambda shot: shot.holdouts}
    for kind, things in wanted.items():
        if not things(shot):
            continue
        for part in _slices(frames, _DEPTH_SLICE):
            shot = Shot(request)
            with closing(depth.render(things(shot), shot.driver, size=shot.size, camera=shot.camera,
                                      frames=[frame + shot.offset for frame in part])) as drawn:
                for frame, picture in zip(part, drawn, strict=False):
                    if kind == files.MASK:
                        number = frame - frames[0] + 1
                        drawn = companions.read_mask(folder, number, shot.size) if joins else None
                        objects.write_mask(folder, number, picture, drawn)
                    else:
                        pictures[kind].add(picture)
            yield kind, part[-1] - frames[0] + 1, len(frames)
    return {kind: waiting.write() for kind, waiting in pictures.items()}


def _silhouettes(request: Request, shot: Shot) -> list[bpy.types.Object]:
    """The meshes that are rendered for the mask. None if the artist's mask overrides it."""
    return [] if request.performer or shot.mask_strip and request.mask_use == MaskUse.OVERRIDE else shot.meshes


def _performer(request: Request, frames: range) -> jobs.Performer | None:
    """What the engine is to be asked about the performer; None where a rig drives."""
    if not request.performer:
        return None
    frame = request.performer_frame if request.performer_box else frames[0]
    return jobs.Performer(frame=frame - frames[0] + 1, box=request.performer_box,
                              mask_use=jobs.IS_MASK_USE(str(request.mask_use)) if request.mask_strip else None,
                              clean=request.make_clean and not request.clean_strip)


def _job(request: Request, shot: Shot, frames: range, bits: jobs.Bits, bones: BoneMap | None,
         ranges: dict[str, jobs.DepthRange | None]) -> jobs.Job:
    render = shot.scene.render
    source, performer = request.reference, _performer(request, frames)
    given: dict[str, Any] = {field: getattr(request, field) for field in PASSED}
    given |= {field: values(shot.scene, one, frames) for field, one in KEYED.items()}
    return jobs.Job(
        name=request.name, size=shot.size, frames=len(frames), first_frame=frames[0], fps=render.fps / render.fps_base,
        bits=bits, clean_plate=request.clean_plate, settings=request.settings,
        clean_pictures=shot.clean_strip is not None or performer is not None and performer.clean,
        mask_joins=bool(request.mask_strip and request.mask_use == MaskUse.JOIN and not request.performer
                        and not shot.meshes),
        **given,
        reference=jobs.Reference(joints=source.joints, height_px=source.height_px),
        objects=ranges[files.OBJECTS], depth=ranges[files.DEPTH], parts=request.parts,
        driver=jobs.Driver(scene=shot.driver.name, camera=plain(shot.camera), rig=plain(request.rig),
                               preset=bones.preset if bones else "", frame_offset=shot.offset,
                               performer=performer))


def _slices(frames: range, size: int) -> list[range]:
    return [frames[i:i + size] for i in range(0, len(frames), size)]


def empty(folder: str) -> None:
    """Removes job.json and all that was gathered, because an unfinished folder is no job. What the engine made stays,
    and so does what the artist put there under another name."""
    try:
        for kind in (files.SOURCE, files.MASK, files.OBJECTS, files.DEPTH, files.BALLS, files.SCENE, files.CLEAN,
                     files.FRONT,
                     files.GIVEN_MASK):
            where = files.path(folder, kind)
            files.remove_numbered(where, ("png",))
            with suppress(OSError):
                os.rmdir(where)
        os.makedirs(files.path(folder, files.SOURCE), exist_ok=True)
        for name in (files.JOB, files.POSE, files.LIGHT, files.REFERENCE):
            if os.path.exists(files.path(folder, name)):
                os.remove(files.path(folder, name))
    except OSError as error:
        raise writing_failed(error, folder) from None
