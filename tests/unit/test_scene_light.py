"""The surface that a scene lights, and the shadow that it renders: files, metres, keys, wrong pictures."""
import cv2
import numpy as np
import pytest

from engine.conditions.bundle import build_reference, plan_shot, plate_maps
from engine.conditions.crop import Crop
from engine.conditions.frames import write_picture
from engine.conditions.surface import template as templates
from engine.contract import files, jobs, messages
from engine.contract.errors import JobError
from engine.contract.skeleton import BODY, BODY_INDEX
from engine.job.preview import check
from engine.job.subject import find_subject
from engine.job.surface import write_surface
from engine.layers.compose import canvas_of, compose
from tests.unit import surface_person
from tests.unit.fake_runtime import STEPS, FakeRuntime, whole_person_in
from tests.unit.test_run import asked, generate, layers
from tests.unit.walker import write_job

SIZE = (320, 240)
DISTANCE, FOCAL = 5.0, 400.0


def person(distance=DISTANCE, focal=FOCAL):
    """A frame of pose.json: somebody as tall as the template, whose hips are in the middle of the picture."""
    seen = surface_person.figure(surface_person.joints(("left", "shoulder", (0, 0, 1), -40)), distance=distance,
                                 focal=focal, middle=(SIZE[0] / 2, SIZE[1] / 2), hands=False)
    return [{"body": seen.body.tolist(), "left_hand": None, "right_hand": None, "height_px": seen.height_px,
             "focal_px": focal}]


def posed(folder, people):
    job = write_job(str(folder), len(people), people=people)
    finished = write_surface(str(folder), emit=lambda event: None, find_joints=whole_person_in)
    return job, finished


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """(folder, job, what was told) of somebody on the first and, further away, on the third of three frames."""
    folder = tmp_path_factory.mktemp("standing")
    return folder, *posed(folder, {1: person(), 2: [], 3: person(8.0)})


def silhouette(pixels, faces, finer=8):
    """(h, w) 0..1: how much of each pixel the projected faces cover."""
    picture = np.zeros((SIZE[1] * finer, SIZE[0] * finer), np.uint8)
    for corners in np.rint(pixels[faces] * finer * 16 - 8).astype(np.int32):
        cv2.fillConvexPoly(picture, corners, 255, shift=4)
    return cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA) / 255


def middle_of(coverage):
    """x and y of a silhouette's middle, in pixels."""
    rows, columns = np.indices(coverage.shape)
    return np.array([(columns * coverage).sum(), (rows * coverage).sum()]) / coverage.sum()


def test_the_surface_lies_where_the_engine_draws_it(standing):
    folder, job, finished = standing
    assert (finished.made, finished.passed) == (2, 1)
    assert not (folder / "surface/0002.npy").exists()
    mesh = np.load(files.path(folder, files.MESH), allow_pickle=False)
    shot = plan_shot(str(folder), job)
    reference = build_reference(shot, *find_subject(str(folder), job, find_joints=whole_person_in, emit=None))
    for number in (1, 3):
        box = mesh["boxes"][number - 1]
        vertices = np.load(files.vertices(folder, number), allow_pickle=False)
        assert vertices.dtype == np.float32 and vertices.shape == templates.load().points.shape
        maps = plate_maps(shot, reference, number, (0, 0, *SIZE))
        pixels = vertices[:, :2] / vertices[:, 2:] * FOCAL + np.array(SIZE) / 2
        drawn, engines = middle_of(silhouette(pixels, mesh["faces"])), middle_of(maps.coverage)
        assert np.allclose(drawn, engines, atol=0.2), (drawn, engines)
        rows, columns = np.nonzero(maps.coverage)
        assert box[0] <= columns.min() and columns.max() < box[2] and box[1] <= rows.min() and rows.max() < box[3]
        # the nearest sample has the nearest vertex's depth
        assert maps.depth.min() == pytest.approx(vertices[np.unique(mesh["faces"]), 2].min(), abs=0.01)
    assert not mesh["boxes"][1].any()


def test_the_surface_is_in_metres_and_stands_at_the_rigs_depth(standing):
    mesh = np.load(files.path(standing[0], files.MESH), allow_pickle=False)
    used = np.load(files.vertices(standing[0], 1))[np.unique(mesh["faces"])]
    body = np.array(person()[0]["body"])
    toes = [BODY_INDEX[name] for name in ("left_toe", "right_toe")]
    floor = ((body[toes, 1] - SIZE[1] / 2) * body[toes, 2] / FOCAL).max()
    assert used[:, 1].max() == pytest.approx(floor, abs=0.05)
    assert np.ptp(used[:, 1]) == pytest.approx(templates.load().height, rel=0.06)
    assert np.median(used[:, 2]) == pytest.approx(body[[BODY.index("left_hip"), BODY.index("right_hip")], 2].mean(),
                                                  abs=0.12)
    assert mesh["atlas"].dtype == np.uint8 and mesh["faces"].dtype == np.int32
    assert mesh["uvs"].shape == (*mesh["faces"].shape, 2) and 0 <= mesh["uvs"].min() <= mesh["uvs"].max() <= 1
    assert mesh["confidence"].shape == mesh["faces"].shape[:1]


