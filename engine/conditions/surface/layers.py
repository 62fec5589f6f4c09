"""From the reference's pixels to the atlas: each place of the surface takes its own pixel, its mirrored one, or what spreads there.

A place's pixel counts where it shows that limb and nothing else: inside the matte, away from edges in depth, not grazed, and of
no hand, skirt or hair that claims it. What is not seen loses its detail within a hand's breadth.
"""
from dataclasses import dataclass, replace

import cv2
import numpy as np

from . import charts, raster
from .completion import Spreading, kinds_of
from .hair import scalp
from .rows import around
from .stance import NOTHING
from .template import Limb, Tag

SEEN, MIRRORED, CARRIED, INVENTED = range(4)     # where a face has its colour from
_INSET = 0.008            # metres inside the matte: its edge is mixed with the backdrop
_BESIDE = 0.012           # metres from an edge in depth
_NEARER = 0.07            # metres that make an edge in depth
_SLEEVE = 0.03            # metres about an arm before the body: its sleeve is wider than the surface knows
_ARMS = tuple(range(Limb.LEFT_UPPER_ARM, Limb.RIGHT_HAND + 1))
_GRAZED = (0.15, 0.45)    # cosine to the camera from which a pixel begins to count, and counts wholly
_BETTER = (0.25, 0.5)     # by which the mirrored place is turned more to the camera, that it begins to win, and wins wholly
_BEHIND = (0.15, 0.5)     # cosine away from the camera from which a back takes its front's pattern
_GROWS_FROM = {Limb.LEFT_FOREARM: Limb.LEFT_UPPER_ARM, Limb.RIGHT_FOREARM: Limb.RIGHT_UPPER_ARM, Limb.LEFT_SHIN: Limb.LEFT_THIGH,
               Limb.RIGHT_SHIN: Limb.RIGHT_THIGH, Limb.LEFT_FOOT: Limb.LEFT_SHIN, Limb.RIGHT_FOOT: Limb.RIGHT_SHIN,
               Limb.LEFT_HAND: Limb.LEFT_FOREARM, Limb.RIGHT_HAND: Limb.RIGHT_FOREARM}
_CHIN = (0.03, 0.06)      # metres above the neck's joint, below which a head's colours are a collar's
_SAME_BEHIND = (*range(Limb.TORSO, Limb.TORSO + 1), *range(Limb.LEFT_UPPER_ARM, Limb.RIGHT_FOREARM + 1),
                *range(Limb.LEFT_THIGH, Limb.RIGHT_SHIN + 1), Limb.SKIRT)
_SOFT = 0.008             # metres over which seen and unseen blend
_FINE = 0.012             # metres: what is coarser spreads, what is finer is detail
_DETAIL = 0.09            # metres beyond the seen over which detail fades
_LOUD = 1.5               # times what is usual on a limb: louder detail is a tie or a print, which does not go on
_QUIET = 0.02             # and what is always let on
_NAPE = (0.045, 0.07)     # metres below the head's joint between which colours begin to go round the neck
_FEW = 0.04               # of a limb's vertices: fewer seen, and it is invented
_SHOE = 0.45              # of the trousers' brightness, where the reference ends above the feet
_DENSITY = (60, 700)      # pixels of the atlas to a metre, at least and at most


@dataclass(frozen=True)
class Sight:
    """What of the reference may be taken. picture (h, w, 3) without its light; inside (h, w) bool: within the
    matte; free (h, w) bool: and beside no edge in depth; near (h, w) depth of what is
    frontmost about a pixel; claims (h, w) uint8 of Limb: a pixel of that limb alone, NOTHING: of the limb that the surface shows;
    limbs (h, w): which that is; k: depth's metres to the surface's."""
    picture: np.ndarray
    inside: np.ndarray
    free: np.ndarray
    near: np.ndarray
    claims: np.ndarray
    limbs: np.ndarray
    k: float


@dataclass(frozen=True)
class Painted:
    """atlas (H, W, 3) float32 0..1; uv (T', 3, 2); source (T',) uint8; invented: Limbs of which nothing was seen; density: pixels
    of the atlas to a metre."""
    atlas: np.ndarray
    uv: np.ndarray
    source: np.ndarray
    invented: tuple
    density: float


