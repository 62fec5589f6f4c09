"""The figure's skeleton: where pelvis, head, hands and feet are to be in,
every joint and bone frame of every frame out.

World axes: x to the right of the room, y away from the camera, z up. A bone's frame has the columns (left, up, forward)
of the character's own body. All arrays are (frames, ...); sides are (left, right).
"""

from dataclasses import dataclass

import numpy as np

from engine.contract.skeleton import HEAD_POINTS

from .character import Character

SIDES = (1.0, -1.0)


def unit(v: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) at length 1."""
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def heading_frame(yaw: np.ndarray) -> np.ndarray:
    """(..., 3, 3) upright frames; yaw 0 faces the camera (-y), positive turns to the character's left."""
    s, c, o = np.sin(yaw), np.cos(yaw), np.zeros_like(yaw)
    left, up, forward = np.stack([c, s, o], -1), np.stack([o, o, o + 1], -1), np.stack([s, -c, o], -1)
    return np.stack([left, up, forward], -1)


def turned(pitch, roll, yaw) -> np.ndarray:
    """(..., 3, 3) rotations in a bone's own axes: yaw about up (to the left), pitch forward, roll to the left."""
    pitch, roll, yaw = np.broadcast_arrays(pitch, roll, yaw)
    o, one = np.zeros_like(pitch), np.ones_like(pitch)
    cp, sp, cr, sr, cy, sy = np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll), np.cos(yaw), np.sin(yaw)
    matrix = lambda *e: np.stack(e, -1).reshape(*pitch.shape, 3, 3)
    about_up = matrix(cy, o, sy, o, one, o, -sy, o, cy)
    about_left = matrix(one, o, o, o, cp, -sp, o, sp, cp)
    about_forward = matrix(cr, sr, o, -sr, cr, o, o, o, one)
    return about_up @ about_left @ about_forward


def two_bone(root, target, pole, upper: float, lower: float) -> tuple[np.ndarray, np.ndarray]:
    """Joint and end (..., 3) of two bones reaching from `root` towards `target`, bent towards the direction `pole`."""
    way = target - root
    distance = np.linalg.norm(way, axis=-1, keepdims=True)
    direction = way / np.maximum(distance, 1e-9)
    distance = np.clip(distance, abs(upper - lower) * 1.02 + 0.02, (upper + lower) * 0.998)
    along = (upper ** 2 - lower ** 2 + distance ** 2) / (2 * distance)
    aside = np.sqrt(np.maximum(upper ** 2 - along ** 2, 0))
    bend = unit(pole - (pole * direction).sum(-1, keepdims=True) * direction)
    return root + along * direction + aside * bend, root + distance * direction


@dataclass(frozen=True)
class Targets:
    """What a motion asks for; F frames. `*_local` are in the chest's frame, mirrored for the right, in arm lengths."""
    pelvis: np.ndarray         # (F, 3) between the hip joints
    yaw: np.ndarray            # (F,) heading
    tilt: np.ndarray           # (F, 3) pelvis pitch, roll, yaw
    bend: np.ndarray           # (F, 3) chest against pelvis: pitch, roll, yaw
    head: np.ndarray           # (F, 3) head against chest
    ankle: np.ndarray          # (F, 2, 3)
    foot_yaw: np.ndarray       # (F, 2)
    foot_pitch: np.ndarray     # (F, 2) heel lift, radians
    knee_out: np.ndarray       # (2,) how far the knees point outwards
    wrist_local: np.ndarray    # (F, 2, 3)
    elbow_local: np.ndarray    # (F, 2, 3) direction
    wrist_world: np.ndarray    # (F, 2, 3)
    reach: np.ndarray          # (F, 2) 0 = local, 1 = world target
    finger_world: np.ndarray   # (F, 2, 3) finger direction when reaching
    palm_world: np.ndarray     # (F, 2, 3) palm normal when reaching
    curl: np.ndarray           # (F, 2) 0 flat .. 1 fist
    contact: np.ndarray        # (F, 4) left hand, right hand, left foot, right foot wanted in contact


@dataclass(frozen=True)
class Skeleton:
    """Joints (F, 3) by contract name, bone frames (F, 3, 3) by bone, hand points (F, 2, 21, 3)."""
    joints: dict
    frames: dict
    hands: np.ndarray


def _lowered(person: Character, pelvis, frame, ankle) -> np.ndarray:
    """The pelvis, lowered where an ankle would be out of the legs' reach."""
    limit = np.full(len(pelvis), np.inf)
    for k, side in enumerate(SIDES):
        hip = pelvis + frame[..., 0] * side * person.hip
        flat = ((hip - ankle[:, k])[:, :2] ** 2).sum(-1)
        reach = np.sqrt(np.maximum((0.995 * person.leg_length) ** 2 - flat, 0.01))
        limit = np.minimum(limit, ankle[:, k, 2] + reach - (hip - pelvis)[:, 2])
    lowered = pelvis.copy()
    lowered[:, 2] = np.minimum(pelvis[:, 2], limit)
    return lowered


