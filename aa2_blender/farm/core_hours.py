"""What a shot costs on a farm, in core hours: as on this machine, and what its parts do twice."""
from collections.abc import Sequence

from ..cost import Rate, Work, cost_of
from ..embedded.engine.contract.jobs import Parts

_ENCODED = 0.5  # of the networks' time beside the denoiser: frames of a run-in are encoded, and not decoded (ours)


def in_all(each: Sequence[float | None]) -> float | None:
    """The sum of several shots, None if one of them is not known."""
    known = [hours for hours in each if hours is not None]
    return sum(known) if len(known) == len(each) else None


def core_hours(work: Work, rate: Rate, cores: int, *, plan: Parts, parts: int) -> float:
    """The hours of one core. `rate` was measured with so many `cores`; `parts`: how many the shot has."""
    seconds = cost_of(work, rate).seconds
    run_in = work.step * plan.run_in * _ENCODED * rate.nets_s
    run_in += (work.step + work.overlap) * plan.run_in * work.steps * work.passes * rate.denoise_s
    return (seconds + (parts - 1) * (rate.start_s + run_in)) * cores / 3600
