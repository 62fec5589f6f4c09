"""The shots of a scene's panel -> the files of a farm job in one folder, and the command that hands them in."""
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..embedded.engine.contract import files
from ..gather.problem import GatherError
from ..settings.request_of import Asked
from ..settings.table import FarmTarget
from ..versions.farm import write_mark
from . import flamenco, openjd
from .job import Job
from .paths import Needed, needed, outside, project_of
from .shots import chosen_pack, farm_shot, placed_beside, wish_of

TEMPLATE, VALUES, ASSETS = "template.json", "parameter_values.json", "asset_references.json"
PLAIN_VALUES = "parameters.json"    # the same values for `openjd run`, which reads another form
FLAMENCO_JOB = "flamenco_job.json"
_MANAGER = "http://localhost:8080"  # where a Flamenco Manager answers unless it is told otherwise


@dataclass(frozen=True)
class Planned:
    """A job that can be written. `outside`: what it reads or writes outside of the project (paths.outside)."""

    target: FarmTarget
    job: Job
    needs: Needed
    outside: tuple[str, ...]


def planned(scene: bpy.types.Scene, chosen: Sequence[Asked], *, reserved: Sequence[Path] = (),
            version: Path | None = None, placed: str = "", pack: str | None = None) -> Planned:
    """The job for these shots (shots.chosen), as the scene's panel asks for it. `reserved`: versions that wait in a
    queue; `version`: the folder to make the only shot in, None for the next version; `placed`: the file to save, "" for
    one beside the open one; `pack` replaces the weights of the preferences. Raises JobError."""
    wish = wish_of(scene)
    shots = tuple(farm_shot(asked, wish, reserved, job=version, pack=pack) for asked in chosen)
    name = shots[0].title if len(shots) == 1 else Path(bpy.data.filepath).stem
    weights = chosen_pack(shots[0].request.settings.engine, pack)   # of all of them (shots.problems_of)
    job = Job(name, shots, wish, bpy.data.filepath, placed or placed_beside(bpy.data.filepath), weights)
    needs = needed(shots)
    return Planned(FarmTarget(scene.aa2.farm_target), job, needs, tuple(outside(project_of(scene), needs, job)))


def write(plan: Planned, folder: Path) -> list[Path]:
    """Write a job into a folder, in which other files stay, and mark its versions as the farm's. Returns what was
    written. Raises JobError."""
    made = _openjd(plan.job, plan.needs) if plan.target is FarmTarget.OPENJD else _flamenco(plan.job)
    for name, data in made.items():
        files.write_whole(folder / name, data)
    for shot in plan.job.shots:
        write_mark(shot.job, plan.target.lower(), shot.count)
    return [folder / name for name in made]


def main_file(target: FarmTarget, folder: Path) -> Path:
    """The file that shows that a job was written."""
    return folder / (TEMPLATE if target is FarmTarget.OPENJD else FLAMENCO_JOB)


def command(target: FarmTarget, folder: Path) -> str:
    """The command line that runs the job here, or hands it to the farm's manager."""
    words = ["openjd", "run", str(folder / TEMPLATE), "--step", openjd.LAST_STEP, "--run-dependencies", "--job-param",
             f"file://{folder / PLAIN_VALUES}"]
    if target is FarmTarget.FLAMENCO:
        words = ["curl", "--fail", "--header", "Content-Type: application/json", "--data",
                 f"@{folder / FLAMENCO_JOB}", f"{_MANAGER}/api/v3/jobs"]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def _openjd(job: Job, needs: Needed) -> dict[str, bytes]:
    if len(job.shots) > openjd.MOST_SHOTS:
        raise GatherError(f"An OpenJD job holds at most {openjd.MOST_SHOTS} shots, and these are {len(job.shots)}.",
                          "Write the shots one by one, without All Shots.")
    values = openjd.values(job.shots, blend=job.blend, placed=job.placed, pack=job.pack)
    made = openjd.asset_references(needs.files, needs.folders, sorted({str(shot.job) for shot in job.shots}))
    return {TEMPLATE: _json(openjd.template(job.name, job.shots, job.wish, has_pack=bool(job.pack))),
            VALUES: _json(openjd.parameter_values(values)), PLAIN_VALUES: _json(values), ASSETS: _json(made)}


def _flamenco(job: Job) -> dict[str, bytes]:
    written = flamenco.job(job.name, job.shots, blend=job.blend, placed=job.placed, pack=job.pack)
    return {FLAMENCO_JOB: _json(written), flamenco.SCRIPT.name: flamenco.SCRIPT.read_bytes()}


def _json(value: dict) -> bytes:
    """ASCII, so that it is read alike whatever a system takes text files for."""
    return (json.dumps(value, indent=2) + "\n").encode("ascii")
