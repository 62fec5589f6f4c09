"""Joints -> the template's bones: each bone's rotation, origin and scale, without any search (ours).

A bone's axis and length come from its two joints. Its twist comes from what an anatomist would look at: hips,
shoulders, the planes of knees and elbows, feet and palms. In every pose that a body can take, the result is a
continuous function of the joints, so that nothing flips between frames. In impossible poses, a twist fades out before
its sign changes. Left and right are computed together: arrays are (2, 3), left first. Axes as in template.py; a bone's
y runs along it, its x to the person's left.
"""
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from .turning import cross, dot, frame, least_turn, length, similarity, smooth, turn_about, turned_by, unit

SIDES = ("left", "right")
FINGERS = ("thumb", "index", "middle", "ring", "little")
FACE = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")
NEEDED = tuple(f"{side}_{name}" for side in SIDES for name in (
    "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")) + ("neck",)
_BONE_OF_FINGER = {"thumb": "thumb", "index": "index", "middle": "middle", "ring": "ring", "little": "pinky"}
_ONE = np.ones(3)
_BACK = np.array([0.0, 0.0, 1.0])
# Sines of the bend at which a hinge begins to count, and at which it counts completely. The last number is how much
# more bend is needed if the hinge contradicts the limb's least turn, because noise then bends the joint the wrong way
# (ours).
_KNEE, _KNEE_WRONG = (0.15, 0.50), 0.6
_ELBOW, _ELBOW_WRONG = (0.15, 0.45), 0.5
# The least turn starts from the rest pose, leant forwards by this much. So its one blind spot is where no limb can
# point (up behind the head, up behind the back).
_LEAN_ARM, _LEAN_LEG = 0.7, 0.5
_MOST_TWIST = 1.9         # radians; a forearm turns less, so a larger twist means a wrong joint
_NECK_WEIGHT = 0.25       # of a face point's weight, in the head's turn
_CHEST_PRIOR = (0.15, 0.04)  # weight of the chest's turn in the head's: with no face point seen, and with three or more


class Bone(NamedTuple):
    """rotation (3, 3): its columns are the bone's own axes; origin (3,): its joint; scale (3,): along its own axes."""
    rotation: np.ndarray
    origin: np.ndarray
    scale: np.ndarray


class _Mean(Protocol):
    """What is read of the template. (template.Template itself imports this module.)"""

    @property
    def joints(self) -> dict[str, np.ndarray]: ...
    @property
    def rest(self) -> dict[str, Bone]: ...


def rest_bones(joints: dict[str, np.ndarray]) -> dict:
    """{bone: Bone} of the template itself."""
    sides = _sides(joints)
    neck, hips = joints["neck"], sides("hip").mean(axis=0)
    down = hips - neck
    across = {name: sides(name)[0] - sides(name)[1] for name in ("hip", "shoulder")}
    out = {"pelvis": Bone(frame(down, across["hip"]), hips, _ONE),
           "chest": Bone(frame(down, across["shoulder"]), neck, _ONE)}
    out["head"] = Bone(np.eye(3), joints["headbone"], _ONE)
    out["neck_01"] = Bone(frame(joints["headbone"] - neck, np.array([1.0, 0, 0])), neck, _ONE)
    thigh, shin, foot = (unit(sides(b) - sides(a)) for a, b in (("hip", "knee"), ("knee", "ankle"), ("ankle", "toe")))
    left = unit(cross(foot, shin))
    _put(out, "thigh_{}_0", frame(thigh, left), sides("hip"))
    _put(out, "thigh_{}_1", frame(thigh, left), sides("hip"))
    _put(out, "calf_{}", frame(shin, left), sides("knee"))
    for name in ("foot_{}", "ball_{}"):
        _put(out, name, frame(foot, left), sides("ankle"))
    collar = sides("clavicle")
    _put(out, "clavicle_{}", frame(sides("shoulder") - collar, out["chest"].rotation[:, 1]), collar)
    upper, fore = unit(sides("elbow") - sides("shoulder")), unit(sides("wrist") - sides("elbow"))
    hinge = unit(cross(fore, upper))
    palm, knuckles = sides("middle_1") - sides("wrist"), sides("index_1") - sides("little_1")
    for k in (0, 1):
        _put(out, f"upperarm_{{}}_{k}", frame(upper, hinge), sides("shoulder"))
    elbow, wrist = frame(fore, hinge), frame(fore, knuckles)
    middle = frame(fore, unit(elbow[..., 0] + wrist[..., 0]))
    for k, rotation in enumerate((elbow, middle, wrist)):
        _put(out, f"lowerarm_{{}}_{k}", rotation, sides("elbow"))
    hands = frame(palm, knuckles)
    _put(out, "hand_{}", hands, sides("wrist"))
    for side, hand in zip(SIDES, hands, strict=False):
        out |= _fingers(joints, side, hand)
    return out


