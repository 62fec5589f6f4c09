"""A seed of the fast world -> a job folder with its truth (docs/architecture.md), as the Blender world's clips have it;
and such a folder -> the clip as a pool has it."""

import json
import shutil
from pathlib import Path

import numpy as np

from engine.conditions.frames import read_colour, read_grey, write_picture
from engine.contract import files, jobs, json_reader
from engine.contract.errors import JobError

from . import world
from .pooled_clip import BrokenClip, PooledClip, bytes8, fault_of

VERSION = 2
SHAPE = (256, 256)  # the size of the Blender world's clips
VARIANTS = ("insertion", "replacement")


def write_clip(folder: Path, seed: int, *, frames: int, variant: str, masked: bool,
               shape: tuple[int, int] = SHAPE) -> None:
    """Writes the clip of a seed, clip.json last; deletes whatever was in the folder.

    variant: what stands in the plate, nobody ("insertion") or the performer ("replacement"); masked: whether the job
    has the character's silhouette, as a rig with a mesh gives it.
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant: expected one of {', '.join(VARIANTS)}, got {variant!r}")
    shutil.rmtree(folder, ignore_errors=True)
    clip, reference = world.draw_clip(seed, frames, shape), world.draw_reference(seed, shape)
    full, clean = bytes8(clip.full), bytes8(clip.clean)
    pictures = {"target": full, "clean": clean, "matte": bytes8(clip.visible)[..., 0],
                "shade": bytes8(clip.shadow)[..., 0],
                "contact": bytes8(clip.contact)[..., 0], files.SOURCE: clean if variant == "insertion" else full}
    if masked:
        pictures[files.MASK] = np.where(clip.matte[..., 0].numpy() > 0.5, 255, 0).astype(np.uint8)
    depth = clip.objects_depth.numpy()
    span = _range(depth)
    if span is not None:
        pictures[files.OBJECTS] = _coded(depth, span)
    for kind, stack in pictures.items():
        for number, picture in enumerate(stack, 1):
            write_picture(files.picture(folder, kind, number), picture)
    write_picture(files.path(folder, files.REFERENCE), bytes8(reference.picture))
    write_picture(files.path(folder, "reference_matte.png"), bytes8(reference.matte)[..., 0])
    _write_json(folder, files.POSE,
                [_person(*frame) for frame in zip(clip.body, clip.hands, clip.height_px, strict=True)])
    _write_json(folder, "reference_pose.json", [_person(reference.body, reference.hands, reference.height_px)])
    joints = tuple(map(tuple, reference.body[:, [0, 1, 3]].tolist()))
    jobs.write(folder, jobs.Job(
        name=f"fast {seed}", size=shape, frames=frames, clean_plate=variant == "insertion", objects=span,
        reference=jobs.Reference(joints=joints, height_px=float(reference.height_px)),
        settings=jobs.Settings(seed=seed)))
    told = {"version": VERSION, "world": "fast", "seed": seed, "held_out": world.held_out(seed), "variant": variant,
            "identity": f"fast {seed}", "masked": masked, **_taken(clip),
            "references": dict.fromkeys(("first", "second"), {"file": files.REFERENCE, **_taken(reference)})}
    files.write_whole(files.path(folder, "clip.json"), json.dumps(told).encode())


def _taken(shot: world.Clip | world.Reference) -> dict:
    """How it was photographed and lit, as clip.json has it."""
    names = {"focal_px": shot.focal, "centre_px": shot.centre, "gain": shot.exposure, "light": shot.light}
    return {name: np.round(value.double().numpy(), 5).tolist() for name, value in names.items()}


def _range(depth: np.ndarray) -> jobs.DepthRange | None:
    """The clip's range of object depths in metres; None without objects."""
    seen = depth[depth > 0]
    return jobs.DepthRange(float(seen.min()), float(seen.max()) + 0.01) if seen.size else None


def _coded(depth: np.ndarray, span: jobs.DepthRange) -> np.ndarray:
    """Metres, 0 where there is nothing -> uint16 as a job stores them."""
    codes = 1 + 65534 * (span.far - depth) / (span.far - span.near)
    return np.where(depth > 0, np.rint(codes), 0).astype(np.uint16)


def _person(body, hands, height_px) -> dict:
    return {"people": [{"body": body.tolist(), "left_hand": hands[0].tolist(), "right_hand": hands[1].tolist(),
                        "height_px": float(height_px)}]}


def _write_json(folder: Path, name: str, frames: list) -> None:
    files.write_whole(files.path(folder, name), json.dumps({"version": 1, "frames": frames}).encode())


def clips_of(folder: Path) -> list[tuple[Path, int]]:
    """The finished clips in a folder that are not held out, and their seeds. Raises ValueError where there is none."""
    found = []
    for path in sorted(Path(folder).glob("*/clip.json")):
        told = json_reader.read(path)
        if told.get("held_out") is False:
            found.append((path.parent, int(told["seed"])))
    if not found:
        raise ValueError(
            f"{folder}: no finished clip to learn from; render some with `python build.py clips {folder}`.")
    return found


def read_clip(folder: Path) -> PooledClip:
    """The clip of a job folder. Raises BrokenClip where it is none, unfinished, or held out from training."""
    try:
        told = json_reader.read(folder / "clip.json")
        if told["held_out"]:
            raise BrokenClip(f"{folder.name}: held out: a clip kept for evaluation cannot be learnt from")
        job = jobs.read(folder)
        frames = [_frame(folder, number, job) for number in range(1, job.frames + 1)]
        people, (posed,) = (_people(folder / name) for name in (files.POSE, "reference_pose.json"))
        taken = tuple(np.array(told[name], np.float32) for name in ("focal_px", "light"))
        reference = np.dstack([read_colour(folder / files.REFERENCE, job.size),
                               read_grey(folder / "reference_matte.png", job.size)])
    except (JobError, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise error if isinstance(error, BrokenClip) else BrokenClip(f"{folder.name}: no clip ({error})") from None
    body, hands, height = (np.stack(values) for values in zip(*people, strict=True))
    clip = PooledClip(np.stack(frames), body, hands, height, *taken, reference, *posed)
    fault = fault_of(clip, job.frames)
    if fault:
        raise BrokenClip(f"{folder.name}: {fault}")
    return clip


def _frame(folder: Path, number: int, job: jobs.Job) -> np.ndarray:
    """(H, W, LAYERS) uint8 of one frame."""
    layers = [read_colour(files.picture(folder, kind, number), job.size) for kind in ("target", "clean")]
    layers += [read_grey(files.picture(folder, kind, number), job.size) for kind in ("matte", "shade")]
    if job.objects:
        objects = 255 * (read_grey(files.picture(folder, files.OBJECTS, number), job.size) > 0)
    else:
        objects = np.zeros_like(layers[-1])
    return np.dstack([*layers, objects, read_grey(files.picture(folder, "contact", number), job.size)]).astype(np.uint8)


def _people(path: Path) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(body, hands, height in pixels) of each frame of a pose.json; its one person."""
    found = []
    for frame in json_reader.read(path)["frames"]:
        (person,) = frame["people"]
        hands = [person["left_hand"], person["right_hand"]]
        found.append((np.array(person["body"], np.float32), np.array(hands, np.float32),
                      np.float32(person["height_px"])))
    return found
