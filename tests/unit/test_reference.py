"""The reference's subject: whose joints and whose matte are used."""
from types import SimpleNamespace

import numpy as np
import pytest

from engine.conditions.frames import write_picture
from engine.conditions.surface.template import Limb
from engine.contract import files, jobs
from engine.contract.skeleton import BODY_INDEX
from engine.job.subject import find_subject, missing_in, warn_of_unseen
from tests.unit.walker import HEIGHT_PX, figure, write_job

JOINTS = tuple((float(x), float(y), float(c)) for x, y, _, c in figure())


def person(mask):
    return SimpleNamespace(body=figure().astype(np.float32), height_px=HEIGHT_PX, mask=mask, others=0)


@pytest.fixture
def job(tmp_path):
    return write_job(str(tmp_path), 1)


def subject(tmp_path, job, found, told=None):
    return find_subject(str(tmp_path), job, find_joints=lambda picture: found,
                        emit=([] if told is None else told).append)


def cut_out(tmp_path):
    picture = np.zeros((256, 256, 4), np.uint8)
    picture[50:200, 80:170] = 255
    write_picture(files.path(str(tmp_path), files.REFERENCE), picture)


def test_joints_and_matte_are_the_estimated_persons(tmp_path, job):
    mask = np.ones((256, 256), np.float32)
    found = subject(tmp_path, job, person(mask))
    assert found.joints.shape == (20, 3) and found.height_px == HEIGHT_PX and found.matte is mask


def test_a_mask_beside_the_joints_is_not_believed(tmp_path, job):
    mask = np.zeros((256, 256), np.float32)
    mask[:, :20] = 1
    assert subject(tmp_path, job, person(mask)).matte is None


def test_the_artists_joints_say_whether_a_mask_is_believed(tmp_path):
    """A pose model that sees half of a person gives a mask that contains its own joints."""
    job = write_job(str(tmp_path), 1, reference=jobs.Reference(joints=JOINTS, height_px=HEIGHT_PX))
    mask = np.zeros((256, 256), np.float32)
    middle = int(np.median([y for _, y, _ in JOINTS]))
    mask[:middle - 30] = 1
    found = SimpleNamespace(body=figure().astype(np.float32), height_px=HEIGHT_PX, mask=mask, others=0)
    found.body[:, 1] = np.minimum(found.body[:, 1], middle - 40)
    assert subject(tmp_path, job, found).matte is None


@pytest.mark.parametrize("invented, told", [
    ((), []), ((Limb.LEFT_SHIN,), []), ((Limb.LEFT_SHIN, Limb.RIGHT_SHIN), ["reference_in_part"]),
    (None, ["reference_without_surface"])])
def test_what_the_reference_does_not_show_is_said(invented, told):
    avatar = None if invented is None else SimpleNamespace(invented=invented)
    heard = []
    warn_of_unseen(SimpleNamespace(avatar=avatar), "job", heard.append)
    warn_of_unseen(None, "job", heard.append)
    assert [event.code for event in heard] == told
    assert all("legs" in event.message for event in heard if event.code == "reference_in_part")


def test_several_people_are_said(tmp_path, job):
    told, found = [], person(np.ones((256, 256), np.float32))
    found.others = 2
    subject(tmp_path, job, found, told)
    assert [event.code for event in told] == ["reference_people"] and "3 people" in told[0].message


def test_what_a_picture_does_not_show_is_named():
    joints = figure()[:, [0, 1, 3]]
    assert missing_in(joints) == []
    joints[[BODY_INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle")], 2] = 0
    assert missing_in(joints) == ["legs"]
    joints[BODY_INDEX["left_hip"], 2] = joints[BODY_INDEX["right_hip"], 2] = 0
    assert missing_in(joints) == ["hips", "legs"]


def test_a_cut_out_reference_brings_its_own_matte(tmp_path, job):
    cut_out(tmp_path)
    matte = subject(tmp_path, job, person(np.ones((256, 256), np.float32))).matte
    assert matte[100, 100] == 1 and matte[0, 0] == 0 and matte.mean() == pytest.approx(150 * 90 / 256**2)


def test_joints_of_the_artist_come_first(tmp_path):
    job = write_job(str(tmp_path), 1, reference=jobs.Reference(joints=JOINTS, height_px=HEIGHT_PX))
    mask = np.ones((256, 256), np.float32)
    found = subject(tmp_path, job, person(mask))
    assert found.joints is None and found.height_px is None and found.matte is mask


def test_nobody_is_looked_for_where_joints_depths_and_alpha_are_given(tmp_path):
    job = write_job(str(tmp_path), 1, reference=jobs.Reference(joints=JOINTS, height_px=HEIGHT_PX, depths=(4.0,) * 20))
    cut_out(tmp_path)
    assert find_subject(str(tmp_path), job, find_joints=None, emit=None).matte.any()


def test_a_reference_without_a_person_is_said_once_and_only_where_joints_are_wanted(tmp_path, job):
    told = []
    assert subject(tmp_path, job, None, told) == (None, None, None, None)
    given = write_job(str(tmp_path), 1, reference=jobs.Reference(joints=JOINTS, height_px=HEIGHT_PX))
    subject(tmp_path, given, None, told)
    assert [event.code for event in told] == ["reference_joints_unknown"]
