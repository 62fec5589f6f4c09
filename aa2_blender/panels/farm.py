"""Below the queue, the render farm: for which one a job is written and how it is split, what it costs, and what is in
the way."""
import time
from pathlib import Path

import bpy
from bpy.app.translations import pgettext_iface as translated

from ..embedded.engine.contract.errors import JobError
from ..farm.job import FarmShot
from ..farm.paths import needed, outside, project_of
from ..farm.shots import chosen, farm_shot, problems_of, wish_of
from ..operators.farm import AA2_OT_copy_farm_command, AA2_OT_write_farm_job, named
from ..settings.table import FarmTarget
from .drawing import Part, draw_kinds, draw_text
from .queue import Queue
from .remedies import draw_problems

_FRESH_S = 3.0      # how long the list of files is not read again: it goes through the whole file (ours)
_looked: dict[tuple[str, Path], tuple[float, list[str]]] = {}


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
            draw_shots(layout, context, scene, [farm_shot(one, wish_of(scene)) for one in asked])
        draw_problems(layout, context, found)
        row = layout.row(align=True)
        row.enabled = not found
        row.operator(AA2_OT_write_farm_job.bl_idname, icon="FILE_TICK")
        row.operator(AA2_OT_copy_farm_command.bl_idname, icon="COPYDOWN")


def draw_shots(layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene,
               shots: list[FarmShot]) -> None:
    """How many tasks generate, what that costs, and what the farm's machines may not find."""
    tasks = sum(max(len(shot.parts), 1) for shot in shots)
    text = translated("Frames: {frames}, tasks that generate: {tasks}, about {hours:.2f} core hours").format(
        frames=sum(shot.frames for shot in shots), tasks=tasks, hours=sum(shot.core_hours for shot in shots))
    draw_text(layout, context, text, icon="TIME")
    strange = _outside(scene, shots)
    if strange:
        box = layout.box()
        box.alert = True
        draw_text(box, context, translated("Outside of the project, so the farm may not find it: {paths}").format(
            paths=named(strange)), icon="ERROR")


def _outside(scene: bpy.types.Scene, shots: list[FarmShot]) -> list[str]:
    """What lies outside of the project, as it was found some seconds ago at most; nothing where a strip is gone."""
    place = bpy.data.filepath, project_of(scene)
    seen_at, found = _looked.get(place, (-_FRESH_S, []))
    if time.monotonic() - seen_at >= _FRESH_S:
        _looked.clear()
        try:
            needs = needed(shots)
            found = outside(place[1], (*needs.files, *needs.folders))
        except JobError:
            found = []
        _looked[place] = time.monotonic(), found
    return found


PARTS = (Farm,)
