"""The shots of a file that go to a farm together, and what is missing for them."""
import os
from collections.abc import Sequence
from pathlib import Path

import bpy

from ..cost import EMBEDDED_PACK, cores, cost_of, pack_folder, rate_of, tells_time, work
from ..embedded.engine.contract import files
from ..embedded.engine.contract.errors import JobError
from ..gather.camera import size_of
from ..gather.light import balls_of
from ..gather.problem import GatherError
from ..gather.strip import find, frames_of
from ..place.marks import marked
from ..settings.preferences import engine_launch
from ..settings.request_of import Asked
from ..versions.folders import vacant
from .core_hours import core_hours
from .division import light_tasks, part_tasks, parts_in, plan_of
from .job import FarmShot, Wish


def wish_of(scene: bpy.types.Scene) -> Wish:
    """What the settings of the panel say."""
    ours = scene.aa2
    return Wish(ours.farm_frames, ours.farm_run_in, ours.farm_each, ours.farm_gpu)


def chosen(scene: bpy.types.Scene, every: bool, pack: str | None = None) -> list[Asked]:
    """The shot of a scene; with `every`, also those of all plates of the file that have settings of their own. `pack`
    as for Asked."""
    first = Asked(scene, pack=pack)
    if not every:
        return [first]
    plates = [plate for one in bpy.data.scenes for plate in marked(one)]
    here = [] if first.plate is None or first.plate in plates else [first]
    return [*here, *(Asked(plate.id_data, plate, pack) for plate in plates)]


def problems_of(shots: Sequence[Asked]) -> list[JobError]:
    """All that is missing before a farm can make the shots, each once; of several shots, it says of which."""
    found: dict[str, JobError] = {}
    if not bpy.data.filepath:
        unsaved = GatherError("A farm opens this file, and it is not saved.", "Save it first.", "save_file")
        found[unsaved.message] = unsaved
    for asked in shots:
        for error in asked.problems:
            message = error.message if len(shots) == 1 else f"{asked.folder.name}: {error.message}"
            if error.action != "save_file":
                found.setdefault(message, GatherError(message, error.remedy, error.action))
    return [*found.values(), *_of_engines(shots)]


def _of_engines(shots: Sequence[Asked]) -> list[JobError]:
    """Why the shots' engines cannot be started here, where their weights are known, or not be in one job."""
    found, packs = list[JobError](), set[str]()
    for engine in sorted({asked.request.settings.engine for asked in shots}):
        try:
            packs.add(chosen_pack(engine))
        except JobError as error:
            found.append(error)
    if len(packs) > 1:
        found.append(GatherError("The shots have different engines, and a farm job has one folder of weights.",
                                 "Write the shots one by one, without All Shots."))
    return found


def farm_shot(asked: Asked, wish: Wish, reserved: Sequence[Path] = (), *, job: Path | None = None,
              pack: str | None = None) -> FarmShot:
    """A shot as the farm makes it; quick enough for a redraw. `job`: the folder to make it in, None for the next
    version; `pack` replaces the weights of the preferences. Raises JobError."""
    request, scene = asked.request, asked.scene
    first, last = frames_of(find(scene, request.strip), request.frames)
    frames, launch = last - first + 1, engine_launch(request.settings.engine, pack=pack)
    weights, rate = pack_folder(launch), rate_of(launch)
    asks = work(frames, size_of(scene), request.settings, weights, performed=request.performer,
                balls=balls_of(asked.light, frames, performed=request.performer), lit=request.is_lit)
    plan = plan_of(wish.frames, wish.run_in, asks)
    count = parts_in(asks, plan)
    return FarmShot(
        title=asked.folder.name, job=job or _next(asked.folder, reserved), request=request, frames=frames, plan=plan,
        count=count, parts=part_tasks(count, wish.each), light=light_tasks(frames) if request.is_lit else (),
        memory_mb=cost_of(asks, rate).memory_mb,
        core_hours=core_hours(asks, rate, cores(launch), plan=plan, parts=count) if tells_time(rate, weights) else None)


def placed_beside(blend: str) -> str:
    """The file with the strips, beside the artist's own, which somebody may have open."""
    stem, ending = os.path.splitext(blend)
    return f"{stem} placed{ending}"


def chosen_pack(engine: str, pack: str | None = None) -> str:
    """The folder of an engine's weights, "" for the embedded ones, which every machine has. Raises JobError."""
    folder = pack_folder(engine_launch(engine, pack=pack))
    return "" if folder == EMBEDDED_PACK else os.path.abspath(folder)


def _next(shot: Path, reserved: Sequence[Path]) -> Path:
    """The version that the farm makes: the last one that a job was written for, if no machine has begun it, so that a
    job may be written again; else the next one."""
    newest = vacant(shot, reserved)
    last = newest.with_name(f"v{int(newest.name[1:]) - 1:03}")
    has_begun = any((last / name).exists() for name in (files.JOB, files.REQUEST))
    return last if (last / files.FARM).exists() and not has_begun else newest
