"""A finished job as picture sequences for other programs: each form has the same picture, by its own convention."""

import os
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from engine.conditions.frames import read_picture, write_picture
from engine.contract import files, messages
from engine.contract.errors import JobError
from engine.job.deliver import deliver
from engine.job.progress import Stopped
from tests.unit.walker import write_job

SIZE = (320, 240)


@pytest.fixture
def job(tmp_path):
    folder = str(tmp_path / "-jöb 1")
    write_job(folder, 2, size=SIZE, people={2: []})
    y, x = np.mgrid[:SIZE[1], :SIZE[0]]
    for number in (1, 2):
        rgba = np.stack([x // 2, y, np.full(x.shape, 90 * number), np.clip(x - 40, 0, 255)], -1).astype(np.uint8)
        write_picture(files.picture(folder, files.FRAMES, number), rgba)
        write_picture(files.picture(folder, files.SHADOW, number),
                      np.repeat((255 - y)[..., None], 3, -1).astype(np.uint8))
    return folder


def written(folder, layer, form, number=1):
    return cv2.imread(files.delivered(folder, layer, form, number), cv2.IMREAD_UNCHANGED)


def run(folder, form, layers=files.DELIVERED, **more):
    told = []
    return deliver(folder, form, layers, emit=told.append, find_joints=lambda picture: None, **more), told


def test_8_bits_are_the_frames_themselves(job):
    finished, told = run(job, "png8")
    assert (finished.frames, told[-1].step, told[-1].total) == (2, 8, 8)
    rgba = read_picture(files.picture(job, files.FRAMES, 1))
    assert (written(job, "character", "png8")[..., [2, 1, 0, 3]] == rgba).all()
    assert (written(job, "matte", "png8") == rgba[..., 3]).all()
    assert (written(job, "shadow", "png8") == read_picture(files.picture(job, files.SHADOW, 1))).all()
    assert written(job, "skeleton", "png8").any() and not written(job, "skeleton", "png8", 2).any(), \
        "nobody is in frame 2"


def test_16_bits_keep_every_value(job):
    run(job, "png16", ("character", "matte"))
    wide = written(job, "character", "png16")
    assert wide.dtype == np.uint16 and (wide[..., [2, 1, 0, 3]]
                                        == read_picture(files.picture(job, files.FRAMES, 1)) * 257).all()


def test_exr_is_linear_and_premultiplied(job):
    run(job, "exr")
    exr, rgba = written(job, "character", "exr"), read_picture(files.picture(job, files.FRAMES, 1)) / 255
    colour = np.where(rgba[..., :3] <= 0.04045, rgba[..., :3] / 12.92, ((rgba[..., :3] + 0.055) / 1.055) ** 2.4)
    assert exr.shape == (240, 320, 4) and np.abs(exr[..., 3] - rgba[..., 3]).max() < 1e-3
    assert np.abs(exr[..., 2::-1] - colour * rgba[..., 3:]).max() < 1e-3
    assert np.abs(written(job, "matte", "exr").squeeze() - rgba[..., 3]).max() < 1e-3
    assert os.path.basename(files.delivered(job, "matte", "exr", 1)) == "0001.exr"


def test_an_unfinished_job_says_what_is_missing(job):
    os.remove(files.picture(job, files.FRAMES, 2))
    with pytest.raises(JobError, match="Only 1 of 2 frames are finished"):
        run(job, "png8")


def test_it_can_be_stopped(job):
    asked = SimpleNamespace(count=0)

    def stop():
        asked.count += 1
        return asked.count > 4
    with pytest.raises(Stopped):
        run(job, "png8", stop_asked=stop)
    assert 0 < len(os.listdir(os.path.join(job, files.OUTPUT))) <= 4


@pytest.mark.parametrize("form, layers", [("tiff", ["matte"]), ("exr", ["depth"]), ("exr", "matte")])
def test_other_forms_are_refused_at_the_door(form, layers):
    with pytest.raises(JobError, match="deliver"):
        messages.request({"type": "deliver", "job": "x", "form": form, "layers": layers})


def test_frames_of_another_size_and_beyond_the_jobs(job):
    """A longer video's frame may be there; only the job's own frames are delivered."""
    write_picture(files.picture(job, files.FRAMES, 3), np.zeros((8, 8, 4), np.uint8))
    run(job, "png8", ("matte",))
    assert not os.path.exists(files.delivered(job, "matte", "png8", 3))
    write_picture(files.picture(job, files.FRAMES, 2), np.zeros((8, 8, 4), np.uint8))
    with pytest.raises(JobError, match="0002.png: expected 320x240 pixels, got 8x8"):
        run(job, "png8", ("matte",))
