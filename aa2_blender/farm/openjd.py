"""Shots -> an Open Job Description bundle, as plain dictionaries (specification jobtemplate-2023-09).

Every path is a parameter of type PATH, so that a farm maps it to where its machines have it. Names of the file are
parameters too: they may contain what a template would replace. Each action is a program and its arguments, never a line
for a shell. The template is JSON, which the specification allows beside YAML.
"""
from collections.abc import Mapping, Sequence
from typing import Any

from ..embedded.engine.contract.jobs import Parts
from .job import FarmShot, Wish

VERSION = "jobtemplate-2023-09"
# The limits of the specification: parameters of a template, letters of a job's name.
MOST_PARAMETERS, LONGEST_NAME = 50, 128
_SHARED, _OF_A_SHOT = 4, 3      # parameters: Blend, Placed, Blender, Pack; Job, Scene, Strip
MOST_SHOTS = (MOST_PARAMETERS - _SHARED) // _OF_A_SHOT
LAST_STEP = "Place"             # all other steps come before it
_PROGRESS = ("--progress", "openjd")
_BLOCK_MB = 512                 # memory is asked for in blocks of so many


def template(name: str, shots: Sequence[FarmShot], wish: Wish, *, has_pack: bool) -> dict[str, Any]:
    """The job template. `has_pack`: the job names the weights, so the machines do not use their own."""
    several = [_Steps(shot, wish, number=number, has_pack=has_pack)
               for number, shot in zip(_numbers(shots), shots, strict=True)]
    place = _aa2("place", "--job", *(one.job for one in several), "--save", "{{Param.Placed}}")
    made = [one.made() for one in several]
    steps = [*(step for steps in made for step in steps),
             _step(LAST_STEP, "Lay the strips and save the file", place, *(steps[-1]["name"] for steps in made))]
    return {"specificationVersion": VERSION, "name": _plain(name)[:LONGEST_NAME],
            "parameterDefinitions": _definitions(shots, has_pack), "steps": steps}


def values(shots: Sequence[FarmShot], *, blend: str, placed: str, pack: str) -> dict[str, str]:
    """The values of the parameters of type PATH."""
    jobs = {f"Job{number}": str(shot.job) for number, shot in zip(_numbers(shots), shots, strict=True)}
    return {"Blend": blend, "Placed": placed, **jobs, **({"Pack": pack} if pack else {})}


def parameter_values(given: Mapping[str, str]) -> dict[str, Any]:
    """The same as Deadline Cloud reads it."""
    return {"parameterValues": [{"name": name, "value": value} for name, value in given.items()]}


def asset_references(files: Sequence[str], folders: Sequence[str], made: Sequence[str]) -> dict[str, Any]:
    """What Deadline Cloud carries to and from machines that share no disk. `made`: the folders of the results."""
    return {"assetReferences": {"inputs": {"filenames": list(files), "directories": list(folders)},
                                "outputs": {"directories": list(made)}, "referencedPaths": []}}


def _numbers(shots: Sequence[FarmShot]) -> list[str]:
    """What ends the names of a shot's steps and parameters."""
    return [""] if len(shots) == 1 else [str(place) for place in range(1, len(shots) + 1)]


def _definitions(shots: Sequence[FarmShot], has_pack: bool) -> list[dict[str, Any]]:
    defined = [_path("Blend", "FILE", "IN", "The file with the shots"),
               _path("Placed", "FILE", "OUT", "The file to save with the strips in it"),
               {"name": "Blender", "type": "STRING", "default": "blender",
                "description": "The program, with the AA2 extension enabled"}]
    if has_pack:
        defined.append(_path("Pack", "DIRECTORY", "IN", "The weights"))
    for number, shot in zip(_numbers(shots), shots, strict=True):
        defined += [_path(f"Job{number}", "DIRECTORY", "INOUT", f"The version to make of {shot.title}"),
                    {"name": f"Scene{number}", "type": "STRING", "default": shot.request.scene},
                    {"name": f"Strip{number}", "type": "STRING", "default": shot.request.strip}]
    return defined


def _path(name: str, kind: str, flow: str, description: str) -> dict[str, str]:
    return {"name": name, "type": "PATH", "objectType": kind, "dataFlow": flow, "description": description}


class _Steps:
    """The steps that make the frames of one shot; `number` ends their names and those of its parameters."""

    def __init__(self, shot: FarmShot, wish: Wish, *, number: str, has_pack: bool) -> None:
        self.shot, self.number, self.job = shot, number, f"{{{{Param.Job{number}}}}}"
        self.pack = ["--pack", "{{Param.Pack}}"] if has_pack else []
        memory = -(-int(shot.memory_mb) // _BLOCK_MB) * _BLOCK_MB
        self.needs: dict[str, Any] = {"amounts": [{"name": "amount.worker.memory", "min": memory},
                                                  *([{"name": "amount.worker.gpu", "min": 1}] if wish.gpu else [])]}

    def made(self) -> list[dict[str, Any]]:
        """The steps in order, each after the one before."""
        steps = [self._step("Gather", _aa2(
            "gather", "--job", self.job, f"--scene={{{{Param.Scene{self.number}}}}}",
            f"--strip={{{{Param.Strip{self.number}}}}}", *plan_options(self.shot.plan), *self.pack))]
        if self.shot.light:
            light = _aa2("light", "--job", self.job, "--frames", "{{Task.Param.Frames}}")
            steps.append(self._step("Light", light, steps[-1], tasks=("Frames", self.shot.light)))
        if self.shot.parts:
            part = self._engine("run", "--part", "{{Task.Param.Part}}")
            steps.append(self._step("Generate", part, steps[-1], tasks=("Part", self.shot.parts), needs=self.needs))
            steps.append(self._step("Assemble", self._engine("assemble"), steps[-1], needs=self.needs))
        else:
            steps.append(self._step("Generate", self._engine("run"), steps[-1], needs=self.needs))
        return steps

    def _engine(self, word: str, *words: str) -> list[str]:
        return ["-b", "--command", "aa2", "engine", word, self.job, *words, *self.pack, *_PROGRESS]

    def _step(self, kind: str, arguments: list[str], *before: dict[str, Any], **more) -> dict[str, Any]:
        return _step(f"{kind} {self.number}".strip(), f"{kind}: {self.shot.title}", arguments,
                     *(step["name"] for step in before), **more)


def _aa2(*words: str) -> list[str]:
    return ["-b", "{{Param.Blend}}", "--command", "aa2", *words, *_PROGRESS]


def _step(name: str, description: str, arguments: list[str], *after: str,
          tasks: tuple[str, Sequence[str]] | None = None, needs: dict[str, Any] | None = None) -> dict[str, Any]:
    step: dict[str, Any] = {"name": name, "description": description}
    if after:
        step["dependencies"] = [{"dependsOn": one} for one in after]
    if needs:
        step["hostRequirements"] = needs
    if tasks:
        step["parameterSpace"] = {"taskParameterDefinitions": [
            {"name": tasks[0], "type": "STRING", "range": list(tasks[1])}]}
    step["script"] = {"actions": {"onRun": {"command": "{{Param.Blender}}", "args": arguments,
                                            "cancelation": {"mode": "NOTIFY_THEN_TERMINATE"}}}}
    return step


def plan_options(plan: Parts) -> list[str]:
    """The options of `aa2 gather` for the plan of a shot."""
    return ["--part-windows", str(plan.windows), "--run-in", str(plan.run_in)]


def _plain(name: str) -> str:
    """A name in which a template replaces nothing."""
    return "".join(letter for letter in name if letter.isprintable()).replace("{{", "{ {").replace("}}", "} }")
