"""How long a shot will take on this machine, and how much memory.

This follows from what earlier runs took, which is kept in the user's folder. Before the first run it is calculated from
the operations that the networks need, and the panel says so.
"""
import functools
import hashlib
import json
import math
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import bpy

from .embedded.engine.contract import files, jobs, json_reader, messages
from .embedded.engine.contract.errors import JobError
from .embedded.engine.contract.fields import build, checked, number, or_none, whole
from .embedded.engine.contract.reckoning import Reckoning
from .link.engine_job import EngineJob
from .link.interpreter import EMBEDDED, Launch

EMBEDDED_PACK = EMBEDDED / "engine" / "packs" / "compact"
NAME = "rates.json"
_SHORT = 16  # frames: with fewer than these, the start is most of a run, and it tells no rate (ours)
_NEW = 0.5  # weight of the newest run in what is kept: a machine changes, and one run may have been disturbed (ours)
# Of the compact networks (engine/engines/compact/nets/flops.py, 256x256): GFLOP a frame to encode and decode, and a
# frame and step to denoise.
_NETS_GFLOP, _DENOISE_GFLOP = 9.9, 2.3
# What a core does until it is measured, and what lies beside the networks (ours; a slow laptop's core).
_GFLOPS_A_CORE, _SECONDS_A_MEGAPIXEL, _START_S = 25.0, 0.10, 1.5
_BALL_S = 0.5        # to render a ball of the light (ours; a room of the demo on two cores)
_PERFORMER_S = 0.25  # a frame in which a performer is found, with hands and face (ours; 640x480 on two cores)
_LIGHT_S = 8.5  # a frame whose light the scene renders (ours: a first guess, until this machine is measured)
_SECONDS = number(0, 1e12)

_kept: dict[str, "Rate"] | None = None  # what is in the user's file, once it was read
_ball_s: float | None = None


@dataclass(frozen=True)
class Rate:
    """Seconds for the start, for encoding and decoding a frame, for reading and writing a million pixels, for one
    denoising step of a frame, for finding a performer in a frame, and for rendering the light of a frame. `memory` is
    measured memory divided by calculated memory. `runs` is how many runs were measured, 0 for a calculated rate."""

    start_s: float = checked(_SECONDS, _START_S)
    nets_s: float = checked(_SECONDS, 0.0)
    megapixel_s: float = checked(_SECONDS, _SECONDS_A_MEGAPIXEL)
    denoise_s: float = checked(_SECONDS, 0.0)
    performer_s: float = checked(_SECONDS, _PERFORMER_S)
    light_s: float = checked(_SECONDS, _LIGHT_S)
    memory: float = checked(number(0, 1e6), 1.0)
    runs: int = checked(whole(0, 2**53), 0)


@dataclass(frozen=True)
class Work:
    """What is to be done: `frames` of `megapixels`, `steps` each, `window` frames at a time of which `overlap` are of
    the window before; `passes` of the denoiser a step (2 with guidance); `performed`:
    a performer has to be found first; `balls` of the light have to be rendered first, or more where it changes; `lit`:
    the scene has to render the light first; `reckoning`: of the memory, as the weights say."""

    frames: int
    megapixels: float
    steps: int
    window: int
    overlap: int
    passes: int = 1
    performed: bool = False
    balls: int = 0
    lit: bool = False
    reckoning: Reckoning = Reckoning()

    @property
    def step(self) -> int:
        """Frames that each window makes after the first."""
        return max(self.window - self.overlap, 1)

    @property
    def windows(self) -> int:
        """Windows of a shot that has somebody in each frame."""
        return math.ceil(max(self.frames - self.window, 0) / self.step) + 1

    @property
    def denoised(self) -> int:
        """Frames that pass the denoiser, those that ride along included."""
        return self.frames + (self.windows - 1) * self.overlap


@dataclass(frozen=True)
class Cost:
    """`device_mb`: memory of a graphics card, 0 where none is used."""

    seconds: float
    memory_mb: float
    measured: bool
    device_mb: float = 0.0


