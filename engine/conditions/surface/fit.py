"""A matte -> the surface's girth: how far each vertex moves along its rest normal so that the outline meets the matte.

Ours: lengths come from the joints, so only the girth must be found. Vertices on the silhouette look for the matte's
edge along their normal in the picture. A small least-squares problem spreads what they find over the mesh.
"""
import cv2
import numpy as np

from .stance import NOTHING, Pose, Stance, stand
from .template import Limb, Tag, Template

ROUNDS = 3
_RIM = 0.42              # the largest |cosine| to the camera for a vertex of the outline
_SAMPLES = 48            # along each ray
_INWARDS = 0.035         # metres: the most that a surface moves inwards
# Metres: the most that each limb moves outwards: torso, head, arms, forearms, hands, thighs, shins, feet, skirt, hair
# (ours).
_OUTWARDS = np.array([.14, .12, .08, .08, .07, .07, .012, .012, .12, .12, .11, .11, .05, .05, .25, .08])
_NEIGHBOURS = {
    Limb.TORSO: (0, 1, 8, 9, 14), Limb.HEAD: (0, 1), Limb.LEFT_UPPER_ARM: (2, 4), Limb.RIGHT_UPPER_ARM: (3, 5),
    Limb.LEFT_FOREARM: (2, 4, 6), Limb.RIGHT_FOREARM: (3, 5, 7), Limb.LEFT_HAND: (4, 6), Limb.RIGHT_HAND: (5, 7),
    Limb.LEFT_THIGH: (0, 8, 10, 14), Limb.RIGHT_THIGH: (0, 9, 11, 14), Limb.LEFT_SHIN: (8, 10, 12, 14),
    Limb.RIGHT_SHIN: (9, 11, 13, 14), Limb.LEFT_FOOT: (10, 12), Limb.RIGHT_FOOT: (11, 13),
    Limb.SKIRT: (0, 8, 9, 10, 11, 14), Limb.HAIR: (0, 1, 2, 3, 15)}
_MAY_CROSS = np.zeros((len(Limb), len(Limb) + 1), bool)     # a limb's ray may cross these in the picture
for _limb, _others in _NEIGHBOURS.items():
    _MAY_CROSS[_limb, [*_others, NOTHING]] = True
# Weights for: equal neighbours, staying at rest, equal sides (ours; measured: not sensitive).
_STIFF, _BACK, _EVEN = 0.25, 0.002, 0.5
_HAIR_STIFF = 0.05       # equal neighbours on a head: hair stands off it and ends at once, cloth does not (ours)
_HEEL = 0.008            # metres: the most that a heel moves outwards
_INSTEP = 0.35           # of the way from the ankle to the toes, where the heel ends
_EAR = 0.045             # metres around an ear's joint
_KEPT = 5.0                                # weight that keeps faces and hands as they are


def fitted(pose: Pose, matte: np.ndarray, displacement: np.ndarray | None = None, rounds: int = ROUNDS) -> np.ndarray:
    """(V,) metres along the rest normals. matte (h, w) float32 0..1 in the pose's picture; displacement: the start."""
    template = pose.template
    displacement = np.zeros(len(template.points)) if displacement is None else displacement
    kept = _kept(template)
    stiff = np.where((template.tags == Tag.HEAD)[template.edges].all(axis=1), _HAIR_STIFF, _STIFF)
    low, high = -_INWARDS, _most_outwards(template)
    for _ in range(rounds):
        stance = stand(pose, displacement)
        rim, by, weight = _edges_found(pose, stance, matte)
        wanted, certain = np.zeros(len(displacement)), np.zeros(len(displacement))
        wanted[rim], certain[rim] = displacement[rim] + by, weight
        certain[kept], wanted[kept] = _KEPT, 0.0
        certain[template.tags == Tag.HAIR] = 0.0
        found = spread(template, np.clip(wanted, low, high), certain, stiff=stiff, back=_BACK, even=_EVEN)
        displacement = np.clip(found, low, high)
    return displacement


def spread(template: Template, values: np.ndarray, certain: np.ndarray, *, stiff: float | np.ndarray, back: float = 0.0,
           even: float = 0.0, steps: int = 80) -> np.ndarray:
    """(V,) x that minimises certain (x - values)^2 + sum over edges of stiff (x_i - x_j)^2 + back x^2 + even (x -
    mirrored x)^2. stiff: one number, or one for each edge.

    Conjugate gradients with the diagonal as preconditioner, with so many steps that the remaining error is invisible.
    """
    i, j = template.edges.T
    count, mirror = len(values), template.mirror
    stiff = np.broadcast_to(stiff, len(i))
    degree = np.bincount(i, stiff, count) + np.bincount(j, stiff, count)

    def times(x: np.ndarray) -> np.ndarray:
        y = (certain + back + degree) * x - np.bincount(i, stiff * x[j], count) - np.bincount(j, stiff * x[i], count)
        if even:
            apart = x - x[mirror]
            y += even * (apart - np.bincount(mirror, apart, count))
        return y
    inverse = 1 / (certain + back + degree + even * (1 + np.bincount(mirror, minlength=count)) + 1e-9)
    x, residual = np.zeros(count), certain * values
    z = inverse * residual
    direction, size = z.copy(), residual @ z
    for _ in range(steps):
        if size < 1e-14:
            break
        moved = times(direction)
        step = size / max(direction @ moved, 1e-30)
        x += step * direction
        residual -= step * moved
        z = inverse * residual
        direction, size = z + (residual @ z / size) * direction, residual @ z
    return x


