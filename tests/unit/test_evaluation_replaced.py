"""The sheet of a replaced performer shows the job's pictures about the performer, one row for each frame."""

import cv2
import numpy as np
import pytest
import walker

from engine.conditions.frames import read_colour, write_picture
from engine.contract import files
from lab.evaluation import replaced_sheet

SIZE = (320, 240)


@pytest.fixture
def job(tmp_path):
    """Three frames: a blue clean plate, a layer with opaque red in its upper half, a shadow of one half."""
    walker.write_job(tmp_path, 3, masks=True)
    layer = np.zeros((240, 320, 4), np.uint8)
    layer[:120] = 255, 0, 0, 255
    for number in (1, 2, 3):
        write_picture(files.picture(tmp_path, files.CLEAN, number), np.full((240, 320, 3), (0, 0, 200), np.uint8))
        write_picture(files.picture(tmp_path, files.FRAMES, number), layer)
        write_picture(files.picture(tmp_path, files.SHADOW, number), np.full((240, 320, 3), 128, np.uint8))
    return tmp_path


def test_a_row_has_plate_skeleton_mask_clean_plate_and_result(job):
    sheet = replaced_sheet.sheet(job, [1, 3], side=240, height=240)
    assert sheet.shape == (480, 5 * 240, 3)
    plate, skeleton, mask, clean, result = np.split(sheet[:240], 5, axis=1)
    whole = read_colour(files.picture(job, files.SOURCE, 1))
    assert np.array_equal(plate, whole[:, :240]), "the walker stands on the left: the square ends at the frame's edge"
    assert skeleton.max() > 100 and not skeleton[:, 200:].any()
    assert mask[140, 80].min() == 255 and mask[5, 5].max() == 0
    assert (clean == (0, 0, 200)).all()
    assert (result[:120] == (255, 0, 0)).all()
    assert np.abs(result[121:] - plate[121:] * (128 / 255)).max() <= 1


def test_the_command_writes_the_sheet(job, tmp_path):
    target = tmp_path / "sheet.jpg"
    assert replaced_sheet.main([str(job), str(target), "--frames", "2", "--side", "200", "--height", "50"]) == 0
    assert cv2.imread(str(target)).shape == (50, 250, 3)
