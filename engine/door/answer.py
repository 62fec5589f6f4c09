"""A request -> events, whatever happens: every error becomes a `failed` event here.

serve.py and the command line both use it.
"""

import collections
import functools
import json
import logging
import os
import sys
from typing import Generic, TypeVar

import numpy as np

from ..conditions.frames import as_bits, read_reference
from ..contract import files, job_log, jobs, messages, version
from ..contract.errors import JobError
from ..engines.base import Engine, Facts, Options
from ..engines.choose import kind_of
from ..job.deliver import deliver
from ..job.found_person import find_and_keep, kept_or
from ..job.plan import facts_of
from ..job.preview import check, preview
from ..job.progress import Stopped
from ..job.split import assemble, run_shot
from ..job.subject import missing_in
from ..job.surface import write_surface
from ..packs.store import read_pack

log = logging.getLogger(__name__)
_TAIL_LINES = 40
E = TypeVar("E", bound=Engine)


class Tail(logging.Handler):
    """The last lines of the log, used as the hint of an unexpected failure."""

    def __init__(self):
        super().__init__()
        self._lines = collections.deque(maxlen=_TAIL_LINES)

    def emit(self, record):
        self._lines.extend(self.format(record).splitlines())

    def text(self) -> str:
        return "\n".join(self._lines)


class Host(Generic[E]):
    """What a process keeps between requests: the engine with its weights, and the function that looks for joints."""

    def __init__(self, engine: E, find_joints):
        self.engine, self.find_joints = engine, find_joints

    @staticmethod
    def open(*, folder=None, runtime=None, threads=None) -> "Host[Engine]":
        """The engine that the pack in `folder` is for (None: the embedded pack), on its runtime of this name (None: the
        first available one). Large weights are opened by the first job, not here. Raises JobError."""
        pack = read_pack(folder)
        engine = kind_of(pack.manifest.engine).of(pack, Options(runtime, threads))
        return Host(engine, functools.partial(find_joints, threads=threads or 0))

    def hello(self) -> messages.Hello:
        report, pack, patience = self.engine.describe(), self.engine.pack, self.engine.patience
        return messages.Hello(version.PROTOCOL, version.ENGINE, report.runtime, report.device,
                              {"name": pack.manifest.name, "hash": pack.hash}, pack.manifest.engine,
                              patience.silence_s, patience.cancel_s)

    def facts(self, job: jobs.Job) -> Facts:
        """Raises JobError."""
        return facts_of(self.engine, self.engine.pack, job)


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


def answer(request, host, *, emit, stop_asked, tail: Tail) -> bool:
    """Do what a request of contract/messages.py asks; returns True if it ended well. Events go to `emit` and, if the
    request has a job, to its events.jsonl. `host` may be None for requests that need no weights."""
    subject = messages.subject(request)
    folder = _home(request)
    said, record = collections.Counter(), _Record(folder,  is_begun=_begins(request))

    def say(event):
        said[type(event)] += 1
        emit(event)
        record.add(event)
    try:
        say(_do(request, host, say, stop_asked))
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


def _do(request, host, say, stop_asked):
    """Do the request; returns its last event."""
    seek = host.find_joints if host else find_joints
    match request:
        case messages.Run(job, part):
            return run_shot(job, host.engine, emit=say, find_joints=kept_or(job, seek),
                            stop_asked=stop_asked, part=part)
        case messages.Assemble(job):
            return assemble(job, host.engine, emit=say, find_joints=kept_or(job, seek),
                            stop_asked=stop_asked)
        case messages.Preview(job):
            return preview(job, facts=host and host.facts, emit=say, find_joints=seek, stop_asked=stop_asked)
        case messages.Check(job):
            return check(job, facts=host and host.facts, emit=say, stop_asked=stop_asked)
        case messages.Deliver(job, form, layers):
            return deliver(job, form, layers, emit=say, find_joints=seek, stop_asked=stop_asked)
        case messages.FindJoints(picture):
            return _joints(picture, seek)
        case messages.FindPeople(picture):
            return _people(picture)
        case messages.FindSubject(job):
            return find_and_keep(job, find_joints=seek, emit=say, stop_asked=stop_asked)
        case messages.Surface(job):
            return write_surface(job, facts=host and host.facts, emit=say, find_joints=kept_or(job, seek),
                                 stop_asked=stop_asked)
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
