"""`python -m lab score --estimate FOLDER`: how well a performer is estimated,
on clips whose truth is known (docs/estimate.md).

FOLDER holds clips of Blender's world (`build.py clips --ground-truth`), rendered with the character in them: target/ is
what the estimate gets; pose.json, visible.json and matte/ are the truth. `bare` is the per-frame model alone: its
detector and landmarks on each frame, no tracking, no smoothing, a landmark for each joint, its own mask.
"""

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.conditions.frames import read_colour, read_grey
from engine.conditions.poses import read_poses
from engine.contract import files, jobs, json_reader, messages
from engine.contract.skeleton import BODY, BODY_INDEX, LIMBS
from engine.estimate.detector import levels, people_at
from engine.estimate.landmarks import Landmarks, look
from engine.estimate.lift import body_joints, pelvis_depth, pixels_per_metre
from engine.estimate.performer import estimate

PCK = (0.2, 0.1, 0.05)
APART = 0.10  # metres between two limbs whose order counts
SHIFTS = np.arange(-2.0, 2.01, 0.05)  # frames, tried for the lag
_MOVING = 0.02  # of the standing height a frame: slower joints cannot show a lag


@dataclass(frozen=True)
class Track:
    """A clip's bodies (F, 20, 4), NaN where there is none, and its masks (F, h, w) bool."""

    bodies: np.ndarray
    masks: np.ndarray


@dataclass(frozen=True)
class Truth:
    """bodies (F, 20, 4), seen (F, 20) bool, masks (F, h, w) bool, heights (F,) pixels."""

    bodies: np.ndarray
    seen: np.ndarray
    masks: np.ndarray
    heights: np.ndarray
    motion: str


def read_truth(clip) -> Truth:
    job = jobs.read(clip)
    figures = [people[0] for people in read_poses(clip, job.frames)]
    seen = np.array(json_reader.read(clip / "visible.json")["frames"], bool)
    masks = np.stack([read_grey(files.picture(clip, "matte", n), job.size) > 127 for n in range(1, job.frames + 1)])
    motion = json_reader.read(clip / "clip.json").get("motion", "")
    return Truth(np.stack([f.body for f in figures]), seen, masks, np.array([f.height_px for f in figures]), motion)


def ours(clip, folder, threads) -> Track:
    """Estimates in `folder`, from the clip's pictures alone."""
    job = jobs.read(clip)
    shutil.copytree(clip / "target", folder / files.SOURCE)
    jobs.write(folder, replace(job, clean_plate=False, objects=None, depth=None, reference=jobs.Reference()))
    estimate(messages.Estimate(str(folder)), emit=lambda event: None, threads=threads)
    bodies = np.full((job.frames, len(BODY), 4), np.nan)
    for k, people in enumerate(read_poses(folder, job.frames)):
        if people:
            bodies[k] = people[0].body
    return Track(bodies,
                 np.stack([read_grey(files.picture(folder, files.MASK, n)) > 127 for n in range(1, job.frames + 1)]))


def bare(clip, threads) -> Track:
    job = jobs.read(clip)
    bodies, masks = np.full((job.frames, len(BODY), 4), np.nan), np.zeros((job.frames, *job.size[::-1]), bool)
    for k in range(job.frames):
        picture = read_colour(files.picture(clip, "target", k + 1), job.size)
        found = _look_twice(picture, threads)
        if found is not None:
            depth = pelvis_depth(pixels_per_metre(found), job.size)
            bodies[k], masks[k] = body_joints(found, depth, job.size, as_bones=False), found.mask(job.size) > 0.5
    return Track(bodies, masks)


def _look_twice(picture, threads) -> Landmarks | None:
    """The Landmarks of the most likely person, in the square that follows from a first look."""
    regions = next(filter(None, (people_at(picture, windows, threads) for windows in levels(picture))), [])
    first = look(picture, regions[0], threads) if regions else None
    return first and (look(picture, first.next_region, threads) or first)


def measures(track, truth) -> dict:
    """Lists of numbers to be pooled over clips: right / wrong per visible joint, IoU per frame, ..."""
    away = np.linalg.norm(track.bodies[..., :2] - truth.bodies[..., :2], axis=-1)
    away = np.where(track.bodies[..., 3] > 0, away, np.inf)
    away = np.where(np.isnan(away), np.inf, away)
    torso = _torso(truth.bodies)
    found = {f"pck{at}": (away <= at * torso[:, None])[truth.seen] for at in PCK}
    both = (track.masks & truth.masks).sum(axis=(1, 2)) / np.maximum((track.masks | truth.masks).sum(axis=(1, 2)), 1)
    found["iou"] = both[truth.masks.any(axis=(1, 2))]
    found["depth"] = _depth_order(track, truth)
    found["jitter"] = _jitter(track, truth)
    found["lag"] = _lags(track, truth)
    found["joints"] = np.where(truth.seen, away / torso[:, None], np.nan)
    return found


def _torso(bodies):
    """(F,) pixels: the longer of the torso's two diagonals."""
    def diagonal(shoulder, hip):
        return np.linalg.norm(bodies[:, BODY_INDEX[shoulder], :2] - bodies[:, BODY_INDEX[hip], :2], axis=-1)
    return np.maximum(diagonal("left_shoulder", "right_hip"), diagonal("right_shoulder", "left_hip"))


