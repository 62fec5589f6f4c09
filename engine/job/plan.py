"""A job -> its plan: everything that is decided for the shot before its first frame is made, in one value that does not
change afterwards. run, preview, check and deliver all get their plan from plan_job."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import overload

from ..conditions.bundle import Shot, plan_shot
from ..contract import jobs
from ..contract.errors import JobError
from ..engines.base import Engine, Facts, Sampling, Want, Window
from ..engines.windows import plan as windows_of
from ..engines.windows import spans
from ..packs.store import Pack
from .fix_range import kept_numbers
from .subject import Subject

FactsOf = Callable[[jobs.Job], Facts]  # a job -> what its engine says of itself; raises JobError


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
    """The plan of a run with an engine. `spans`: for each run of frames with somebody in them, the windows that make
    these frames, each of at most `window` frames. `sampling`: how they are sampled."""

    facts: Facts
    window: int
    spans: tuple[tuple[Window, ...], ...]
    sampling: Sampling

    @property
    def made(self) -> list[int]:
        """The frames (1..N) that are made, ascending."""
        return [number for windows in self.spans for window in windows for number in window.made]


def facts_of(engine: Engine | type[Engine], pack: Pack, job: jobs.Job) -> Facts:
    """What the engine of this pack says of itself for a job. Raises JobError if the job is for another engine."""
    if job.settings.engine != pack.manifest.engine:
        raise JobError("settings_invalid", f"The job is for the engine {job.settings.engine}; the weights in "
                       f"{pack.folder} are for {pack.manifest.engine}.", "Choose another engine or folder of weights.")
    return engine.facts(pack.manifest, job.settings)


@overload
def plan_job(folder: str, job: jobs.Job, look: Callable[[], Subject] | None = None) -> Plan: ...
@overload
def plan_job(folder: str, job: jobs.Job, look: Callable[[], Subject] | None, facts: Facts) -> RunPlan: ...
@overload
def plan_job(folder: str, job: jobs.Job, look: Callable[[], Subject] | None, facts: Facts | None) -> Plan: ...
def plan_job(folder: str, job: jobs.Job, look: Callable[[], Subject] | None = None,
             facts: Facts | None = None) -> Plan:
    """look: a function that looks into the reference, or None if nothing depends on it; facts: of the engine, None if
    nothing depends on it either: then the embedded engine's are taken. pose.json is read before look() is called; if
    the job retargets, it is read again afterwards. Raises JobError."""
    plan = functools.partial(plan_shot, folder, job)
    if facts is not None:
        plan = functools.partial(plan, rule=facts.region, surface=Want.MAPS in facts.wants, shapes=facts.shapes)
    shot, subject = plan(), Subject()
    if look is not None:
        subject = look()
        if job.retarget > 0:
            shot = plan(joints=subject.joints, height_px=subject.height_px)
    kept = tuple(kept_numbers(job))
    return Plan(shot, subject, kept) if facts is None else _run_plan(shot, subject, kept, facts)


def _run_plan(shot: Shot, subject: Subject, kept: tuple[int, ...], facts: Facts) -> RunPlan:
    settings = shot.job.settings
    size = (facts.window - 1) // facts.frame_step * facts.frame_step + 1
    planned = (tuple(_windows(shot.job, span, size, facts)) for span in spans(list(shot.plan.present)))
    sampling = Sampling(settings.steps or facts.steps, settings.seed,
                        facts.guidance if settings.guidance is None else settings.guidance, settings.own)
    return RunPlan(shot, subject, kept, facts, size, tuple(windows for windows in planned if windows), sampling)


def _windows(job: jobs.Job, span: range, size: int, facts: Facts) -> list[Window]:
    made = span
    if job.fix is not None:
        made = range(max(span.start, job.fix.first), min(span.stop, job.fix.last + 1))
    if not facts.holds_after:
        span = range(span.start, made.stop)
    return windows_of(span, size, min(facts.overlap, size - 1), made)
