"""Outlines and detail at a plate's resolution: each measure reacts to its own error."""
import math
from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest

from lab.evaluation import large
from lab.evaluation.clips import Clip, ClipError
from lab.evaluation.edges import EDGE_PX, by_the_outline, detail, edge_error, tiles, well_inside
from lab.evaluation.generate import Made

SIDE = 96


def disc(radius, soft=1.0):
    y, x = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2 + 0.5
    return np.clip((radius - np.hypot(x, y)) / soft + 0.5, 0, 1).astype(np.float32)


def texture(seed=0):
    return cv2.GaussianBlur(np.random.default_rng(seed).random((SIDE, SIDE, 3), np.float32), (0, 0), 1.0)


def test_the_outline_is_a_band_on_either_side():
    around = by_the_outline(disc(30))
    reach = np.flatnonzero(around[SIDE // 2, SIDE // 2:])
    assert reach[0] == pytest.approx(30 - EDGE_PX, abs=1) and reach[-1] == pytest.approx(30 + EDGE_PX - 1, abs=1)
    assert not by_the_outline(np.zeros((4, 4))).any() and not by_the_outline(np.ones((4, 4))).any()


def test_an_outline_that_is_moved_or_blurred_is_told():
    """If a step is moved by a pixel, one of the band's 2 * EDGE_PX pixels is wrong."""
    true = disc(30)
    assert edge_error([(true, true)]) == 0
    assert edge_error([(disc(31), true)]) == pytest.approx(1 / (2 * EDGE_PX), rel=0.15)
    assert edge_error([(disc(30, soft=8), true)]) > 0.05
    assert edge_error([(np.where(disc(15) > 0, 0, true), true)]) == 0     # a hole inside is not an error of the outline
    assert math.isnan(edge_error([(true, np.zeros_like(true))]))


def test_detail_that_is_blurred_is_dull_and_detail_elsewhere_is_unlike():
    true, where = texture(), well_inside(disc(40), np.ones((SIDE, SIDE)))
    assert detail([(true, true, where)]) == pytest.approx((1, 1))
    sharpness, alike = detail([(cv2.GaussianBlur(true, (0, 0), 1.5), true, where)])
    assert sharpness < 0.5 < alike
    sharpness, alike = detail([(texture(1), true, where)])
    assert sharpness == pytest.approx(1, abs=0.15) and abs(alike) < 0.1
    sharpness, alike = detail([(np.full_like(true, 0.5), true, where)])
    assert sharpness == 0 and math.isnan(alike)
    assert all(map(math.isnan, detail([(true, true, np.zeros_like(where))])))


def test_detail_is_looked_at_where_the_surface_covers():
    coverage = np.ones((SIDE, SIDE))
    coverage[:, :SIDE // 2] = 0.9
    where = well_inside(disc(40), coverage)
    assert where.any() and not where[:, :SIDE // 2].any() and not (where & by_the_outline(disc(40))).any()


def test_tiles_are_whole_and_hold_the_character():
    picture = np.arange(600 * 512, dtype=np.float32).reshape(600, 512, 1).repeat(3, axis=2)
    where = np.zeros((600, 512), bool)
    where[590, 10] = True
    (one,) = tiles(picture, where)
    assert one.shape == (256, 256, 3) and one[0, 0, 0] == picture[600 - 256, 0, 0]
    where[:] = True
    assert len(tiles(picture, where)) == 6
    assert tiles(picture[:100, :90], where[:100, :90])[0].shape == (100, 90, 3)


class Fixed(Clip):
    """A clip whose truth is a textured disc on grey."""

    def grey(self, kind, number):
        return disc(40)

    def colour(self, kind, number):
        figure = disc(40)[..., None]
        return figure * texture() + (1 - figure) * 0.5 if kind == "target" else np.full((SIDE, SIDE, 3),
                                                                                        0.5, np.float32)


@pytest.fixture
def clip(monkeypatch):
    monkeypatch.setattr(large, "engine_of", lambda weights: None)
    monkeypatch.setattr(large.perceptual, "available", lambda: True)
    monkeypatch.setattr(large.perceptual, "st_lpips",
                        lambda made,
                        true: float(np.mean([np.abs(a - b).mean() for a, b in zip(made, true, strict=True)])))
    monkeypatch.setattr(large, "laid_frames", lambda *_: [Namespace(alpha=disc(40))] * 2)
    return Fixed(Path("clip"), Namespace(frames=2, size=(SIDE, SIDE)), "blender", "insertion", "someone")


def measured(clip, monkeypatch, colour, alpha):
    layer = np.dstack([colour, alpha]).astype(np.float32)
    made = Made(layer, np.ones((SIDE, SIDE, 3), np.float32), layer, alpha)
    monkeypatch.setattr(large, "made_by", lambda *_: [made, made])
    return large.measure(clip, large.choose_rows([])[0], Path("frames"))


def test_the_truth_is_best_in_every_column(clip, monkeypatch):
    best = measured(clip, monkeypatch, texture(), disc(40))
    assert set(best) == {*large.COLUMNS, "parts"}
    assert best["edge_error"] == 0 and best["st_lpips_tiles"] < 0.003
    assert best["sharpness"] == pytest.approx(1, abs=0.02) and best["gradient_correlation"] > 0.98
    blurred = measured(clip, monkeypatch, cv2.GaussianBlur(texture(), (0, 0), 1.5), disc(40))
    assert blurred["sharpness"] < 0.5 and blurred["edge_error"] == 0 and blurred["st_lpips_tiles"] > 0.01
    assert measured(clip, monkeypatch, texture(), disc(38))["edge_error"] > 0.1


def test_weights_without_a_matte_are_named():
    with pytest.raises(ClipError, match="without a matte"):
        large._alpha(Namespace(visible=None), large.choose_rows([])[0])


def test_the_rows_and_the_clips_that_are_missing(monkeypatch, tmp_path):
    assert [row.name for row in large.choose_rows([])] == ["full", "surface_only", "shipped"]
    options = Namespace(blender=None, cache=tmp_path, clips=64, references="first")
    with pytest.raises(ClipError, match="score --large"):
        large.choose_clips(options, {})
    monkeypatch.setattr(large, "clips_in", lambda folder, references: ["one"] * 3)
    notes = {}
    assert len(large.choose_clips(options, notes)) == 3 and "8 were expected" in notes["clips are missing"]