def sight_of(picture, matte, pose, stance, claims) -> Sight:
    """The reference as places may take from it."""
    inside = cv2.erode((matte > 0.9).astype(np.uint8), _disc(_INSET * pose.metre)) > 0
    near = cv2.erode(stance.depth, _disc(_BESIDE * pose.metre))
    arms = np.where(np.isin(stance.limbs, _ARMS), stance.depth, 1e6).astype(np.float32)
    sleeve = cv2.erode(arms, _disc(_SLEEVE * pose.metre)) + _NEARER / pose.space.k
    covered = ~np.isin(stance.limbs, _ARMS) & (stance.depth > sleeve)
    return Sight(picture, inside, inside & ~covered & (stance.depth < near + _NEARER / pose.space.k), near, claims, stance.limbs, pose.space.k)


def seen_there(sight, limbs, pixels, facing) -> np.ndarray:
    """(n,) 0..1: how well places of limbs (n,) at pixels (n, 3), turned by the cosine facing (n,), are seen."""
    x, y, inside = _place(sight, pixels)
    claim = sight.claims[y, x]
    hand = (limbs == Limb.LEFT_HAND) | (limbs == Limb.RIGHT_HAND)
    hairy = (claim == Limb.HAIR) & np.isin(limbs, (Limb.HEAD, Limb.TORSO, Limb.LEFT_UPPER_ARM, Limb.RIGHT_UPPER_ARM))
    own = (claim == limbs) | ((claim == NOTHING) & ~hand) | hairy
    front = pixels[:, 2] < sight.near[y, x] + 0.06 / sight.k
    return (inside & own & (sight.free[y, x] & front | hand & sight.inside[y, x])) * _eased(facing, *_GRAZED)


def seen_through(sight, limbs, pixels, facing) -> np.ndarray:
    """(n,) 0..1: how well the front of the same limb is seen where places (n, 3) on its back lie; nothing on heads and hands."""
    x, y, inside = _place(sight, pixels)
    claim = sight.claims[y, x]
    own = (sight.limbs[y, x] == limbs) & ((claim == NOTHING) | (claim == limbs)) & np.isin(limbs, _SAME_BEHIND)
    return (inside & own & sight.free[y, x]) * _eased(-facing, *_BEHIND)


def _place(sight, pixels):
    height, width = sight.free.shape
    x, y = (np.nan_to_num(pixels[:, k], nan=-1, posinf=-1, neginf=-1) for k in (0, 1))
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.clip(x, 0, width - 1).astype(int), np.clip(y, 0, height - 1).astype(int), inside


def _eased(value, low, high):
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def paint(pose, stance, sight, *, hands, hair, skin) -> Painted:
    """The atlas of the worn faces. hands: Hands; hair: Hair or None; skin (3,): the face's colour or None."""
    template = pose.template
    own = seen_there(sight, template.limbs, stance.pixels, stance.facing)
    other = own[template.mirror]
    worn = np.zeros(len(own), bool)
    worn[pose.used] = True
    smooth, hairy = _spread(pose, stance, sight, own * worn, hands=hands, hair=hair, skin=skin)
    invented = _invented(pose, np.maximum(own, other), worn)
    feet = [limb for limb in (Limb.LEFT_FOOT, Limb.RIGHT_FOOT) if limb in invented]
    if len(feet) == 2:
        smooth[np.isin(template.limbs, feet)] *= _SHOE
    below = np.clip((template.points[:, 1] - template.joints["headbone"][1] - _NAPE[0]) / (_NAPE[1] - _NAPE[0]), 0, 1)
    density = float(np.clip(pose.metre, *_DENSITY))
    layout, chosen = charts.laid_out(density), _rows(template.faces, pose.used)
    uv = layout.uv[chosen]
    atlas, weights = _baked(pose, stance, sight, layout=layout, chosen=chosen, fields=np.column_stack([smooth, hairy, below]), density=density)
    return Painted(atlas, uv, _sources(weights, uv, template.limbs[pose.used[:, 0]], invented), invented, density)


