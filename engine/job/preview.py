"""A job folder -> the first thing that is wrong with it, as a JobError, or its conditions as pictures. Needs no
weights."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from ..conditions.bundle import build_reference, draw_previews
from ..conditions.crop import Crop, laid
from ..conditions.frames import read_colour, read_grey, read_reference, write_picture
from ..contract import files, jobs
from ..contract.messages import Finished
from .plan import FactsOf, plan_job
from .progress import Watch
from .subject import FindJoints, find_subject, warn_of_unseen

_FLAT = {"mask": (255, 255, 255), "objects": (255, 140, 0)}  # the colour of conditions that have none of their own


def check(folder: str, *, facts: FactsOf | None = None, emit: Callable[[object], None],
          stop_asked: Callable[[], bool] = lambda: False) -> Finished:
    """Read every file that a generation would read. facts: of the engine, for a job; None if no engine is named."""
    files.refuse_links(folder)
    watch = Watch(folder, emit, stop_asked)
    with watch.stage("prepare"):
        job = jobs.read(folder)
        plan = plan_job(folder, job, None, facts and facts(job))
        read_reference(files.path(folder, job.reference.file))
    watch.begin("check", job.frames)
    watch.work_begins()
    for number in range(1, job.frames + 1):
        with watch.stage("read"):
            _check_frame(folder, job, number)
        watch.advance("check")
    return Finished(folder, job.frames, 0, 0, len(plan.absent), watch.seconds, watch.stages)


def preview(folder: str, *, facts: FactsOf | None = None, emit: Callable[[object], None], find_joints: FindJoints,
            stop_asked: Callable[[], bool] = lambda: False) -> Finished:
    """Write the conditions of every frame: to preview/ as the engine sees them, and to shown/ where they lie over the
    plate. facts: of the engine, for a job; None for the embedded one."""
    files.refuse_links(folder)
    watch = Watch(folder, emit, stop_asked)
    with watch.stage("prepare"):
        job = jobs.read(folder)
        look = functools.partial(find_subject, folder, job, find_joints=find_joints, emit=emit)
        plan = plan_job(folder, job, look, facts and facts(job))
        shot, reference = plan.shot, build_reference(plan.shot, *plan.subject)
        warn_of_unseen(reference.character, folder, emit)
    watch.begin("preview", job.frames)
    watch.work_begins()
    for number in range(1, job.frames + 1):
        with watch.stage("draw"):
            drawn = draw_previews(shot, reference, number)
            for kind, picture in drawn.items():
                write_picture(files.picture(folder, f"{files.PREVIEW}/{kind}", number), picture)
            for kind in files.SHOWN_KINDS:
                write_picture(files.picture(folder, f"{files.SHOWN}/{kind}", number),
                              over_plate(kind, drawn[kind], shot.plan.crops[number - 1], job.size))
        watch.advance("preview")
    return Finished(folder, job.frames, job.frames, 0, len(plan.absent), watch.seconds, watch.stages)


def over_plate(kind: str, picture: np.ndarray, crop: Crop, size: Sequence[int]) -> np.ndarray:
    """A preview (h, w, 3) uint8 in its crop -> (H/2, W/2, 4) uint8 RGBA over the plate of `size` (w, h), at half its
    width and height, which is quick to show. It is transparent where the condition says nothing."""
    grey = picture.max(axis=-1, keepdims=True)
    there = np.where(grey > 0, np.uint8(255), np.uint8(0))
    alpha = {"mask": grey, "environment": np.full_like(grey, 255), "objects": there // 5 * 3}.get(kind, there)
    colour = np.full_like(picture, _FLAT[kind]) if kind in _FLAT else picture
    crop = dataclasses.replace(crop, centre=tuple(x / 2 for x in crop.centre), step=crop.step / 2)
    return laid(np.concatenate([colour, alpha], axis=-1), crop, [-(-x // 2) for x in size])


def _check_frame(folder: str, job: jobs.Job, number: int) -> None:
    colours = [files.CLEAN] * job.clean_pictures + [files.IRRADIANCE] * files.has(folder, files.IRRADIANCE)
    for kind in [files.SOURCE, *colours]:
        read_colour(files.picture(folder, kind, number), job.size)
    wanted = [files.OBJECTS] * (job.objects is not None) + [files.DEPTH] * (job.depth is not None)
    wanted += [kind for kind in (files.MASK, files.FRONT, files.CAST) if files.has(folder, kind)]
    for kind in wanted:
        read_grey(files.picture(folder, kind, number), job.size)
