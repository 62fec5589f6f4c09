"""Shots -> a job for Flamenco, whose type is aa2_character.js beside this file. Its job type calls `settings` when
somebody submits the file by Flamenco's own add-on."""
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from ..gather.problem import GatherError
from .job import FarmShot
from .shots import chosen, chosen_pack, farm_shot, placed_beside, problems_of, wish_of

SCRIPT = Path(__file__).with_name("aa2_character.js")
JOB_TYPE = "aa2-character"      # Flamenco makes it of the script's name
# Python's names of systems -> Flamenco's (those of Go).
_SYSTEMS = {"win32": "windows", "darwin": "darwin"}
_PRIORITY = 50                  # Flamenco's own default


def job(name: str, shots: Sequence[FarmShot], *, blend: str, placed: str, pack: str) -> dict[str, Any]:
    """The job as Flamenco's interface takes it (POST /api/v3/jobs). Each path is a setting of its own, because two-way
    variables replace only the beginning of a setting."""
    return {"name": name, "type": JOB_TYPE, "priority": _PRIORITY,
            "submitter_platform": _SYSTEMS.get(sys.platform, "linux"),
            "settings": {"blendfile": _slashed(blend), **job_settings(shots, placed=placed, pack=pack)}}


def job_settings(shots: Sequence[FarmShot], *, placed: str, pack: str) -> dict[str, str]:
    """The settings of the job type that say what is made."""
    root = _common([shot.job.parent for shot in shots])
    told = [{"name": shot.title, "scene": shot.request.scene, "strip": shot.request.strip,
             "job": _slashed(os.path.relpath(shot.job, root)), "part_windows": shot.plan.windows,
             "run_in": shot.plan.run_in, "parts": shot.parts, "light": shot.light} for shot in shots]
    return {"jobs": _slashed(root), "shots": json.dumps(told), "placed": _slashed(placed), "pack": _slashed(pack)}


def settings(scene: bpy.types.Scene) -> dict[str, str]:
    """The settings for the shots that the panel Farm means. Called by Flamenco's add-on, which shows what it raises."""
    asked = chosen(scene, scene.aa2.farm_all)
    for problem in problems_of(asked):
        raise problem
    shots = [farm_shot(one, wish_of(scene)) for one in asked]
    pack = chosen_pack(shots[0].request.settings.engine)    # of all of them (shots.problems_of)
    return job_settings(shots, placed=placed_beside(bpy.data.filepath), pack=pack)


def _common(folders: Sequence[Path]) -> str:
    """The folder that holds all of these."""
    try:
        return os.path.commonpath(folders)
    except ValueError:
        raise GatherError(f"The shots are on several drives: {', '.join(map(str, folders))}.",
                          "Choose one drive in Look > Jobs, or write the shots one by one.") from None


def _slashed(path: str) -> str:
    return path.replace(os.sep, "/")
