"""A plan and the files that its frames are read from -> the key of every window. A frame of an earlier run counts in
this run only if it came from the same key.

The keys are a chain, because each window continues from the latents of the window before. Files that only the
composition reads count in a frame's key alone, so that they can change without denoising: the shadow that the scene
renders, and the light of the place, unless the weights read it too.
"""

import functools
import json
from collections.abc import Callable

import numpy as np

from ..contract import files, jobs
from ..engines.base import Window
from .plan import RunPlan
from .resume import NO_FILE, file_digest


def window_keys(plan: RunPlan, pack_hash: str, check: Callable[[], None]) -> dict[Window, str]:
    """The key of every window that the plan denoises. check() is called before each frame and may raise to stop."""
    folder, job = plan.shot.folder, plan.shot.job
    kinds = [kind for kind, _, is_read in picture_kinds(folder, job) if is_read and kind not in _light_kinds(plan)]
    keys, base = {}, _base_digests(plan)

    @functools.lru_cache(plan.window)  # windows overlap
    def frame_digests(number: int) -> list[str]:
        return [file_digest(files.picture(folder, kind, number)) for kind in kinds]
    for windows in plan.spans:
        key = ""
        for window in windows:
            digests = [f"{window.first} {window.start} {window.stop} {window.end}"]
            beside = sorted(set(plan.kept).intersection(window.frames))
            digests += [file_digest(files.picture(folder, kind, number)) for number in beside
                        for kind in (files.FRAMES, files.SHADOW)]
            for number in window.frames:
                check()
                digests += frame_digests(number)
            key = keys[window] = jobs.key(job, [*base, key, *digests], pack_hash)
    return keys


def frame_keys(plan: RunPlan, keys: dict[Window, str], check: Callable[[], None]) -> dict[Window, str]:
    """The key of every window's finished frames; keys: window_keys. check() is called before each window."""
    folder, job = plan.shot.folder, plan.shot.job
    kinds = [*composed_kinds(folder), *(kind for kind in _light_kinds(plan) if files.has(folder, kind))]
    shared = [] if plan.shot.surface or not plan.shot.light.frames else [file_digest(files.path(folder, files.LIGHT))]

    def of(window: Window) -> str:
        check()
        digests = [file_digest(files.picture(folder, kind, number)) for kind in kinds for number in window.made]
        return jobs.frame_key(job, keys[window], [*shared, *digests])
    return {window: of(window) for window in keys}


def composed_kinds(folder: str) -> tuple[str, ...]:
    """The kinds of pictures of every frame that only the composition reads, whatever the weights are."""
    return tuple(kind for kind in (files.FRONT, files.CAST) if files.has(folder, kind))


def absent_key(job: jobs.Job) -> str:
    """The key of a frame with nobody in it."""
    return jobs.key(job, ["nobody"], "")


def picture_kinds(folder: str, job: jobs.Job) -> tuple[tuple[str, str, bool], ...]:
    """The kinds of pictures of every frame that the networks see: (kind, code of the error if one is missing, whether
    the job reads them)."""
    return ((files.SOURCE, "source_missing", True), (files.OBJECTS, "mask_missing", job.objects is not None),
            (files.DEPTH, "mask_missing", job.depth is not None),
            (files.MASK, "mask_missing", files.has(folder, files.MASK)),
            (files.CLEAN, "source_missing", job.clean_pictures),
            (files.IRRADIANCE, "source_missing", files.has(folder, files.IRRADIANCE)))


def _light_kinds(plan: RunPlan) -> tuple[str, ...]:
    """The kinds of pictures that only the composition reads, unless the weights read the light."""
    return () if plan.shot.surface else (files.IRRADIANCE,)


def _base_digests(plan: RunPlan) -> list[str]:
    """Digests of what every frame depends on: the poses, the reference with its joints and their depths, and the plan
    of the whole shot."""
    shot, subject = plan.shot, plan.subject
    found = json.dumps([None if values is None else np.asarray(values, np.float64).tolist()
                        for values in (subject.joints, subject.height_px, subject.depths)])
    light = file_digest(files.path(shot.folder, files.LIGHT)) if shot.surface else NO_FILE
    return [file_digest(files.path(shot.folder, files.POSE)), light,
            file_digest(files.path(shot.folder, shot.job.reference.file)), found,
            *[repr(shot.job.fps)] * (shot.job.retarget > 0),
            repr([(c.centre, c.step, c.shape) for c in shot.plan.crops]), repr((shot.near, shot.far))]