def pose_bones(joints: dict[str, np.ndarray], template: _Mean, head_scale: float | None = None, *,
               confidence: dict[str, float] | None = None, turns: dict[str, np.ndarray] | None = None) -> dict:
    """{bone: Bone} for joints {name: (3,)} in person units, as in Space.joints after it is completed.

    All of NEEDED must be there. Face points and hands (side_finger_1..4, all 20 of a hand) are optional. head_scale:
    the head's size relative to the template's, if the reference gives it; else it is measured from the face points.
    confidence {name: 0..1} of face points; 1 if not given. turns {limb: (3, 3)}: rotations relative to the rest pose,
    read from a rig's bones and used instead of hinge planes; limbs are side_thigh, side_shin, side_upper_arm,
    side_forearm (its end at the wrist).
    """
    sides, rest, turns = _sides(joints), template.rest, turns or {}
    out = _torso(joints, sides, template)
    _collarbones(out, sides, template)
    _legs(out, sides, template, turns)
    elbows, wrists = _arms(out, sides, template, turns)
    for i, side in enumerate(SIDES):
        _hand(out, joints, side, (elbows[i], wrists.get(side)), template)
    _head(out, joints, template, head_scale, confidence or {})
    return {name: out[name] for name in rest}


def _sides(joints: dict[str, np.ndarray]) -> Callable[[str], np.ndarray]:
    return lambda name: np.array((joints[f"left_{name}"], joints[f"right_{name}"]))


def _put(out: dict[str, Bone], name: str, rotations: np.ndarray, origins: np.ndarray,
         along: np.ndarray | None = None) -> None:
    for i, side in enumerate("lr"):
        scale = _ONE if along is None else np.array([1.0, along[i], 1.0])
        out[name.format(side)] = Bone(rotations[i], origins[i], scale)


def _both(rest: dict[str, Bone], name: str, column: int | None = None) -> np.ndarray:
    """(2, 3, 3) rest rotations of a bone of both sides, or (2, 3) one of their columns."""
    both = np.array([rest[name.format(side)].rotation for side in "lr"])
    return both if column is None else both[..., column]


def _stretch(sides: Callable[[str], np.ndarray], template: _Mean, a: str, b: str, least: float = 0.5,
             most: float = 1.7) -> np.ndarray:
    """(2,) lengths from joint a to b, relative to the template's."""
    own, usual = length(sides(b) - sides(a)), length(_sides(template.joints)(b) - _sides(template.joints)(a))
    return np.clip(own / usual, least, most)[:, 0]


def _torso(joints: dict[str, np.ndarray], sides: Callable[[str], np.ndarray], template: _Mean) -> dict:
    tall = _sides(template.joints)
    neck, hips = joints["neck"], sides("hip").mean(axis=0)
    down, rest_down = hips - neck, tall("hip").mean(axis=0) - template.joints["neck"]
    hip, shoulder = (sides(name)[0] - sides(name)[1] for name in ("hip", "shoulder"))
    usual_hip, usual_shoulder = (length(tall(name)[0] - tall(name)[1]) for name in ("hip", "shoulder"))
    long = np.clip(length(down) / length(rest_down), 0.6, 1.5)[0]
    wide = np.clip(length(hip) / usual_hip, 0.85, 1.2)[0], np.clip(length(shoulder) / usual_shoulder, 0.8, 1.25)[0]
    # a line that is almost a point says nothing: then hips and shoulders turn together
    alone = smooth(length(hip) / usual_hip, 0.2, 0.6), smooth(length(shoulder) / usual_shoulder, 0.2, 0.6)
    across_hips = hip + (1 - alone[0]) * shoulder * usual_hip / usual_shoulder
    across_shoulders = shoulder + (1 - alone[1]) * hip * usual_shoulder / usual_hip
    return {"pelvis": Bone(frame(down, across_hips), hips, np.array([wide[0], long, 1.0])),
            "chest": Bone(frame(down, across_shoulders), neck, np.array([wide[1], long, 1.0]))}


