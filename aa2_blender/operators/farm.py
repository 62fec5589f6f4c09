"""Render farms: the files of a job are written, and the command that hands it in is copied."""
from collections.abc import Sequence
from pathlib import Path

import bpy

from ..farm import bundle
from ..farm.shots import chosen, problems_of
from ..queue import session
from ..settings.plates import adopt, keep_folder
from ..settings.properties import shot_scene
from ..settings.request_of import Asked
from ..settings.table import FarmTarget
from .button import Button

_MOST_NAMED = 3


class AA2_OT_write_farm_job(Button, bpy.types.Operator):
    bl_description = ("Save this file, and write the job that a render farm runs: gather, generate in parts, assemble "
                      "and place")
    bl_idname = "aa2.write_farm_job"
    bl_label = "Write Farm Job"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        seen, folder = chosen(scene, scene.aa2.farm_all), folder_of(scene)
        missing = " ".join(map(str, problems_of(seen)))
        if missing:
            return self.refuse(missing)
        shots = [Asked(one.scene, one.plate) for one in seen]   # their plates get marks and settings of their own now
        for asked in shots:
            adopt(asked.plate)
            keep_folder(asked.plate, asked.folder)
        try:
            bpy.ops.wm.save_mainfile()
        except RuntimeError as error:       # the disk is full, or the file may not be written
            return self.refuse(f"The file could not be saved: {str(error).strip()}")
        plan = bundle.planned(scene, shots, reserved=session.queue.reserved())
        if plan.outside:
            self.report({"WARNING"}, f"The farm has to find what is outside of the project: {named(plan.outside)}")
        bundle.write(plan, folder)
        for shot in plan.job.shots:
            asked = shot.request
            session.queue.hand_over(shot.job, scene=asked.scene, strip=asked.strip, plate=asked.plate)
        session.watch_farms()
        self.report({"INFO"}, f"Wrote {folder}")


class AA2_OT_copy_farm_command(Button, bpy.types.Operator):
    bl_description = "Copy the command line that runs the written job on this machine, or hands it to Flamenco"
    bl_idname = "aa2.copy_farm_command"
    bl_label = "Copy Command"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        scene = shot_scene(context)
        is_there = bundle.main_file(FarmTarget(scene.aa2.farm_target), folder_of(scene)).is_file()
        return "" if is_there else "Write the farm job first"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        scene = shot_scene(context)
        context.window_manager.clipboard = bundle.command(FarmTarget(scene.aa2.farm_target), folder_of(scene))
        self.report({"INFO"}, "The command is in the clipboard")


def folder_of(scene: bpy.types.Scene) -> Path:
    """Where the job of the shot, or of all shots of the file, is written."""
    root = Path(bpy.path.abspath(scene.aa2.farm_folder or "//")).resolve()
    return root / (Path(bpy.data.filepath).stem if scene.aa2.farm_all else Asked(scene).folder.name)


def named(paths: Sequence[str]) -> str:
    """The first of some paths, and how many more there are."""
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(paths[:_MOST_NAMED]) + more


CLASSES = (AA2_OT_write_farm_job, AA2_OT_copy_farm_command)