def _baked(pose, stance, sight, *, layout, chosen, fields, density):
    """(atlas, weights (H, W, 2) of own and mirrored). fields (V, 5): low frequencies, how much it is hair, below the nape."""
    template, faces, mirror = pose.template, pose.used, pose.template.mirror
    corners = np.arange(3 * len(faces), dtype=np.int32).reshape(-1, 3)
    hit, weights = raster.raster(layout.uv[chosen].reshape(-1, 2), -layout.far[chosen].reshape(-1), corners, layout.size)
    there = hit >= 0
    values = np.concatenate([stance.pixels, stance.facing[:, None], stance.pixels[mirror], stance.facing[mirror, None], fields],
                            axis=1).astype(np.float32)
    values = raster.interpolated(values[faces], corners, hit, weights)
    limbs = template.limbs[faces[:, 0]][np.maximum(hit, 0)]
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
    """One chart: colours (h, w, 3) where known (h, w) 0..1; there (h, w) bool; pixels a metre."""
    colours: np.ndarray
    known: np.ndarray
    there: np.ndarray
    density: float


def _weights(sight, limbs, values, there, soft):
    """(how much own and mirrored places are seen (H, W, 2), how much the front of a back is (H, W)); values: as in _baked."""
    seen, behind = np.zeros((*there.shape, 2), np.float32), np.zeros(there.shape, np.float32)
    own, other = values[there][:, :4], values[there][:, 4:8]
    limb = limbs[there]
    first = seen_there(sight, limb, own[:, :3], own[:, 3])
    second = seen_there(sight, _other_side(limb), other[:, :3], other[:, 3])
    first *= 1 - second * _eased(other[:, 3] - own[:, 3], *_BETTER)
    seen[there] = np.stack([first, second], axis=1)
    behind[there] = seen_through(sight, limb, own[:, :3], own[:, 3])
    seen = _softened(seen, there, soft)
    seen[..., 1] *= 1 - seen[..., 0]
    return seen, behind


def _gone_round(chart, period, front=None, behind=None):
    """(colours (h, w, 3), trust (h, w, 1)) of a chart: its rows carried round, with their detail beside what is seen, and on a back
    the detail of its front (h, w, 3), as far as that is seen (h, w, 1)."""
    base, trust = around(chart.colours, chart.known, period, chart.density)
    detail = chart.colours - base
    loud = _usual(detail, chart.known)
    beside = _reflected(_hushed(detail, loud), chart)
    if front is None:
        return base + beside, trust
    return base + beside + behind * (_hushed(front - base, loud) - beside), trust


def _filled(smooth, chart, hairy):
    """The head's low frequencies (h, w, 3), with hair's detail beside hair that is seen; hairy (h, w, 1)."""
    hair = replace(chart, known=chart.known * (hairy[..., 0] > 0.6))
    detail = chart.colours - smooth
    return smooth + hairy * _reflected(_hushed(detail, _usual(detail, hair.known)), hair)


def _usual(detail, known) -> float:
    """How loud detail is on a limb, that is neither a tie nor a print."""
    found = np.abs(detail[known > 0.9]).max(axis=1)
    return _QUIET + (_LOUD * float(np.quantile(found, 0.8)) if len(found) > 20 else 0.0)


def _hushed(detail, loud):
    """Detail that is louder than usual is quieter the louder it is."""
    return detail * np.minimum(loud / np.maximum(np.abs(detail).max(axis=2, keepdims=True), 1e-3), 1) ** 2


def _reflected(detail, chart):
    """(h, w, 3): beside what is seen its detail mirrored about its edge, fading."""
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