def _depth_order(track, truth):
    """For each pair of limbs over APART in depth, seen in both: whether the estimate, too, has it nearer."""
    ends = np.array([(BODY_INDEX[a], BODY_INDEX[b]) for a, b in LIMBS])
    right = []
    for body, true, seen in zip(track.bodies, truth.bodies, truth.seen, strict=True):
        use = seen[ends].all(axis=1) & (body[ends][..., 3] > 0).all(axis=1)
        told, known = body[ends[use]][..., 2].mean(axis=1), true[ends[use]][..., 2].mean(axis=1)
        i, j = np.triu_indices(use.sum(), 1)
        apart = np.abs(known[i] - known[j]) > APART
        right += ((told[i] < told[j]) == (known[i] < known[j]))[apart].tolist()
    return np.array(right, bool)


def _there(track, truth):
    return truth.seen & (track.bodies[..., 3] > 0)


def _jitter(track, truth):
    """Acceleration error of joints seen in three frames running,
    in thousandths of the standing height a frame squared."""
    there = _there(track, truth)
    error = track.bodies[..., :2] - truth.bodies[..., :2]
    bend = np.linalg.norm(error[2:] - 2 * error[1:-1] + error[:-2], axis=-1) / truth.heights[1:-1, None]
    return 1000 * bend[there[2:] & there[1:-1] & there[:-2]]


def _lags(track, truth):
    """By how many frames each moving joint's path is late (above 0) or early: the shift that fits best."""
    there, lags, n = _there(track, truth), [], np.arange(len(truth.bodies))
    for joint in range(len(BODY)):
        if there[:, joint].sum() < 12:
            continue
        path, true = track.bodies[:, joint, :2], truth.bodies[:, joint, :2]
        if np.median(np.linalg.norm(np.diff(true, axis=0), axis=-1) / truth.heights[1:]) < _MOVING:
            continue
        use = there[:, joint] & (n >= 2) & (n < len(n) - 2)
        centred = path - np.nanmean((path - true)[use], axis=0)
        errors = [np.abs(np.stack([np.interp(n[use] - s, n, true[:, k]) for k in (0, 1)], 1) - centred[use]).sum()
                  for s in SHIFTS]
        lags.append(SHIFTS[int(np.argmin(errors))])
    return np.array(lags)


def pooled(found) -> dict:
    """One number for each measure, of a list of measures()."""
    def all_of(name):
        return np.concatenate([one[name] for one in found])
    result = {name: float(all_of(name).mean()) for name in (*[f"pck{at}" for at in PCK], "iou", "depth", "jitter")}
    lags = all_of("lag")
    return result | {"lag": float(np.median(lags)) if len(lags) else float("nan"), "frames": len(all_of("iou"))}


def table(rows) -> str:
    """{name: {"ours": numbers, "bare": numbers}} -> Markdown."""
    lines = ["| clips | frames | | PCK@0.2 | @0.1 | @0.05 | mask IoU | depth order | jitter | lag |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for name, pair in rows.items():
        for who, v in pair.items():
            lines.append(f"| {name} | {v['frames']} | {who} | {v['pck0.2']:.3f} | {v['pck0.1']:.3f} | "
                         f"{v['pck0.05']:.3f} | "
                         f"{v['iou']:.3f} | {v['depth']:.3f} | {v['jitter']:.2f} | {_signed(v['lag'])} |")
    return "\n".join(lines)


def _signed(frames) -> str:
    """A lag; a dash where nothing moves quickly enough to tell."""
    return "-" if np.isnan(frames) else f"{frames + 0.0:+.2f}"


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(prog="engine score --estimate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=0, help="of onnxruntime; default: one a core")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the estimated jobs there, to look at")
    parser.add_argument("--joints", action="store_true", help="a line for each joint, too")
    options = parser.parse_args(arguments)
    clips = sorted(path.parent for path in options.folder.glob("*/clip.json")
                   if (path.parent / "visible.json").exists())
    if not clips:
        print(f"{options.folder} holds no clips with visible.json.", file=sys.stderr)
        return 1
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for clip in clips:
            truth, kept = read_truth(clip), (options.keep or Path(scratch)) / clip.name
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(parents=True)
            mine = measures(ours(clip, kept, options.threads), truth)
            found.setdefault(truth.motion, []).append({"ours": mine,
                                                       "bare": measures(bare(clip, options.threads), truth)})
            print(f"{clip.name} {truth.motion}: PCK@0.2 {mine['pck0.2'].mean():.3f}, IoU {mine['iou'].mean():.3f}",
                  file=sys.stderr)
    everything = [one for some in found.values() for one in some]
    rows = {name: {who: pooled([one[who] for one in some]) for who in ("ours", "bare")}
            for name, some in {**found, "**all**": everything}.items()}
    print(table(rows))
    if options.joints:
        _print_joints(everything)
    return 0


def _print_joints(everything) -> None:
    for k, name in enumerate(BODY):
        for who in ("ours", "bare"):
            away = np.concatenate([one[who]["joints"][:, k] for one in everything])
            away = away[~np.isnan(away)]
            if len(away):
                print(f"{name} {who}: PCK@0.2 {np.mean(away <= 0.2):.3f}, median {np.median(away):.3f} of {len(away)}")
