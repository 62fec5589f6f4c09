"""Light as nine numbers per channel: the basis, its order and signs, compared with integrals over the sphere."""

import numpy as np
import pytest

from engine.contract.harmonics import AMBIENT, COEFFICIENTS, DEGREES, LAMBERT, basis

POINTS = 20_000


@pytest.fixture(scope="module")
def sphere():
    """(3, n) unit normals, each of which represents the same part of the sphere."""
    k = np.arange(POINTS) + 0.5
    z, turn = 1 - 2 * k / POINTS, np.pi * (1 + 5 ** 0.5) * k
    return np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z])


def test_the_basis_is_orthonormal(sphere):
    terms = np.stack(basis(*sphere))
    assert terms.shape == (COEFFICIENTS, POINTS) and len(DEGREES) == COEFFICIENTS
    assert np.allclose(terms @ terms.T * 4 * np.pi / POINTS, np.eye(COEFFICIENTS), atol=1e-3)


def test_the_first_degree_is_y_z_x_without_signs():
    for axis, number in ((0, 3), (1, 1), (2, 2)):
        at = np.array(basis(*np.eye(3)[axis]))
        assert at[number] == pytest.approx(0.488603, abs=1e-6) and at[[1, 2, 3]].sum() == at[number]
    x, y, z = 0.48, -0.6, 0.64
    assert basis(x, y, z)[4:] == pytest.approx([
        1.092548 * x * y, 1.092548 * y * z, 0.315392 * (3 * z * z - 1), 1.092548 * x * z,
        0.546274 * (x * x - y * y)], abs=1e-6)
    mirrored = np.array(basis(-x, y, z)) / np.array(basis(x, y, z))
    assert np.flatnonzero(mirrored < 0).tolist() == [3, 4, 7]


def test_a_light_from_one_side_and_from_everywhere(sphere):
    """LAMBERT and AMBIENT are the integrals, and nine numbers show a matt ball to within 9 % of the light at grazing
    angles."""
    towards = np.array([0.48, -0.6, 0.64])
    shading = 0.7 * np.maximum(towards @ sphere, 0) + 0.2
    terms = np.stack(basis(*sphere))
    coefficients = 0.7 * np.array(LAMBERT)[list(DEGREES)] * np.array(basis(*towards))
    coefficients[0] += 0.2 * AMBIENT
    assert np.allclose(terms @ shading * 4 * np.pi / POINTS, coefficients, atol=1e-3)
    error = coefficients @ terms - shading
    assert np.abs(error).max() < 0.095 * 0.7 and np.sqrt((error ** 2).mean()) < 0.04 * 0.7
