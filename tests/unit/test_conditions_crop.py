"""Crops follow the character without zooming or jumping and contain it, and pixels and joints map there and back."""
import cv2
import numpy as np
import pytest

from engine.conditions.crop import (
    LEAST_MARGIN,
    MOST_ZOOM,
    SHAPES,
    Crop,
    joints_from_crop,
    joints_to_crop,
    plan_crops,
    put_back,
    reference_crop,
    take,
)

FRAME = (1280, 720)


def box(x, y, tall, wide=None):
    wide = 0.4 * tall if wide is None else wide
    return (x - wide / 2, y - tall, x + wide / 2, y)


def walk_past(frames=60, bob=6.0):
    """Somebody walks from left to right at constant distance, swinging arms and bobbing with each step."""
    t = np.arange(frames)
    return [box(200 + 12 * i, 600 + bob * np.sin(0.5 * i), 360, 150 + 60 * np.sin(0.5 * i)) for i in t]


def walk_near(frames=96):
    """Somebody walks towards the camera, from 8 m to 2.5 m."""
    depth = np.linspace(8.0, 2.5, frames)
    return [box(640, 360 + 700 / z, 1300 / z, (440 + 90 * np.sin(0.5 * i)) / z) for i, z in enumerate(depth)]


def steps(plan):
    return np.array([crop.step for crop in plan.crops])


def centres(plan):
    return np.array([crop.centre for crop in plan.crops])


def holds(crop, inner, size=FRAME, margin=0.0):
    left, top, right, bottom = crop.box
    inner = (*np.clip(inner[:2], 0, size), *np.clip(inner[2:], 0, size))
    spare = margin * (np.array(inner[2:]) - inner[:2])
    return (left <= inner[0] - spare[0] + 0.01 and top <= inner[1] - spare[1] + 0.01
            and right >= inner[2] + spare[0] - 0.01 and bottom >= inner[3] + spare[1] - 0.01)


@pytest.mark.parametrize("boxes",
                         [walk_past(), walk_near(), [box(600, 500, 300 + 250 * (i % 7 == 0)) for i in range(50)]])
@pytest.mark.parametrize("shape", ["auto", *SHAPES])
def test_no_per_frame_zoom_and_the_character_always_inside(boxes, shape):
    plan = plan_crops(boxes, FRAME, shape)
    assert np.abs(np.diff(np.log(steps(plan)))).max() <= MOST_ZOOM + 1e-9
    assert all(holds(crop, b) for crop, b in zip(plan.crops, boxes, strict=True))
    assert len({crop.shape for crop in plan.crops}) == 1 and all(plan.present)


def test_swinging_arms_do_not_zoom():
    assert np.ptp(np.log(steps(plan_crops(walk_past(), FRAME)))) < 0.02


def test_a_walk_towards_the_camera_is_one_even_zoom():
    plan = plan_crops(walk_near(), FRAME)
    change = np.diff(np.log(steps(plan)))
    assert change.min() >= -1e-9 and steps(plan)[-1] > 2 * steps(plan)[0]
    assert np.abs(np.diff(change)).max() < 0.006


def test_the_centre_moves_evenly():
    plan = plan_crops(walk_past(), FRAME)
    pace = np.diff(centres(plan), axis=0)
    assert np.allclose(pace[12:-12, 0], 12, atol=0.8)
    assert np.abs(np.diff(pace, axis=0)).max() < 3.0 and np.ptp(centres(plan)[:, 1]) < 8.0


def test_no_jump_at_a_seam():
    """The plan is made for the whole shot: windows of any length divide it, and no step at a seam is larger than
    elsewhere."""
    plan = plan_crops(walk_near(), FRAME)
    pace = np.abs(np.diff(np.column_stack([centres(plan), 100 * np.log(steps(plan))]), axis=0)).max(axis=1)
    for window in (8, 16, 24):
        seams = np.arange(window, len(pace), window) - 1
        assert pace[seams].max() <= np.delete(pace, seams).max() + 0.1
    assert plan == plan_crops(walk_near(), FRAME)


def test_frames_without_the_character_lie_between():
    boxes = walk_past(30)
    gone = boxes[:10] + [None] * 10 + boxes[20:]
    plan, whole = plan_crops(gone, FRAME), plan_crops(boxes, FRAME)
    assert plan.numbers == (*range(1, 11), *range(21, 31))
    assert np.abs(centres(plan) - centres(whole)).max() < 12
    outside = plan_crops([None, (-900, 100, -500, 700), (5000, 0, 5100, 99), box(600, 500, 300)], FRAME)
    assert outside.present == (False, False, False, True)


