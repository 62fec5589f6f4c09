"""The surface in a whole run: it is the layer, at the plate's resolution, and each frame's own M_f contains it."""
import numpy as np

from engine.conditions.bundle import build_reference, build_window, plan_shot, plate_maps
from engine.contract import jobs
from engine.job.subject import find_subject
from engine.layers.compose import canvas_of
from tests.unit.fake_runtime import whole_person_in
from tests.unit.test_run import generate, layers
from tests.unit.walker import write_job


def test_the_surface_is_the_layer(tmp_path):
    job = write_job(str(tmp_path), 2, settings=jobs.Settings(shape="256x256", grain=False, blur=False))
    generate(tmp_path, find_joints=whole_person_in)
    shot = plan_shot(str(tmp_path), job)
    subject = find_subject(str(tmp_path), job, find_joints=whole_person_in, emit=None)
    reference = build_reference(shot, *subject)
    for number in (1, 2):
        box = canvas_of(job.size, job.bits, shot.plan.crops[number - 1]).box
        maps = plate_maps(shot, reference, number, box)
        alpha = layers(tmp_path, number)[0][..., 3]
        here = alpha[box[1]:box[3], box[0]:box[2]]
        assert maps.mask.sum() > 1000 and alpha.sum() == here.sum(dtype=np.int64)
        assert np.abs(here / 255 - maps.coverage).max() < 0.01


def test_the_region_holds_the_surface(tmp_path):
    job = write_job(str(tmp_path), 1, masks=True)
    shot = plan_shot(str(tmp_path), job)
    subject = find_subject(str(tmp_path), job, find_joints=whole_person_in, emit=None)
    window = build_window(shot, build_reference(shot, *subject), [1])
    assert (window.warp[0, ..., 3] > 0).sum() > 500
    assert (window.region[0, ..., 0][window.warp[0, ..., 3] > 0] == 1).all()
