"""A job -> its frames: at once, part by part, one part alone, or from parts that other machines made."""

import functools
from collections.abc import Callable
from dataclasses import replace

from ..contract import jobs
from ..contract.messages import Finished, Progress, Warned
from ..engines.base import Engine
from .assemble import Assembly, run_part
from .parts import Part, parts_of
from .plan import FactsOf, facts_of, plan_job
from .run import Generation, begun, run
from .subject import FindJoints, find_subject

Emit = Callable[[object], None]


def run_shot(folder: str, engine: Engine, *, emit: Emit, find_joints: FindJoints,
             stop_asked: Callable[[], bool] = lambda: False, part: int | None = None) -> Finished:
    """Generate a job's frames, or `part` of them in parts/. A long shot with a plan of parts is made part by part and
    assembled, so that its pictures are those that several machines make. Arguments and errors as for run."""
    emit = _each_once(emit)
    if part is not None:
        return _run_one(folder, engine, part, emit=emit, find_joints=find_joints, stop_asked=stop_asked)
    facts = functools.partial(facts_of, engine, engine.pack)
    count = 1 if jobs.read(folder).parts is None else len(planned(folder, facts, find_joints))
    if count == 1:
        return run(folder, engine, emit=emit, find_joints=find_joints, stop_asked=stop_asked)
    for number in range(1, count + 1):
        _run_one(folder, engine, number, emit=_of_all(emit, number, count), find_joints=find_joints,
                 stop_asked=stop_asked)
    return assemble(folder, engine, emit=emit, find_joints=find_joints, stop_asked=stop_asked)


def assemble(folder: str, engine: Engine, *, emit: Emit, find_joints: FindJoints,
             stop_asked: Callable[[], bool] = lambda: False) -> Finished:
    """Bring the frames of all parts into the job's own folders, and repair the seams (assemble.py)."""
    with begun(Assembly, folder, engine, emit=emit, stop_asked=stop_asked) as assembly:
        assembly.prepare(find_joints)
        assembly.pass_through()
        assembly.assemble()
        return assembly.finished()


def _run_one(folder: str, engine: Engine, number: int, *, emit: Emit, find_joints: FindJoints,
             stop_asked: Callable[[], bool]) -> Finished:
    with begun(Generation, folder, engine, emit=emit, stop_asked=stop_asked, part=number) as generation:
        return run_part(generation, find_joints)


def planned(folder: str, facts: FactsOf, find_joints: FindJoints) -> tuple[Part, ...]:
    """The parts of a job; facts: of the engine, for a job. Raises JobError."""
    job = jobs.read(folder)
    look = functools.partial(find_subject, folder, job, find_joints=find_joints, emit=lambda event: None)
    return parts_of(plan_job(folder, job, look, facts(job)).spans, job.parts)


def _each_once(emit: Emit) -> Emit:
    """Every warning once: each part finds the same."""
    said = set[object]()

    def told(event: object) -> None:
        if not isinstance(event, Warned) or event not in said:
            emit(event)
        if isinstance(event, Warned):
            said.add(event)
    return told


def _of_all(emit: Emit, number: int, count: int) -> Emit:
    """Progress of one part as progress of all of them, in hundredths of a part: parts differ in length a little (ours).
    """
    def told(event: object) -> None:
        if isinstance(event, Progress) and event.total:
            done = 100 * (number - 1) + 100 * event.step // event.total
            left = None if event.eta_s is None else event.eta_s + (count - number) * event.eta_s * event.total / max(
                event.total - event.step, 1)
            event = replace(event, step=done, total=100 * count, eta_s=left)
        emit(event)
    return told