def test_nobody_at_all_gives_the_whole_frame():
    plan = plan_crops([None] * 3, FRAME)
    assert plan.numbers == () and holds(plan.crops[0], (0, 0, *FRAME))


def test_the_shape_is_the_shots():
    assert plan_crops([box(600, 600, 500, 180)] * 3, FRAME).shape == (192, 352)
    assert plan_crops([box(600, 600, 250, 500)] * 3, FRAME).shape == (352, 192)
    assert plan_crops([box(600, 600, 400, 390)] * 3, FRAME).shape == (256, 256)


@pytest.mark.parametrize("size", [(1919, 1081), (100, 2000), (64, 64), (4096, 300)])
def test_odd_sizes_and_single_frames(size):
    inner = (0.3 * size[0], 0.2 * size[1], 0.8 * size[0], 0.9 * size[1])
    plan = plan_crops([inner], size)
    assert holds(plan.crops[0], inner, size, LEAST_MARGIN)


def test_a_crop_stays_in_the_frame_where_it_can():
    left, top, right, bottom = plan_crops([box(100, 700, 300)], FRAME).crops[0].box
    assert left >= -0.01 and bottom <= 720.01


def ramp(size):
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    return np.stack([x / size[0], y / size[1], 0 * x + 0.5], axis=-1).astype(np.float32)


@pytest.mark.parametrize("step", [0.4, 1.0, 1.4, 2.0, 3.3, 5.0])
def test_there_and_back_keeps_a_ramp_in_place(step):
    crop = Crop((321.3, 243.7), step, (64, 64) if step > 1 else (256, 256))
    seen = take(ramp((640, 480)), crop)
    x, y = np.array([20.5, 30.5]) * step + np.array(crop.box[:2])
    assert np.allclose(seen[30, 20], (x / 640, y / 480, 0.5), atol=0.002)
    back = put_back(seen, crop, (640, 480))
    left, top, right, bottom = np.array(crop.box).round().astype(int) + (8, 8, -8, -8)
    assert np.allclose(back[top:bottom, left:right], ramp((640, 480))[top:bottom, left:right], atol=0.004)
    assert back[0, 0].max() == 0.0 and back.shape == (480, 640, 3)


def test_shrinking_does_not_alias():
    stripes = np.zeros((300, 300), np.float32)
    stripes[:, ::2] = 1
    seen = take(stripes, Crop((150, 150), 4.2, (64, 64)))
    assert np.allclose(seen, 0.5, atol=0.1)


def test_past_the_edge_the_edge_goes_on():
    picture = ramp((100, 80))
    for step in (1.0, 4.0):
        seen = take(picture, Crop((0, 40), step, (64, 64)))
        assert np.allclose(seen[32, 0], picture[40, 0], atol=0.05)
    far = take(picture, Crop((-900, -900), 3.0, (64, 64)))
    assert np.allclose(far, picture[0, 0], atol=0.05)


def test_depths_are_taken_not_mixed_and_types_stay():
    depth = np.where(np.arange(60)[None] < 30, 1000, 60000).astype(np.uint16) * np.ones((60, 1), np.uint16)
    seen = take(depth, Crop((30, 30), 1.7, (32, 32)), cv2.INTER_NEAREST)
    assert seen.dtype == np.uint16 and set(np.unique(seen)) == {1000, 60000}
    assert take(np.full((90, 90, 3), 7, np.uint8), Crop((40, 40), 2.0, (32, 32))).dtype == np.uint8


def test_joints_follow_the_pixels():
    crop = Crop((300.0, 200.0), 2.5, (192, 352))
    joints = np.array([[300, 200, 4, 1], [100, 50, 3, 0.5]])
    there = joints_to_crop(joints, crop)
    assert np.allclose(there[0], (96, 176, 4, 1)) and np.allclose(joints_from_crop(there, crop), joints)
    picture = np.zeros((400, 600), np.float32)
    picture[195:206, 295:306] = 1
    spot = take(picture, crop)
    assert spot[176, 96] > 0.8


def test_the_reference_is_fitted_with_its_whole_body():
    crop = reference_crop((600, 900), (200, 100, 400, 800), (192, 352))
    assert holds(crop, (200, 100, 400, 800), (600, 900), 0.1)
    whole = reference_crop((600, 900), None, (352, 192))
    assert holds(whole, (0, 0, 600, 900), (600, 900))
