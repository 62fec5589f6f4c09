"""Colours for what the reference does not show: low frequencies, spread over the surface from what is seen.

Ours: around a limb colours spread easily, along it they hardly do, so that hems, cuffs and waists go on round the back; nothing
spreads from cloth to hands or from a face to clothes.
"""
import numpy as np

from .charts import axis_of
from .template import Limb, Tag

_ALONG = 0.06        # of the ease with which colours spread around a limb
_SEEN = 4.0          # how much more a seen colour counts than a neighbour's
_STEPS = 160


class Spreading:
    """The mesh as a graph over which colours spread; with kinds that stay apart."""

    def __init__(self, template, kinds):
        """kinds (V,): colours spread only between vertices of the same kind."""
        i, j = template.edges[kinds[template.edges[:, 0]] == kinds[template.edges[:, 1]]].T
        ease = _ease(template, i, j)
        start, end, ease = np.concatenate([i, j]), np.concatenate([j, i]), np.concatenate([ease, ease])
        order = np.argsort(start, kind="stable")
        self.start, self.end, self.ease = start[order], end[order], ease[order].astype(np.float32)[:, None]
        self.count = len(template.points)
        self.first = np.flatnonzero(np.r_[True, self.start[1:] != self.start[:-1]])
        self.rows = self.start[self.first]
        self.total = np.zeros((self.count, 1), np.float32)
        self.total[self.rows] = np.add.reduceat(self.ease, self.first, axis=0)

    def spread(self, colours, certain, guess) -> np.ndarray:
        """(V, c) smooth values that keep colours (V, c) where certain (V,) 0..1; `guess` (V, c) is held very weakly."""
        certain = _SEEN * certain.astype(np.float32)[:, None]
        weak = np.float32(1e-4)
        colours, guess = colours.astype(np.float32), guess.astype(np.float32)

        def times(x):
            y = (certain + weak + self.total) * x
            y[self.rows] -= np.add.reduceat(self.ease * x[self.end], self.first, axis=0)
            return y
        inverse = 1 / (certain + weak + self.total)
        x = np.where(certain > 0, colours, guess)
        residual = certain * colours + weak * guess - times(x)
        z = inverse * residual
        direction, size = z.copy(), (residual * z).sum(axis=0)
        for _ in range(_STEPS):
            if size.max() < 1e-9 * self.count:
                break
            moved = times(direction)
            step = size / np.maximum((direction * moved).sum(axis=0), 1e-20)
            x += step * direction
            residual -= step * moved
            z = inverse * residual
            after = (residual * z).sum(axis=0)
            direction, size = z + after / np.maximum(size, 1e-20) * direction, after
        return x


def kinds_of(template, seen) -> np.ndarray:
    """(V,) what colours do not leave: shell, head, each hand, skirt, hair; and each foot of which enough is `seen` (V,) 0..1."""
    kinds = template.tags.astype(int)
    kinds[(template.tags == Tag.HAND) & (template.limbs == Limb.RIGHT_HAND)] = len(Tag)
    for foot in (Limb.LEFT_FOOT, Limb.RIGHT_FOOT):
        own = template.limbs == foot
        if (seen[own] > 0.3).sum() > 3:
            kinds[own] = len(Tag) + foot
    return kinds


def _ease(template, i, j):
    """Of each edge: 1 around its limb's axis, little along it."""
    axes = np.stack([axis_of(template.joints, limb) for limb in Limb])
    edge = template.points[j] - template.points[i]
    edge /= np.maximum(np.linalg.norm(edge, axis=1, keepdims=True), 1e-9)
    along = (edge * axes[template.limbs[i]]).sum(axis=1)
    ease = 1 - (1 - _ALONG) * along ** 2
    return np.where(np.isin(template.tags[i], (Tag.HEAD, Tag.HAND)) | np.isin(template.limbs[i], (Limb.LEFT_FOOT, Limb.RIGHT_FOOT)), 1.0, ease)
