"""A mesh with fewer vertices: it keeps its shape, the remaining vertices do not move, and its border stays open."""
import numpy as np
import pytest

from lab.thinning import thinned


def bowl(steps=20):
    """Half a sphere of radius 1, open at z = 0."""
    turn, rise = np.meshgrid(np.linspace(0, 2 * np.pi, 2 * steps, endpoint=False), np.linspace(0, 0.45 * np.pi, steps))
    points = np.stack([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)], axis=2).reshape(-1, 3)
    a = np.arange(len(points)).reshape(steps, -1)
    b = np.roll(a, -1, axis=1)
    corners = ((a[:-1], b[:-1], b[1:]), (a[:-1], b[1:], a[1:]))
    return points, np.concatenate([np.stack([of.ravel() for of in three], axis=1) for three in corners])


def area(points, faces):
    a, b, c = points[faces].transpose(1, 0, 2)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


@pytest.mark.parametrize("part", [0.5, 0.25])
def test_fewer_vertices_keep_the_shape(part):
    points, faces = bowl()
    kept, thin = thinned(points, faces, round(part * len(points)))
    assert len(kept) == pytest.approx(part * len(points), abs=2) and thin.max() == len(kept) - 1
    assert area(points[kept], thin) == pytest.approx(area(points, faces), rel=0.03)
    a, b, c = points[kept][thin].transpose(1, 0, 2)
    outwards = (np.cross(b - a, c - a) * (a + b + c)).sum(axis=1)
    assert (outwards > 0).all()
    rim = points[kept][np.isclose(points[kept][:, 2], 0)]
    assert len(rim) >= 8 and np.allclose(np.linalg.norm(rim, axis=1), 1)


def test_what_is_light_already_is_kept_as_it_is():
    points, faces = bowl(4)
    kept, thin = thinned(points, faces, len(points))
    np.testing.assert_array_equal(kept, np.arange(len(points)))
    np.testing.assert_array_equal(thin, faces)
