"""A frame's maps: what each pixel says. Edges are as smooth as with samples everywhere, and no figure is too odd to
draw."""
import dataclasses
import tracemalloc

import numpy as np
import pytest

from engine.conditions.poses import Figure
from engine.conditions.surface import drawing
from engine.conditions.surface import template as templates
from engine.conditions.surface.avatar import Avatar
from engine.conditions.surface.template import Limb, Tag
from engine.contract.skeleton import BODY_INDEX
from tests.unit import surface_person as person

TEMPLATE = templates.load()


def an_avatar(skirt=False, source=0):
    """The template as it is, red on its left and blue on its right side. Its atlas has as many pixels per metre as the
    picture."""
    tags = TEMPLATE.tags[TEMPLATE.faces[:, 0]]
    faces = TEMPLATE.faces[(tags <= (Tag.SKIRT if skirt else Tag.HAND))]
    atlas = np.zeros((8, 64, 3), np.float32)
    atlas[:, :32, 2], atlas[:, 32:, 0] = 1, 1
    uv = np.zeros((len(faces), 3, 2))
    uv[..., 0], uv[..., 1] = 32 + 30 * np.sign(TEMPLATE.points[faces][..., 0]), 4
    return Avatar(displacement=np.zeros(len(TEMPLATE.points)), faces=faces, atlas=atlas, uv=uv,
                  source=np.full(len(faces), source), head_scale=1.0, height_px=250.0, light=np.zeros(5),
                  light_mean=0.0, invented=(), hem=None)


def lost(figure, *names):
    body = figure.body.copy()
    body[[BODY_INDEX[name] for name in names]] = 0
    return dataclasses.replace(figure, body=body)


def finite(maps):
    assert all(np.isfinite(of).all() for of in (maps.colour, maps.coverage, maps.confidence, maps.normal))
    assert np.isfinite(maps.depth[maps.coverage > 0]).all() and 0 <= maps.coverage.min() <= maps.coverage.max() <= 1
    return maps


def test_maps_say_what_is_where():
    maps = finite(drawing.draw(an_avatar(), person.figure(person.joints()), person.SIZE, 1.0))
    inside, none = maps.coverage == 1, maps.coverage == 0
    assert 0.05 < inside.mean() < 0.3 and maps.colour[none].max() == 0
    assert (maps.part[none] == -1).all() and np.isinf(maps.depth[none]).all()
    columns = np.arange(person.SIZE[0])[None] + 0.5 + 0 * maps.coverage
    assert (maps.colour[inside & (columns > 132)] == (1, 0, 0)).all()
    assert (maps.colour[inside & (columns < 124)] == (0, 0, 1)).all()
    assert (columns[maps.part == Limb.LEFT_SHIN] > 128).all() and (columns[maps.part == Limb.RIGHT_SHIN] < 128).all()
    np.testing.assert_allclose(np.linalg.norm(maps.normal[inside], axis=1), 1, atol=1e-4)
    assert (maps.normal[inside][:, 2] < 0.05).mean() > 0.99          # towards the camera
    assert abs(np.median(maps.depth[maps.part == Limb.TORSO]) - person.DISTANCE) < 0.2
    np.testing.assert_allclose(maps.confidence, maps.coverage, atol=1e-6)
    np.testing.assert_array_equal(maps.mask, maps.coverage >= 0.5)


@pytest.mark.parametrize("source, confidence", tuple(enumerate(drawing.CONFIDENCE)))
def test_confidence_is_the_sources(source, confidence):
    maps = drawing.draw(an_avatar(source=source), person.figure(person.joints()), person.SIZE, 1.0)
    assert maps.confidence[maps.coverage == 1] == pytest.approx(confidence)


def test_an_arm_before_the_chest_hides_it_and_is_nearer():
    bent = person.joints(("left", "elbow", (0, 1, 0), 80), ("left", "shoulder", (0, 0, 1), 40),
                         ("left", "shoulder", (1, 0, 0), -50))
    maps = drawing.draw(an_avatar(), person.figure(bent), person.SIZE, 1.0)
    torso, arm = maps.part == Limb.TORSO, maps.part == Limb.LEFT_FOREARM
    assert arm.sum() > 100 and maps.depth[arm].mean() < maps.depth[torso].mean() - 0.1


@pytest.mark.parametrize("turn", [0, 60])
def test_outlines_are_as_smooth_as_from_samples_everywhere(turn, monkeypatch):
    figure = person.figure(person.turned(person.joints(("right", "elbow", (0, 1, 0), -80)), turn))
    finer = drawing.draw(an_avatar(), figure, person.SIZE, 1.0, scale=2.0)
    monkeypatch.setattr(drawing, "_SMALL", 1e9)
    everywhere = drawing.draw(an_avatar(), figure, person.SIZE, 1.0, scale=2.0)
    assert len(np.unique(finer.coverage)) == 5
    assert (finer.coverage != everywhere.coverage).mean() < 2e-4
    assert np.abs(finer.colour - everywhere.colour).mean() < 2e-4
    np.testing.assert_array_equal(finer.part[finer.coverage == 1] >= 0, True)


