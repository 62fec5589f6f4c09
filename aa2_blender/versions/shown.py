"""Which version of a shot the artist means: the active strip's, the one that is shown, or the newest."""
from pathlib import Path

from ..embedded.engine.contract import files
from ..place.strip import folder_of, of_ours
from ..settings.request_of import job_folder
from . import folders


def strips_of_shot(scene) -> list:
    """The strips of the version that the artist means: of the active strip's shot if that strip is ours, else of the
    settings' shot."""
    placed = of_ours(scene)
    active = scene.sequence_editor.active_strip if scene.sequence_editor else None
    if active is not None and active in placed:
        return [strip for strip in placed if folder_of(strip) == folder_of(active)]
    shot = job_folder(scene)
    shown = [strip for strip in placed if Path(folder_of(strip)).parent == shot
             and folders.is_version(folder_of(strip))]
    return [strip for strip in shown if folder_of(strip) == folder_of(shown[0])]


def folder_of_shot(scene) -> Path | None:
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
