"""A problem in a panel: what is wrong, what to do, and the button that does it where there is one."""
from collections.abc import Sequence

import bpy
from bpy.app.translations import pgettext_iface as translated

from ..embedded.engine.contract.errors import JobError
from ..operators.driver import AA2_OT_use_armature, offered
from ..settings.preferences import ADD_ON
from ..settings.properties import shot_scene
from .drawing import draw_text

_PREFERENCES = ("preferences.addon_show", "Open Preferences...", {"module": ADD_ON})
_FOLDER = ("aa2.choose_jobs_folder", "Choose Another Folder...", {})
_REPORT = ("aa2.copy_report", "Copy Report", {})
# Code of an error, or its action -> (operator, its label, its properties).
BUTTONS = {
    **dict.fromkeys(("pack_missing", "pack_corrupt", "pack_truncated", "pack_invalid", "pack_newer", "runtime_missing"),
                    _PREFERENCES),
    **dict.fromkeys(("job_not_writable", "disk_full"), _FOLDER),
    **dict.fromkeys(("engine_died", "engine_silent", "protocol_garbage", "protocol_mismatch", "internal"), _REPORT),
    "save_file": ("wm.save_mainfile", "Save...", {}),
    "use_armature": ("aa2.use_armature", "Use Armature", {}),
    "add_camera": ("aa2.add_camera", "Add Camera", {}),
    "edit_bones": ("aa2.edit_bones", "Edit Bones", {}),
    "find_files": ("file.find_missing_files", "Find Missing Files...", {}),
    "choose_performer": ("aa2.choose_performer", "Choose Performer", {}),
    "use_active_strip": ("aa2.use_active_strip", "Use Active Strip", {}),
}


def draw_problems(layout: bpy.types.UILayout, context: bpy.types.Context, problems: Sequence[JobError]) -> None:
    """What is missing, in the order of the work. After the first, a button is the remedy without words, so that the
    panel stays on one screen, however much is missing."""
    for error in problems:
        draw_problem(layout, context, error, is_short=error is not problems[0])


def draw_problem(layout: bpy.types.UILayout, context: bpy.types.Context, error: JobError,
                 is_short: bool = False) -> None:
    """What is wrong, the remedy in the same text, and its button; where there is one, `is_short` leaves the words
    out."""
    has_words = not (is_short and button_of(error))
    draw_text(layout, context, f"{error.message} {error.remedy}" if has_words else error.message, icon="ERROR")
    name, label, properties = button_of(error) or ("", "", {})
    if name:
        button = layout.operator(name, text=_named(name, label, context), translate=False)
        for key, value in properties.items():
            setattr(button, key, value)


def _named(name: str, label: str, context: bpy.types.Context) -> str:
    """The label of a button in the artist's language; the button for the armature that is meant names it."""
    there = offered(shot_scene(context), "ARMATURE") if name == AA2_OT_use_armature.bl_idname else None
    return translated("Use {name}").format(name=there.name) if there else translated(label)


def button_of(error: JobError) -> tuple[str, str, dict] | None:
    """(operator, label, properties) of the remedy; None where only the artist can do it."""
    return BUTTONS.get(error.code) or BUTTONS.get(error.action)
