"""If something went wrong: its log, a text to send, another folder for jobs."""
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..embedded.engine.contract import files
from ..queue import session
from ..report import report, tail
from ..settings.plates import settings_of
from ..settings.properties import shot_scene
from ..settings.request_of import jobs_root
from ..versions.shown import folder_of_shot
from .button import Button

LOG = "AA2 Log"
_LINES = 2000


class JobButton(Button):
    """A button that is about one job: `folder`, else the last that was worked on, else the shot's shown version."""

    folder: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def job(self, context: bpy.types.Context) -> Path | None:
        if self.folder:
            return Path(self.folder)
        task = session.current()
        return Path(task.folder) if task else folder_of_shot(shot_scene(context))


class AA2_OT_show_log(JobButton, bpy.types.Operator):
    """Open the engine's log of the last job as a text"""

    bl_idname = "aa2.show_log"
    bl_label = "Show Log"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        folder = self.job(context)
        said = tail(files.path(folder, files.LOG), _LINES) if folder else ""
        if not said:
            return self.refuse("There is no log yet. The engine writes one when it runs.")
        text = bpy.data.texts.get(LOG) or bpy.data.texts.new(LOG)
        text.from_string(said)
        for area in context.screen.areas if context.screen else ():
            if area.type == "TEXT_EDITOR":
                area.spaces.active.text = text
        self.report({"INFO"}, f"The log is in the text {LOG!r}")


class AA2_OT_copy_report(JobButton, bpy.types.Operator):
    bl_description = ("Copy a text to send with a bug report: releases of the software, the job's settings, the error "
                      "and the end of the log, without your paths")
    bl_idname = "aa2.copy_report"
    bl_label = "Copy Report"

    def act(self, context: bpy.types.Context) -> set[str] | None:
        folder = self.job(context)
        if folder is None:
            return self.refuse("There is no job to report on yet. Generate first.")
        task = session.current()
        error = task.error if task and Path(task.folder) == folder else None
        context.window_manager.clipboard = report(folder, error)
        self.report({"INFO"}, "The report is in the clipboard")


class AA2_OT_choose_jobs_folder(Button, bpy.types.Operator):
    """Choose the folder in which jobs are made from now on"""

    bl_idname = "aa2.choose_jobs_folder"
    bl_label = "Choose Jobs Folder..."
    bl_options = {"REGISTER", "UNDO"}
    directory: StringProperty(subtype="DIR_PATH")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        self.directory = str(jobs_root(shot_scene(context)))
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def act(self, context: bpy.types.Context) -> set[str] | None:
        if not Path(bpy.path.abspath(self.directory)).is_dir():
            return self.refuse(f"Expected a folder, got {self.directory!r}.")
        settings_of(shot_scene(context)).output = self.directory


CLASSES = (AA2_OT_show_log, AA2_OT_copy_report, AA2_OT_choose_jobs_folder)
