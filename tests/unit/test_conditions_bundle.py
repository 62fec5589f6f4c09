"""A job folder becomes the networks' inputs: shapes, ranges, meanings, and errors that name what is wrong."""
import dataclasses
import json

import cv2
import numpy as np
import pytest

from engine.conditions import bundle as bundles
from engine.conditions.crop import take
from engine.conditions.environment import environment, known_inside
from engine.conditions.frames import as_float, read_colour, write_picture
from engine.conditions.objects import depth_in_metres, holdout, object_mask
from engine.conditions.poses import read_poses, standing_height
from engine.contract import files, jobs
from engine.contract.errors import JobError
from engine.contract.skeleton import BODY_INDEX
from engine.job.preview import over_plate
from tests.unit.walker import HEIGHT_PX, figure, write_job

CHANNELS = {"plate": 3, "region": 1, "known": 1, "skeleton": 3, "depth": 1, "warp": 4, "objects": 1}
REFERENCE_JOINTS = figure()[:, [0, 1, 3]]


def opened(folder, **options):
    job = write_job(str(folder), **options)
    shot = bundles.plan_shot(str(folder), job)
    return shot, bundles.build_reference(shot, REFERENCE_JOINTS)


def table(nearest=65535):
    stored = np.zeros((240, 320), np.uint16)
    stored[150:240] = nearest
    return stored


def test_a_window_has_every_input(tmp_path):
    shot, reference = opened(tmp_path / "jöb", objects=table())
    window = bundles.build_window(shot, reference, [2, 3, 4])
    width, height = shot.plan.shape
    assert window.numbers == (2, 3, 4)
    for name, channels in CHANNELS.items():
        array = getattr(window, name)
        assert array.shape == (3, height, width, channels) and array.dtype == np.float32, name
        assert array.min() >= 0.0 and array.max() <= 1.0 and array.any(), name
    assert reference.picture.shape == reference.skeleton.shape == (height, width, 3)
    assert np.array_equal(np.unique(window.region), [0, 1])
    assert (window.region >= (window.depth > 0)).mean() > 0.999


def test_a_frame_is_the_same_in_every_window(tmp_path):
    shot, reference = opened(tmp_path)
    one, other = (bundles.build_window(shot, reference, numbers) for numbers in ([1, 2, 3], [3, 4]))
    for name in CHANNELS:
        assert np.array_equal(getattr(one, name)[2], getattr(other, name)[0]), name


def test_the_environment_is_the_plate_outside_the_region(tmp_path):
    shot, reference = opened(tmp_path, clean_plate=False)
    window = bundles.build_window(shot, reference, [1])
    plate = as_float(take(read_colour(files.picture(str(tmp_path), files.SOURCE, 1)), shot.plan.crops[0]))
    assert not window.known.any() and np.array_equal(window.plate[0], plate)
    inside = window.region[0, ..., 0] == 1
    assert not window.environment[0][inside].any() and np.array_equal(window.environment[0][~inside], plate[~inside])


def test_a_clean_plate_is_known_inside():
    region = np.array([[0.0, 1.0]], np.float32)[..., None]
    plate = np.full((1, 2, 3), 0.7, np.float32)
    assert np.array_equal(environment(plate, region, known_inside(region, True)), plate)
    assert np.allclose(environment(plate, region, known_inside(region, False))[0], [[0.7] * 3, [0] * 3])


def test_clean_pictures_are_seen_where_the_performer_is_replaced(tmp_path):
    green = np.zeros((240, 320, 3), np.uint8)
    green[..., 1] = 200
    for number in range(1, 7):
        write_picture(files.picture(str(tmp_path), files.CLEAN, number), green)
    shot, reference = opened(tmp_path, clean_plate=False, clean_pictures=True)
    window = bundles.build_window(shot, reference, [2])
    inside = window.region[0, ..., 0] == 1
    plate = as_float(take(read_colour(files.picture(str(tmp_path), files.SOURCE, 2)), shot.plan.crops[1]))
    assert np.allclose(window.environment[0][inside], [0, 200 / 255, 0], atol=1e-6) and window.known[0][inside].all()
    assert np.array_equal(window.environment[0][~inside], plate[~inside]), "elsewhere lies the plate as it was shot"
    (tmp_path / files.CLEAN / "0002.png").unlink()
    with pytest.raises(JobError, match="0002.png"):
        bundles.build_window(shot, reference, [2])


