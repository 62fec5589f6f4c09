"""A job -> its plan: all that is fixed for the shot before its first frame is made, in one value that nothing changes
afterwards. run, preview, check and deliver all have theirs from plan_job.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..conditions.bundle import Shot, plan_shot
from ..contract import jobs
from ..engines.compact.denoise.clip import Sampling
from ..engines.compact.denoise.schedule import named
from ..engines.compact.denoise.windows import Window, plan, spans
from ..packs.manifest import Manifest
from .fix_range import held_numbers
from .subject import Subject


@dataclass(frozen=True)
class Denoising:
    """spans: for each run of frames with somebody in them, the windows that are made of it, each of at most
    `window` frames."""

    window: int
    spans: tuple[tuple[Window, ...], ...]
    sampling: Sampling

    @property
    def made(self) -> list[int]:
        """The frames (1..N) that are made, ascending."""
        return [number for windows in self.spans for window in windows for number in window.made]


@dataclass(frozen=True)
class Plan:
    """shot: figures, crops, depths and kind of region; subject: who is in the reference, nobody where that was not
    looked for; held: the frames (1..N) that a range to fix leaves as they are; denoising: None where there are no
    weights to denoise with."""

    shot: Shot
    subject: Subject
    held: tuple[int, ...]
    denoising: Denoising | None

    @property
    def absent(self) -> tuple[int, ...]:
        """The frames (1..N) with nobody in them."""
        return tuple(number for number, present in enumerate(self.shot.plan.present, 1) if not present)


def plan_job(folder: str, job: jobs.Job, look: Callable[[], Subject] | None = None,
             manifest: Manifest | None = None) -> Plan:
    """look: who looks into the reference, None where nothing depends on it; manifest: of the weights, if any. pose.json
    is read before look() is called, and again after it where the job retargets. Raises JobError."""
    networks = {} if manifest is None else dict(mask=manifest.mask, surface=manifest.surface)
    shot, subject = plan_shot(folder, job, **networks), Subject()
    if look is not None:
        subject = look()
        if job.retarget > 0:
            shot = plan_shot(folder, job, joints=subject.joints, height_px=subject.height_px, **networks)
    return Plan(shot, subject, tuple(held_numbers(job)), None if manifest is None else _denoising(shot, manifest))


def _denoising(shot: Shot, manifest: Manifest) -> Denoising:
    job = shot.job
    size = job.settings.window or manifest.window
    planned = (tuple(_windows(job, span, size, manifest.overlap)) for span in spans(list(shot.plan.present)))
    steps = job.settings.steps or manifest.default_steps
    return Denoising(size, tuple(windows for windows in planned if windows),
                     Sampling(named(manifest.schedule), steps, job.settings.seed, job.settings.guidance))


def _windows(job: jobs.Job, span: range, size: int, overlap: int) -> list[Window]:
    made = span
    if job.fix is not None:
        made = range(max(span.start, job.fix.first), min(span.stop, job.fix.last + 1))
    return plan(span, size, min(overlap, size - 1), made)
