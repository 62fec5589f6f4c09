"""Triangles -> the frontmost one at each pixel: compared with a plain z-buffer, at any size, without holes between
neighbours."""
import tracemalloc

import numpy as np
import pytest

from engine.conditions.surface.raster import front, interpolated, raster


def plain(xy, z, faces, size):
    """The depth (h, w), found by testing every triangle at every pixel."""
    width, height = size
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    depth = np.full((height, width), np.inf)
    for a, b, c in faces:
        (ax, ay), (bx, by), (cx, cy) = xy[a], xy[b], xy[c]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        u = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
        v = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
        inside = (u >= 0) & (v >= 0) & (u + v <= 1)
        depth = np.where(inside, np.minimum(depth, z[a] * (1 - u - v) + z[b] * u + z[c] * v), depth)
    return depth


@pytest.mark.parametrize("spread", [2, 20, 150])
def test_the_nearest_triangle_is_seen(spread):
    rng = np.random.default_rng(spread)
    middles = rng.uniform(-20, 100, (60, 1, 2))
    xy = (middles + rng.uniform(-spread, spread, (60, 3, 2))).reshape(-1, 2)
    z, faces, size = rng.uniform(1, 9, 180), np.arange(180).reshape(-1, 3), (80, 60)
    triangle, barycentric = raster(xy, z, faces, size)
    depth = np.where(triangle >= 0, interpolated(z, faces, triangle, barycentric)[..., 0], np.inf)
    wrong = ~np.isclose(depth, plain(xy, z, faces, size), rtol=1e-3)
    assert wrong.mean() < 0.002 and (triangle >= 0).any()           # an edge through a middle may fall on either side


def test_a_mesh_has_no_holes_at_shared_edges():
    rng = np.random.default_rng(3)
    x, y = np.meshgrid(np.linspace(-5, 75, 24), np.linspace(-5, 75, 24))
    x[:, 1:-1] += rng.uniform(-1, 1, (24, 22))
    y[1:-1] += rng.uniform(-1, 1, (22, 24))
    index = np.arange(24 * 24).reshape(24, 24)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]))
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    triangle, barycentric = raster(np.stack([x.ravel(), y.ravel()], 1), np.ones(576), faces, (70, 70))
    assert (triangle >= 0).all()
    places = interpolated(np.stack([x.ravel(), y.ravel()], 1), faces, triangle, barycentric)
    middles = np.stack(np.meshgrid(np.arange(70) + 0.5, np.arange(70) + 0.5), axis=2)
    np.testing.assert_allclose(places, middles, atol=0.02)


def test_corners_may_have_values_of_their_own():
    xy, faces = np.array([[0, 0], [0, 40], [40, 0.0]]), np.array([[0, 1, 2]])
    triangle, barycentric = raster(xy, np.ones(3), faces, (20, 20))
    found = interpolated(np.full((1, 3, 2), 7.0), faces, triangle, barycentric)
    np.testing.assert_allclose(found[:19, :19], 7, atol=1e-5)
    assert front(xy, faces).tolist() == [True] and front(xy, faces[:, ::-1]).tolist() == [False]


@pytest.mark.parametrize("xy", [np.zeros((3, 2)), np.array([[0, 0], [5, 5], [10, 10.0]]), np.full((3, 2), -50.0),
                                np.array([[-1e9, -1e9], [1e9, -1e9], [0, -1e9]])])
def test_what_cannot_be_seen_leaves_the_picture_empty(xy):
    triangle, barycentric = raster(xy, np.ones(3), np.array([[0, 1, 2]]), (12, 8))
    assert triangle.shape == (8, 12) and (triangle == -1).all() and not barycentric.any()


def test_no_faces_give_an_empty_picture():
    assert (raster(np.zeros((0, 2)), np.zeros(0), np.zeros((0, 3), int), (4, 3))[0] == -1).all()


def test_a_triangle_larger_than_the_picture_takes_no_more_memory_than_the_picture():
    xy = np.array([[-9e4, -9e4], [-9e4, 9e5], [9e5, -9e4]])
    tracemalloc.start()
    triangle, _ = raster(xy, np.ones(3), np.array([[0, 1, 2]]), (1500, 1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (triangle == 0).all() and peak < 1500 * 1000 * 48
