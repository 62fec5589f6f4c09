"""What lies behind a performer is copied from other frames, with a locked camera and with a moving one. What never
shows is filled in."""

import cv2
import numpy as np
import performer_shot as shots

from engine.conditions.frames import write_picture
from engine.contract import files
from engine.estimate.camera import Camera
from engine.estimate.clean import write_clean
from engine.estimate.intake import Intake
from engine.job.progress import Watch

FRAMES, SIZE = 16, (240, 160)
WORLD = shots.room((480, 240), seed=9)


def shot(folder, views, places):
    """source/ and mask/ of a grey disc at `places` before the world seen through `views` ((3, 3), picture -> world)."""
    for number, (view, place) in enumerate(zip(views, places, strict=True), 1):
        picture = cv2.warpPerspective(WORLD, view, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        mask = np.zeros(SIZE[::-1], np.uint8)
        cv2.circle(mask, place, 22, 255, -1)
        write_picture(files.picture(str(folder), files.SOURCE, number),
                      np.where(mask[..., None] > 0, np.uint8(30), picture))
        write_picture(files.picture(str(folder), files.MASK, number), mask)
    return Intake(len(views), SIZE, 25.0, (), "")


def cleaned(folder, intake):
    """The codes of the warnings."""
    told = []
    watch = Watch(str(folder), lambda event: None, lambda: False)
    watch.work_begins()
    write_clean(str(folder), intake, watch=watch, say=lambda code, message, frames: told.append(code), pieces=1)
    return told


def worst(folder, views):
    """The largest mean error inside a mask."""
    errors = []
    for number, view in enumerate(views, 1):
        true = cv2.warpPerspective(WORLD, view, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP).astype(int)
        inside = shots.picture_of(folder, files.MASK, number) > 0
        made = shots.picture_of(folder, files.CLEAN, number)[..., ::-1].astype(int)
        errors.append(np.abs(made - true)[inside].mean())
        away = ~cv2.dilate(inside.astype(np.uint8), np.ones((15, 15))).astype(bool)
        assert np.array_equal(made[away], shots.picture_of(folder, files.SOURCE, number)[..., ::-1][away])
    return max(errors)


def across(start=35, step=11):
    return [(start + step * t, 80) for t in range(FRAMES)]


def test_a_locked_camera(tmp_path):
    views = [np.array([[1.0, 0, 60], [0, 1, 30], [0, 0, 1]])] * FRAMES
    intake = shot(tmp_path, views, across())
    assert Camera(str(tmp_path), SIZE, range(1, FRAMES + 1)).locked
    assert cleaned(tmp_path, intake) == [] and worst(tmp_path, views) < 1.0


def test_a_moving_camera(tmp_path):
    views = []
    for t in range(FRAMES):
        angle, scale = np.radians(0.4 * t), 1 + 0.004 * t
        views.append(np.array([[scale * np.cos(angle), -np.sin(angle), 40 + 5 * t],
                               [np.sin(angle), scale * np.cos(angle), 30 + t],
                               [1e-6 * t, 0, 1]]))
    intake = shot(tmp_path, views, across(start=85, step=5))  # what he covers shows in nearby frames
    camera = Camera(str(tmp_path), SIZE, range(1, FRAMES + 1))
    assert not camera.locked
    corners = np.float64([[[20, 20], [220, 20], [220, 140], [20, 140]]])
    found = cv2.perspectiveTransform(corners, camera.onto(FRAMES, 1))
    true = cv2.perspectiveTransform(corners, np.linalg.inv(views[0]) @ views[-1])
    assert np.abs(found - true).max() < 2.0
    assert cleaned(tmp_path, intake) == [] and worst(tmp_path, views) < 4.0


def test_what_never_shows_is_filled_in_and_said(tmp_path):
    views = [np.array([[1.0, 0, 60], [0, 1, 30], [0, 0, 1]])] * 6
    intake = shot(tmp_path, views, [(120, 80)] * 6)
    assert cleaned(tmp_path, intake) == ["clean_holes"] and worst(tmp_path, views) < 40
