"""The low frequencies of the colours at each vertex: seen there, or spread there from what is seen."""
import cv2
import numpy as np

from .charts import axis_of
from .completion import Spreading, kinds_of
from .hair import Hair, scalp
from .hands import Hands
from .sight import Sight
from .stance import NOBODY, NOTHING, Pose, Stance
from .template import FEET, Limb, Tag, Template
from .turning import smooth

_FINE = 0.012             # metres: coarser colours spread, finer ones are detail
_MIRRORED = 0.7           # of the weight of a seen place
_SCALP = 0.1              # how much the rule "hair grows on an unseen scalp" counts, relative to what is seen
_CHIN = (0.03, 0.06)      # metres above the neck's joint; below, a head's colours are a collar's
_GROWS_FROM = {Limb.LEFT_FOREARM: Limb.LEFT_UPPER_ARM, Limb.RIGHT_FOREARM: Limb.RIGHT_UPPER_ARM,
               Limb.LEFT_HAND: Limb.LEFT_FOREARM, Limb.RIGHT_HAND: Limb.RIGHT_FOREARM,
               Limb.LEFT_SHIN: Limb.LEFT_THIGH, Limb.RIGHT_SHIN: Limb.RIGHT_THIGH,
               Limb.LEFT_FOOT: Limb.LEFT_SHIN, Limb.RIGHT_FOOT: Limb.RIGHT_SHIN}


def undertones(pose: Pose, stance: Stance, sight: Sight, own: np.ndarray, *, hands: Hands, hair: Hair | None,
               skin: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """((V, 3) low frequencies of the colours, (V,) how much each vertex of the head is hair)."""
    template = pose.template
    colours, certain = _looked_up(pose, stance, sight, own)
    other = certain[template.mirror] * _MIRRORED
    mirrored = (other > certain) & (certain < 0.3)
    colours[mirrored], certain[mirrored] = colours[template.mirror][mirrored], other[mirrored]
    guess = _guess(template, colours, certain)
    for limb, colour in zip((Limb.LEFT_HAND, Limb.RIGHT_HAND), hands.colours, strict=False):
        if colour is not None:
            guess[template.limbs == limb] = colour
            weak = (template.limbs == limb) & (certain < 0.05)
            colours[weak], certain[weak] = colour, 0.05
    under = Spreading(template, kinds_of(template, certain)).spread(colours, certain, guess)
    looked = np.where(mirrored, template.mirror, np.arange(len(mirrored)))
    return _head_spread(pose, stance, sight, under, certain=certain, looked=looked, hair=hair, skin=skin)


def _head_spread(pose: Pose, stance: Stance, sight: Sight, under: np.ndarray, *, certain: np.ndarray,
                 looked: np.ndarray, hair: Hair | None, skin: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """On the head, hair and skin spread separately, each over its own region. An unseen place belongs to its
    neighbours' region; without seen neighbours, the scalp is hair. looked (V,): the vertex whose pixel each vertex
    uses: its own or its mirrored one."""
    template = pose.template
    head = np.flatnonzero(template.tags == Tag.HEAD)
    grows, sure = scalp(template)[head].astype(float), certain[head]
    seen_hair = grows if hair is None else _at_vertices(hair.mask, pose, stance)[looked[head]]
    spreading = Spreading(template, template.tags, head)
    usual = 0.01 + _SCALP * grows                                    # ears and neck are hair if their neighbours are
    hairy = spreading.spread(
        np.where(sure > 0.05, seen_hair, grows)[:, None], np.where(sure > 0.05, sure, usual), grows[:, None]
    )
    hairy = np.clip((hairy - 0.35) / 0.3, 0, 1)
    above = smooth(template.joints["neck"][1] - template.points[head, 1], *_CHIN)[:, None]
    regions, whole = [], np.ones(sight.claims.shape, bool)
    for own, pixels, usual in (
        (seen_hair > 0.6, whole if hair is None else hair.mask, None if hair is None else hair.colour),
        ((seen_hair < 0.3) & (above[:, 0] > 0), whole if hair is None else ~hair.mask, skin),
    ):
        colours, weight = _mean_at(sight, pixels, pose, stance, looked[head])
        weight = sure * own * weight
        if usual is None:
            usual = np.average(colours, axis=0, weights=weight) if weight.sum() > 0.5 else under[head].mean(axis=0)
        regions.append(spreading.spread(colours, weight, np.broadcast_to(usual, colours.shape)))
    mixed = hairy * regions[0] + (1 - hairy) * regions[1]
    under[head] = above * mixed + (1 - above) * under[head]
    if hair is not None:
        under[template.tags == Tag.HAIR] = hair.colour
    everywhere = np.zeros(len(certain), np.float32)
    everywhere[head] = hairy[:, 0]
    return under, everywhere


def _at_vertices(mask: np.ndarray, pose: Pose, stance: Stance) -> np.ndarray:
    """(V,) 0..1: a mask (h, w) at the vertices, softened by a few millimetres."""
    x, y = (np.clip(np.nan_to_num(stance.pixels[:, k]), 0, pose.size[k] - 1).astype(int) for k in (0, 1))
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.006 * pose.metre, 0.5))[y, x]


