"""A seed -> a finished job folder with its truth (docs/architecture.md): somebody moves in a room,
rendered layer by layer."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from aa2_blender.embedded.engine.contract import files, jobs, version
from aa2_blender.gather import depth, objects
from aa2_blender.gather.camera import project
from aa2_blender.gather.png import write_colour, write_grey

from . import ball, passes, truth
from .action import Prop
from .capture import draw_capture
from .motions import draw_action
from .person import build_person
from .posture import strike
from .reference import write_reference
from .room import build_room
from .seeds import generator, held_out
from .view import CLOTHED, about, add_camera, box_of, optics_of, shadows_of, view_matrices

VERSION = 2
TOLD = "clip.json"
# How often a motion is drawn: what touches more than the floor is half of all (ours).
SHARES = {"walk": 0.12, "turn": 0.07, "sit": 0.12, "reach": 0.11, "lift": 0.12, "lean": 0.09, "step up": 0.11,
          "dance": 0.07, "run": 0.03, "stand": 0.07, "crouch": 0.04, "capture": 0.05}
RATES = (8, 12, 12, 24)


@dataclass(frozen=True)
class Recipe:
    """What a clip is besides its seed. `size` (width, height); `variant`: nobody ("insertion") or the performer
    ("replacement") stands in source/; `masked`: whether the job has the silhouette; `motion`, `around` (the camera,
    degrees) None: drawn."""

    seed: int
    frames: int
    size: tuple
    variant: str
    masked: bool
    motion: str | None = None
    around: float | None = None
    fps: float | None = None


def write_clip(folder: Path, recipe: Recipe, *, data: Path, motions: Path | None, threads: int = 1) -> None:
    """Writes the clip, clip.json last; deletes whatever was in the folder. `data`: mpfb2; `motions`: a folder of CMU's
    BVH files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)                              # before anything is rendered: no rendering is wasted
    shot = stage(recipe, data, motions)
    scene, frames = bpy.context.scene, list(range(1, recipe.frames + 1))
    passes.set_up(scene, recipe.size, threads=threads)
    still = not shot.moving and shot.room.prop is None
    around, reach, held = boxes_of(shot, scene)
    plate = passes.plates(scene, shot.person.objects, frames[:1] if still else frames,
                          passes.WHOLE if shot.moving else held)
    shadow = passes.shadowed(scene, shot.person.objects, frames, plate, reach)
    figure = passes.figures(scene, shot.room.objects, frames, around)
    gain = passes.exposure(generator(recipe.seed, "film"), plate[0], figure[0])
    plate = np.broadcast_to(passes.display(plate, gain), shadow.shape)
    shadow, colour, matte = passes.display(shadow, gain), passes.display(figure[..., :3], gain), figure[..., 3]
    for i, number in enumerate(frames):
        layers = compose(plate[i], shadow[i], colour[i], matte[i])
        for kind, picture in layers.items():
            (write_colour if picture.ndim == 3 else write_grey)(files.picture(folder, kind, number), picture)
        write_colour(files.picture(folder, files.SOURCE, number),
                     layers["clean" if recipe.variant == "insertion" else "target"])
        write_grey(files.picture(folder, "contact", number),
                   truth.contact_picture(shot.joints[i], shot.touching[i], shot.cameras[i],
                                         shot.projections[i], recipe.size))
    people = truth.people_of(shot.joints, shot.cameras, shot.projections, size=recipe.size,
                             height=shot.person.measures.height)
    span, visible = _depths(folder, recipe, shot, people)
    _write_json(folder, files.POSE, people)
    files.write_whole(files.path(folder, "visible.json"), json.dumps({"version": 1, "frames": visible}).encode())
    gone = [*shot.person.objects, *([shot.room.prop] if shot.room.prop else [])]
    lights = ball.lights_at(scene, gone, ball.chests_of(shot.joints), shot.cameras)
    reference, references = write_reference(folder, recipe, data, threads, gain * float(ball.level_of(lights).mean()))
    _write_job(folder, recipe, shot.fps, span, reference)
    told = {"version": VERSION, "world": "blender", "seed": recipe.seed, "held_out": held_out(recipe.seed),
            "variant": recipe.variant,
            "identity": f"blender {recipe.seed}", "masked": recipe.masked, "motion": shot.motion,
            "outdoors": shot.room.outdoors,
            "touching": sorted(set().union(*shot.touching) | ({"prop"} if shot.room.prop else set())),
            **optics_of(shot.projections, recipe.size), **ball.record(gain, lights), "references": references}
    files.write_whole(files.path(folder, TOLD), json.dumps(told).encode())


def _write_job(folder, recipe, fps, span, reference):
    """job.json; `span`: the objects' DepthRange or None; `reference`: the person of reference_pose.json."""
    joints = tuple(tuple(row[k] for k in (0, 1, 3)) for row in reference["body"])
    jobs.write(folder, jobs.Job(
        name=f"blender {recipe.seed}", size=recipe.size, frames=recipe.frames, fps=float(fps), objects=span,
        clean_plate=recipe.variant == "insertion", settings=jobs.Settings(seed=recipe.seed),
        reference=jobs.Reference(joints=joints, height_px=reference["height_px"])))


def compose(plate, shadow, colour, matte):
    """One frame's layers as they are stored, of display-referred (h, w, 3) plate, shadowed plate and colour and (h, w)
    matte: the picture is made of the stored 8-bit layers, so that it equals matte * figure + (1 - matte) * clean *
    shade apart from rounding."""
    clean, matte, shade = _bytes(plate), _bytes(matte), _bytes(passes.shade_of(plate, shadow))
    cover, lit = matte[..., None] / 255, shade[..., None] / 255
    target = _bytes(cover * colour + (1 - cover) * clean / 255 * lit)
    return {"target": target, "clean": clean, "matte": matte, "shade": shade}


