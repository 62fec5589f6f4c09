"""Step 9, the result: the version that is shown, and what can be done with it."""
from pathlib import Path

import bpy
from bpy.app.translations import pgettext_iface as translated

from ..blender_api import Strip
from ..embedded.engine.contract import files
from ..gather.strip import is_shown_wrong
from ..operators.output import (
    AA2_OT_add_background,
    AA2_OT_add_nodes,
    AA2_OT_add_passes,
    AA2_OT_add_plane,
    AA2_OT_write_output,
)
from ..operators.report import AA2_OT_copy_report, AA2_OT_show_log
from ..operators.result import (
    AA2_OT_compare,
    AA2_OT_fix_range,
    AA2_OT_generate_as_shown,
    AA2_OT_place_again,
    AA2_OT_relink,
    AA2_OT_show_version,
    AA2_OT_vary_seed,
)
from ..operators.shot import AA2_OT_convert_to_float
from ..place.strip import ENGINE, PACK, SEED, VERSION, folder_of, lost
from ..queue import session
from ..report import tail
from ..settings.plates import plate_of, settings_of
from ..versions.shown import differs_in_reference, folder_of_shot, strips_of_shot
from .drawing import Part, draw_text

_LOG_LINES = 10
WRONG_COLORS = "This Blender shows the plate with wrong colors under other strips, because of its color space."


class Result(Part):
    """The shown version."""

    bl_label = "Result"

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        for folder in lost(scene):
            draw_text(layout, context, f"The frames of {folder} are not there.", icon="ERROR")
            layout.operator(AA2_OT_relink.bl_idname, icon="FILE_FOLDER")
        shown = strips_of_shot(scene)
        plate = plate_of(scene)
        if shown and plate and is_shown_wrong(plate):
            draw_text(layout, context, WRONG_COLORS, icon="ERROR")
            layout.operator(AA2_OT_convert_to_float.bl_idname)
        if shown:
            draw_version(layout, shown[0])
            if differs_in_reference(scene, Path(folder_of(shown[0]))):
                text = translated("The reference differs from that of {version}; Generate uses the new one.")
                draw_text(layout, context, text.format(version=shown[0].get(VERSION, "")), icon="INFO")
        row = layout.row(align=True)
        row.operator(AA2_OT_place_again.bl_idname, icon="SEQ_STRIP_DUPLICATE")
        muted = bool(shown) and all(strip.mute for strip in shown)
        row.operator(AA2_OT_compare.bl_idname, icon="HIDE_ON" if muted else "HIDE_OFF",
                     depress=not muted and bool(shown))
        row = layout.row(align=True)    # the default width has no room for icons
        row.operator(AA2_OT_generate_as_shown.bl_idname, text=as_shown(shown))
        row.operator(AA2_OT_vary_seed.bl_idname)


def as_shown(shown: list[Strip]) -> str:
    """The button's text, which names the version that is made again."""
    version = shown[0].get(VERSION, "") if shown else ""
    return translated("Generate as {version}").format(version=version) if version else \
        AA2_OT_generate_as_shown.bl_label


def draw_version(layout: bpy.types.UILayout, strip: Strip) -> None:
    """Which version lies over the plate and what made it, between the buttons to the one before and after."""
    row = layout.row(align=True)
    row.operator(AA2_OT_show_version.bl_idname, text="", icon="TRIA_LEFT").by = -1
    row.label(text=strip.get(VERSION, "") or strip.name, translate=False)
    row.operator(AA2_OT_show_version.bl_idname, text="", icon="TRIA_RIGHT").by = 1
    text = translated("seed {seed}, weights {pack}, engine {engine}")
    layout.label(text=text.format(seed=strip.get(SEED, "?"), pack=strip.get(PACK, "")[:8] or "?",
                                  engine=strip.get(ENGINE, "?")), translate=False)


class Fix(Part):
    """Some frames of the shown version made again."""

    bl_label = "Fix Range"
    parent = Result

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        ours, (first, last) = settings_of(scene), frames_to_fix(scene)
        layout.prop(ours, "fix_own")
        if ours.fix_own:
            column = layout.column(align=True)
            column.prop(ours, "fix_first")
            column.prop(ours, "fix_last")
        else:
            text = translated("Preview range: {first} to {last}" if scene.use_preview_range else "Playhead: {first}")
            layout.label(text=text.format(first=first, last=last), icon="TIME", translate=False)
        button = layout.operator(AA2_OT_fix_range.bl_idname, icon="MOD_TIME")
        button.first, button.last = first, last


def frames_to_fix(scene: bpy.types.Scene) -> tuple[int, int]:
    """(first, last) frame of the timeline: the artist's own, else the preview range, else the playhead."""
    ours = settings_of(scene)
    if ours.fix_own:
        return ours.fix_first, ours.fix_last
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end
    return scene.frame_current, scene.frame_current


class Output(Part):
    """The shown version elsewhere: files, passes, compositor, camera."""

    bl_label = "Output"
    parent = Result

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        layout.prop(settings_of(scene), "form")
        folder = folder_of_shot(scene)
        if folder:
            draw_text(layout, context, str(folder / files.OUTPUT), icon="FILE_FOLDER")
        layout.operator(AA2_OT_write_output.bl_idname, icon="EXPORT").form = settings_of(scene).form
        layout.operator(AA2_OT_add_passes.bl_idname, icon="RENDERLAYERS")
        column = layout.column(align=True)
        column.operator(AA2_OT_add_nodes.bl_idname, icon="NODE_COMPOSITING")
        column.operator(AA2_OT_add_background.bl_idname, icon="CAMERA_DATA")
        column.operator(AA2_OT_add_plane.bl_idname, icon="MESH_PLANE")


class Log(Part):
    """The end of the engine's log, and a report to send."""

    bl_label = "Log"
    parent = Result

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        task = session.current()
        folder = task.folder if task else folder_of_shot(scene)
        said = tail(files.path(folder, files.LOG), _LOG_LINES) if folder else ""
        if said:
            column = layout.column(align=True)
            column.scale_y = 0.7
            for line in said.splitlines():
                column.label(text=line, translate=False)
        else:
            layout.label(text="The engine has written nothing yet", icon="INFO")
        if folder:
            layout.operator("wm.path_open", text="Open Job Folder", icon="FILE_FOLDER").filepath = str(folder)
        row = layout.row(align=True)
        row.operator(AA2_OT_show_log.bl_idname, icon="TEXT")
        row.operator(AA2_OT_copy_report.bl_idname, icon="COPYDOWN")


PARTS = (Result, Fix, Output, Log)