def _looked_up(pose: Pose, stance: Stance, sight: Sight, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(colours (V, 3), certain (V,)): the picture's low frequencies at each vertex, from unclaimed pixels or its own
    limb's."""
    colours, certain = np.zeros((len(own), 3)), np.zeros(len(own))
    limbs, claims = pose.template.limbs, sight.claims
    apart = {limb: claims == limb for limb in (Limb.LEFT_HAND, Limb.RIGHT_HAND)}
    apart[Limb.SKIRT] = np.isin(claims, (Limb.SKIRT, NOTHING))
    apart[Limb.HEAD] = np.isin(claims, (Limb.HAIR, NOTHING))
    apart |= {foot: np.isin(claims, (foot, NOTHING)) for foot in FEET}
    others = ~np.isin(claims, (*apart, Limb.HAIR, NOBODY))
    for which, pixels in (
        ([limb for limb in Limb if limb not in apart], others),
        *(([k], v) for k, v in apart.items()),
    ):
        here = np.flatnonzero(np.isin(limbs, which) & (own > 0.02))
        if len(here):
            colours[here], weight = _mean_at(sight, pixels, pose, stance, here)
            certain[here] = own[here] * weight
    return colours, certain


def _mean_at(sight: Sight, pixels: np.ndarray, pose: Pose, stance: Stance,
             vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(colours (n, 3), weight (n,) 0 or 1): the mean of pixels (h, w) around vertices (n,), where there are any."""
    blur = max(_FINE * pose.metre, 0.6)
    mask = (sight.free & pixels).astype(np.float32)
    x, y = (np.clip(np.nan_to_num(stance.pixels[vertices, k]), 0, pose.size[k] - 1).astype(int) for k in (0, 1))
    total = cv2.GaussianBlur(mask, (0, 0), blur)[y, x]
    mean = cv2.GaussianBlur(sight.picture * mask[..., None], (0, 0), blur)[y, x] / np.maximum(total, 1e-4)[:, None]
    return mean, (total > 0.05).astype(float)


def _guess(template: Template, colours: np.ndarray, certain: np.ndarray) -> np.ndarray:
    """(V, 3) for each limb, the mean of what is seen of it; else of its other side; else of the end of its parent
    limb."""
    everything = np.average(colours, axis=0, weights=certain) if certain.sum() > 0 else np.full(3, 0.5)
    means, ends = {}, {}
    for limb in Limb:
        here = np.flatnonzero((template.limbs == limb) & (certain > 0.05))
        if len(here):
            along = template.points[here] @ axis_of(template.joints, limb)
            last = here[along >= np.quantile(along, 0.7)]
            means[limb], ends[limb] = (np.average(colours[of], axis=0, weights=certain[of]) for of in (here, last))
    guess = np.empty_like(colours)
    for limb in (Limb.TORSO, *Limb):                                 # parents come before their children
        other, parent = Limb(int(other_side(np.array(limb)))), _GROWS_FROM.get(limb, Limb.TORSO)
        if limb not in means:
            means[limb] = ends[limb] = means.get(other, ends.get(parent, everything))
        guess[template.limbs == limb] = means[limb] if limb in (Limb.TORSO, Limb.HEAD) else ends[limb]
    return guess


def other_side(limbs: np.ndarray) -> np.ndarray:
    """The same limbs (n,) on the person's other side."""
    paired = (limbs >= Limb.LEFT_UPPER_ARM) & (limbs <= Limb.RIGHT_FOOT)
    return np.where(paired, limbs ^ 1, limbs)
