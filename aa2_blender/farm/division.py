"""A shot -> the tasks that several machines take: parts to generate, and frames to light.

The number of parts is reckoned from the plate's frames, by the engine's own rule, as if somebody were in each frame.
So a job is written at once: nothing is gathered, and no performer is looked for. The job itself decides: where it has
fewer parts, the last tasks find nothing to do, and the last task takes all parts that are left, if it has more.
"""
from ..cost import Work
from ..embedded.engine.contract.jobs import Parts
from ..embedded.engine.contract.parts import first_windows

# Of one task that renders the light: each opens the file again, which takes as long as some frames (ours).
LIT_FRAMES = 24
# OpenJD takes at most so many values of a parameter.
MOST_TASKS = 1024


def plan_of(frames: int, run_in: int, work: Work) -> Parts:
    """The plan whose parts have about so many frames; `run_in` in windows."""
    return Parts(windows=max(1, round(frames / work.step)), run_in=run_in)


def parts_in(work: Work, plan: Parts) -> int:
    """How many parts a shot has that shows somebody in each frame."""
    return len(first_windows(work.windows, work.frames, plan))


def part_tasks(count: int, each: int) -> tuple[str, ...]:
    """The parts of each task that generates, so many `each`: ("1-2", "3-4", "5-"). () for a shot of one part. A range
    means those that the shot has."""
    if count == 1:
        return ()
    each = max(each, -(-count // MOST_TASKS))
    starts = range(1, count + 1, each)
    return (*(f"{start}-{start + each - 1}" for start in starts[:-1]), f"{starts[-1]}-")


def light_tasks(frames: int) -> tuple[str, ...]:
    """The frames (1..N) of each task that renders the light: ("1-24", "25-30")."""
    each = max(LIT_FRAMES, -(-frames // MOST_TASKS))
    return tuple(f"{first}-{min(first + each - 1, frames)}" for first in range(1, frames + 1, each))
