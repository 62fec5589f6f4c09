"""Shots and a target -> the files of a farm job in one folder, and the command that hands them in."""
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import bpy

from ..embedded.engine.contract import files
from ..gather.problem import GatherError
from ..settings.table import FarmTarget
from . import flamenco, openjd
from .job import FarmShot, Job
from .paths import Needed

TEMPLATE, VALUES, ASSETS = "template.json", "parameter_values.json", "asset_references.json"
PLAIN_VALUES = "parameters.json"    # the same values for `openjd run`, which reads another form
FLAMENCO_JOB = "flamenco_job.json"
_MANAGER = "http://localhost:8080"  # where a Flamenco Manager answers unless it is told otherwise


def name_of(shots: Sequence[FarmShot]) -> str:
    """The job's name, and that of its folder."""
    return shots[0].title if len(shots) == 1 else Path(bpy.data.filepath).stem


def write(target: FarmTarget, folder: Path, job: Job, needs: Needed) -> list[Path]:
    """Write the job's files; returns their paths. Other files in the folder stay. Raises JobError."""
    if target is FarmTarget.OPENJD and len(job.shots) > openjd.MOST_SHOTS:
        raise GatherError(f"An OpenJD job holds at most {openjd.MOST_SHOTS} shots, and these are {len(job.shots)}.",
                          "Write the shots one by one, without All Shots.")
    written = _openjd(job, needs) if target is FarmTarget.OPENJD else _flamenco(job)
    for name, data in written.items():
        files.write_whole(folder / name, data)
    return [folder / name for name in written]


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