def _collarbones(out: dict[str, Bone], sides: Callable[[str], np.ndarray], template: _Mean) -> None:
    chest, rest = out["chest"], template.rest["chest"]
    local = (_sides(template.joints)("clavicle") - rest.origin) @ rest.rotation
    collar = chest.origin + (local * chest.scale) @ chest.rotation.T
    along = sides("shoulder") - collar
    usual = length(_sides(template.joints)("shoulder") - _sides(template.joints)("clavicle"))
    _put(out, "clavicle_{}", frame(along, chest.rotation[:, 1]), collar, np.clip(length(along) / usual, 0.6, 1.6)[:, 0])


def _least_turned(body: np.ndarray, rest_body: np.ndarray, limb: np.ndarray, rest_limb: np.ndarray, across: np.ndarray,
                  lean: float) -> np.ndarray:
    """(2, 3) the limbs' x axes after the least turn from the leant rest pose to the limbs' directions."""
    start = rest_limb @ rest_body                                   # in the body's own axes
    middle = unit(start - lean * _BACK)
    carried = turned_by(least_turn(start, middle), across @ rest_body)
    return turned_by(least_turn(middle, limb @ body), carried) @ body.T


def _trust(hinge: np.ndarray, bend: np.ndarray, least_turned: np.ndarray, believed: tuple[float, float],
           wrong: float) -> np.ndarray:
    """(2, 1) 0..1 how much a hinge plane counts, from the sine of its bend."""
    agreement = dot(hinge, least_turned)
    later = wrong * smooth(-agreement, -0.1, 0.8)
    return smooth(bend - later, *believed)


def _turned(turns: dict[str, np.ndarray], limb: str, along: np.ndarray, rest: np.ndarray,
            above: np.ndarray | None = None) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Twists of the limbs in `turns` from the rig's own bones: ({side: x axis (3,)}, swings (2, 3, 3) from the
    template's rest pose to the rig's). along (2, 3): the limbs' directions; rest (2, 3, 3): the template's; above: the
    swings of the parent limbs.

    A rig may rest in T pose, while the template's arms are half raised. The rig's limb direction at rest follows from
    the turn and from where the limb points now. The template's limb is taken there by its parent's swing and then by
    the least swing. What remains of the turn is only the twist. Without the parent's swing, a bent elbow would add some
    25 degrees.
    """
    across, swings = {}, np.stack([np.eye(3)] * 2) if above is None else above.copy()
    for i, side in enumerate(SIDES):
        turn = turns.get(f"{side}_{limb}")
        if turn is not None:
            swings[i] = least_turn(swings[i] @ rest[i, :, 1], turn.T @ along[i]) @ swings[i]
            across[side] = turn @ swings[i] @ rest[i, :, 0]
    return across, swings


def _replaced(across: np.ndarray, told: dict[str, np.ndarray]) -> np.ndarray:
    """The x axes (2, 3), replaced on the sides in `told`."""
    return np.stack([told.get(side, np.asarray(of)) for side, of in zip(SIDES, across, strict=True)])


def _legs(out: dict[str, Bone], sides: Callable[[str], np.ndarray], template: _Mean,
          turns: dict[str, np.ndarray]) -> None:
    rest, pelvis = template.rest, out["pelvis"].rotation
    thigh, shin, foot = (unit(sides(b) - sides(a)) for a, b in (("hip", "knee"), ("knee", "ankle"), ("ankle", "toe")))
    usual, across = _both(rest, "thigh_{}_1", 1), _both(rest, "thigh_{}_1", 0)
    swung = _least_turned(pelvis, rest["pelvis"].rotation, thigh, usual, across, _LEAN_LEG)
    hinge, ankle = cross(thigh, shin), cross(foot, shin)
    bend, hinge = length(hinge), unit(hinge)
    knee = _trust(hinge, bend, swung, _KNEE, _KNEE_WRONG) * hinge
    foot_left = smooth(length(ankle), 0.2, 0.6) * unit(ankle)
    told, swings = _turned(turns, "thigh", thigh, _both(rest, "thigh_{}_1"))
    low_told, _ = _turned(turns, "shin", shin, _both(rest, "calf_{}"), swings)
    left = _replaced(1.5 * knee + 0.8 * swung + 0.5 * foot_left, told)
    low_left = _replaced(knee + 1.2 * foot_left + 0.15 * unit(left), low_told)
    upper, lower = _stretch(sides, template, "hip", "knee"), _stretch(sides, template, "knee", "ankle")
    _put(out, "thigh_{}_0", frame(thigh, swung), sides("hip"), upper)
    _put(out, "thigh_{}_1", frame(thigh, left), sides("hip"), upper)
    _put(out, "calf_{}", frame(shin, low_left), sides("knee"), lower)
    for name in ("foot_{}", "ball_{}"):
        _put(out, name, frame(foot, low_left), sides("ankle"), _stretch(sides, template, "ankle", "toe"))


def _arms(out: dict[str, Bone], sides: Callable[[str], np.ndarray], template: _Mean,
          turns: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Write the upper arms into `out`. Returns the elbows' rotations (2, 3, 3) and {side: the wrist's x axis (3,)} for
    sides that a rig gives."""
    rest, chest = template.rest, out["chest"].rotation
    upper, fore = unit(sides("elbow") - sides("shoulder")), unit(sides("wrist") - sides("elbow"))
    across = _both(rest, "upperarm_{}_1", 0)
    swung = _least_turned(chest, rest["chest"].rotation, upper, _both(rest, "upperarm_{}_1", 1), across, _LEAN_ARM)
    hinge = cross(fore, upper)
    bend, hinge = length(hinge), unit(hinge)
    trust = _trust(hinge, bend, swung, _ELBOW, _ELBOW_WRONG)
    told, swings = _turned(turns, "upper_arm", upper, _both(rest, "upperarm_{}_1"))
    left = _replaced(trust * hinge + (1 - trust) * swung, told)
    high, low = frame(upper, swung), frame(upper, left)
    along = _stretch(sides, template, "shoulder", "elbow")
    half = turn_about(upper, 0.5 * _shared(_angle(high[..., 0], low[..., 0], upper)))
    _put(out, "upperarm_{}_0", half @ high, sides("shoulder"), along)
    _put(out, "upperarm_{}_1", low, sides("shoulder"), along)
    return frame(fore, left), _turned(turns, "forearm", fore, _both(rest, "lowerarm_{}_2"), swings)[0]


