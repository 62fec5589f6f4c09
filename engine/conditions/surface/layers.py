"""The reference's pixels -> the atlas: each place on the surface takes its own pixel, its mirrored one, or colours that
spread there.

A place's pixel counts if it shows that limb and nothing else: it lies inside the matte and away from edges in depth,
the surface is not at a grazing angle, and no hand, skirt or hair claims the pixel. Beyond what is seen, detail fades
out within a hand's breadth.
"""
from dataclasses import dataclass, replace

import cv2
import numpy as np

from . import charts, raster
from .hair import Hair
from .hands import Hands
from .rows import around
from .sight import Sight, seen_there, seen_through
from .stance import Pose, Stance
from .template import FEET, Limb, Tag
from .turning import smooth
from .undertones import other_side, undertones

SEEN, MIRRORED, CARRIED, INVENTED = range(4)     # where the colour of a face comes from
# The mirrored place begins to win if it is turned to the camera by the first value more, and wins completely at the
# second.
_BETTER = (0.25, 0.5)
# The same for a head: if both sides are at grazing angles, the other side's cheek would appear in this side's hair.
_OTHER_FACE = (0.35, 0.7)
_SOFT = 0.008             # metres over which seen and unseen blend
_DETAIL = 0.09            # metres beyond the seen over which detail fades
# times the usual detail of a limb: stronger detail is a tie or a print, which is not continued
_LOUD = 1.5
_QUIET = 0.02             # detail of this strength is always continued
_NAPE = (0.045, 0.07)     # metres below the head's joint: between these, colours begin to go around the neck
_FEW = 0.04               # of a limb's vertices: if fewer are seen, the limb is invented
_SHOE = 0.45              # of the trousers' brightness, if the reference ends above the feet
_DENSITY = (60, 700)      # atlas pixels per metre, at least and at most


@dataclass(frozen=True)
class Painted:
    """atlas (H, W, 3) float32 0..1; uv (T', 3, 2); source (T',) uint8; invented: Limbs of which nothing was seen;
    density: atlas pixels per metre."""
    atlas: np.ndarray
    uv: np.ndarray
    source: np.ndarray
    invented: tuple
    density: float


def paint(pose: Pose, stance: Stance, sight: Sight, *, hands: Hands, hair: Hair | None,
          skin: np.ndarray | None) -> Painted:
    """The atlas of the worn faces. hands: Hands; hair: Hair or None; skin (3,): the face's colour or None."""
    template = pose.template
    own = seen_there(sight, template.limbs, stance.pixels, stance.facing)
    other = own[template.mirror]
    worn = np.zeros(len(own), bool)
    worn[pose.used] = True
    under, hairy = undertones(pose, stance, sight, own * worn, hands=hands, hair=hair, skin=skin)
    invented = _invented(pose, np.maximum(own, other), worn)
    feet = [limb for limb in FEET if limb in invented]
    if len(feet) == 2:
        under[np.isin(template.limbs, feet)] *= _SHOE
    below = np.clip((template.points[:, 1] - template.joints["headbone"][1] - _NAPE[0]) / (_NAPE[1] - _NAPE[0]), 0, 1)
    density = float(np.clip(pose.metre, *_DENSITY))
    layout, chosen = charts.laid_out(density), _rows(template.faces, pose.used)
    uv = layout.uv[chosen]
    atlas, weights = _baked(
        pose,
        stance,
        sight,
        layout=layout,
        chosen=chosen,
        fields=np.column_stack([under, hairy, below]),
        density=density,
    )
    return Painted(atlas, uv, _sources(weights, uv, template.limbs_of(pose.used), invented), invented, density)


