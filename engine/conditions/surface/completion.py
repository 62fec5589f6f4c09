"""Colours for what the reference does not show: low frequencies, spread over the surface from what it shows.

Ours: colours spread easily around a limb and hardly along it, so that hems, cuffs and waists continue around the back.
Nothing spreads from cloth to hands or from a face to clothes.
"""
import numpy as np

from .charts import axis_of
from .template import FEET, Limb, Tag, Template

_ALONG = 0.06        # how easily colours spread along a limb, relative to around it
_SEEN = 4.0          # how much more a seen colour counts than a neighbour's
_STEPS = 120
_EXACT = 1e-7        # squared residual per vertex; one 8-bit step of a colour is 4e-3
_WEAK = np.float32(1e-4)


class Spreading:
    """The mesh as a graph over which colours spread, but not from one kind of vertices to another."""

    def __init__(self, template: Template, kinds: np.ndarray, vertices: np.ndarray | None = None):
        """kinds (V,): colours spread only between vertices of the same kind; vertices: the indices of those in the
        graph, all by default."""
        vertices = np.arange(len(template.points)) if vertices is None else vertices
        place = np.full(len(template.points), -1)
        place[vertices] = np.arange(len(vertices))
        i, j = template.edges[kinds[template.edges[:, 0]] == kinds[template.edges[:, 1]]].T
        here = (place[i] >= 0) & (place[j] >= 0)
        i, j = i[here], j[here]
        ease = _ease(template, i, j)
        start, end, ease = place[np.concatenate([i, j])], place[np.concatenate([j, i])], np.concatenate([ease, ease])
        order = np.argsort(start, kind="stable")
        start, self.end, self.ease = start[order], end[order], ease[order].astype(np.float32)[:, None]
        self.first = np.flatnonzero(np.r_[True, start[1:] != start[:-1]])
        self.rows = start[self.first]
        self.total = np.zeros((len(vertices), 1), np.float32)
        self.total[self.rows] = np.add.reduceat(self.ease, self.first, axis=0)

    def spread(self, colours: np.ndarray, certain: np.ndarray, guess: np.ndarray) -> np.ndarray:
        """(n, c) smooth values that stay near colours (n, c) where certain (n,) 0..1, and very weakly near `guess` (n,
        c)."""
        certain = _SEEN * certain.astype(np.float32)[:, None]
        colours, guess = colours.astype(np.float32), guess.astype(np.float32)
        weight = certain + _WEAK + self.total
        x = np.where(certain > 0, colours, guess)
        residual = certain * colours + _WEAK * guess - self._times(weight, x)
        z = residual / weight
        direction, size = z.copy(), (residual * z).sum(axis=0)
        for _ in range(_STEPS):
            if size.max() < _EXACT * len(x):
                break
            moved = self._times(weight, direction)
            step = size / np.maximum((direction * moved).sum(axis=0), 1e-20)
            x += step * direction
            residual -= step * moved
            z = residual / weight
            after = (residual * z).sum(axis=0)
            direction, size = z + after / np.maximum(size, 1e-20) * direction, after
        return x

    def _times(self, weight: np.ndarray, x: np.ndarray) -> np.ndarray:
        y = weight * x
        y[self.rows] -= np.add.reduceat(self.ease * x[self.end], self.first, axis=0)
        return y


def kinds_of(template: Template, seen: np.ndarray) -> np.ndarray:
    """(V,) the kinds of vertices that colours do not leave: shell, head, each hand, skirt, hair; and each foot if
    enough of it is `seen` (V,) 0..1."""
    kinds = template.tags.astype(int)
    kinds[(template.tags == Tag.HAND) & (template.limbs == Limb.RIGHT_HAND)] = len(Tag)
    for foot in FEET:
        own = template.limbs == foot
        if (seen[own] > 0.3).sum() > 3:
            kinds[own] = len(Tag) + foot
    return kinds


def _ease(template: Template, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """How easily colours spread along each edge: 1 around its limb's axis, little along the axis."""
    axes = np.stack([axis_of(template.joints, limb) for limb in Limb])
    edge = template.points[j] - template.points[i]
    edge /= np.maximum(np.linalg.norm(edge, axis=1, keepdims=True), 1e-9)
    along = (edge * axes[template.limbs[i]]).sum(axis=1)
    ease = 1 - (1 - _ALONG) * along ** 2
    return np.where(
        np.isin(template.tags[i], (Tag.HEAD, Tag.HAND)) | np.isin(template.limbs[i], FEET),
        1.0,
        ease,
    )
