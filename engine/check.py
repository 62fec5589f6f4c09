"""A job folder -> the first thing that is wrong with it as a JobError, or its conditions as pictures; needs no weights."""

from .conditions.bundle import build_reference, draw_previews, plan_shot
from .conditions.frames import read_colour, read_grey, read_reference, write_picture
from .contract import folder as files
from .contract import job as jobs
from .contract.events import Finished
from .progress import Watch
from .reference import find_subject


def check(folder: str, *, emit, stop_asked=lambda: False) -> Finished:
    """Read every file that a generation would read."""
    watch = Watch(folder, emit, stop_asked)
    with watch.stage("prepare"):
        job = jobs.read(folder)
        shot = plan_shot(folder, job)
        read_reference(files.path(folder, job.reference.file))
    watch.begin("check", job.frames)
    watch.work_begins()
    for number in range(1, job.frames + 1):
        with watch.stage("read"):
            _check_frame(folder, job, number)
        watch.advance("check")
    passed = job.frames - sum(shot.plan.present)
    return Finished(folder, job.frames, 0, 0, passed, watch.seconds, watch.stages)


def preview(folder: str, *, emit, find_joints, stop_asked=lambda: False) -> Finished:
    """Write the conditions of every frame to preview/, as the networks get them."""
    watch = Watch(folder, emit, stop_asked)
    with watch.stage("prepare"):
        job = jobs.read(folder)
        shot = plan_shot(folder, job)
        reference = build_reference(shot, *find_subject(folder, job, find_joints=find_joints, emit=emit))
    watch.begin("preview", job.frames)
    watch.work_begins()
    for number in range(1, job.frames + 1):
        with watch.stage("draw"):
            for kind, picture in draw_previews(shot, reference, number).items():
                write_picture(files.picture(folder, f"{files.PREVIEW}/{kind}", number), picture)
        watch.advance("preview")
    passed = job.frames - sum(shot.plan.present)
    return Finished(folder, job.frames, job.frames, 0, passed, watch.seconds, watch.stages)


def _check_frame(folder, job, number) -> None:
    for kind in [files.SOURCE] + [files.CLEAN] * job.clean_pictures:
        read_colour(files.picture(folder, kind, number), job.size)
    wanted = [files.OBJECTS] * (job.objects is not None) + [files.DEPTH] * (job.depth is not None)
    if files.has(folder, files.MASK):
        wanted.append(files.MASK)
    for kind in wanted:
        read_grey(files.picture(folder, kind, number), job.size)
