"""A request -> events, whatever happens: every error becomes a `failed` event here.

serve.py and the command line both use it.
"""

import collections
import functools
import json
import logging
import os
import sys

import numpy as np

from ..conditions.depth import CONVENTION
from ..conditions.frames import as_bits, read_reference
from ..conditions.mask import KINDS
from ..contract import files, job_log, messages, version
from ..contract.errors import JobError
from ..engines.compact.runtimes.base import Runtime
from ..engines.compact.runtimes.choose import choose
from ..job.deliver import deliver
from ..job.found_person import find_and_keep, kept_or
from ..job.preview import check, preview
from ..job.progress import Stopped
from ..job.split import assemble, run_shot
from ..job.subject import missing_in
from ..job.surface import write_surface
from ..packs.store import Pack, open_pack

log = logging.getLogger(__name__)
_TAIL_LINES = 40


class Tail(logging.Handler):
    """The last lines of the log, used as the hint of an unexpected failure."""

    def __init__(self):
        super().__init__()
        self._lines = collections.deque(maxlen=_TAIL_LINES)

    def emit(self, record):
        self._lines.extend(self.format(record).splitlines())

    def text(self) -> str:
        return "\n".join(self._lines)


class Engine:
    """What a process keeps between requests: the pack, the runtime, and the function that looks for joints."""

    def __init__(self, pack: Pack, runtime: Runtime, find_joints):
        self.pack, self.runtime, self.find_joints = pack, runtime, find_joints

    @classmethod
    def open(cls, *, folder=None, runtime=None, threads=None) -> "Engine":
        """The pack in `folder` (None: the embedded one) on the runtime of this name (None: the first available one)."""
        pack = open_pack(folder)
        if pack.manifest.depth_convention != CONVENTION:
            raise JobError("pack_invalid", f"{pack.folder}: depth_convention: expected {CONVENTION!r}, got "
                           f"{pack.manifest.depth_convention!r}.", "Use weights made for this engine.")
        if pack.manifest.mask not in KINDS:
            raise JobError("pack_invalid", f"{pack.folder}: sizes.mask: expected one of {', '.join(KINDS)}, got "
                           f"{pack.manifest.mask!r}.", "Use weights made for this engine.")
        return cls(pack, choose(pack, runtime, threads), functools.partial(find_joints, threads=threads or 0))

    def hello(self) -> messages.Hello:
        report = self.runtime.describe()
        return messages.Hello(version.PROTOCOL, version.ENGINE, report.runtime, report.device,
                            {"name": self.pack.manifest.name, "hash": self.pack.hash})


def find_joints(picture, threads=0):
    """estimate.people.find_joints, imported at the first call, so that the engine starts quickly. The answer for the
    last picture is kept, because one reference serves many jobs. threads: 0 for one per core."""
    return _found(picture.tobytes(), picture.shape, threads)


@functools.lru_cache(maxsize=1)
def _found(raw, shape, threads):
    try:
        from ..estimate import people
    except ImportError as error:
        raise JobError("runtime_missing", f"This Python cannot look for people in pictures: {error}.",
                       f"Install onnxruntime for {sys.executable}, or let another engine look first: "
                       "python -m engine subject JOB.") from None
    return people.find_joints(np.frombuffer(raw, np.uint8).reshape(shape), threads=threads)