def _hand_points(person: Character, wrist, finger, palm, side: float, curl) -> tuple[np.ndarray, np.ndarray]:
    """The 21 points of a hand (F, 21, 3) and its frame with columns (thumb side, fingers, palm normal)."""
    y = unit(finger)
    z = unit(palm - (palm * y).sum(-1, keepdims=True) * y)
    x = np.cross(z, y) * side                     # towards the thumb
    size = person.hand * 1.7                      # wrist to middle fingertip
    points = [wrist]
    thumb = wrist + size * (0.12 * x + 0.10 * y + 0.05 * z)
    direction = unit(0.72 * x + 0.75 * y + (0.25 + 0.5 * curl[:, None]) * z - 0.5 * curl[:, None] * x)
    for length in (0.0, 0.19, 0.16, 0.13):
        thumb = thumb + size * length * direction
        points.append(thumb)
        direction = unit(direction + 0.35 * curl[:, None] * (z - x) + 0.25 * y)
    for across, base, scale in ((0.17, 0.50, 0.95), (0.05, 0.52, 1.05), (-0.06, 0.49, 0.97), (-0.16, 0.44, 0.78)):
        point, angle = wrist + size * (across * x + base * y), 0.1 + 0.9 * curl
        points.append(point)
        for length in (0.20, 0.15, 0.11):
            c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
            point = point + size * length * scale * (c * y + s * z + 0.25 * across * x)
            points.append(point)
            angle = angle + 0.15 + 1.1 * curl
    return np.stack(points, 1), np.stack([x, y, z], -1)


def solve(person: Character, want: Targets) -> Skeleton:
    """Forward kinematics of the trunk, two-bone inverse kinematics of the limbs."""
    pelvis_frame = heading_frame(want.yaw) @ turned(*want.tilt.T)
    pelvis = _lowered(person, want.pelvis, pelvis_frame, want.ankle)
    middle = pelvis_frame @ turned(*(0.5 * want.bend).T)
    chest = pelvis_frame @ turned(*want.bend.T)
    waist = pelvis + 0.42 * person.spine * pelvis_frame[..., 1]
    neck = waist + person.spine * (0.2 * middle[..., 1] + 0.38 * chest[..., 1])
    head = chest @ turned(*want.head.T)
    skull = neck + 0.45 * person.neck * chest[..., 1] + 0.55 * person.neck * head[..., 1] \
        + 0.12 * person.head * head[..., 2]
    joints = {"pelvis": pelvis, "waist": waist, "neck": neck, "head": skull}
    frames = {"pelvis": pelvis_frame, "middle": middle, "chest": chest, "head": head}
    for name, offset in HEAD_POINTS.items():
        joints[name] = skull + person.head * np.einsum("fij,j->fi", head, np.array(offset))
    hands = np.zeros((len(pelvis), 2, 21, 3))
    for k, (name, side) in enumerate(zip(("left", "right"), SIDES, strict=True)):
        _solve_leg(person, want, joints, frames, k=k, name=name, side=side)
        hands[:, k] = _solve_arm(person, want, joints, frames, k=k, name=name, side=side)
    return Skeleton(joints, frames, hands)


def _solve_leg(person, want, joints, frames, *, k: int, name: str, side: float) -> None:
    base = frames["pelvis"]
    hip = joints["pelvis"] + base[..., 0] * side * person.hip
    foot = heading_frame(want.foot_yaw[:, k])
    pole = foot[..., 2] + base[..., 2] + base[..., 0] * side * want.knee_out[k]
    knee, ankle = two_bone(hip, want.ankle[:, k], pole, person.thigh, person.shin)
    foot = foot @ turned(want.foot_pitch[:, k], 0.0, 0.0)
    toe = ankle + person.foot * foot[..., 2] - (person.ankle - 0.012 * person.height) * foot[..., 1]
    joints |= {f"{name}_hip": hip, f"{name}_knee": knee, f"{name}_ankle": ankle, f"{name}_toe": toe}
    frames[f"{name}_leg"] = np.stack([base[..., 0], base[..., 1], unit(pole)], -1)
    frames[f"{name}_foot"] = foot


def _solve_arm(person, want, joints, frames, *, k: int, name: str, side: float) -> np.ndarray:
    chest, mirror = frames["chest"], np.array([side, 1, 1])
    local = lambda v: np.einsum("fij,fj->fi", chest, v * mirror)
    raised = np.clip(want.wrist_local[:, k, 1:2] + 0.2, 0, 1)
    shoulder = joints["neck"] + chest[..., 0] * side * person.shoulder \
        + chest[..., 1] * (0.035 * raised - 0.026) * person.height
    weight = want.reach[:, k, None]
    target = shoulder + person.arm_length * local(want.wrist_local[:, k])
    target = target + weight * (want.wrist_world[:, k] - target)
    pole = local(want.elbow_local[:, k])
    elbow, wrist = two_bone(shoulder, target, pole, person.upper_arm, person.fore_arm)
    along = unit(wrist - elbow)
    finger = unit(along * (1 - weight) + weight * want.finger_world[:, k])
    inward = unit(-side * chest[..., 0] + 0.3 * chest[..., 2] - 0.2 * chest[..., 1])
    palm = unit(inward * (1 - weight) + weight * want.palm_world[:, k] + 1e-3 * chest[..., 2])
    points, hand = _hand_points(person, wrist, finger, palm, side, want.curl[:, k])
    joints |= {f"{name}_shoulder": shoulder, f"{name}_elbow": elbow, f"{name}_wrist": wrist}
    frames[f"{name}_arm"] = np.stack([chest[..., 0], chest[..., 1], -unit(pole)], -1)
    frames[f"{name}_hand"] = hand
    return points