def _baked(pose: Pose, stance: Stance, sight: Sight, *, layout: charts.Layout, chosen: np.ndarray, fields: np.ndarray,
           density: float) -> tuple[np.ndarray, np.ndarray]:
    """(atlas, weights (H, W, 2) of own and mirrored). fields (V, 5): the colours' low frequencies, how much it is hair,
    how far below the nape."""
    template, faces, mirror = pose.template, pose.used, pose.template.mirror
    corners = np.arange(3 * len(faces), dtype=np.int32).reshape(-1, 3)
    hit, weights = raster.raster(
        layout.uv[chosen].reshape(-1, 2), -layout.far[chosen].reshape(-1), corners, layout.size
    )
    there = hit >= 0
    values = np.concatenate(
        [stance.pixels, stance.facing[:, None], stance.pixels[mirror], stance.facing[mirror, None], fields], axis=1
    ).astype(np.float32)
    limbs = template.limbs_of(faces)
    values = values[faces]
    values[..., 8:11] = _unmixed(values[..., 8:11], np.isin(template.limbs[faces], FEET), np.isin(limbs, FEET))
    values = raster.interpolated(values, corners, hit, weights)
    limbs = limbs[np.maximum(hit, 0)]
    seen, behind = _weights(sight, limbs, values, there, _SOFT * density)
    known = seen.sum(axis=2)
    samples = [cv2.remap(sight.picture, values[..., 4 * k] - 0.5, values[..., 4 * k + 1] - 0.5, cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_REPLICATE) for k in (0, 1)]
    sampled = seen[..., :1] * samples[0] + seen[..., 1:] * samples[1]
    atlas = np.ascontiguousarray(values[..., 8:11])
    for number in np.flatnonzero(layout.round):
        left, top, right, bottom = layout.boxes[number]
        part = np.s_[top:bottom, left:right]
        chart = _Chart(sampled[part] / np.maximum(known[part], 1e-3)[..., None], known[part], there[part], density)
        if number == Limb.HEAD:
            hairy, below = np.split(values[part][..., 11:], 2, axis=2)
            fill = _filled(atlas[part], chart, hairy)
            neck, trust = _gone_round(chart, layout.round[number])
            atlas[part] = fill + trust * below * (neck - fill)
        else:
            fill, trust = _gone_round(chart, layout.round[number], samples[0][part], behind[part][..., None])
            atlas[part] += trust * (fill - atlas[part])
    atlas += sampled - known[..., None] * atlas
    return _bled(np.clip(atlas, 0, 1), there), seen


@dataclass(frozen=True)
class _Chart:
    """One chart: colours (h, w, 3) where known (h, w) 0..1; there (h, w) bool: the chart's own pixels; density: pixels
    per metre."""
    colours: np.ndarray
    known: np.ndarray
    there: np.ndarray
    density: float


def _unmixed(colours: np.ndarray, foot: np.ndarray, on_foot: np.ndarray) -> np.ndarray:
    """The colours (n, 3, 3) of faces' corners without those of shoes on trousers, and of trousers on shoes: there, the
    mean of the face's other corners. foot (n, 3), on_foot (n,) bool: which corners and faces are a foot's."""
    own = (foot == on_foot[:, None])[..., None]
    mean = (colours * own).sum(axis=1, keepdims=True) / np.maximum(own.sum(axis=1, keepdims=True), 1)
    return np.where(own, colours, mean)


def _weights(sight: Sight, limbs: np.ndarray, values: np.ndarray, there: np.ndarray,
             soft: float) -> tuple[np.ndarray, np.ndarray]:
    """(how well the own and mirrored places are seen (H, W, 2), how well the front of a back is seen (H, W)); values:
    as in _baked."""
    seen, behind = np.zeros((*there.shape, 2), np.float32), np.zeros(there.shape, np.float32)
    own, other = values[there][:, :4], values[there][:, 4:8]
    limb = limbs[there]
    first = seen_there(sight, limb, own[:, :3], own[:, 3])
    second = seen_there(sight, other_side(limb), other[:, :3], other[:, 3])
    second *= np.where(limb == Limb.HEAD, smooth(other[:, 3] - own[:, 3], *_OTHER_FACE), 1)
    first *= 1 - second * smooth(other[:, 3] - own[:, 3], *_BETTER)
    seen[there] = np.stack([first, second], axis=1)
    behind[there] = seen_through(sight, limb, own[:, :3], own[:, 3])
    seen = _softened(seen, there, soft)
    seen[..., 1] *= 1 - seen[..., 0]
    return seen, behind


