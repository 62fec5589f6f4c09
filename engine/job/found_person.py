"""The person in a job's reference: found by one engine, stored in the job, and read by another.

An artist's own Python runs the networks with torch. It has no onnxruntime, which finds people, so the add-on lets its
own engine look first. The stored person is the same to the last bit, so a frame does not depend on which engine looked.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from ..contract import files, jobs, json_reader, version
from ..contract.messages import Finished
from ..contract.skeleton import BODY
from .progress import Watch
from .subject import FindJoints, FoundPerson, find_subject

log = logging.getLogger(__name__)
_LONGEST = 64 * 1024  # the largest file with joints, in bytes; 20 joints take 2 thousand
_NOT_KEPT = object()


@dataclass(frozen=True)
class Found:
    """Has the fields of estimate.people.Person: body (20, 4) float32 x, y, depth, confidence in the picture's pixels;
    mask (h, w) float32 0..1; others: how many more people were found."""

    body: np.ndarray
    height_px: float
    mask: np.ndarray
    others: int = 0


def find_and_keep(folder: str, *, find_joints: FindJoints, emit: Callable[[object], None],
                  stop_asked: Callable[[], bool] = lambda: False) -> Finished:
    """Look into the job's reference if a generation would, and store the person, or that there is nobody. Raises
    JobError."""
    watch = Watch(folder, emit, stop_asked)
    with watch.stage("prepare"):
        job = jobs.read(folder)
    watch.begin("reference", 1)

    def look(picture: np.ndarray) -> None:
        if _kept(folder, picture) is _NOT_KEPT:
            _keep(folder, picture, find_joints(picture))
    with watch.stage("reference"):
        find_subject(folder, job, find_joints=look, emit=lambda warning: None)  # `run` warns
    return Finished(folder, job.frames, 0, 0, 0, watch.seconds, watch.stages)


def kept_or(folder: str, find_joints: FindJoints) -> FindJoints:
    """find_joints(picture) for this job: it returns the person stored for this very picture, else it calls the given
    find_joints."""
    def find(picture: np.ndarray) -> FoundPerson | None:
        kept = _kept(folder, picture)
        return find_joints(picture) if kept is _NOT_KEPT else cast(Found | None, kept)
    return find


def _keep(folder: str, picture: np.ndarray, person: FoundPerson | None) -> None:
    entry = None
    if person is not None:
        mask = np.ascontiguousarray(person.mask, "<f4").tobytes()
        files.write_whole(files.path(folder, files.FOUND_MASK), mask)
        entry = {"body": np.asarray(person.body, np.float32).tolist(), "height_px": float(person.height_px),
                 "others": int(person.others), "mask": hashlib.sha256(mask).hexdigest()}
    value = {"engine": version.ENGINE, "picture": _digest(picture), "person": entry}
    files.write_whole(files.path(folder, files.FOUND), json.dumps(value).encode())


def _kept(folder: str, picture: np.ndarray) -> object:
    """Found; None for nobody; or _NOT_KEPT if nothing is stored, if it is of another picture or version, or if it is
    damaged."""
    try:
        value = json_reader.read(files.path(folder, files.FOUND), _LONGEST)
        if (value["engine"], value["picture"]) != (version.ENGINE, _digest(picture)):
            return _NOT_KEPT
        entry = value["person"]
        if entry is None:
            return None
        mask = _read(files.path(folder, files.FOUND_MASK), 4 * picture.shape[0] * picture.shape[1])
        body = np.asarray(entry["body"], np.float32)
        height_px, others = float(entry["height_px"]), int(entry["others"])
        right = body.shape == (len(BODY), 4) and np.isfinite(body).all() and np.isfinite(height_px)
        if not right or hashlib.sha256(mask).hexdigest() != entry["mask"]:
            return _NOT_KEPT
        return Found(body, height_px, np.frombuffer(mask, "<f4").reshape(picture.shape[:2]), others)
    except FileNotFoundError:
        return _NOT_KEPT
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s: what was found in the reference is not taken: %s", folder, error)
        return _NOT_KEPT


def _read(path: str, longest: int) -> bytes:
    """The bytes of a file, which may have at most so many."""
    if os.stat(path).st_size > longest:
        raise ValueError(f"{path}: expected at most {longest} bytes")
    return Path(path).read_bytes()


def _digest(picture: np.ndarray) -> str:
    return hashlib.sha256(repr((picture.shape, str(picture.dtype))).encode() + picture.tobytes()).hexdigest()
