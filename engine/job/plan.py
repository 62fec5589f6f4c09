"""A job -> its plan: everything that is decided for the shot before its first frame is made, in one value that does not
change afterwards. run, preview, check and deliver all get their plan from plan_job."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import overload

from ..conditions.bundle import Shot, plan_shot
from ..contract import jobs
from ..engines.compact.denoise.clip import Sampling
from ..engines.compact.denoise.schedule import named
from ..engines.compact.denoise.windows import Window, spans
from ..engines.compact.denoise.windows import plan as windows_of
from ..packs.manifest import Manifest
from .fix_range import kept_numbers
from .subject import Subject


@dataclass(frozen=True)
class Plan:
    """shot: figures, crops, depths and kind of region; subject: who is in the reference, empty if nobody looked; kept:
    the frames (1..N) that a range to fix does not touch."""

    shot: Shot
    subject: Subject
    kept: tuple[int, ...]

    @property
    def present(self) -> list[int]:
        """The frames (1..N) with somebody in them."""
        return [number for number, present in enumerate(self.shot.plan.present, 1) if present]

    @property
    def absent(self) -> tuple[int, ...]:
        """The frames (1..N) with nobody in them."""
        return tuple(number for number, present in enumerate(self.shot.plan.present, 1) if not present)


@dataclass(frozen=True)
class RunPlan(Plan):
    """The plan of a run with weights. `spans`: for each run of frames with somebody in them, the windows that make
    these frames, each of at most `window` frames. `sampling`: how they are denoised."""

    window: int
    spans: tuple[tuple[Window, ...], ...]
    sampling: Sampling

    @property
    def made(self) -> list[int]:
        """The frames (1..N) that are made, ascending."""
        return [number for windows in self.spans for window in windows for number in window.made]


@overload
def plan_job(folder: str, job: jobs.Job, look: Callable[[], Subject] | None = None) -> Plan: ...
@overload
def plan_job(folder: str, job: jobs.Job, look: Callable[[], Subject] | None, manifest: Manifest) -> RunPlan: ...
def plan_job(folder: str, job: jobs.Job, look: Callable[[], Subject] | None = None,
             manifest: Manifest | None = None) -> Plan:
    """look: a function that looks into the reference, or None if nothing depends on it; manifest: of the weights, if
    any. pose.json is read before look() is called; if the job retargets, it is read again afterwards. Raises
    JobError."""
    plan = functools.partial(plan_shot, folder, job)
    if manifest is not None:
        plan = functools.partial(plan, manifest.mask, surface=manifest.surface)
    shot, subject = plan(), Subject()
    if look is not None:
        subject = look()
        if job.retarget > 0:
            shot = plan(joints=subject.joints, height_px=subject.height_px)
    kept = tuple(kept_numbers(job))
    return Plan(shot, subject, kept) if manifest is None else _run_plan(shot, subject, kept, manifest)


def _run_plan(shot: Shot, subject: Subject, kept: tuple[int, ...], manifest: Manifest) -> RunPlan:
    settings = shot.job.settings
    size = settings.window or manifest.window
    planned = (tuple(_windows(shot.job, span, size, manifest.overlap)) for span in spans(list(shot.plan.present)))
    sampling = Sampling(named(manifest.schedule), settings.steps or manifest.default_steps, settings.seed,
                        settings.guidance)
    return RunPlan(shot, subject, kept, size, tuple(windows for windows in planned if windows), sampling)


def _windows(job: jobs.Job, span: range, size: int, overlap: int) -> list[Window]:
    made = span
    if job.fix is not None:
        made = range(max(span.start, job.fix.first), min(span.stop, job.fix.last + 1))
    return windows_of(span, size, min(overlap, size - 1), made)