def _bytes(picture):
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class _Shot:
    person: object
    room: object
    joints: np.ndarray          # (F, 62, 3) metres
    touching: list
    grips: list                 # the prop's matrix in each frame, or None
    cameras: np.ndarray         # (F, 4, 4)
    projections: np.ndarray
    moving: bool
    motion: str
    fps: float


def stage(recipe, data, motions):
    """A person, keyed over the clip's frames, in a room, in front of a camera; the file contains nothing else."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene, seed = bpy.context.scene, recipe.seed
    person = build_person(scene, data, seed)
    rng = generator(seed, "motion")
    kind = recipe.motion or str(rng.choice(list(SHARES), p=list(SHARES.values())))
    action = draw_capture(rng, person.measures, motions) if kind == "capture" else draw_action(rng,
                                                                                               person.measures, kind)
    fps = recipe.fps or float(RATES[rng.integers(len(RATES))])
    length = (recipe.frames - 1) / fps
    start = action.span[0] + rng.random() * max(0.0, action.span[1] - action.span[0] - length)
    joints, touching, grips = [], [], []
    for i in range(recipe.frames):
        posture = action.pose(start + i / fps)
        strike(person.puppet, posture, person.measures)
        person.puppet.key(i + 1)
        joints.append(truth.joints_of(person.puppet, person.face))
        held = {f"{action.prop.hand}_hand"} if action.prop and action.prop.hand != "both" else set()
        touching.append(set(posture.touching) | held)
        grips.append(_grip(person.puppet, action.prop, start + i / fps))
    joints = np.array(joints)
    moving = add_camera(scene, generator(seed, "camera"), path=joints, height=person.measures.height, size=recipe.size,
                        frames=recipe.frames, whole=recipe.around is not None, around=recipe.around)
    room = build_room(scene, generator(seed, "room"), action=action, path=joints.reshape(-1, 3),
                      eye=scene.camera.location)
    if room.prop:
        _key_prop(room.prop, grips)
    scene.frame_start, scene.frame_end = 1, recipe.frames
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = *recipe.size, 100
    cameras, projections = view_matrices(scene, recipe.frames, recipe.size)
    return _Shot(person, room, joints, touching, grips, cameras, projections, moving, action.name, fps)


def boxes_of(shot, scene):
    """Of all frames of a clip: the box of the performer, of the performer with the shadow,
    of the prop with its shadow."""
    lamps = [thing for thing in scene.objects if thing.type == "LIGHT"]

    def seen(places):
        return project(places, shot.cameras, shot.projections, (1, 1))

    places = about(shot.joints, CLOTHED)
    around, reach = box_of(seen(places)), box_of(seen(np.concatenate([places, shadows_of(places, lamps)], axis=1)))
    if shot.room.prop is None:
        return around, reach, passes.WHOLE
    held = about(np.array([[grip.translation] for grip in shot.grips]), 0.6 * max(shot.room.prop.dimensions) + 0.1)
    return around, reach, box_of(seen(np.concatenate([held, shadows_of(held, lamps)], axis=1)))


def _grip(puppet, prop: Prop | None, t):
    """The world matrix of what is held, or None."""
    if prop is None:
        return None
    from mathutils import Matrix
    if prop.at:
        return Matrix.Translation(prop.at(t))
    s = prop.hand[0]
    hand, knuckle = puppet.posed[f"hand_{s}"], puppet.posed[f"middle_01_{s}"].translation
    across = puppet.posed[f"index_01_{s}"].translation - puppet.posed[f"pinky_01_{s}"].translation
    inwards = puppet.posed[f"middle_03_{s}"].translation - knuckle
    along = (knuckle - hand.translation).normalized()
    palm = (inwards - along * inwards.dot(along)).normalized()
    z = across.normalized()
    x = along.cross(z).normalized()
    matrix = Matrix((x, z.cross(x), z)).transposed().to_4x4()
    matrix.translation = hand.translation.lerp(knuckle, 0.85) + palm * (0.02 + min(prop.size[0], 0.11) / 2)
    return matrix


def _key_prop(thing, grips):
    thing.rotation_mode = "QUATERNION"
    for frame, matrix in enumerate(grips, 1):
        thing.location, thing.rotation_quaternion, _ = matrix.decompose()
        thing.keyframe_insert("location", frame=frame)
        thing.keyframe_insert("rotation_quaternion", frame=frame)


def _depths(folder, recipe, shot, people):
    """Writes objects/ and mask/; returns the objects' DepthRange or None, and for each frame which joints are seen."""
    scene, frames = bpy.context.scene, list(range(1, recipe.frames + 1))

    def rendered(things):
        return list(depth.render(things, scene, frames=frames, size=recipe.size)) if things \
            else [np.full(recipe.size[::-1], np.inf)] * len(frames)

    pictures, visible = objects.DepthPictures(str(folder), files.OBJECTS), []
    touched, own = rendered(shot.room.touched), rendered(shot.person.objects)
    around = rendered([thing for thing in shot.room.objects if thing not in shot.room.touched])
    for number, (near, him, far, person) in enumerate(zip(touched, own, around, people, strict=True), 1):
        pictures.add(near)
        if recipe.masked:
            objects.write_mask(str(folder), number, him)
        visible.append(truth.visible_joints(person[0], np.minimum(np.minimum(near, him), far)))
    return pictures.write(), visible


def _write_json(folder, name, people):
    files.write_whole(files.path(folder, name),
                      json.dumps({"version": version.POSE, "frames": [{"people": one} for one in people]}).encode())
