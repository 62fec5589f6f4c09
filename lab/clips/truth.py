"""A posed puppet and a camera -> the joints of pose.json, the discs of contact/, which joints are seen."""

import numpy as np
from mathutils import Vector

from aa2_blender.embedded.engine.contract.skeleton import BODY, HAND, HEAD_POINT_SEEN, HEAD_POINTS
from aa2_blender.gather.camera import project

from .rig import SIDES, joint_bones

DISC = 0.12             # metres about what touches something, as in the fast world
FLESH = 0.16            # metres that may lie between a joint and the surface over it
NAMES = (*BODY, *(f"{side}_{point}" for side in SIDES for point in HAND))
_BONES = joint_bones()
# What touches -> the joints whose middle is the disc's.
TOUCHING = {f"{side}_{part}": [f"{side}_{joint}" for joint in joints] for side in SIDES
            for part, joints in (("hand", ("wrist", "middle_1")), ("foot", ("ankle", "toe")))}
TOUCHING |= {"seat": ["left_hip", "right_hip"]}
_SEAT = np.array([0, 0.03, -0.09])      # from the hips' middle to what one sits on


def joints_of(puppet, face):
    """(62, 3) metres: NAMES in the world, of a puppet that was just struck; `face`: the face's points at rest."""
    carried = puppet.posed["head"] @ puppet.rest("head").inverted()
    places = []
    for name in NAMES:
        if name in face:
            places.append(carried @ face[name])
            continue
        bone, end = _BONES[name.replace(HAND[0], "wrist") if name.endswith(HAND[0]) else name]
        posed = puppet.posed[bone]
        places.append(posed.translation if end == "head" else posed @ Vector((0, puppet.length(bone), 0)))
    return np.array([tuple(place) for place in places])


def people_of(joints, cameras, projections, *, size, height):
    """Each frame's list `people` of pose.json; `joints` (F, 62, 3) metres,
    matrices as gather.camera.project takes them.

    Confidence is 0 for what lies behind the camera and for points of a face that is turned away, else 1, as from a rig.
    """
    seen = project(joints, cameras, projections, size)
    sure = (seen[..., 2] > 1e-3).astype(float)
    sure[:, :len(BODY)] *= _face_turned(joints, cameras)
    hips = seen[:, [BODY.index("left_hip"), BODY.index("right_hip")], 2].mean(axis=1)
    heights = height * projections[:, 1, 1] * size[1] / 2 / hips
    rows = np.concatenate([seen, sure[..., None]], axis=2)
    rows[sure == 0] = 0
    frames = []
    for frame, tall in zip(np.round(rows, 4).tolist(), np.round(heights, 3).tolist(), strict=True):
        hands = {f"{side}_hand": frame[len(BODY) + k * len(HAND):len(BODY) + (k + 1) * len(HAND)]
                 for k, side in enumerate(SIDES)}
        frames.append([{"body": frame[:len(BODY)], **hands, "height_px": tall}])
    return frames


def _face_turned(joints, cameras):
    """(F, 20): 0 for points of the face that the head turns away from the camera."""
    kept = np.ones((len(joints), len(BODY)))
    ears = joints[:, [BODY.index("left_ear"), BODY.index("right_ear")]].mean(axis=1)
    towards = cameras[:, :3, 3] - ears
    for name in HEAD_POINTS:
        k = BODY.index(name)
        way = joints[:, k] - ears
        cosine = (way * towards).sum(-1) / np.maximum(np.linalg.norm(way, axis=-1) * np.linalg.norm(towards, axis=-1),
                                                      1e-9)
        kept[:, k] = cosine >= HEAD_POINT_SEEN
    return kept


def contact_picture(joints, touching, camera, projection, size):
    """(h, w) uint8, 255 in discs about what touches something; `joints` (62, 3) metres."""
    picture = np.zeros((size[1], size[0]), np.uint8)
    rows, columns = np.mgrid[0:size[1], 0:size[0]] + 0.5
    for name in touching:
        place = joints[[NAMES.index(joint) for joint in TOUCHING[name]]].mean(axis=0) + (_SEAT if name == "seat" else 0)
        x, y, depth = project(place[None, None], camera[None], projection[None], size)[0, 0]
        if depth > 0:
            radius = DISC * projection[1, 1] * size[1] / 2 / depth
            picture[(columns - x) ** 2 + (rows - y) ** 2 < radius ** 2] = 255
    return picture


def visible_joints(person, surface):
    """[bool] * 20: whether a body joint lies in the picture with nothing nearer than FLESH before it; `person` of
    people_of, `surface` (h, w) metres of whatever is seen there, inf for nothing."""
    found = []
    for x, y, depth, sure in person["body"]:
        inside = sure > 0 and 0 <= x < surface.shape[1] and 0 <= y < surface.shape[0]
        found.append(bool(inside and surface[int(y), int(x)] > depth - FLESH))
    return found