def _angle(a: np.ndarray, b: np.ndarray, about: np.ndarray) -> np.ndarray:
    """(..., 1) signed angle from a to b about an axis. All are unit vectors; a and b are perpendicular to the axis."""
    return np.arctan2(dot(cross(a, b), about), dot(a, b))


def _shared(angle: np.ndarray) -> np.ndarray:
    """The twist that is spread along a limb: unchanged as far as a body can turn, then falling to 0 at half a turn,
    where it would flip."""
    over = np.maximum(np.abs(angle) - _MOST_TWIST, 0)
    return np.sign(angle) * (np.minimum(np.abs(angle), _MOST_TWIST) - over * _MOST_TWIST / (np.pi - _MOST_TWIST))


def _hand(out: dict[str, Bone], joints: dict[str, np.ndarray], side: str, ends: tuple[np.ndarray, np.ndarray | None],
          template: _Mean) -> None:
    """Write one forearm, its hand and fingers into `out`. An unknown hand continues the forearm's end as in the rest
    pose.

    A palm that is seen gives the wrist's twist better than the rig's bones do, and leaves no seam between forearm and
    hand.
    """
    elbow, told = ends
    c, rest, tall = side[0], template.rest, template.joints
    rest_elbow, rest_wrist = rest[f"lowerarm_{c}_0"].rotation, rest[f"lowerarm_{c}_2"].rotation
    from_elbow, at, fore = elbow @ rest_elbow.T, joints[f"{side}_wrist"], elbow[:, 1]
    known = all(f"{side}_{finger}_{k}" in joints for finger in FINGERS for k in (1, 2, 3, 4))
    straight = (from_elbow @ rest_wrist)[:, 0]
    untold = straight if told is None else frame(fore, told)[:, 0]
    if known:
        knuckles, palm = joints[f"{side}_index_1"] - joints[f"{side}_little_1"], joints[f"{side}_middle_1"] - at
        size = np.clip(length(palm) / length(tall[f"{side}_middle_1"] - tall[f"{side}_wrist"]), 0.7, 1.5)[0]
        hand = frame(palm, knuckles)
        lost = smooth(abs(unit(knuckles) @ fore), 0.75, 0.95)       # knuckles along the forearm show no twist
        wrist = (1 - lost) * frame(fore, knuckles)[:, 0] + lost * untold
    else:
        twist = turn_about(fore, _angle(straight, untold, fore))
        hand, size, wrist = twist @ from_elbow @ rest[f"hand_{c}"].rotation, 1.0, untold
    _forearm(out, joints, side, from_elbow, wrist, template)
    out[f"hand_{c}"] = Bone(hand, at, _ONE * size)
    if known:
        out.update(_fingers(joints, side, hand, tall, size))
    else:
        turn, origin = hand @ rest[f"hand_{c}"].rotation.T, rest[f"hand_{c}"].origin
        for name in _finger_bones(c):
            out[name] = Bone(turn @ rest[name].rotation, at + turn @ (rest[name].origin - origin) * size, _ONE * size)