def _spread(pose, stance, sight, own, *, hands, hair, skin):
    """((V, 3) low frequencies of the colours, (V,) how much each vertex of the head is hair)."""
    template = pose.template
    colours, certain = _looked_up(pose, stance, sight, own)
    other = certain[template.mirror] * 0.7
    mirrored = (other > certain) & (certain < 0.3)
    colours[mirrored], certain[mirrored] = colours[template.mirror][mirrored], other[mirrored]
    guess = _guess(template, colours, certain)
    for limb, colour in zip((Limb.LEFT_HAND, Limb.RIGHT_HAND), hands.colours):
        if colour is not None:
            guess[template.limbs == limb] = colour
            weak = (template.limbs == limb) & (certain < 0.05)
            colours[weak], certain[weak] = colour, 0.05
    smooth = Spreading(template, kinds_of(template, certain)).spread(colours, certain, guess)
    return _head_spread(pose, stance, smooth, colours=colours, certain=certain, hair=hair, skin=skin)


def _head_spread(pose, stance, smooth, *, colours, certain, hair, skin):
    """On the head hair and skin spread apart, each over its own region: what is not seen takes the region of its neighbours, and of
    the scalp where nothing tells."""
    template = pose.template
    head = np.flatnonzero(template.tags == Tag.HEAD)
    grows, colours, sure = scalp(template)[head].astype(float), colours[head], certain[head]
    seen_hair = grows if hair is None else _at_vertices(hair.mask, pose, stance)[head]
    spreading = Spreading(template, template.tags, head)
    hairy = spreading.spread(np.where(sure > 0.05, seen_hair, grows)[:, None], np.where(sure > 0.05, sure, 0.02), grows[:, None])
    hairy = np.clip((hairy - 0.35) / 0.3, 0, 1)
    above = _eased(template.joints["neck"][1] - template.points[head, 1], *_CHIN)[:, None]
    regions = []
    for own, usual in ((seen_hair > 0.6, None if hair is None else hair.colour), ((seen_hair < 0.3) & (above[:, 0] > 0), skin)):
        weight = sure * own
        if usual is None:
            usual = np.average(colours, axis=0, weights=weight) if weight.sum() > 0.5 else smooth[head].mean(axis=0)
        regions.append(spreading.spread(colours, weight, np.broadcast_to(usual, colours.shape)))
    mixed = hairy * regions[0] + (1 - hairy) * regions[1]
    smooth[head] = above * mixed + (1 - above) * smooth[head]
    if hair is not None:
        smooth[template.tags == Tag.HAIR] = hair.colour
    everywhere = np.zeros(len(certain), np.float32)
    everywhere[head] = hairy[:, 0]
    return smooth, everywhere


def _at_vertices(mask, pose, stance):
    """(V,) 0..1 of a mask (h, w), softened by a few millimetres."""
    x, y = (np.clip(np.nan_to_num(stance.pixels[:, k]), 0, pose.size[k] - 1).astype(int) for k in (0, 1))
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.006 * pose.metre, 0.5))[y, x]


def _looked_up(pose, stance, sight, own):
    """(colours (V, 3), certain (V,)): the picture's low frequencies at each vertex, of unclaimed or own pixels."""
    blur = max(_FINE * pose.metre, 0.6)
    colours, certain = np.zeros((len(own), 3)), np.zeros(len(own))
    limbs, claims = pose.template.limbs, sight.claims
    groups = [(np.array([limb for limb in Limb if limb not in (6, 7, 14)]), (claims == NOTHING) | (claims < 14)
               & ~np.isin(claims, (6, 7)))]
    groups += [(np.array([limb]), claims == limb if limb != Limb.SKIRT else np.isin(claims, (limb, NOTHING)))
               for limb in (Limb.LEFT_HAND, Limb.RIGHT_HAND, Limb.SKIRT)]
    head = np.array([Limb.HEAD])
    groups.append((head, (claims == NOTHING) | (claims == Limb.HAIR)))
    for which, pixels in groups:
        here = np.isin(limbs, which) & (own > 0.02)
        if not here.any():
            continue
        mask = (sight.free & pixels).astype(np.float32)
        total = cv2.GaussianBlur(mask, (0, 0), blur)
        mean = cv2.GaussianBlur(sight.picture * mask[..., None], (0, 0), blur) / np.maximum(total, 1e-4)[..., None]
        x, y = stance.pixels[here, 0].astype(int), stance.pixels[here, 1].astype(int)
        colours[here] = mean[y, x]
        certain[here] = own[here] * (total[y, x] > 0.05)
    return colours, certain


