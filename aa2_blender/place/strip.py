"""A job's frames -> a character strip and a shadow strip over the plate, on the same frames, pixel on pixel."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import bpy

from ..blender_api import (
    Strip,
    all_strips,
    connect,
    quiet_sequencer,
    selection_kept,
    shown_range,
    strip_range,
    strips,
    trim,
)
from ..embedded.engine.contract import files, jobs, version
from ..embedded.engine.contract.fields import plain
from ..gather.display import exact
from ..gather.png import write_plain
from .channels import PlaceError, is_free, make_room, overlaps
from .marks import JOB, mark, of_laid

# What stands in for a frame that is not made: nothing of the character, all of the light.
_BLANK = "blank.png"
_NOTHING = {files.FRAMES: (0, 0, 0, 0), files.SHADOW: (255, 255, 255)}
_BLEND = {files.SHADOW: "MULTIPLY", files.FRAMES: "ALPHA_OVER"}
_TITLE = {files.SHADOW: "shadow", files.FRAMES: "character"}
# Names of the strips' custom properties.
KIND, SEED, PACK, ENGINE = "aa2_kind", "aa2_seed", "aa2_pack", "aa2_engine"
SETTINGS, VERSION = "aa2_settings", "aa2_version"
PREVIEW_FRAME = "frame"  # the folder beside the versions in which one frame was tried
_A_VERSION = re.compile(r"v\d{3,}")


def lay_frames(scene: bpy.types.Scene, folder: str | Path, plate: str = "", pack: str = "",
               moved: int = 0) -> tuple[str, ...]:
    """Lay the frames that exist in a job's folder into a scene; returns the names of the strips, shadow first.

    Strips that an earlier call made for this plate, for this job or for another version of it are replaced, in their
    channels. New ones go directly above the plate, and what is in the way is moved up. A tried frame mutes those of the
    version below it. No other strip is changed. `plate` names the strip to lie over, "" takes the lowest picture strip
    on those frames. `pack` is the hash of the weights, "" takes what the job's earlier strips say. `moved`: how many
    frames later the plate begins than it did when it was gathered. What the plate does not show any more is trimmed
    off. Raises PlaceError where why_not_now says something, and where the plate does not show the frames.
    """
    reason = why_not_now(scene)
    if reason:
        raise PlaceError(reason, "Wait for its end and place again.")
    folder = os.path.abspath(os.fspath(folder))
    job = job_at(folder, moved)
    kinds = [kind for kind in (files.SHADOW, files.FRAMES) if files.has(folder, kind)]
    editor = scene.sequence_editor or scene.sequence_editor_create()
    over = all_strips(editor).get(plate) if plate else None
    if over and not overlaps(over, job):
        raise PlaceError(f"{over.name!r} does not show the frames of {os.path.basename(folder)} any more.",
                         "Widen the strip, or generate the frames that it shows now.")
    with quiet_sequencer(editor):
        earlier = _remove_earlier(editor, folder, over)
        made = []
        with selection_kept(editor):
            for kind, channel in zip(kinds, _channels(editor, job, kinds, earlier, over), strict=True):
                _channel, earlier_pack = earlier.get(kind, (None, ""))
                made.append(_add(scene, editor, job, folder, kind=kind, channel=channel, pack=pack or earlier_pack))
            for strip in made:
                mark(strip, over)
                trim_to(strip, over)
        if over:
            connect(scene, [over, *made])
        if os.path.basename(folder) == PREVIEW_FRAME:
            _mute_versions(editor, folder, over)
    return tuple(strip.name for strip in made)


def _channels(editor: bpy.types.SequenceEditor, job: jobs.Job, kinds: list[str], earlier: dict[str, tuple[int, str]],
              plate: Strip | None) -> list[int]:
    """The channel of each layer: those that the earlier ones had, where they still can be there, else the ones directly
    above the plate."""
    below = _plate_channel(editor, job, plate)
    had = [earlier[kind][0] for kind in kinds if kind in earlier]
    if len(had) == len(kinds) and [below, *had] == sorted({below, *had}) and all(
            is_free(editor, job, channel) for channel in had):
        return had
    return make_room(editor, job, below, len(kinds))


def job_at(folder: str | Path, moved: int) -> jobs.Job:
    """A job as it lies on the timeline now: `moved` frames later than it was gathered."""
    job = jobs.read(folder)
    return replace(job, first_frame=job.first_frame + moved)


def trim_to(strip: Strip, plate: Strip | None) -> None:
    """Trim a strip to the frames that the plate shows."""
    if plate is not None:
        (first, end), (begins, ends) = strip_range(strip), shown_range(plate)
        trim(strip, max(first, begins), min(end, ends))


def why_not_now(scene: bpy.types.Scene) -> str:
    """A sentence while strips must not be added, because Blender would crash, else "". (During a save nobody can call
    this.)"""
    if bpy.app.is_job_running("RENDER"):
        return "Strips cannot be added while Blender renders."
    editor = scene.sequence_editor
    if editor and editor.use_prefetch and any(
            window.screen.is_animation_playing for manager in bpy.data.window_managers for window in manager.windows):
        return "Strips cannot be added while Blender plays and prefetches frames."
    return ""


def of_ours(scene: bpy.types.Scene) -> list[Strip]:
    """The strips of a scene that show a job's frames."""
    editor = scene.sequence_editor
    return [strip for strip in all_strips(editor) if strip.get(JOB)] if editor else []