def test_clean_pictures_of_a_clip_that_no_job_names_are_not_read(tmp_path):
    write_picture(files.picture(str(tmp_path), files.CLEAN, 1), np.zeros((240, 320, 3), np.uint8))
    shot, reference = opened(tmp_path, clean_plate=False)
    assert not bundles.build_window(shot, reference, [1]).known.any()


def test_a_mask_that_joins_counts_beside_the_limb_volumes(tmp_path):
    alone, _ = opened(tmp_path / "alone", masks=True)
    joined, _ = opened(tmp_path / "joined", masks=True, mask_joins=True)
    volumes, _ = opened(tmp_path / "volumes")
    whole = bundles.character_mask(joined, 3)
    shot = dataclasses.replace(volumes, plan=joined.plan)
    drawn = dataclasses.replace(alone, plan=joined.plan)
    assert np.array_equal(whole, np.maximum(bundles.character_mask(shot, 3), bundles.character_mask(drawn, 3)))
    assert whole.sum() > bundles.character_mask(drawn, 3).sum()


def test_a_given_mask_is_used_and_its_crop_holds_it(tmp_path):
    shot, reference = opened(tmp_path, masks=True)
    window = bundles.build_window(shot, reference, [3])
    mask = np.zeros((240, 320), np.float32)
    cv2.circle(mask, (120, 140), 40, 1.0, -1)
    inside = take(mask, shot.plan.crops[2]) > 0.5
    assert (window.region[0, ..., 0] >= inside).all() and window.region.sum() < 1.6 * inside.sum()
    left, top, right, bottom = shot.plan.crops[2].box
    assert left <= 80 and right >= 160 and top <= 100 and bottom >= 180


def test_frames_without_the_character_have_an_empty_region(tmp_path):
    shot, reference = opened(tmp_path, people={3: []})
    assert shot.plan.numbers == (1, 2, 4, 5, 6)
    window = bundles.build_window(shot, reference, [2, 3])
    for name in ("region", "known", "skeleton", "depth", "warp"):
        assert getattr(window, name)[0].any() and not getattr(window, name)[1].any(), name


def test_who_is_out_of_the_frame_does_not_stretch_the_range_of_depths(tmp_path):
    """Without this, a character who comes from 60 m away at the side would press all depths in the picture flat."""
    def person(x, depth):
        body = figure() * (0.6, 0.6, 1, 1) + (x, 0, 0, 0)
        body[:, 2] = depth
        return [{"body": body.tolist(), "left_hand": None, "right_hand": None, "height_px": HEIGHT_PX * 0.6}]
    job = write_job(str(tmp_path), people={1: person(-900, 60.0), 2: person(40, 5.0), 6: person(5000, 1.0)})
    shot = bundles.plan_shot(str(tmp_path), job)
    assert shot.plan.numbers == (2, 3, 4, 5)
    assert shot.near == 5.0 and shot.far == max(shot.figures[2].body[:, 2])


def test_a_shot_without_anybody_can_be_planned(tmp_path):
    job = write_job(str(tmp_path), 2, people={1: [], 2: []})
    assert bundles.plan_shot(str(tmp_path), job).plan.numbers == ()


def test_without_reference_joints_warp_and_skeleton_are_empty(tmp_path):
    job = write_job(str(tmp_path))
    shot = bundles.plan_shot(str(tmp_path), job)
    reference = bundles.build_reference(shot)
    assert reference.character is None and not reference.skeleton.any() and reference.picture.max() > 0.5
    assert not bundles.build_window(shot, reference, [1]).warp.any()