def cost_of(work: Work, rate: Rate) -> Cost:
    """Time and memory of the engine. Of gathering, which comes before, only the light is included."""
    each = rate.nets_s + rate.megapixel_s * work.megapixels
    each += rate.performer_s * work.performed + rate.light_s * work.lit
    seconds = rate.start_s + work.frames * each + work.denoised * work.steps * work.passes * rate.denoise_s
    seconds += work.balls * ball_seconds() if work.balls else 0.0
    return Cost(seconds, rate.memory * _reckoned_mb(work), rate.runs > 0, work.reckoning.device(work.window))


def work_of(job: jobs.Job, pack: Path) -> Work:
    """What a gathered job asks of the weights in a folder."""
    return work(job.frames, job.size, job.settings, pack)


def work(frames: int, size: tuple[int, int], settings: jobs.Settings, pack: Path, *, performed: bool = False,
         balls: int = 0, lit: bool = False) -> Work:
    told = _of_pack(pack)
    window = min(settings.window or told.window, frames)
    guidance = told.guidance if settings.guidance is None else settings.guidance
    return Work(frames, size[0] * size[1] / 1e6, settings.steps or told.default_steps, window,
                min(told.overlap, max(window - 1, 0)), 1 if guidance == 1.0 else 2, performed, balls, lit,
                told.of_variant(settings.own.get("variant")))


def rate_of(launch: Launch) -> Rate:
    """The rate of an engine that is started by `launch`."""
    return _rates().get(_key(launch)) or reckoned(cores(launch))


def tells_time(rate: Rate, pack: Path) -> bool:
    """Whether the rate of weights in a folder was measured here, or is the embedded networks', which is reckoned. It
    says nothing about others."""
    return rate.runs > 0 or pack == EMBEDDED_PACK


def reckoned(cores: int) -> Rate:
    """The rate of a machine on which nothing has run yet."""
    speed = _GFLOPS_A_CORE * max(cores, 1)
    return Rate(nets_s=_NETS_GFLOP / speed, denoise_s=_DENOISE_GFLOP / speed)


def learn(folder: str | Path, hello: messages.Hello | None, job: EngineJob, launch: Launch) -> None:
    """Called after a run. Keeps what it took if it ended well and was long enough to tell a rate."""
    done = job.answer
    if not isinstance(done, messages.Finished):
        return
    try:
        pack = pack_folder(launch)
        if done.made >= _SHORT:
            _keep(launch, learnt(rate_of(launch), work_of(jobs.read(folder), pack), done))
    except (JobError, OSError):
        return  # nothing depends on it but a label


def learn_performer(done: object, launch: Launch) -> None:
    """Called after a performer was looked for; `done` is the engine's answer. Frames that an earlier run had found
    teach nothing."""
    if not isinstance(done, messages.Finished) or done.made < 1 or done.reused:
        return
    _learn_one("performer_s", done.seconds / done.frames, launch)


def learn_light(seconds: float, launch: Launch) -> None:
    """Called after the light of frames was rendered; `seconds` are those of a frame."""
    _learn_one("light_s", seconds, launch)


def _learn_one(name: str, seconds: float, launch: Launch) -> None:
    """Keep one of a Rate's times; what was measured before counts half."""
    before = rate_of(launch)
    share = 1.0 if getattr(before, name) == getattr(Rate, name) else _NEW
    try:
        _keep(launch, replace(before, **{name: share * seconds + (1 - share) * getattr(before, name)}))
    except (JobError, OSError):
        return


def ball_seconds() -> float:
    """How long a ball of the light takes on this machine; it depends on the scene more than on anything else."""
    _rates()
    return _BALL_S if _ball_s is None else _ball_s


def learn_balls(seconds: float, balls: int) -> None:
    """Called after the balls of a shot were rendered."""
    global _ball_s
    each = seconds / balls
    _rates()
    _ball_s = each if _ball_s is None else _NEW * each + (1 - _NEW) * _ball_s
    with suppress(JobError, OSError):
        _write(_rates())


def _keep(launch: Launch, rate: Rate) -> None:
    global _kept
    kept = {**_rates(), _key(launch): rate}
    _write(kept)
    _kept = kept


def _write(kept: dict[str, Rate]) -> None:
    rates = {key: asdict(one) for key, one in kept.items()}
    files.write_whole(_path(), json.dumps({"version": 1, "rates": rates, "ball_s": _ball_s}, indent=1).encode())


