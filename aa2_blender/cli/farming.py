"""`aa2 farm`: the job for a render farm is written, as by the panel Farm. Nothing is gathered and nothing is saved."""
import sys
import threading
from pathlib import Path

import bpy

from ..blender_api import sequencer_scene
from ..embedded.engine.contract.errors import JobError
from ..farm import bundle
from ..farm.core_hours import in_all
from ..farm.shots import chosen, problems_of
from ..gather.problem import GatherError
from ..tasks.task import TaskState
from .asking import named, set_values
from .ending import DONE, PROBLEMS, failure
from .generating import Tell


def farm(_stop: threading.Event, _tell: Tell, *, folder: str, job: str | None, save: str | None, pack: str | None,
         scene: str, strip: str | None, target: str | None, **options) -> tuple[int, dict]:
    """Write a farm job into `folder`; (exit code, summary). `job` is the version to make of the only shot, None for the
    next one; `save` is the file with the strips, None for one beside the open one. `options` are settings of the panel
    Farm by their names, None for what the file says."""
    try:
        shot = named(bpy.data.scenes, scene, "scene") if scene else sequencer_scene(bpy.context)
        set_values(shot.aa2, {"strip": strip, "farm_target": target and target.upper(), **options})
        shots = chosen(shot, shot.aa2.farm_all)
        for problem in problems_of(shots):
            raise problem
        if job and len(shots) > 1:
            raise GatherError("One folder was given for several shots.", "Leave out --job, or --all.")
        where = Path(folder).resolve()
        plan = bundle.planned(shot, shots, version=Path(job).resolve() if job else None, pack=pack,
                              placed=str(Path(save).resolve()) if save else "")
        warnings = [f"Outside of the project, so the farm may not find it: {path}" for path in plan.outside]
        for warning in warnings:
            print(f"aa2: {warning}", file=sys.stderr, flush=True)
        written = bundle.write(plan, where)
    except JobError as error:
        return PROBLEMS, failure(error)
    made = plan.job.shots
    hours = in_all([one.core_hours for one in made])
    return DONE, {"state": TaskState.DONE, "files": [str(path) for path in written],
                  "jobs": [str(one.job) for one in made], "placed": plan.job.placed,
                  "tasks": sum(max(len(one.parts), 1) for one in made),
                  "core_hours": None if hours is None else round(hours, 3),
                  "command": bundle.command(plan.target, where), "warnings": warnings, "error": None}