def _gone_round(chart: _Chart, period: float, front: np.ndarray | None = None,
                behind: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(colours (h, w, 3), trust (h, w, 1)) of a chart: its rows continued around the limb. They keep their detail near
    what is seen. A back takes the detail of its front (h, w, 3), as far as that is seen (h, w, 1)."""
    base, trust = around(chart.colours, chart.known, period, chart.density)
    detail = chart.colours - base
    loud = _usual(detail, chart.known)
    beside = _reflected(_hushed(detail, loud), chart)
    if front is None or behind is None:
        return base + beside, trust
    return base + beside + behind * (_hushed(front - base, loud) - beside), trust


def _filled(under: np.ndarray, chart: _Chart, hairy: np.ndarray) -> np.ndarray:
    """The head's low frequencies (h, w, 3), with the detail of seen hair next to it; hairy (h, w, 1)."""
    hair = replace(chart, known=chart.known * (hairy[..., 0] > 0.6))
    detail = chart.colours - under
    return under + hairy * _reflected(_hushed(detail, _usual(detail, hair.known)), hair)


def _usual(detail: np.ndarray, known: np.ndarray) -> float:
    """How strong detail on a limb may be, as long as it is neither a tie nor a print."""
    found = np.abs(detail[known > 0.9]).max(axis=1)
    return _QUIET + (_LOUD * float(np.quantile(found, 0.8)) if len(found) > 20 else 0.0)


def _hushed(detail: np.ndarray, loud: float) -> np.ndarray:
    """The detail, weakened where it is stronger than `loud`: the stronger it was, the weaker it becomes."""
    return detail * np.minimum(loud / np.maximum(np.abs(detail).max(axis=2, keepdims=True), 1e-3), 1) ** 2


def _reflected(detail: np.ndarray, chart: _Chart) -> np.ndarray:
    """(h, w, 3): next to what is seen, its detail, mirrored at the edge and fading out."""
    sure, reach = chart.known > 0.9, _DETAIL * chart.density
    columns = np.arange(detail.shape[1])
    left = np.maximum.accumulate(np.where(sure, columns, -10**6), axis=1)
    right = np.minimum.accumulate(np.where(sure, columns, 10**6)[:, ::-1], axis=1)[:, ::-1]
    by_left = columns - left <= right - columns
    away = np.minimum(columns - left, right - columns)
    source = np.clip(np.where(by_left, 2 * left - columns, 2 * right - columns), 0, detail.shape[1] - 1)
    near = chart.there & ~sure & (away < 2 * reach) & np.take_along_axis(sure, source, axis=1)
    out = np.zeros_like(detail)
    y, x = np.nonzero(near)
    out[y, x] = detail[y, source[y, x]] * np.exp(-(away[y, x] / reach) ** 2)[:, None]
    return out


def _invented(pose: Pose, seen: np.ndarray, worn: np.ndarray) -> tuple[Limb, ...]:
    """Limbs that belong to the character but of which nothing was seen. Limbs under a skirt do not count."""
    limbs, skirted = pose.template.limbs, (pose.template.tags == Tag.SKIRT) & worn
    hem = pose.template.leg_t[skirted].max(initial=0)
    hidden = {limb for limb in Limb if limb in (Limb.LEFT_THIGH, Limb.RIGHT_THIGH) and hem > 0.6}
    hidden |= {limb for limb in Limb if limb in (Limb.LEFT_SHIN, Limb.RIGHT_SHIN) and hem > 1.6} | {
        Limb.SKIRT,
        Limb.HAIR,
    }
    return tuple(limb for limb in Limb if limb not in hidden and (worn & (limbs == limb)).any()
                 and (seen[limbs == limb] > 0.3).mean() < _FEW)


def _sources(weights: np.ndarray, uv: np.ndarray, limbs: np.ndarray, invented: tuple[Limb, ...]) -> np.ndarray:
    at = uv.mean(axis=1)
    x, y = (np.clip(at[:, k].astype(int), 0, weights.shape[1 - k] - 1) for k in (0, 1))
    own, other = weights[y, x].T
    source = np.where(own + other < 0.5, CARRIED, np.where(own >= other, SEEN, MIRRORED))
    return np.where((source == CARRIED) & np.isin(limbs, invented), INVENTED, source).astype(np.uint8)


def _softened(seen: np.ndarray, there: np.ndarray, reach: float) -> np.ndarray:
    """The weights, fading to 0 on the inner side of the edge of what is seen."""
    kernel = (0, 0), max(reach, 0.5)
    valid = np.maximum(cv2.GaussianBlur(there.astype(np.float32), *kernel), 1e-3)
    for k in range(seen.shape[2]):
        about = cv2.GaussianBlur(seen[..., k], *kernel) / valid
        seen[..., k] *= np.clip(2 * about - 0.7, 0, 1)
    return seen


def _bled(atlas: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The charts' colours extended outwards, so that a lookup at their edge never meets black."""
    _, label = cv2.distanceTransformWithLabels(
        (~there).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    y, x = np.nonzero(there)
    place = np.zeros((label.max() + 1, 2), int)
    place[label[y, x]] = np.stack([y, x], axis=1)
    nearest = place[label]
    return np.ascontiguousarray(atlas[nearest[..., 0], nearest[..., 1]], np.float32)


def _rows(faces: np.ndarray, used: np.ndarray) -> np.ndarray:
    """The indices of the faces `used` (T', 3) in `faces` (T, 3)."""
    key = faces.astype(np.int64) @ (1, 1 << 20, 1 << 40)
    order = np.argsort(key)
    return order[np.searchsorted(key[order], used.astype(np.int64) @ (1, 1 << 20, 1 << 40))]