def learnt(before: Rate, work: Work, done: messages.Finished) -> Rate:
    """The rate after one more run. New figures count half. `done` has the seconds of each stage, for the frames that
    were made."""
    def took(*names) -> float:
        return sum(done.stages.get(name, 0.0) for name in names)
    denoised = work.denoised * done.made / work.frames
    new = {"start_s": took("prepare", "reference", "hash", "load") + _START_S / 2,
           "nets_s": took("encode", "decode") / done.made,
           "megapixel_s": took("read", "compose", "write") / done.made / work.megapixels,
           "denoise_s": took("denoise") / (denoised * work.steps * work.passes),
           "memory": done.peak_mb / _reckoned_mb(work) if done.peak_mb else before.memory}
    share = _NEW if before.runs else 1.0
    return replace(before, runs=before.runs + 1, **{name: share * value + (1 - share) * getattr(before, name)
                                         for name, value in new.items()})


def pack_folder(launch: Launch) -> Path:
    """The weights that a launch names, else the embedded ones."""
    command = launch.command
    return Path(command[command.index("--pack") + 1]) if "--pack" in command else EMBEDDED_PACK


def defaults(pack: Path) -> dict[str, float]:
    """{"steps", "window", "guidance"}: what the weights in a folder take where the artist chooses none."""
    told = _of_pack(pack)
    return {"steps": told.default_steps, "window": told.window, "guidance": told.guidance}


def shapes(pack: Path) -> tuple[tuple[int, int], ...]:
    """The crops (width, height) that the weights in a folder were made for."""
    return _of_pack(pack).shapes


def forms(pack: Path) -> tuple[str, ...]:
    """The forms of the weights in a folder; () if there is one only."""
    return tuple(name for name, _needs in _of_pack(pack).variants)


def _reckoned_mb(work: Work) -> float:
    return work.reckoning.host(work.window, work.megapixels)


@dataclass(frozen=True)
class _Told:
    """What a pack's manifest says about time, memory and crops; `variants`: the memory of each form of the weights. The
    embedded engine's crops are not in its manifest (engine/conditions/crop.py)."""

    default_steps: int = 1
    window: int = 8
    overlap: int = 2
    guidance: float = 1.0
    needs: Reckoning = Reckoning()
    variants: tuple[tuple[str, Reckoning], ...] = ()
    shapes: tuple[tuple[int, int], ...] = ((192, 352), (256, 256), (352, 192))

    def of_variant(self, name: object) -> Reckoning:
        return dict(self.variants).get(str(name), self.needs)


def _of_pack(folder: str | Path) -> _Told:
    """From the pack's manifest, or usual ones if it cannot be read. Panels ask at every redraw, so it is read once for
    each state of the file."""
    path = Path(folder) / "pack.json"
    try:
        return _read_pack(str(path), path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _Told()


@functools.lru_cache(maxsize=4)
def _read_pack(path: str, _changed: int) -> _Told:
    value, count = json_reader.read(path), whole(0, 1000)
    variants = (value.get("variants") or {}).items()
    return _Told(count(value["default_steps"]), count(value["window"]), count(value["overlap"]),
                 number(0, 30)(value.get("guidance", 1.0)), build(Reckoning, value.get("needs", {})),
                 tuple((name, build(Reckoning, one.get("needs", {}))) for name, one in variants),
                 tuple(map(jobs.sides, value["shapes"])) if value.get("shapes") else _Told.shapes)


def _rates() -> dict:
    """The rates of this user, by engine; read once."""
    global _kept, _ball_s
    if _kept is None:
        try:
            value = json_reader.read(_path())
            _kept = {key: build(Rate, rate) for key, rate in value["rates"].items()}
            _ball_s = or_none(_SECONDS)(value.get("ball_s"))
        except (OSError, ValueError, KeyError, AttributeError):  # damaged: they are measured anew
            _kept = {}
    return _kept


def _path() -> str:
    return os.path.join(bpy.utils.extension_path_user(__package__, create=True), NAME)


def _key(launch: Launch) -> str:
    """A key for an engine's weights, Python and threads. No path can be read out of it."""
    return hashlib.sha256("\0".join(launch.command).encode()).hexdigest()[:16]


def cores(launch: Launch) -> int:
    """Processor cores that an engine uses."""
    command = launch.command
    return int(command[command.index("--threads") + 1]) if "--threads" in command else os.cpu_count() or 1