def test_tiles_and_windows_give_the_same_pixels(monkeypatch):
    figure = person.figure(person.turned(person.joints(), 20))
    whole = drawing.draw(an_avatar(), figure, person.SIZE, 1.0, scale=1.5)
    window = drawing.draw(an_avatar(), figure, person.SIZE, 1.0, scale=1.5, window=(150, 100, 90, 120))
    monkeypatch.setattr(drawing, "_TILE", (50, 1500))
    tiled = drawing.draw(an_avatar(), figure, person.SIZE, 1.0, scale=1.5)
    for name in ("colour", "coverage", "depth", "part"):
        one, parts, part = (getattr(maps, name) for maps in (whole, tiled, window))
        assert (one != parts).mean() < 1e-3 and (one[100:220, 150:240] != part).mean() < 1e-3, name


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_skirt_has_two_sides_that_both_face_the_camera(turn):
    figure = person.figure(person.turned(person.joints(), turn))
    maps = finite(drawing.draw(an_avatar(skirt=True), figure, person.SIZE, 1.0))
    skirt = (maps.part == Limb.SKIRT) & (maps.coverage == 1)
    assert skirt.sum() > 500 and (maps.normal[skirt][:, 2] < 0.1).mean() > 0.95


@pytest.mark.parametrize("names", [("left_hip",), ("right_shoulder",), ("left_hip", "right_hip", "neck")])
def test_without_hips_or_shoulders_there_are_no_maps(names):
    assert drawing.draw(an_avatar(), lost(person.figure(person.joints()), *names), person.SIZE, 1.0) is None


@pytest.mark.parametrize("height", [3, 20, 2000])
def test_persons_of_any_height(height):
    """Of a person of 2000 pixels, only a part is in the picture; a person of 3 pixels is still there."""
    at = person.joints()
    figure = person.figure(at, focal=height / TEMPLATE.height * person.DISTANCE)
    maps = finite(drawing.draw(an_avatar(), figure, person.SIZE, 1.0))
    seen = np.flatnonzero(maps.coverage.any(axis=1))
    assert np.ptp(seen) == pytest.approx(min(height, person.SIZE[1]) - 1, rel=0.1, abs=1.5)


def test_a_person_outside_the_picture_leaves_it_empty():
    maps = drawing.draw(an_avatar(), person.figure(person.joints(), middle=(-900, 100)), person.SIZE, 1.0)
    assert not maps.coverage.any() and not maps.mask.any()


@pytest.mark.parametrize("distance", [0.9, 0.5, 0.3])
def test_limbs_that_reach_past_the_camera_are_cut(distance):
    reaching = person.joints(("left", "shoulder", (1, 0, 0), -90), ("right", "hip", (1, 0, 0), -80))
    figure = person.figure(reaching, distance=distance, focal=200)
    maps = finite(drawing.draw(an_avatar(), figure, person.SIZE, focal_of(figure, 200, distance)))
    assert maps.coverage.any() and maps.depth.min() > 0


def focal_of(figure, focal, distance):
    return TEMPLATE.height * focal / (figure.height_px * distance)


@pytest.mark.parametrize("seed", range(16))
def test_any_figure_ends_in_a_picture_or_in_none(seed):
    rng = np.random.default_rng(seed)
    figure = person.figure(person.turned(person.joints(), rng.uniform(0, 360)), hands=seed % 2 == 0)
    body = figure.body.copy()
    body[:, :2] += rng.normal(0, (5, 200)[seed % 2], (20, 2))
    body[:, 2] *= (1, 0, 1, -1)[seed % 4]
    body[rng.random(20) < 0.2] = 0
    body[:, 2] += rng.normal(0, 1.0, 20) * (seed % 3 == 0)
    body[rng.integers(20)] = (np.nan, np.inf, 1, 1)
    maps = drawing.draw(an_avatar(), dataclasses.replace(figure, body=body), person.SIZE, 1.0)
    assert maps is None or finite(maps)


@pytest.mark.parametrize("height", [1e-9, 0.2, 1e5, 9e8])
@pytest.mark.parametrize("place", [(1e300, 0, 4, 1), (-1e5, 3e5, 1e-9, 1), (128, 160, 1e30, 1), (0, 0, 4, 1)])
@pytest.mark.parametrize("name", ["left_hip", "right_wrist", "nose"])
def test_figures_beyond_measure_are_drawn_or_refused(height, place, name):
    body = person.figure(person.joints()).body.copy()
    body[BODY_INDEX[name]] = place
    maps = drawing.draw(an_avatar(), Figure(body, (None, None), height), (64, 80), 1.0)
    assert maps is None or finite(maps)


def test_a_large_picture_takes_little_more_memory_than_its_maps():
    figure = person.figure(person.joints(), focal=2400, middle=(540, 640))
    size = (1080, 1300)
    drawing.draw(an_avatar(), figure, (64, 64), 1.0)
    tracemalloc.start()
    drawing.draw(an_avatar(), figure, size, 1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - size[0] * size[1] * 37 < 45e6