def folder_of(strip: Strip) -> str:
    """The job folder whose pictures a strip of ours shows. The strip's own path says it, which Blender keeps right when
    the file is saved in another folder or appended."""
    return folder_above(strip, strip[KIND])


def folder_above(strip: Strip, kind: str) -> str:
    """The job folder in which the folder `kind` of a strip's pictures lies."""
    where = Path(os.path.abspath(bpy.path.abspath(strip.directory)))
    return str(where.parents[len(Path(kind).parts) - 1])


def refresh(scene: bpy.types.Scene, folder: str | Path = "") -> int:
    """Lets the strips (of one job's folder, "" for all) show frames that have been made since they were laid, and no
    longer those that are gone. Returns how many pictures changed. It adds no strip, so it may be called at any time."""
    changed = 0
    for strip in of_ours(scene):
        where = folder_of(strip)
        if folder and where != os.path.abspath(folder) or len(strip.elements) < 1:
            continue
        there = set(files.numbers(where, strip[KIND]))
        if not there:
            continue
        for number, element in enumerate(strip.elements, 1):
            name = os.path.basename(files.picture(where, strip[KIND], number)) if number in there else _BLANK
            if element.filename != name:
                element.filename = name
                changed += 1
    return changed


def relink(scene: bpy.types.Scene, folder: str, found: str | Path) -> None:
    """Let this job's strips show the same files in the folder `found`;
    raises PlaceError where that is not the job's."""
    found = os.path.abspath(os.fspath(found))
    if not files.numbers(found, files.FRAMES):
        raise PlaceError(f"{found} holds no finished frame.",
                         "Choose the job's folder: the one with job.json and frames/.")
    for strip in of_ours(scene):
        if folder_of(strip) == os.path.abspath(folder):
            strip.directory = path_in_blend(os.path.join(found, strip[KIND]))
            strip[JOB] = path_in_blend(found)


def lost(scene: bpy.types.Scene) -> list[str]:
    """The folders of our strips that are not there any more."""
    return sorted({folder_of(strip) for strip in of_ours(scene)
                   if not os.path.isdir(os.path.join(folder_of(strip), strip[KIND]))})


