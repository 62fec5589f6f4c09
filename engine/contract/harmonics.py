"""The light at one place as numbers: the brightness of a white ball there, as second-order spherical harmonics.

`shading(n) = sum of coefficients[k] * basis(n)[k]`, for each of R, G and B. n is the unit normal that points out of the
surface, in the camera's axes: x to the right, y down, z away from the camera. A surface that faces the camera has z =
-1.

The unit: 1 is a white, diffuse surface exactly at the picture's white, in linear light, after exposure and before any
shoulder. So albedo * shading is the linear light of a matt surface in the picture. (Ramamoorthi and Hanrahan 2001: nine
coefficients hold over 99 % of what a diffuse surface can show. For a hard light at grazing angles, they are wrong by at
most 9 %.)

The basis is real and orthonormal over the sphere, without the sign (-1)^m. Its order is (l, m) = (0, 0), (1, -1), (1,
0), (1, 1), (2, -2), (2, -1), (2, 0), (2, 1), (2, 2). In files: a list of nine [R, G, B]. In a mirrored picture the
terms that are odd in x, numbers 3, 4 and 7, change their sign.
"""

from math import pi, sqrt
from typing import Any

COEFFICIENTS = 9
DEGREES = (0, 1, 1, 1, 2, 2, 2, 2, 2)           # l of each coefficient
# A light from one direction d that gives a white surface facing it the value 1 has the coefficients LAMBERT[l] *
# basis(d).
LAMBERT = (pi, 2 * pi / 3, pi / 4)
AMBIENT = 2 * sqrt(pi)                          # the first coefficient of an even light of 1; the others are 0


def basis(x: Any, y: Any, z: Any) -> tuple[Any, ...]:
    """The nine terms at a unit normal; takes numbers or arrays."""
    first, second = sqrt(3 / (4 * pi)), sqrt(15 / (4 * pi))
    return (0 * x + 1 / AMBIENT, first * y, first * z, first * x,
            second * x * y, second * y * z, second / sqrt(12) * (3 * z * z - 1), second * x * z,
            second / 2 * (x * x - y * y))
