"""What a farm is to make."""
from dataclasses import dataclass
from pathlib import Path

from ..embedded.engine.contract.jobs import Parts
from ..gather.request import Request


@dataclass(frozen=True)
class Wish:
    """What the artist wants of the farm: about so many `frames` a part, a `run_in` of so many windows, so many parts
    `each` task, machines with a `gpu`."""

    frames: int = 48
    run_in: int = Parts().run_in
    each: int = 1
    gpu: bool = False


@dataclass(frozen=True)
class FarmShot:
    """One shot: `job` is the version that the farm makes, of `count` parts; `parts` and `light` are the tasks of these
    steps (division.py), `memory_mb` is what its engine needs. core_hours: None where nothing tells them
    (cost.tells_time)."""

    title: str
    job: Path
    request: Request
    frames: int
    plan: Parts
    count: int
    parts: tuple[str, ...]
    light: tuple[str, ...]
    memory_mb: float
    core_hours: float | None


@dataclass(frozen=True)
class Job:
    """What goes to the farm: `blend` is opened, `placed` is saved with the strips; `pack` is the folder of the weights,
    "" for the machines' own."""

    name: str
    shots: tuple[FarmShot, ...]
    wish: Wish
    blend: str
    placed: str
    pack: str