def _guess(template, colours, certain):
    """(V, 3) the mean of what is seen of each limb; else its other side's; else what lies last of the limb that it grows from."""
    everything = np.average(colours, axis=0, weights=certain) if certain.sum() > 0 else np.full(3, 0.5)
    means, ends = {}, {}
    for limb in Limb:
        here = np.flatnonzero((template.limbs == limb) & (certain > 0.05))
        if len(here):
            along = template.points[here] @ charts.axis_of(template.joints, limb)
            last = here[along >= np.quantile(along, 0.7)]
            means[limb], ends[limb] = (np.average(colours[of], axis=0, weights=certain[of]) for of in (here, last))
    guess = np.empty_like(colours)
    for limb in (Limb.TORSO, *Limb):                                 # parents come before their children
        other, parent = Limb(int(_other_side(np.array(limb)))), _GROWS_FROM.get(limb, Limb.TORSO)
        if limb not in means:
            means[limb] = ends[limb] = means.get(other, ends.get(parent, everything))
        guess[template.limbs == limb] = means[limb] if limb in (Limb.TORSO, Limb.HEAD) else ends[limb]
    return guess


def _invented(pose, seen, worn):
    """Limbs that the character shows and of which nothing was seen; what a skirt hides is not missing."""
    limbs, skirted = pose.template.limbs, (pose.template.tags == Tag.SKIRT) & worn
    hem = pose.template.leg_t[skirted].max(initial=0)
    hidden = {limb for limb in Limb if limb in (Limb.LEFT_THIGH, Limb.RIGHT_THIGH) and hem > 0.6}
    hidden |= {limb for limb in Limb if limb in (Limb.LEFT_SHIN, Limb.RIGHT_SHIN) and hem > 1.6} | {Limb.SKIRT, Limb.HAIR}
    return tuple(limb for limb in Limb if limb not in hidden and (worn & (limbs == limb)).any()
                 and (seen[limbs == limb] > 0.3).mean() < _FEW)


def _sources(weights, uv, limbs, invented):
    at = uv.mean(axis=1)
    x, y = (np.clip(at[:, k].astype(int), 0, weights.shape[1 - k] - 1) for k in (0, 1))
    own, other = weights[y, x].T
    source = np.where(own + other < 0.5, CARRIED, np.where(own >= other, SEEN, MIRRORED))
    return np.where((source == CARRIED) & np.isin(limbs, invented), INVENTED, source).astype(np.uint8)


def _other_side(limbs):
    paired = (limbs >= Limb.LEFT_UPPER_ARM) & (limbs <= Limb.RIGHT_FOOT)
    return np.where(paired, limbs ^ 1, limbs)


def _softened(seen, there, reach):
    """Fading to 0 at the edge of what is seen, on its inner side."""
    kernel = (0, 0), max(reach, 0.5)
    valid = np.maximum(cv2.GaussianBlur(there.astype(np.float32), *kernel), 1e-3)
    for k in range(seen.shape[2]):
        about = cv2.GaussianBlur(seen[..., k], *kernel) / valid
        seen[..., k] *= np.clip(2 * about - 0.7, 0, 1)
    return seen


def _bled(atlas, there):
    """The charts' colours carried a few pixels out, so that no lookup at their edge meets black."""
    _, label = cv2.distanceTransformWithLabels((~there).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    y, x = np.nonzero(there)
    place = np.zeros((label.max() + 1, 2), int)
    place[label[y, x]] = np.stack([y, x], axis=1)
    nearest = place[label]
    return np.ascontiguousarray(atlas[nearest[..., 0], nearest[..., 1]], np.float32)


def _rows(faces, used):
    """The places of faces `used` (T', 3) in `faces` (T, 3)."""
    key = faces.astype(np.int64) @ (1, 1 << 20, 1 << 40)
    order = np.argsort(key)
    return order[np.searchsorted(key[order], used.astype(np.int64) @ (1, 1 << 20, 1 << 40))]


def _disc(radius):
    side = 2 * max(int(round(radius)), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