def _forearm(out: dict[str, Bone], joints: dict[str, np.ndarray], side: str, from_elbow: np.ndarray, wrist: np.ndarray,
             template: _Mean) -> None:
    """Write the forearm's three bones. They share the twist of the wrist's x axis relative to the elbow's."""
    c, rest, at = side[0], template.rest, joints[f"{side}_elbow"]
    thirds = [rest[f"lowerarm_{c}_{k}"].rotation for k in range(3)]
    along = joints[f"{side}_wrist"] - at
    usual = length(template.joints[f"{side}_wrist"] - template.joints[f"{side}_elbow"])
    scale = np.array([1.0, np.clip(length(along) / usual, 0.5, 1.7)[0], 1.0])
    fore = from_elbow @ thirds[0][:, 1]
    twist = _shared(_angle(from_elbow @ thirds[2][:, 0], frame(fore, wrist)[:, 0], fore))
    for k, share in enumerate((0.0, 0.5, 1.0)):
        out[f"lowerarm_{c}_{k}"] = Bone(turn_about(fore, share * twist) @ from_elbow @ thirds[k], at, scale)


def _finger_bones(c: str) -> tuple[str, ...]:
    return tuple(f"{_BONE_OF_FINGER[finger]}_0{k}_{c}" for finger in FINGERS for k in (1, 2, 3))


def _fingers(joints: dict[str, np.ndarray], side: str, hand: np.ndarray, tall: dict[str, np.ndarray] | None = None,
             size: float = 1.0) -> dict:
    """{bone: Bone} of a hand's fifteen finger bones; tall: the template's joints, or None if this is the template
    itself."""
    def ends(of: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        points = np.array([[of[f"{side}_{finger}_{k}"] for k in (1, 2, 3, 4)] for finger in FINGERS])
        return points[:, :3].reshape(15, 3), points[:, 1:].reshape(15, 3)
    start, end = ends(joints)
    across = np.repeat(hand[:, [2, 0, 0, 0, 0]].T, 3, axis=0)       # the thumb bends sideways
    rotations = frame(end - start, across)
    along = np.full(15, size)
    if tall is not None:
        usual_start, usual_end = ends(tall)
        along = np.clip(length(end - start) / np.maximum(length(usual_end - usual_start), 1e-6), 0.5, 1.8)[:, 0]
    scales = np.column_stack([np.full(15, size), along, np.full(15, size)])
    return {name: Bone(*parts) for name, *parts in zip(_finger_bones(side[0]), rotations, start, scales, strict=False)}


def _head(out: dict[str, Bone], joints: dict[str, np.ndarray], template: _Mean, head_scale: float | None,
          confidence: dict[str, float]) -> None:
    """Write head and neck into `out`. The head's turn comes from the seen face points and, weakly, from the chest."""
    tall, chest, rest, neck = template.joints, out["chest"].rotation, template.rest, joints["neck"]
    seen = [name for name in FACE if name in joints]
    trust = np.array([np.clip(2 * confidence.get(name, 1.0), 0, 1) for name in seen])
    usual = np.stack([tall[name] for name in ("neck", *seen, *FACE, "headtop")])
    upright = neck + (usual[1 + len(seen):] - tall["neck"]) * (head_scale or 1.0) @ (chest @ rest["chest"].rotation.T).T
    there = np.concatenate([neck[None], *(joints[name][None] for name in seen), upright])
    prior = _CHEST_PRIOR[0] + (_CHEST_PRIOR[1] - _CHEST_PRIOR[0]) * smooth(trust.sum(), 0.5, 2.5)
    weights = np.concatenate([[_NECK_WEIGHT], trust, np.full(len(FACE) + 1, prior)])
    turn, grown = similarity(usual, there, weights)
    size = head_scale or np.clip(grown, 0.85, 1.25)
    weights[0] *= 1 - np.clip(trust.sum(), 0, 1)                    # the face, not the neck, gives the head's position
    weights /= weights.sum()
    moved = weights @ there - size * turn @ (weights @ usual)
    foot = size * turn @ tall["headbone"] + moved
    out["head"] = Bone(turn @ rest["head"].rotation, foot, _ONE * size)
    along = np.clip(length(foot - neck) / length(tall["headbone"] - tall["neck"]), 0.6, 1.6)[0]
    out["neck_01"] = Bone(frame(foot - neck, turn[:, 0]), neck, np.array([size, along, size]))
