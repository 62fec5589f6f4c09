"""What made a version's frames: run.json beside them, used by strips and reports, and for finding out later."""
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from ..embedded.engine.contract import files, json_reader, messages
from ..embedded.engine.contract.errors import JobError
from ..embedded.engine.contract.fields import build, checked, number, or_none, plain, whole_text
from ..embedded.engine.contract.jobs import COMPACT

NAME = files.RUN
_SECONDS = number(0, 1e12)
logger = logging.getLogger(__name__)


def _pack(value):
    if not isinstance(value, dict) or set(value) != {"name", "hash"}:
        raise ValueError("{name, hash}")
    return {name: whole_text(one) for name, one in value.items()}


def _stages(value):
    if not isinstance(value, dict):
        raise ValueError("seconds by stage")
    return {whole_text(name): _SECONDS(seconds) for name, seconds in value.items()}


@dataclass(frozen=True)
class _LastRun:
    """`pack`: name and hash of the weights; `seconds` is null if the run did not end well; `kind`: the engine's name as
    in a job's settings."""

    engine: str = checked(whole_text)
    runtime: str = checked(whole_text)
    device: str = checked(whole_text)
    pack: dict = checked(_pack)
    state: str = checked(whole_text)
    seconds: float | None = checked(or_none(_SECONDS))
    stages: dict = checked(_stages)
    kind: str = checked(whole_text, default=COMPACT)


def write(folder: Path, hello: messages.Hello | None, job) -> None:
    """Store who ran last (`hello`) and how the run ended (`job`: an EngineJob). Writes nothing if no engine
    answered."""
    if hello is None:
        return
    done = job.answer if isinstance(job.answer, messages.Finished) else None
    device = done.device if done and done.device else hello.device     # large weights were not open at hello
    last = _LastRun(hello.engine, hello.runtime, device, dict(hello.pack), job.state,
                    done.seconds if done else None, done.stages if done else {}, hello.kind)
    try:
        files.write_whole(files.path(folder, NAME), json.dumps(plain(last), indent=1).encode())
    except JobError:
        return  # the engine has reported already that the disk is full


def read(folder) -> dict:
    """What `write` stored; {} if there is nothing to read."""
    path = files.path(folder, NAME)
    try:
        return plain(build(_LastRun, json_reader.read(path)))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be read: %s", path, error)
        return {}


def pack_hash(folder) -> str:
    """The hash of the weights of the last run; "" if it is not known."""
    return read(folder).get("pack", {}).get("hash", "")
