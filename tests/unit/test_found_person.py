"""The person in a reference, stored in the job: exactly the same for another engine, and never the person of another
picture."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.conditions.frames import as_bits, read_reference, write_picture
from engine.contract import files, jobs
from engine.contract.errors import JobError
from engine.estimate.people import Person
from engine.job.found_person import find_and_keep, kept_or
from engine.job.subject import find_subject
from tests.unit.walker import HEIGHT_PX, figure, write_job


@pytest.fixture
def folder(tmp_path):
    write_job(str(tmp_path), 2)
    return str(tmp_path)


def person(picture):
    """A mask that uses every bit of its numbers, and joints that no short decimal can represent."""
    mask = np.random.default_rng(1).random(picture.shape[:2], np.float32)
    mask[40:230, 80:180] = 0.9
    return Person(figure().astype(np.float32) + np.float32(1 / 3), HEIGHT_PX + 0.1, mask)


def cannot(picture):
    raise JobError("runtime_missing", "no onnxruntime here")


def keep(folder, found):
    return find_and_keep(folder, find_joints=found, emit=lambda event: None)


def subject(folder, find_joints):
    told = []
    return find_subject(folder, jobs.read(folder), find_joints=find_joints, emit=told.append), told


def test_what_is_kept_is_the_same_to_the_last_bit(folder):
    done = keep(folder, person)
    assert done.job == folder and done.frames == 2
    (theirs, _), (ours, told) = subject(folder, person), subject(folder, kept_or(folder, cannot))
    assert told == [] and theirs.height_px == ours.height_px
    assert np.array_equal(theirs.joints, ours.joints) and np.array_equal(theirs.matte, ours.matte)
    assert ours.matte.dtype == np.float32


def test_nobody_is_kept_too_and_warned_of_by_who_generates(folder):
    keep(folder, lambda picture: None)
    found, told = subject(folder, kept_or(folder, cannot))
    assert found.joints is None and [warning.code for warning in told] == ["reference_joints_unknown"]


def test_how_many_were_found_is_kept(folder):
    keep(folder, lambda picture: replace(person(picture), others=2))
    assert [warning.code for warning in subject(folder, kept_or(folder, cannot))[1]] == ["reference_people"]


def test_it_is_not_looked_twice(folder):
    looked = []

    def find(picture):
        looked.append(picture.shape)
        return person(picture)
    for _ in range(2):
        keep(folder, find)
    assert looked == [(256, 256, 4)]


def test_another_picture_is_looked_at_again(folder):
    keep(folder, person)
    write_picture(files.path(folder, files.REFERENCE), np.full((256, 256, 3), 90, np.uint8))
    with pytest.raises(JobError, match="no onnxruntime here"):
        subject(folder, kept_or(folder, cannot))


def test_nothing_is_looked_for_where_joints_depths_and_alpha_are_given(folder):
    joints = tuple((float(x), float(y), float(c)) for x, y, _, c in figure())
    write_job(folder, 2, reference=jobs.Reference(joints=joints, height_px=HEIGHT_PX, depths=(4.0,) * 20))
    cut_out = np.zeros((256, 256, 4), np.uint8)
    cut_out[50:200, 80:170] = 255
    write_picture(files.path(folder, files.REFERENCE), cut_out)
    keep(folder, cannot)


@pytest.mark.parametrize("harm", [
    lambda value: value | {"engine": "0.0.1"}, lambda value: value | {"person": 3}, lambda value: [value],
    lambda value: value | {"person": value["person"] | {"mask": "0" * 64}}, lambda value: {},
    lambda value: value | {"person": value["person"] | {"body": [[0, 0, 0, 1]] * 19}},
    lambda value: value | {"person": value["person"] | {"body": [[float("nan")] * 4] * 20}},
    lambda value: value | {"person": value["person"] | {"height_px": float("inf")}},
    lambda value: value | {"more": "x" * 70_000}])
def test_what_is_not_as_it_was_written_is_not_taken(folder, harm):
    keep(folder, person)
    path = files.path(folder, files.FOUND)
    value = json.loads(Path(path).read_text())
    with open(path, "w") as file:
        json.dump(harm(value), file)
    picture = as_bits(read_reference(files.path(folder, files.REFERENCE)))
    assert kept_or(folder, lambda picture: "looked")(picture) == "looked"


@pytest.mark.parametrize("harm", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b"\1" + data[1:]])
def test_a_damaged_mask_is_not_taken(folder, harm):
    keep(folder, person)
    path = files.path(folder, files.FOUND_MASK)
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(harm(data))
    picture = as_bits(read_reference(files.path(folder, files.REFERENCE)))
    assert kept_or(folder, lambda picture: "looked")(picture) == "looked"
