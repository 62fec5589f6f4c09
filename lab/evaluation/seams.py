"""`lab seams`: how far a long shot that is made in parts is from the same shot made in one run.

For each run-in: how much the frames before a seam differ from those that the run-in made (what `assemble` measures);
how many windows it repairs; how large the step at the seams is, before and after the repair, in proportion to that of
the sequential run; and how much all frames differ from the sequential run's.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import cv2
import numpy as np

from engine.contract import files, jobs, parts
from engine.job.split import assemble, planned, run_shot

from .held_out import recipe
from .weights import open_engine

LONG, SHOTS = 200, 2
NOISE = 1.5         # pixels: what is blurred away before a step is measured
OURS = ("parts", "frames", "shadow", "state", "preview", "shown", "output")


@dataclass(frozen=True)
class Scheme:
    """A plan of parts and what came of it. seams: of seams.json; before, after: the step at each seam in proportion to
    the sequential run's; difference: grey levels of 255 inside the character, of the whole shot, before the repair and
    after it; seconds: of one core, for all parts, and for the assembly."""

    plan: jobs.Parts
    seams: list[dict]
    before: list[float]
    after: list[float]
    difference: tuple[float, float]
    seconds: tuple[float, float]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lab seams", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", type=Path, nargs="*", help=f"job folders; without any, {SHOTS} of {LONG} frames are "
                                                           "drawn from the fast world")
    parser.add_argument("--windows", type=int, default=8, help="of a part")
    parser.add_argument("--run-ins", type=int, nargs="+", default=[0, 1, 2, 4, 6, 8])
    parser.add_argument("--pack", help="weights (the embedded ones)")
    parser.add_argument("--keep", type=Path, help="where shots are drawn (a folder that is removed at the end)")
    options = parser.parse_args(arguments)
    engine = open_engine(options.pack)
    with tempfile.TemporaryDirectory(prefix="seams-") as scratch:
        kept = options.keep or Path(scratch)
        for folder in options.jobs or [drawn(kept / f"long{k}", k) for k in range(SHOTS)]:
            plans = [jobs.Parts(options.windows, run_in) for run_in in options.run_ins]
            for line in table(folder, measured(folder, engine, plans, Path(scratch))):
                print(line, flush=True)
    return 0


def drawn(folder: Path, k: int) -> Path:
    """A long shot of the fast world's held-out clip k; needs torch if it is not there yet."""
    if not (folder / files.JOB).exists():
        from ..training.clip_folder import write_clip
        write_clip(folder, frames=LONG, **recipe(k))
    return folder


def measured(folder: Path, engine, plans: Sequence[jobs.Parts], scratch: Path):
    """Yields a Scheme for each plan. The job in `folder` is copied; nothing is written to it."""
    whole = _made(_copied(folder, scratch / "whole", None), engine)
    with mock.patch.object(parts, "MOST_WHOLE", 0):     # a short shot is split as well
        for plan in plans:
            split = _copied(folder, scratch / "split", plan)
            yield _scheme(split, whole, engine, plan)
            shutil.rmtree(split)
    shutil.rmtree(whole)


def _scheme(split: Path, whole: Path, engine, plan: jobs.Parts) -> Scheme:
    asked = {"emit": lambda event: None, "find_joints": engine.find_joints}
    every = planned(str(split), engine.pack, engine.find_joints)
    began = time.process_time()
    for part in every:
        run_shot(str(split), engine.pack, engine.runtime, part=part.number, **asked)
    in_parts = time.process_time()
    assemble(str(split), engine.pack, engine.runtime, **asked)
    ended = time.process_time()
    own = {number: Path(files.part_folder(str(split), part.number)) for part in every for number in part.made}
    after = dict.fromkeys(own, split)
    firsts = [part.made[0] for part in every[1:]]
    steps = [_steps(where, whole, firsts) for where in (own, after)]
    apart = tuple(float(np.mean([_apart(where[number], whole, number) for number in sorted(own)]))
                  for where in (own, after))
    seams = json.loads(Path(files.path(str(split), files.SEAMS)).read_text())["seams"]
    return Scheme(plan, seams, *steps, apart, (in_parts - began, ended - in_parts))


def _copied(folder: Path, to: Path, plan: jobs.Parts | None) -> Path:
    shutil.copytree(folder, to, ignore=lambda where, names: OURS if Path(where) == folder else ())
    job = jobs.read(str(to))
    jobs.write(str(to), replace(job, parts=plan, fix=None))
    return to


def _made(folder: Path, engine) -> Path:
    run_shot(str(folder), engine.pack, engine.runtime, emit=lambda event: None, find_joints=engine.find_joints)
    return folder


def _frame(folder: Path, number: int) -> np.ndarray:
    """(h, w, 4) float32 0..255, BGRA."""
    return cv2.imread(files.picture(str(folder), files.FRAMES, number), cv2.IMREAD_UNCHANGED).astype(np.float32)


def _steps(where: dict[int, Path], whole: Path, firsts: Sequence[int]) -> list[float]:
    """At each of these frames, the step from the frame before in proportion to the sequential run's. Both are moved by
    the optical flow of the sequential run first, so that motion is no step."""
    found = []
    for number in firsts:
        true = [_frame(whole, n) for n in (number - 1, number)]
        made = [_frame(where[n], n) for n in (number - 1, number)]
        grey = [cv2.cvtColor(frame[..., :3].astype(np.uint8), cv2.COLOR_BGR2GRAY) for frame in true]
        flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(grey[1], grey[0], None)
        inside = true[1][..., 3] > 127
        if inside.any():
            found.append(_step(made, flow, inside) / max(_step(true, flow, inside), 1e-6))
    return found


def _step(pair: Sequence[np.ndarray], flow: np.ndarray, inside: np.ndarray) -> float:
    height, width = inside.shape
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    before = cv2.remap(pair[0][..., :3], columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR,
                       borderMode=cv2.BORDER_REPLICATE)
    return float(np.abs(cv2.GaussianBlur(pair[1][..., :3] - before, (0, 0), NOISE)).mean(axis=-1)[inside].mean())


def _apart(where: Path, whole: Path, number: int) -> float:
    made, true = _frame(where, number), _frame(whole, number)
    inside = true[..., 3] > 127
    return float(np.abs(made - true)[..., :3].mean(axis=-1)[inside].mean()) if inside.any() else 0.0


def table(folder: Path, schemes) -> list[str]:
    """Lines of Markdown."""
    lines = [f"{folder.name}", "",
             "| run-in | seams | differ by (most) | repaired | windows made again | step before (most) | after "
             "(most) | all frames before | after | core seconds: parts, assembly |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for one in schemes:
        apart = [seam["difference"] for seam in one.seams]
        again = [seam["repaired"] for seam in one.seams]
        lines.append(f"| {one.plan.run_in} | {len(apart)} | {_mean_and_most(apart)} | {sum(map(bool, again))} | "
                     f"{sum(again)} | {_mean_and_most(one.before)} | {_mean_and_most(one.after)} | "
                     f"{one.difference[0]:.3f} | {one.difference[1]:.3f} | "
                     f"{one.seconds[0]:.0f}, {one.seconds[1]:.0f} |")
    return [*lines, ""]


def _mean_and_most(values: Sequence[float]) -> str:
    return f"{np.mean(values):.2f} ({max(values):.2f})" if values else "-"