def test_the_artists_joints_come_before_estimated_ones(tmp_path):
    given = jobs.Reference(joints=tuple(map(tuple, REFERENCE_JOINTS.tolist())), height_px=HEIGHT_PX)
    shot = bundles.plan_shot(str(tmp_path), write_job(str(tmp_path), reference=given))
    own = bundles.build_reference(shot, np.zeros((20, 3)), 50.0)
    assert np.array_equal(own.skeleton, bundles.build_reference(shot).skeleton) and own.skeleton.any()


def test_a_cut_out_reference_stands_on_grey(tmp_path):
    job = write_job(str(tmp_path))
    picture = np.zeros((100, 100, 4), np.uint8)
    picture[30:70, 40:60] = (255, 0, 0, 255)
    write_picture(files.path(str(tmp_path), files.REFERENCE), picture)
    reference = bundles.build_reference(bundles.plan_shot(str(tmp_path), job))
    assert np.allclose(reference.picture[0, 0], 0.5) and (reference.picture[..., 1] < 0.01).mean() > 0.15


def test_holdouts_are_where_objects_are_nearer(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    near, _ = opened(tmp_path / "a", objects=table(65535))
    held = bundles.frame_holdout(near, 1)
    assert held.shape == (240, 320) and held[200, 60:100].max() == 1.0 and not held[:148].any()
    assert np.all((held >= 0) & (held <= 1)) and ((held > 0) & (held < 1)).any()
    far, _ = opened(tmp_path / "b", objects=table(1))
    assert not bundles.frame_holdout(far, 1).any()
    assert bundles.frame_holdout(dataclasses.replace(far, job=dataclasses.replace(far.job, objects=None)), 1) is None


def test_stored_depths_mean_metres():
    metres = depth_in_metres(np.array([[0, 1, 65535, 32768]], np.uint16), 2.0, 10.0)
    assert np.isinf(metres[0, 0]) and np.allclose(metres[0, 1:], [10.0, 2.0, 6.0], atol=1e-3)
    assert object_mask(np.array([[0, 1]], np.uint16)).tolist() == [[0, 1]]
    nobody = np.full((4, 4), np.inf, np.float32)
    assert not holdout(np.ones((4, 4), np.float32), nobody).any()


def test_previews_are_pictures_of_every_condition(tmp_path):
    shot, reference = opened(tmp_path, objects=table())
    previews = bundles.draw_previews(shot, reference, 2)
    assert set(previews) == set(files.PREVIEWS)
    for picture in previews.values():
        assert picture.shape == (*shot.plan.shape[::-1], 3) and picture.dtype == np.uint8 and picture.any()


def test_what_is_shown_lies_where_it_is_in_the_plate_at_half_size(tmp_path):
    shot, _ = opened(tmp_path, objects=table())
    crop, neck = shot.plan.crops[0], shot.figures[0].body[BODY_INDEX["neck"], :2]
    x, y = (crop.matrix @ (*neck, 1)).astype(int)
    picture = np.zeros((*crop.shape[::-1], 3), np.uint8)
    picture[y - 4:y + 5, x - 4:x + 5] = 200
    for kind, colour, alpha in (("skeleton", 200, 255), ("mask", 255, 200), ("objects", 140, 153)):
        shown = over_plate(kind, picture, crop, (320, 239))
        assert shown.shape == (120, 160, 4) and shown.dtype == np.uint8
        rows, columns = np.nonzero(shown[..., 3] > alpha // 2)
        assert np.allclose((columns.mean() + 0.5, rows.mean() + 0.5), neck / 2, atol=0.75), kind
        assert shown[int(neck[1] / 2), int(neck[0] / 2), 1] == colour and shown[..., 3].max() == alpha
    whole = over_plate("environment", np.full_like(picture, 9), crop, (320, 239))
    assert set(np.unique(whole[..., 3])) >= {0, 255}


def test_the_region_goes_back_to_job_pixels(tmp_path):
    shot, reference = opened(tmp_path)
    window = bundles.build_window(shot, reference, [1])
    back = bundles.frame_region(shot, 1, window.region[0])
    x, y = shot.figures[0].body[BODY_INDEX["neck"], :2]
    assert back.shape == (240, 320) and back[int(y), int(x)] > 0.95 and back[5, 315] == 0


def test_the_standing_height_comes_from_the_longest_part():
    assert np.isclose(standing_height(figure()), HEIGHT_PX, rtol=0.15)
    assert standing_height(np.zeros((20, 4))) == 0.0


@pytest.mark.parametrize("change, where", [
    (lambda v: v["frames"].pop(), "expected 6 frames as in job.json, got 5"),
    (lambda v: v["frames"][2]["people"][0]["body"].pop(), "frame 3, person 1: body: expected 20 joints"),
    (lambda v: v["frames"][1]["people"][0].update(left_hand=[[1, 2]]), "frame 2, person 1: left_hand: expected 21"),
    (lambda v: v["frames"][0]["people"][0].update(height_px=0), "frame 1, person 1: height_px"),
    (lambda v: v["frames"][0]["people"][0].update(height_px=10**400), "frame 1, person 1: height_px"),
    (lambda v: v["frames"][3]["people"][0]["body"][2].__setitem__(0, 10**400), "frame 4, person 1: body: expected 20"),
    *[(lambda v, bad=bad: v["frames"][1]["people"][0].update(turns=bad), f"frame 2, person 1: turns: {said}")
      for bad, said in (([], "expected an object"), ("left_thigh", "expected an object"),
                        ({"left_hand": [1, 0, 0, 0]}, "expected limbs such as left_thigh, got 'left_hand'"),
                        *[({"left_thigh": bad}, "left_thigh: expected a unit quaternion")
                          for bad in (None, 1, [1, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0], [True, 0, 0, 0],
                                      ["1", 0, 0, 0], [[1], 0, 0, 0], [10**400, 0, 0, 0], [1e308, 0, 0, 0],
                                      {"w": 1})])],
    (lambda v: v["frames"].__setitem__(4, []), "frame 5"),
    (lambda v: v.update(version=2), "expected version 1")])
def test_wrong_poses_are_named(tmp_path, change, where):
    write_job(str(tmp_path))
    path = tmp_path / files.POSE
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))
    with pytest.raises(JobError, match=where) as caught:
        read_poses(str(tmp_path), 6)
    assert caught.value.code == "pose_invalid"


