"""Below the queue, the render farm: for which one a job is written and how it is split, what it costs, and what is in
the way."""
import time
from collections.abc import Sequence

import bpy
from bpy.app.translations import pgettext_iface as translated

from ..embedded.engine.contract.errors import JobError
from ..farm.bundle import Planned, planned
from ..farm.core_hours import in_all
from ..farm.shots import chosen, problems_of
from ..operators.farm import AA2_OT_copy_farm_command, AA2_OT_write_farm_job, named
from ..settings.request_of import Asked
from ..settings.table import FarmTarget
from .drawing import Part, draw_kinds, draw_text
from .queue import Queue
from .remedies import draw_problems

_FRESH_S = 3.0      # how long the list of files is not read again: it goes through the whole file (ours)
_SHOWN = ("farm_project", "farm_all", "farm_frames", "farm_run_in", "farm_each")    # what the plan depends on
_looked: dict[tuple, tuple[float, Planned | None]] = {}


class Farm(Part):
    """The job for a render farm."""

    bl_label = "Farm"
    parent = Queue

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        ours = scene.aa2
        draw_kinds(layout, ours, "farm_target")
        column = layout.column()
        for name in ("farm_folder", "farm_project", "farm_all"):
            column.prop(ours, name)
        column = layout.column(align=True)
        for name in ("farm_frames", "farm_run_in", "farm_each"):
            column.prop(ours, name)
        if ours.farm_target == FarmTarget.OPENJD:
            layout.prop(ours, "farm_gpu")
        asked = chosen(scene, ours.farm_all)
        found = problems_of(asked)
        if not found:
            draw_job(layout, context, scene, asked)
        draw_problems(layout, context, found)
        column = layout.column(align=True)
        column.enabled = not found
        column.operator(AA2_OT_write_farm_job.bl_idname, icon="FILE_TICK")
        column.operator(AA2_OT_copy_farm_command.bl_idname, icon="COPYDOWN")


def draw_job(layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene,
             asked: Sequence[Asked]) -> None:
    """How many tasks generate, what that costs, and what the farm's machines may not find."""
    plan = _planned(scene, asked)
    if plan is None:
        return
    shots = plan.job.shots
    text = translated("Frames: {frames}, tasks that generate: {tasks}").format(
        frames=sum(shot.frames for shot in shots), tasks=sum(max(len(shot.parts), 1) for shot in shots))
    hours = in_all([shot.core_hours for shot in shots])
    if hours is not None:
        text += translated(", about {hours:.2f} core hours").format(hours=hours)
    draw_text(layout, context, text, icon="TIME")
    if hours is None:
        draw_text(layout, context, translated("How long is known after the first run here"))
    if plan.outside:
        box = layout.box()
        box.alert = True
        draw_text(box, context, translated("Outside of the project, so the farm may not find it: {paths}").format(
            paths=named(plan.outside)), icon="ERROR")


def _planned(scene: bpy.types.Scene, asked: Sequence[Asked]) -> Planned | None:
    """The job that would be written, as it was some seconds ago at most; None where a strip is gone."""
    key = (bpy.data.filepath, *(one.folder for one in asked), *(getattr(scene.aa2, name) for name in _SHOWN))
    seen_at, plan = _looked.get(key, (-_FRESH_S, None))
    if time.monotonic() - seen_at >= _FRESH_S:
        _looked.clear()
        try:
            plan = planned(scene, asked)
        except JobError:
            plan = None
        _looked[key] = time.monotonic(), plan
    return plan


PARTS = (Farm,)
