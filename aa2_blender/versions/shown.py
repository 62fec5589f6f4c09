"""Which version of a shot the artist means: the active strip's, the one that is shown, or the newest; and laying one
where its plate is now."""
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import bpy

from ..blender_api import Strip, all_strips, content_start
from ..embedded.engine.contract import files
from ..gather.request import Request
from ..place.marks import is_laid, of_laid
from ..place.strip import folder_of, lay_frames, of_ours
from ..settings.plates import plate_of
from ..settings.request_of import job_folder, request_of
from ..settings.table import ReferenceKind
from . import folders, runs


def strips_of_shot(scene: bpy.types.Scene) -> list[Strip]:
    """The strips of the version that the artist means: of the active strip's version if that strip is ours, else of the
    plate's."""
    shown = _laid_over(scene, plate_of(scene))
    active = scene.sequence_editor.active_strip if scene.sequence_editor else None
    if active is not None and active in shown:
        return [strip for strip in shown if folder_of(strip) == folder_of(active)]
    shown = [strip for strip in shown if folders.is_version(folder_of(strip))]
    return [strip for strip in shown if folder_of(strip) == folder_of(shown[0])]


def _laid_over(scene: bpy.types.Scene, plate: Strip | None) -> list[Strip]:
    """Our strips over a plate. Those without a mark are known by the folder of the plate's versions."""
    shot = job_folder(scene)
    owned = [(strip, of_laid(strip)) for strip in of_ours(scene)]
    return [strip for strip, owner in owned
            if owner == plate and plate or owner is None and Path(folder_of(strip)).parent == shot]


def folder_of_shot(scene: bpy.types.Scene) -> Path | None:
    """The version's folder: the shown one's, else the newest with frames; None if nothing is generated yet."""
    shown = strips_of_shot(scene)
    if shown:
        return Path(folder_of(shown[0]))
    made = [path for path in folders.versions(job_folder(scene)) if files.has(path, files.FRAMES)]
    return made[-1] if made else None


def other_versions(folder: Path) -> list[Path]:
    """All versions of the shot that have frames, including this one, oldest first."""
    found = folders.versions(folder.parent) if folders.is_version(folder) else [folder]
    return [path for path in found if files.has(path, files.FRAMES)]


def is_another_shown(plate: Strip | None, folder: Path) -> bool:
    """Whether another version than this one lies over the plate."""
    return plate is not None and any(
        of_laid(strip) == plate and folders.is_version(folder_of(strip)) and Path(folder_of(strip)) != folder
        for strip in of_ours(plate.id_data))


def moved_by(plate: Strip | None, folder: Path) -> int:
    """How many frames later a version's plate begins now than when the version was gathered."""
    request = folders.read_request(folder)
    return _moved(plate, request) if plate is not None and request is not None else 0


def _moved(plate: Strip, request: Request) -> int:
    return round(content_start(plate)) - request.starts if request.starts is not None else 0


def differs_in_reference(scene: bpy.types.Scene, folder: Path) -> bool:
    """Whether the reference that is chosen now is another one than the version's, or its file was changed since."""
    request, now = folders.read_request(folder), request_of(scene).reference
    if request is None:
        return False
    then = request.reference
    if (then.kind, then.name, then.frame) != (now.kind, now.name, now.frame):
        return True
    with suppress(OSError):
        written = os.path.getmtime(folder / files.REFERENCE)
        return now.kind == ReferenceKind.FILE and os.path.getmtime(now.name) > written
    return False


def request_now(request: Request, plate: Strip) -> Request:
    """A stored request for its plate as that is called and lies on the timeline now."""
    moved = _moved(plate, request)
    return replace(request, scene=plate.id_data.name, strip=plate.name, plate=plate.aa2.uid,
                   starts=round(content_start(plate)),
                   frames=tuple(frame + moved for frame in request.frames) if request.frames else None,
                   performer_frame=request.performer_frame + moved if request.performer_box else 0)


def lay_version(scene: bpy.types.Scene, folder: Path, plate: Strip | None, pack: str = "",
                say: Callable[[str], object] = lambda text: None) -> tuple[str, ...]:
    """Lay a version's frames over its plate, wherever that is now; returns the names of the strips, shadow first.
    `pack` is the hash of the weights, "" that of the version's last run. `say` is told if strips of the artist were
    moved up. Raises PlaceError."""
    before = _channels(scene)
    names = lay_frames(scene, folder, plate.name if plate else "", pack or runs.pack_hash(folder),
                       moved_by(plate, folder))
    after = _channels(scene)
    raised = {name: after[name] - channel for name, channel in before.items() if after.get(name, channel) > channel}
    if raised:
        say(f"What was above the plate was moved up by {max(raised.values())} channels: {', '.join(sorted(raised))}.")
    return names


def _channels(scene: bpy.types.Scene) -> dict[str, int]:
    """The channels of all strips but ours."""
    there = all_strips(scene.sequence_editor) if scene.sequence_editor else ()
    return {strip.name: strip.channel for strip in there if not is_laid(strip)}
