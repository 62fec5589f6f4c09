"""The files of the disk that shots need, and which of them lie outside of the project that the farm's machines have."""
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..blender_api import Strip, strips
from ..gather.media import inputs
from ..gather.request import Request
from ..gather.strip import find
from .job import FarmShot, Job

_SEVERAL = ("<UDIM>", "<UVTILE>")   # in the name of a file that stands for several


@dataclass(frozen=True)
class Needed:
    """`files` are those that are there, `folders` are needed as a whole; absolute, sorted."""

    files: tuple[str, ...]
    folders: tuple[str, ...]


def needed(shots: Sequence[FarmShot]) -> Needed:
    """The .blend file and all that it and the shots read. Results that earlier versions laid are left out."""
    found = {bpy.data.filepath, *bpy.utils.blend_paths(absolute=True, packed=True, local=False)}
    for shot in shots:
        found.update(_of_request(shot.request))
    made = tuple({os.path.join(os.path.abspath(shot.job.parent), "") for shot in shots})
    paths = {os.path.abspath(path) for path in found if path}
    paths = {path for path in paths if not path.startswith(made)}
    folders = {os.path.dirname(path) for path in paths if any(word in os.path.basename(path) for word in _SEVERAL)}
    return Needed(tuple(sorted(path for path in paths if os.path.isfile(path))),
                  tuple(sorted({*folders, *(path for path in paths if os.path.isdir(path))})))


def project_of(scene: bpy.types.Scene) -> Path:
    """The folder that all machines of the farm have."""
    return Path(os.path.abspath(bpy.path.abspath(scene.aa2.farm_project or "//")))


def outside(project: Path, needs: Needed, job: Job) -> list[str]:
    """The paths that a job reads or writes and that are not inside the project; several files of one folder are named
    by their folder."""
    made = (job.placed, *(str(shot.job) for shot in job.shots))
    strange = [path for path in (*needs.files, *needs.folders, *made) if not _is_inside(path, project)]
    by_folder: dict[str, list[str]] = {}
    for path in strange:
        by_folder.setdefault(os.path.dirname(path), []).append(path)
    return [paths[0] if len(paths) == 1 else os.path.join(folder, "") for folder, paths in sorted(by_folder.items())]


def _is_inside(path: str, project: Path) -> bool:
    try:
        return os.path.commonpath((os.path.normcase(path), os.path.normcase(project))) == os.path.normcase(project)
    except ValueError:      # another drive
        return False


def _of_request(request: Request) -> Iterator[str]:
    yield from filter(None, (request.bone_map, request.reference.name if request.reference.kind == "FILE" else "",
                             request.light_picture.name if request.light_picture.kind == "FILE" else ""))
    scene = bpy.data.scenes[request.scene]
    names = (request.strip, request.mask_strip, request.clean_strip, request.front_strip,
             request.reference.name if request.reference.kind == "STRIP" else "")
    for name in filter(None, names):
        yield from _of_strip(find(scene, name))


def _of_strip(strip: Strip) -> Iterator[str]:
    """The files behind a strip; blend_paths names only the first picture of each."""
    if strip.type == "META":
        for child in strips(strip):
            yield from _of_strip(child)
    elif strip.type == "SCENE" and strip.scene and strip.scene_input == "SEQUENCER" and strip.scene.sequence_editor:
        for child in strips(strip.scene.sequence_editor):
            yield from _of_strip(child)
    elif strip.type == "IMAGE":
        folder = bpy.path.abspath(strip.directory)
        yield from (os.path.join(folder, element.filename) for element in strip.elements)
    elif strip.type in ("MOVIE", "SOUND"):
        yield bpy.path.abspath(strip.filepath if strip.type == "MOVIE" else strip.sound.filepath)
    else:
        for source in inputs(strip):
            yield from _of_strip(source)
