"""A job folder -> surface/: the surface that the job carries, posed for every frame with somebody in it. Needs no
weights.

The driver's scene lights this surface (aa2_blender/gather), so it has the places that the engine draws it at.
"""

import functools
import io
from collections.abc import Callable

import numpy as np

from ..conditions.bundle import build_reference
from ..conditions.character import Character
from ..conditions.frames import as_bits
from ..conditions.poses import Figure
from ..conditions.surface.avatar import Avatar
from ..conditions.surface.drawing import CONFIDENCE, Placed, place
from ..contract import files, jobs
from ..contract.errors import JobError
from ..contract.messages import Finished
from ..layers.compose import canvas_of
from .plan import FactsOf, Plan, plan_job
from .progress import Watch
from .subject import FindJoints, find_subject

_OTHER_LIGHT = "Or choose another source of the light."


def write_surface(folder: str, *, facts: FactsOf | None = None, emit: Callable[[object], None],
                  find_joints: FindJoints, stop_asked: Callable[[], bool] = lambda: False) -> Finished:
    """Write surface/mesh.npz and the vertices of every frame (docs/architecture.md). A frame that shows nobody, or in
    which hips or shoulders are not known, has none. facts: of the engine, for a job; None for the embedded one.

    Raises JobError if the reference can have no surface, or if the camera's focal length is not known.
    """
    files.refuse_links(folder)
    watch = Watch(folder, emit, stop_asked)
    with watch.stage("prepare"):
        job = jobs.read(folder)
        look = functools.partial(find_subject, folder, job, find_joints=find_joints, emit=emit)
        plan = plan_job(folder, job, look, facts and facts(job))
    watch.begin("surface", job.frames)
    with watch.stage("reference"):
        character = build_reference(plan.shot, *plan.subject).character
    if character is None or character.avatar is None:
        raise JobError("reference_invalid", "The reference can have no surface, because its hips or shoulders cannot "
                       "be found. So the scene cannot light it.", f"Set these joints by hand. {_OTHER_LIGHT}")
    watch.work_begins()
    with watch.stage("write"):
        files.remove_numbered(files.path(folder, files.SURFACE), ("npy",))
        _write(files.path(folder, files.MESH), np.savez, **mesh_of(character.avatar, boxes_of(plan)))
    made = 0
    for number in range(1, job.frames + 1):
        with watch.stage("write"):
            made += _write_frame(plan, character, number)
        watch.advance("surface")
    return Finished(folder, job.frames, made, 0, job.frames - made, round(watch.seconds, 3), watch.stages)


def mesh_of(avatar: Avatar, boxes: np.ndarray) -> dict[str, np.ndarray]:
    """What all frames share: faces (T, 3) int32, uvs (T, 3, 2) float32 0..1 from the atlas' left top, atlas (H, W, 3)
    uint8 sRGB, confidence (T,) float32 0..1, boxes as from boxes_of."""
    sides = np.array(avatar.atlas.shape[1::-1], np.float32)
    return {"faces": avatar.faces.astype(np.int32), "uvs": avatar.uv.astype(np.float32) / sides,
            "atlas": as_bits(avatar.atlas), "confidence": CONFIDENCE[avatar.source], "boxes": boxes}


def boxes_of(plan: Plan) -> np.ndarray:
    """(frames, 4) int32: left, top, right, bottom of the job's pixels that the engine composes in each frame; zeros
    where nobody is."""
    job, shot = plan.shot.job, plan.shot.plan
    boxes = [canvas_of(job.size, job.bits, crop).box if there else (0, 0, 0, 0)
             for crop, there in zip(shot.crops, shot.present, strict=True)]
    return np.array(boxes, np.int32).reshape(-1, 4)


def in_camera(placed: Placed, focal: float, size: tuple[int, int]) -> np.ndarray:
    """(V, 3) float32 metres in the camera's axes (x right, y down, z away) of vertices that are placed in a picture of
    `size` (w, h). The camera looks through the picture's middle, with square pixels and `focal` pixels."""
    depth = placed.places[:, 2]
    aside = (placed.places[:, :2] - np.array(size) / 2) * (depth / focal)[:, None]
    return np.column_stack([aside, depth]).astype(np.float32)


def _write_frame(plan: Plan, character: Character, number: int) -> bool:
    """Write the vertices of a frame; returns False if there are none."""
    shot = plan.shot
    figure: Figure | None = character.figures[number - 1] if shot.plan.present[number - 1] else None
    placed = None
    if figure is not None and character.avatar is not None:
        placed = place(character.avatar, figure, character.depth_worth, figure.turns)
    if figure is None or placed is None:
        return False
    if figure.focal is None or placed.space.flat:
        raise JobError("pose_invalid", f"pose.json: frame {number}: expected focal_px and the depth of the "
                       "hips: without them the surface has no place in the scene.",
                       f"Use a perspective camera. {_OTHER_LIGHT}")
    _write(files.vertices(shot.folder, number), np.save, in_camera(placed, figure.focal, shot.job.size),
           allow_pickle=False)
    return True


def _write(path: str, save: Callable[..., None], *values: np.ndarray, **named: object) -> None:
    data = io.BytesIO()
    save(data, *values, **named)
    files.write_whole(path, data.getbuffer())