def _add(scene: bpy.types.Scene, editor: bpy.types.SequenceEditor, job: jobs.Job, folder: str, *, kind: str,
         channel: int, pack: str) -> Strip:
    names = _names(job, folder, kind)
    where = os.path.join(folder, kind)
    directory = path_in_blend(where)
    strip = strips(editor).new_image(
        name=f"{_TITLE[kind]} {job.name}", filepath=os.path.join(directory, names[0]), channel=channel,
        frame_start=job.first_frame, fit_method="ORIGINAL")
    for name in names[1:]:
        strip.elements.append(name)
    strip.directory = directory
    strip.blend_type = _BLEND[kind]
    strip.alpha_mode = "STRAIGHT"
    strip.colorspace_settings.name = exact().space
    # Blender shrinks pictures with the render's percentage; the job's are already that small.
    strip.transform.scale_x = strip.transform.scale_y = 100 / scene.render.resolution_percentage
    strip[JOB], strip[KIND] = path_in_blend(folder), kind
    strip[SEED] = str(job.settings.seed)
    strip[PACK], strip[ENGINE] = pack, version.ENGINE
    strip[SETTINGS] = json.dumps(plain(job.settings), sort_keys=True)
    strip[VERSION] = os.path.basename(folder) if _A_VERSION.fullmatch(os.path.basename(folder)) else ""
    return strip


def _names(job: jobs.Job, folder: str, kind: str) -> list[str]:
    """A file name for each frame; the blank one, written here, where the engine has made none yet."""
    missing = set(files.missing(folder, kind, job.frames))
    if missing:
        files.refuse_links(folder)
        write_plain(os.path.join(folder, kind, _BLANK), job.size, _NOTHING[kind])
    return [_BLANK if number in missing else os.path.basename(files.picture(folder, kind, number))
            for number in range(1, job.frames + 1)]


def _remove_earlier(editor: bpy.types.SequenceEditor, folder: str,
                    plate: Strip | None) -> dict[str, tuple[int, str]]:
    """Take out the plate's and the job's own layers, of whatever version, and those of the frame that was tried before;
    returns the (channel, pack) that each kind of the former had. What belongs to another plate stays."""
    earlier, tries = {}, os.path.basename(folder) == PREVIEW_FRAME
    for strip in _of_no_other(editor, plate):
        there = folder_of(strip)
        is_tried = os.path.basename(there) == PREVIEW_FRAME
        if there == folder and (tries or strip[KIND] in _BLEND) or not tries and there != folder and (
                same_shot(there, folder) or is_tried and os.path.dirname(there) == os.path.dirname(folder)
                or plate and of_laid(strip) == plate):
            if not is_tried or tries:
                earlier[strip[KIND]] = strip.channel, strip.get(PACK, "") if there == folder else ""
            strips(strip.parent_meta() or editor).remove(strip)
    return earlier


def _of_no_other(editor: bpy.types.SequenceEditor, plate: Strip | None) -> list[Strip]:
    """The strips of ours without those of other plates."""
    ours = [strip for strip in all_strips(editor) if strip.get(JOB)]
    return [strip for strip in ours if plate is None or of_laid(strip) in (None, plate)]


def _mute_versions(editor: bpy.types.SequenceEditor, folder: str, plate: Strip | None) -> None:
    """Mutes the shot's version while one frame is tried over it, since that frame would have two characters otherwise.
    Compare shows it again."""
    for strip in _of_no_other(editor, plate):
        there = folder_of(strip)
        if there != folder and (os.path.dirname(there) == os.path.dirname(folder) or plate and of_laid(strip) == plate):
            strip.mute = True


def _plate_channel(editor: bpy.types.SequenceEditor, job: jobs.Job, strip: Strip | None) -> int:
    """The channel to lie above: the plate's (its outermost meta's), or the lowest picture's on those frames."""
    while strip and strip.parent_meta():
        strip = strip.parent_meta()
    if strip:
        return strip.channel
    under = [other.channel for other in strips(editor) if other.type != "SOUND" and overlaps(other, job)]
    return min(under, default=0)


def path_in_blend(path: str) -> str:
    """A path as it is kept in the file: relative where the blend is saved and on the same drive."""
    if not bpy.data.filepath:
        return path
    try:
        return bpy.path.relpath(path)
    except ValueError:
        return path


def same_shot(kept: str, folder: str | Path) -> bool:
    """Whether a kept path means this folder or another version of it."""
    kept, folder = os.path.abspath(bpy.path.abspath(kept)), os.path.abspath(folder)
    siblings = os.path.dirname(kept) == os.path.dirname(folder)
    return kept == folder or siblings and all(_A_VERSION.fullmatch(os.path.basename(path)) for path in (kept, folder))
