"""What made a version's frames: run.json beside them, for strips, reports and for finding out later."""
import json
from pathlib import Path

from .embedded.engine.contract import events
from .embedded.engine.contract import folder as files
from .embedded.engine.contract.errors import JobError

NAME = files.RUN


def write(folder: Path, hello: events.Hello | None, job) -> None:
    """Keep who ran last (`hello`) and how it ended (`job`: link.jobs.EngineJob); nothing where no engine answered."""
    if hello is None:
        return
    done = job.answer if isinstance(job.answer, events.Finished) else None
    value = {"engine": hello.engine, "runtime": hello.runtime, "device": hello.device, "pack": dict(hello.pack),
             "state": job.state, "seconds": done.seconds if done else None, "stages": done.stages if done else {}}
    try:
        files.write_whole(files.path(folder, NAME), json.dumps(value, indent=1).encode())
    except JobError:
        return  # a full disk has been told of by the engine


def read(folder) -> dict:
    """What `write` kept; {} where there is nothing to be read."""
    try:
        value = json.loads(Path(files.path(folder, NAME)).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def pack_hash(folder) -> str:
    """Of the weights that the last run had; "" where that is not known."""
    pack = read(folder).get("pack")
    return str(pack.get("hash", "")) if isinstance(pack, dict) else ""
