"""The result: a version's frames laid into the scene, compared, made again, found again."""
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import bpy
from bpy.props import IntProperty, StringProperty

from ..embedded.engine.contract import files, jobs
from ..place import conditions
from ..place.marks import is_laid
from ..place.strip import folder_of, job_at, of_ours, relink
from ..queue import session
from ..settings.plates import plate_of
from ..settings.properties import shot_scene
from ..tasks.gathering import Copied, Gathered
from ..versions import folders
from ..versions.shown import folder_of_shot, lay_version, moved_by, other_versions, request_now, strips_of_shot
from .button import Button
from .queue import EnqueueButton

GONE = "The plate of these frames is not in this scene any more. Undo its removal, or choose another plate."


class OfVersion:
    """A button that needs a version with frames."""

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        scene = shot_scene(context)
        if folder_of_shot(scene) is not None:
            return ""
        active = scene.sequence_editor.active_strip if scene.sequence_editor else None
        is_orphan = active is not None and is_laid(active) and plate_of(scene) is None
        return GONE if is_orphan else "Nothing is generated yet"


class AA2_OT_place_again(OfVersion, Button, bpy.types.Operator):
    """Lay the finished frames of the shown version over the plate again, without generating"""

    bl_idname = "aa2.place_again"
    bl_label = "Place Again"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        plate = plate_of(scene)
        if plate is None:
            return self.refuse(GONE)
        strips = lay_version(scene, folder_of_shot(scene), plate, say=self.tell)
        self.report({"INFO"}, f"Placed {', '.join(strips)}")


class AA2_OT_show_version(OfVersion, Button, bpy.types.Operator):
    """Show an older or newer version of this shot in its strips; all versions stay on the disk"""

    bl_idname = "aa2.show_version"
    bl_label = "Show Version"
    bl_options = {"REGISTER", "UNDO"}
    by: IntProperty(name="By", description="How many versions newer (less than 0: older)", default=1)

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        shown = folder_of_shot(scene)
        made = other_versions(shown)
        chosen = made[max(0, min(made.index(shown) + self.by, len(made) - 1))]
        if chosen == shown and strips_of_shot(scene):
            return self.refuse(f"{shown.name} is the {'newest' if self.by > 0 else 'oldest'} version with frames.")
        plate = plate_of(scene)
        if plate is None:
            return self.refuse(GONE)
        lay_version(scene, chosen, plate, say=self.tell)
        self.report({"INFO"}, f"{chosen.name} is shown")


class AA2_OT_compare(Button, bpy.types.Operator):
    """Switch between the plate alone and the plate with the character"""

    bl_idname = "aa2.compare"
    bl_label = "Compare"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return "" if strips_of_shot(shot_scene(context)) else "No version is shown"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        shown = [strip for strip in strips_of_shot(shot_scene(context))
                 if strip["aa2_kind"] in (files.FRAMES, files.SHADOW)]
        mute = not all(strip.mute for strip in shown)
        for strip in shown:
            strip.mute = mute


class _AnotherVersion(OfVersion, EnqueueButton):
    """A button that adds another version of the meant one to the queue."""

    def copy(self, context: bpy.types.Context, change: Callable[[jobs.Job], jobs.Job],
             kept_frames: Sequence[int] = ()) -> set[str]:
        scene = shot_scene(context)
        folder = folder_of_shot(scene)
        plate = plate_of(scene)
        if plate is None:
            return self.refuse(GONE)
        return self.enqueue(context, Copied(folder, change, scene=scene.name, strip=plate.name, plate=plate.aa2.uid,
                                            reserved=session.queue.reserved, kept_frames=kept_frames),
                            jobs.read(folder).settings.engine)


class AA2_OT_generate_as_shown(_AnotherVersion, bpy.types.Operator):
    bl_description = ("Gather the scene as it is now and generate a new version, with the reference and the settings "
                      "of the shown version instead of those in the panels")
    bl_idname = "aa2.generate_as_shown"
    bl_label = "Generate as Shown"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        folder, plate = folder_of_shot(scene), plate_of(scene)
        request = folders.read_request(folder)
        if plate is None:
            return self.refuse(GONE)
        if request is None:
            return self.refuse(f"{folder.name} doesn't say what it was asked for. Press Generate instead.")
        request = request_now(request, plate)
        return self.enqueue(context, Gathered(request, folder.parent, session.queue.reserved),
                            request.settings.engine)


class AA2_OT_vary_seed(_AnotherVersion, bpy.types.Operator):
    """Generate a new version from the same plate, pose and reference, with a seed that no version has had"""

    bl_idname = "aa2.vary_seed"
    bl_label = "Vary Seed"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        seed = folders.other_seed(folder_of_shot(shot_scene(context)))
        return self.copy(context, lambda job: replace(job, fix=None, settings=replace(job.settings, seed=seed)))


class AA2_OT_fix_range(_AnotherVersion, bpy.types.Operator):
    """Generate some frames of the shown version again, with a new seed, and keep all others, as a new version"""

    bl_idname = "aa2.fix_range"
    bl_label = "Fix Range"
    first: IntProperty(name="First", description="First frame of the timeline to make again")
    last: IntProperty(name="Last", description="Last frame of the timeline to make again")

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        folder = folder_of_shot(scene)
        job = job_at(folder, moved_by(plate_of(scene), folder))
        first, last = self.first - job.first_frame + 1, self.last - job.first_frame + 1
        if not 1 <= first <= last <= job.frames:
            return self.refuse(f"Expected frames within {job.first_frame} to {job.first_frame + job.frames - 1}, got "
                               f"{self.first} to {self.last}.")
        kept = [number for number in range(1, job.frames + 1) if not first <= number <= last]
        missing = sorted(set(kept) - set(files.numbers(folder, files.FRAMES)))
        if missing:
            return self.refuse(f"Frame {missing[0] + job.first_frame - 1} of {folder.name} isn't made yet. Resume "
                               "it first.")
        seed = folders.other_seed(folder)
        fix = jobs.FixRange(first, last)
        return self.copy(context, lambda job: replace(job, fix=fix, settings=replace(job.settings, seed=seed)), kept)


class AA2_OT_relink(Button, bpy.types.Operator):
    """Choose where the job folder of the strips is now"""

    bl_idname = "aa2.relink"
    bl_label = "Find Job Folder..."
    bl_options = {"REGISTER", "UNDO"}
    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return "" if of_ours(shot_scene(context)) else "There are no strips of a version"

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        shown = strips_of_shot(scene) or of_ours(scene)
        found = Path(bpy.path.abspath(self.directory))
        for folder in {folder_of(strip) for strip in shown}:
            there = _job_in(found, os.path.basename(folder))
            relink(scene, folder, there)
            conditions.relink(scene, folder, there)


def _job_in(folder: Path, version: str) -> Path:
    """The chosen folder where it is the job's own, else the version in it."""
    return folder if (folder / files.JOB).is_file() else folder / version


CLASSES = (AA2_OT_place_again, AA2_OT_show_version, AA2_OT_compare, AA2_OT_generate_as_shown, AA2_OT_vary_seed,
           AA2_OT_fix_range, AA2_OT_relink)
