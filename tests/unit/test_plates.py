"""Every picture of the plate is decoded once per run, and opened once more for its digest."""

import collections
import hashlib
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.conditions.bundle import plan_shot
from engine.conditions.frames import as_float, read_colour, write_picture
from engine.contract import files, jobs
from engine.job.plates import Plates
from engine.layers.blur import measure_blur
from engine.layers.compose import canvas_of
from engine.layers.grain import measure_grain
from tests.unit.test_run import generate
from tests.unit.walker import write_job

FRAMES, SIZE = 20, (480, 240)
_OPENED = []
_LISTENS = []


def _listen(event, arguments):
    if event == "open" and _LISTENS and arguments[1] is not None:   # os.open, which open uses, reports no mode
        _OPENED.append(str(arguments[0]))


sys.addaudithook(_listen)


@pytest.fixture
def counts(monkeypatch):
    """read(folder, do) -> (opens, decodes) of each frame's plate while do() ran."""
    decoded, decode = collections.Counter(), cv2.imdecode

    def counting(data, flags):
        decoded[hashlib.sha256(data).hexdigest()] += 1
        return decode(data, flags)

    def read(folder, do):
        paths = {number: files.picture(str(folder), files.SOURCE, number) for number in range(1, FRAMES + 1)}
        digests = {number: hashlib.sha256(Path(path).read_bytes()).hexdigest() for number, path in paths.items()}
        decoded.clear(), _OPENED.clear(), _LISTENS.append(True)
        try:
            do()
        finally:
            _LISTENS.clear()
        opened = collections.Counter(_OPENED)
        return {n: opened[path] for n, path in paths.items()}, {n: decoded[digest] for n, digest in digests.items()}
    monkeypatch.setattr(cv2, "imdecode", counting)
    return read


def written_job(folder, **fields):
    """Each frame's plate has different bytes, so that the test can tell them apart; with soft edges, and grain on
    them."""
    write_job(str(folder), FRAMES, size=SIZE, **fields)
    rng = np.random.default_rng(1)
    wall = cv2.GaussianBlur(np.where(np.arange(SIZE[0]) // 20 % 2, 160.0, 60.0) * np.ones((SIZE[1], 1)), (0, 0), 2)
    for number in range(1, FRAMES + 1):
        plate = np.rint(wall[..., None] + rng.normal(0, 2, (*SIZE[::-1], 3))).astype(np.uint8)
        write_picture(files.picture(str(folder), files.SOURCE, number), plate)
    return folder


@pytest.mark.parametrize("fields", [{}, dict(clean_plate=False, masks=True), dict(retarget=0.5),
                                    dict(settings=jobs.Settings(grain=False)), dict(people={9: []})])
def test_a_run_decodes_every_plate_once(tmp_path, counts, fields):
    folder = written_job(tmp_path, **fields)
    opens, decodes = counts(folder, lambda: generate(folder))
    there = set(range(1, FRAMES + 1)) - set(fields.get("people", {}))
    assert decodes == {number: int(number in there) for number in range(1, FRAMES + 1)}
    assert opens == {number: 2 * (number in there) for number in range(1, FRAMES + 1)}


def test_a_finished_job_decodes_only_what_it_measures(tmp_path, counts):
    folder = written_job(tmp_path)
    generate(folder)
    opens, decodes = counts(folder, lambda: generate(folder))
    assert set(decodes.values()) == {0, 1} and max(opens.values()) == 2


@pytest.mark.parametrize("first, last", [(9, 10), (1, 3), (18, 20)])
def test_a_range_to_fix_decodes_its_neighbours_once_and_nothing_else(tmp_path, counts, first, last):
    folder = written_job(tmp_path / "v001")
    generate(folder)
    fixed = tmp_path / "v002"
    shutil.copytree(folder, fixed, ignore=shutil.ignore_patterns("state", "made.json", "engine.lock"))
    jobs.write(str(fixed), replace(jobs.read(str(folder)), fix=jobs.FixRange(first, last)))
    _, decodes = counts(fixed, lambda: generate(fixed))
    read = {number for number, count in decodes.items() if count}
    assert set(range(first, last + 1)) < read <= set(range(first - 2, last + 3)) and max(decodes.values()) == 1


def test_few_plates_are_kept_and_what_is_read_of_them_is_right(tmp_path, counts):
    folder = written_job(tmp_path)
    shot = plan_shot(str(folder), jobs.read(str(folder)))
    plates = Plates(shot, most=3, blurs=(1,), kept=(2,), has_grain=True)
    _, decodes = counts(folder, lambda: [plates.of(number) for number in (1, 2, 3, 4, 2, 5, 1, 2, 3)])
    assert [decodes[number] for number in range(1, 7)] == [1, 1, 2, 1, 1, 0], "1 is measured, 3 fell out before 2"
    stored = read_colour(files.picture(str(folder), files.SOURCE, 2))
    assert np.array_equal(plates.of(2).whole, stored) and plates.of(3).whole is None
    left, top, right, bottom = canvas_of(SIZE, 8, shot.plan.crops[0]).box
    inside = as_float(read_colour(files.picture(str(folder), files.SOURCE, 1)))[top:bottom, left:right]
    assert plates.of(1).blur == measure_blur(inside) > 0 == plates.of(2).blur
    assert np.array_equal(plates.of(1).grain, measure_grain(inside)) and plates.of(1).grain.all()