def test_what_has_no_place_in_a_scene_is_told(tmp_path):
    write_job(str(tmp_path), 1)     # its camera's focal length is not known
    event = asked(tmp_path, request=messages.Surface(str(tmp_path)))
    assert isinstance(event, messages.Failed) and event.code == "reference_invalid"
    with pytest.raises(JobError) as caught:
        write_surface(str(tmp_path), emit=lambda event: None, find_joints=whole_person_in)
    assert caught.value.code == "pose_invalid" and "frame 1" in caught.value.message and caught.value.remedy


def write_cast(folder, frames, left=96):
    picture = np.full(SIZE[::-1], 255, np.uint8)
    picture[200:, left:300] = 128
    for number in range(1, frames + 1):
        write_picture(files.picture(str(folder), files.CAST, number), picture)
    return picture


@pytest.mark.parametrize("bits", [8, 16])
def test_the_rendered_shadow_is_the_layer_also_outside_of_the_crop(tmp_path, bits):
    write_job(str(tmp_path), 2, bits=bits)
    picture = write_cast(tmp_path, 2, left=0)
    generate(tmp_path)
    shadow = layers(tmp_path, 2)[1]
    assert (shadow == (picture if bits == 8 else picture.astype(np.uint16) * 257)[..., None]).all()
    if bits == 16:
        return
    write_job(str(tmp_path), 2, settings=jobs.Settings(shadow=False))
    generate(tmp_path)
    assert (layers(tmp_path, 2)[1] == 255).all()


def test_the_rendered_shadow_falls_on_what_the_performer_covers():
    decoded = np.dstack([np.full((64, 64, 3), 0.2), np.zeros((64, 64, 1)), np.ones((64, 64, 1))]).astype(np.float32)
    plate, region = np.full((64, 64, 3), 0.8, np.float32), np.ones((64, 64, 1), np.float32)
    canvas = canvas_of((64, 64), 8, Crop((32.0, 32.0), 1.0, (64, 64)))
    made = compose(decoded, plate=plate, region=region, clean_plate=False, shadow=True, canvas=canvas,
                   behind=plate, cast=np.full((64, 64), 0.5, np.float32))
    assert np.abs(made.character[20:40, 20:40, :3].astype(int) - 0.4 * 255).max() <= 1
    assert (made.shadow == 255).all()


def test_another_light_of_the_scene_is_composed_without_denoising(tmp_path):
    write_job(str(tmp_path), 2)
    write_cast(tmp_path, 2)
    grey = np.full((*SIZE[::-1], 3), 120, np.uint8)
    for number in (1, 2):
        write_picture(files.picture(str(tmp_path), files.IRRADIANCE, number), grey)
    runtime = FakeRuntime()
    assert generate(tmp_path, runtime=runtime)[0].made == 2 and runtime.steps == STEPS
    write_cast(tmp_path, 2, left=150)
    runtime = FakeRuntime()
    assert generate(tmp_path, runtime=runtime)[0].made == 2 and runtime.steps == 0
    write_picture(files.picture(str(tmp_path), files.IRRADIANCE, 2), grey // 2)
    runtime = FakeRuntime()
    assert generate(tmp_path, runtime=runtime)[0].made == 2 and runtime.steps == 0
    assert generate(tmp_path)[0].reused == 2


@pytest.mark.parametrize("number, shape, code", [(2, None, "mask_missing"), (1, (16, 16), "mask_invalid")])
def test_a_wrong_rendered_shadow_is_told(tmp_path, number, shape, code):
    write_job(str(tmp_path), 2)
    write_cast(tmp_path, 2)
    path = files.picture(str(tmp_path), files.CAST, number)
    if shape:
        write_picture(path, np.zeros(shape, np.uint8))
    else:
        (tmp_path / "cast/0002.png").unlink()
    for ask in (lambda: generate(tmp_path), lambda: check(str(tmp_path), emit=lambda event: None)):
        with pytest.raises(JobError) as caught:
            ask()
        assert caught.value.code == code and path in caught.value.message and caught.value.remedy
