"""Which laid strips belong to which plate.

With its first Generate, a plate gets a mark (`strip.aa2.uid`), and every strip that is laid for it carries the same
one. Both follow their strips when these are moved, trimmed, renamed, copied to another scene or appended to another
file.
"""
from collections.abc import Iterator

import bpy

from ..blender_api import Strip, all_strips, content_start

# Names of custom properties of laid strips: the job's folder, the mark of the plate, and the first frame of the strip's
# content less that of the plate's when it was laid.
JOB, PLATE, BETWEEN = "aa2_job", "aa2_plate", "aa2_between"


def mark(strip: Strip, plate: Strip | None) -> None:
    """Remember for which plate a strip was laid; a plate without a mark is remembered by nothing."""
    if plate is not None and plate.aa2.uid:
        strip[PLATE], strip[BETWEEN] = plate.aa2.uid, content_start(strip) - content_start(plate)


def laid(scene: bpy.types.Scene) -> list[Strip]:
    """The strips of a scene that were laid for a plate."""
    return [strip for strip in _all(scene) if is_laid(strip)]


def is_laid(strip: Strip) -> bool:
    """Whether a strip was laid for a plate."""
    return bool(strip.get(PLATE) or strip.get(JOB))


def laid_for(plate: Strip) -> list[Strip]:
    """The strips of a plate's scene that were laid for it."""
    return [strip for strip in laid(plate.id_data) if strip.get(PLATE) == plate.aa2.uid and of_laid(strip) == plate]


def of_laid(strip: Strip) -> Strip | None:
    """The plate for which a strip was laid; None if it carries no mark, or the plate is gone.

    Among copies of a plate it is the one that lies to the strip as the plate did when it was laid, then the nearest.
    """
    uid = strip.get(PLATE)
    if not uid:
        return None
    between = strip.get(BETWEEN, 0)

    def distance(plate: Strip) -> tuple[float, int, bool]:
        return (abs(content_start(strip) - content_start(plate) - between), abs(strip.channel - plate.channel),
                not _is_as_known(plate))
    return min(_with_mark(strip.id_data, uid), key=distance, default=None)


def is_copy(plate: Strip) -> bool:
    """Whether a strip is a copy of a plate that is still in the file: it has that one's mark, but not the name under
    which the mark was given."""
    return not _is_as_known(plate) and any(_is_as_known(other) for scene in bpy.data.scenes
                                           for other in _with_mark(scene, plate.aa2.uid) if other != plate)


def find(uid: str, scene: str, strip: str) -> tuple[bpy.types.Scene | None, Strip | None]:
    """(scene, plate) of a mark, wherever the plate is now; of these names if there is no mark ("")."""
    named = bpy.data.scenes.get(scene)
    if not uid:
        return named, all_strips(named.sequence_editor).get(strip) if named and named.sequence_editor else None
    scenes = sorted(bpy.data.scenes, key=lambda one: one != named)
    found = [(one, plate) for one in scenes for plate in _with_mark(one, uid)]
    return min(found, key=lambda pair: not _is_as_known(pair[1]), default=(named, None))


def marked(scene: bpy.types.Scene) -> Iterator[Strip]:
    """The plates of a scene that have a mark."""
    return (strip for strip in _all(scene) if strip.aa2.uid)


def _with_mark(scene: bpy.types.Scene, uid: str) -> Iterator[Strip]:
    return (strip for strip in marked(scene) if strip.aa2.uid == uid)


def _is_as_known(plate: Strip) -> bool:
    return (plate.aa2.known_scene, plate.aa2.known_strip) == (plate.id_data.name, plate.name)


def _all(scene: bpy.types.Scene) -> Iterator[Strip]:
    return iter(all_strips(scene.sequence_editor) if scene.sequence_editor else ())