def answer(request, engine, *, emit, stop_asked, tail: Tail) -> bool:
    """Do what a request of contract/messages.py asks; returns True if it ended well. Events go to `emit` and, if the
    request has a job, to its events.jsonl. `engine` may be None for requests that need no weights."""
    subject = messages.subject(request)
    folder = _home(request)
    said, record = collections.Counter(), _Record(folder,  is_begun=_begins(request))

    def say(event):
        said[type(event)] += 1
        emit(event)
        record.add(event)
    try:
        say(_do(request, engine, say, stop_asked))
        return True
    except Stopped:
        say(messages.Cancelled(subject or "", said[messages.Frame]))
    except JobError as error:
        say(messages.Failed(subject, error.code, error.message, error.remedy))
    except MemoryError:
        log.exception("out of memory")
        say(messages.Failed(subject, "out_of_memory", "The machine has too little memory free for this job.",
                          "Close other programs, or set a smaller Window."))
    except Exception as error:  # a door: the engine goes on
        log.exception("%s failed", type(request).__name__)
        say(messages.Failed(subject, "internal", f"{type(error).__name__}: {error}", tail.text()))
    return False


def _begins(request) -> bool:
    """Whether a request begins a job's folder, or a part's."""
    return isinstance(request, messages.Estimate) or getattr(request, "part", None) is not None


def _home(request) -> str | None:
    """The folder whose events.jsonl tells of a request: a part's own, since other machines write to the job's."""
    folder = getattr(request, "job", None)
    part = getattr(request, "part", None)
    return folder if folder is None or part is None else files.part_folder(folder, part)


def _do(request, engine, say, stop_asked):
    """Do the request; returns its last event."""
    seek = engine.find_joints if engine else find_joints
    match request:
        case messages.Run(job, part):
            return run_shot(job, engine.pack, engine.runtime, emit=say, find_joints=kept_or(job, seek),
                            stop_asked=stop_asked, part=part)
        case messages.Assemble(job):
            return assemble(job, engine.pack, engine.runtime, emit=say, find_joints=kept_or(job, seek),
                            stop_asked=stop_asked)
        case messages.Preview(job):
            return preview(job, emit=say, find_joints=seek, stop_asked=stop_asked)
        case messages.Check(job):
            return check(job, emit=say, stop_asked=stop_asked)
        case messages.Deliver(job, form, layers):
            return deliver(job, form, layers, emit=say, find_joints=seek, stop_asked=stop_asked)
        case messages.FindJoints(picture):
            return _joints(picture, seek)
        case messages.FindPeople(picture):
            return _people(picture)
        case messages.FindSubject(job):
            return find_and_keep(job, find_joints=seek, emit=say, stop_asked=stop_asked)
        case messages.Surface(job):
            return write_surface(job, emit=say, find_joints=kept_or(job, seek), stop_asked=stop_asked)
        case messages.Estimate():
            from ..estimate.performer import estimate  # as in _people
            return estimate(request, emit=say, stop_asked=stop_asked)


def _joints(path, seek) -> messages.Joints:
    person = seek(as_bits(read_reference(path)))
    if person is None:
        return messages.Joints(path)
    body = np.asarray(person.body, float)[:, [0, 1, 3]]
    return messages.Joints(path, tuple(tuple(joint) for joint in body.tolist()), float(person.height_px),
                           tuple(missing_in(body)), person.others)


def _people(path) -> messages.People:
    from ..estimate.footage import read_rgb  # it imports onnxruntime; the engine must start without waiting for that
    from ..estimate.people import find_boxes
    return messages.People(path, tuple(find_boxes(read_rgb(path))))


class _Record:
    """A job's events.jsonl. A folder with no file of a job gets none, unless the request is the one that begins the
    job. If it cannot be written, it stays as it is: the request itself reports why, or needs no record."""

    def __init__(self, folder: str | None, is_begun: bool):
        self._folder, self._is_begun = folder, is_begun

    def add(self, event) -> None:
        folder = self._folder
        if not folder or not os.path.isdir(folder) or not (self._is_begun or _is_job(folder)):
            return
        try:
            job_log.append(files.path(folder, files.EVENTS), json.dumps(messages.to_json(event)).encode() + b"\n")
        except JobError as error:
            log.info("%s", error)
            self._folder = None


def _is_job(folder: str) -> bool:
    return any(os.path.isfile(files.path(folder, name)) for name in (files.JOB, files.POSE, files.EVENTS))