def test_turns_are_read_where_a_rig_tells_them(tmp_path):
    write_job(str(tmp_path))
    path = tmp_path / files.POSE
    value = json.loads(path.read_text())
    value["frames"][1]["people"][0]["turns"] = {"left_thigh": [0.707107, 0, 0.707107, 0]}
    value["frames"][2]["people"][0]["turns"] = None
    path.write_text(json.dumps(value))
    without, (told,), (none,) = read_poses(str(tmp_path), 6)[:3]
    assert without[0].turns == none.turns == {} and set(told.turns) == {"left_thigh"}
    np.testing.assert_allclose(told.turns["left_thigh"], [[0, 0, 1], [0, 1, 0], [-1, 0, 0]], atol=1e-6)


def test_missing_files_are_named(tmp_path):
    shot, reference = opened(tmp_path, objects=table())
    for kind, code in ((files.OBJECTS, "mask_missing"), (files.SOURCE, "source_missing")):
        (tmp_path / kind / "0002.png").unlink()
        with pytest.raises(JobError, match="0002.png") as caught:
            bundles.build_window(shot, reference, [2])
        assert caught.value.code == code
    (tmp_path / files.POSE).unlink()
    with pytest.raises(JobError) as caught:
        bundles.plan_shot(str(tmp_path), shot.job)
    assert caught.value.code == "pose_missing"