def _kept(template: Template) -> np.ndarray:
    """(V,) bool: the face with the jaw, and the hands. Their own shape is better than one from the outline."""
    joints, points = template.joints, template.points
    forwards, downwards = template.normals[:, 2] < -0.35, template.normals[:, 1] > 0.6
    face = (
        (template.tags == Tag.HEAD)
        & (forwards | downwards)            # below the chin, the outline is the neck's or the shoulders'
        & (points[:, 2] < joints["left_ear"][2] - 0.02)
        & (points[:, 1] > joints["left_eye"][1] - 0.03)
    )
    return face | (template.tags == Tag.HAND)


def _ears(template: Template) -> np.ndarray:
    """(V,) bool: the ears. Their folds face in all directions, so from the side they would find the back of the
    head."""
    away = [np.linalg.norm(template.points - template.joints[f"{side}_ear"], axis=1) for side in ("left", "right")]
    return (template.tags == Tag.HEAD) & (np.minimum(*away) < _EAR)


def _heels(template: Template) -> np.ndarray:
    """(V,) bool: ankles and heels. If the matte is wider there, trousers hang over the shoes."""
    found = np.zeros(len(template.points), bool)
    for side, limb in (("left", Limb.LEFT_FOOT), ("right", Limb.RIGHT_FOOT)):
        ankle, toe = template.joints[f"{side}_ankle"], template.joints[f"{side}_toe"]
        along = (template.points - ankle) @ (toe - ankle) / ((toe - ankle) @ (toe - ankle))
        found |= (template.limbs == limb) & (along < _INSTEP)
    return found


def _most_outwards(template: Template) -> np.ndarray:
    """(V,) metres. In front of the ears, hair is kept flat, or it would stand in front of the face."""
    most = np.where(_heels(template), _HEEL, _OUTWARDS[template.limbs])
    before = template.joints["left_ear"][2] - template.points[:, 2]
    flat = np.interp(before, (-0.03, 0.03), (_OUTWARDS[Limb.HEAD], 0.012))
    return np.where(
        (template.tags == Tag.HEAD) & (template.points[:, 1] < template.joints["headbone"][1]),
        np.minimum(most, flat),
        most,
    )


def _edges_found(pose: Pose, stance: Stance, matte: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(vertices of the outline, metres to move along each one's normal, weight 0..1), where the ray out of the limb
    leaves the matte."""
    limbs = pose.template.limbs
    rim = np.zeros(len(limbs), bool)
    rim[pose.used] = True
    flat = np.linalg.norm(stance.normals[:, :2], axis=1)
    rim &= (np.abs(stance.facing) < _RIM) & (flat > 0.5) & ~np.isin(limbs, (Limb.LEFT_HAND, Limb.RIGHT_HAND))
    rim &= ~_ears(pose.template)
    rim = np.flatnonzero(rim & np.isfinite(stance.pixels).all(axis=1))
    limb, way = limbs[rim], stance.normals[rim, :2] / flat[rim, None]
    at, scale = stance.pixels[rim, :2], stance.per_metre[rim]
    inwards = np.maximum(((at - _on_axis(pose.axes[limb], at)) * way).sum(axis=1), 0)
    first, last = -0.8 * inwards, _OUTWARDS[limb] * scale + 2
    reach = first[:, None] + (last - first)[:, None] * np.linspace(0, 1, _SAMPLES)
    x, y = at[:, :1] + reach * way[:, :1], at[:, 1:] + reach * way[:, 1:]
    seen = cv2.remap(matte, (x - 0.5).astype(np.float32), (y - 0.5).astype(np.float32), cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_CONSTANT)
    out = seen < 0.5
    leaves = out.argmax(axis=1)
    row, before = np.arange(len(rim)), np.maximum(leaves - 1, 0)
    inner, outer = seen[row, before], seen[row, leaves]
    part = np.clip((inner - 0.5) / np.maximum(inner - outer, 1e-6), 0, 1)
    edge = reach[row, before] + part * (reach[row, leaves] - reach[row, before])
    inside, crossed = _limbs_at(stance.limbs, x, y)
    foreign = (~_MAY_CROSS[limb[:, None], crossed] & (np.arange(_SAMPLES) < leaves[:, None])).any(axis=1)
    by = edge / scale / np.maximum(flat[rim], 0.5)
    good = out.any(axis=1) & (leaves > 0) & ~foreign & inside[row, leaves] & (by > -_INWARDS) & (by < _OUTWARDS[limb])
    return rim[good], by[good], np.clip(1 - np.abs(stance.facing[rim[good]]) / 0.5, 0, 1)


def _on_axis(axes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The point of each segment axes (n, 2, 2) nearest to at (n, 2)."""
    start, along = axes[:, 0], axes[:, 1] - axes[:, 0]
    part = ((at - start) * along).sum(axis=1) / np.maximum((along * along).sum(axis=1), 1e-6)
    return start + np.clip(part, 0, 1)[:, None] * along


def _limbs_at(limbs: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(inside the picture, limb) at pixels x, y of any shape; NOTHING outside."""
    height, width = limbs.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = limbs[np.clip(y, 0, height - 1).astype(int), np.clip(x, 0, width - 1).astype(int)]
    return inside, np.where(inside, found, NOTHING)
