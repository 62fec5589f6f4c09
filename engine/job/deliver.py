"""A finished job -> its layers and passes as picture sequences for other programs, in output/ beside the frames.

character RGBA, shadow, matte and skeleton, each in its own folder: PNG of 8 or 16 bits (straight alpha, sRGB), or
single-layer EXR of half floats (premultiplied alpha, linear Rec. 709, as compositors expect).
"""

import functools
import os
from collections.abc import Callable

import cv2
import numpy as np

from ..conditions.bundle import Shot
from ..conditions.frames import as_bits, as_float, read_picture, write_picture
from ..conditions.pose import draw_skeleton
from ..contract import files, jobs
from ..contract.errors import JobError
from ..contract.messages import Finished
from ..layers import srgb
from .plan import plan_job
from .progress import Watch
from .subject import FindJoints, find_subject

os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")  # OpenCV reads this at its first EXR
_EXR = [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_HALF, cv2.IMWRITE_EXR_COMPRESSION, cv2.IMWRITE_EXR_COMPRESSION_ZIP]


def deliver(folder: str, form: files.Form, layers: tuple[files.Layer, ...], *, emit: Callable[[object], None],
            find_joints: FindJoints, stop_asked: Callable[[], bool] = lambda: False) -> Finished:
    """Write the `layers` (of files.DELIVERED) of every frame in a `form` of files.FORMS; frames that were delivered
    before are written again. find_joints as for run.run; it is called for the skeleton of a job that retargets. Raises
    JobError, or progress.Stopped."""
    files.refuse_links(folder)
    watch = Watch(folder, emit, stop_asked)
    with watch.stage("prepare"):
        job = jobs.read(folder)
        wanted = range(1, job.frames + 1)
        there = len(set(files.numbers(folder, files.FRAMES)).intersection(wanted))
        if there < job.frames:
            raise JobError("frames_invalid", f"Only {there} of {job.frames} frames are finished.",
                           "Resume the job, then write its output.")
        look = functools.partial(find_subject, folder, job, find_joints=find_joints, emit=emit)
        plan = plan_job(folder, job, look if "skeleton" in layers and job.retarget > 0 else None)
    watch.begin("deliver", job.frames * len(layers))
    watch.work_begins()
    for number in wanted:
        for layer in layers:
            with watch.stage("write"):
                _write(files.delivered(folder, layer, form, number), _picture(plan.shot, layer, number), form)
            watch.advance("deliver")
    passed = len(plan.absent)
    return Finished(folder, job.frames, job.frames - passed, 0, passed, watch.seconds, watch.stages)


def _picture(shot: Shot, layer: files.Layer, number: int) -> np.ndarray:
    """One frame of a layer as (h, w), (h, w, 3) or (h, w, 4), uint8 or uint16."""
    if layer == "skeleton":
        return _skeleton(shot, number)
    kind = files.SHADOW if layer == "shadow" else files.FRAMES
    picture = read_picture(files.picture(shot.folder, kind, number), size=shot.job.size)
    return picture[..., 3] if layer == "matte" else picture


def _skeleton(shot: Shot, number: int) -> np.ndarray:
    """The pose over the whole picture, black where nobody is."""
    figure, size = shot.figures[number - 1], shot.job.size
    if figure is None or not shot.plan.present[number - 1]:
        return np.zeros((size[1], size[0], 3), np.uint8)
    return as_bits(draw_skeleton(figure.body, figure.hands, size, figure.height_px))


def _write(path: str, picture: np.ndarray, form: files.Form) -> None:
    if form != "exr":
        return write_picture(path, as_bits(as_float(picture), int(form[3:])))
    linear = _linear(as_float(picture)) if picture.ndim == 3 else as_float(picture)
    if picture.ndim == 3:
        linear[..., :3] = linear[..., 2::-1]  # OpenCV's order
    is_encoded, data = cv2.imencode(".exr", linear, _EXR)
    if not is_encoded:
        raise JobError("internal", f"{path} could not be encoded as EXR.", "Choose PNG instead.")
    files.write_whole(path, data.tobytes())


def _linear(picture: np.ndarray) -> np.ndarray:
    """sRGB -> linear; with alpha, straight -> premultiplied."""
    colour = srgb.linear(picture[..., :3])
    if picture.shape[2] == 4:
        return np.concatenate([colour * picture[..., 3:], picture[..., 3:]], axis=-1).astype(np.float32)
    return colour
