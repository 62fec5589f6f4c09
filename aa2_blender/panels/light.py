"""Step 5, the light: where it comes from, and what the balls of the shown version look like."""
from pathlib import Path

import bpy
from bpy.app.translations import pgettext_iface as translated

from ..embedded.engine.contract import files
from ..settings.request_of import Asked
from ..settings.table import LightSource, PictureFrom
from ..versions.shown import folder_of_shot
from .drawing import Part, draw_text
from .thumbnails import thumbnail_of

_BALLS = 6              # thumbnails in the row
_SCALE = 2.0            # times a button's height
_NAMES = {LightSource.GUESSED: "Automatic: Guessed, the rig's scene is not lit",
          LightSource.BALL: "Automatic: Ball, the rig's scene is lit"}
_RENDERED = "Everything in the rig's scene hides the character where it is closer, and gets its shadow"
_OF_PERFORMER = "Automatic: Guessed, a performer drives"


class Light(Part):
    """Where the light that falls on the character comes from."""

    bl_label = "Light"

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        asked = Asked(scene)
        ours = asked.settings
        layout.prop(ours, "light_source")
        source = LightSource(ours.light_source)
        if source is LightSource.AUTOMATIC:
            draw_text(layout, context, automatic_text(asked), icon="INFO")
        if source is LightSource.RENDERED:
            draw_text(layout, context, translated(_RENDERED), icon="INFO")
        if source in (LightSource.PICTURE, LightSource.HDRI):
            _draw_picture(layout, ours, source)
        _draw_balls(layout, folder_of_shot(scene))


def automatic_text(asked: Asked) -> str:
    """What Automatic means now; "" where the shot is not known yet."""
    if asked.request.performer:
        return translated(_OF_PERFORMER)
    return translated(_NAMES[asked.light]) if asked.light else ""


def _draw_picture(layout: bpy.types.UILayout, ours: bpy.types.PropertyGroup, source: LightSource) -> None:
    """The picture of a ball or the HDRI, and what belongs to it."""
    kind = "ball" if source is LightSource.PICTURE else "hdri"
    layout.prop(ours, "light_from", expand=True)
    layout.prop(ours, f"{kind}_path" if ours.light_from == PictureFrom.FILE else f"{kind}_image")
    for name in ("ball_albedo",) if kind == "ball" else ("hdri_rotation", "hdri_strength"):
        layout.prop(ours, name)


def _draw_balls(layout: bpy.types.UILayout, folder: Path | None) -> None:
    """Some of the balls of the shown version, from its first to its last."""
    numbers = files.numbers(folder, files.BALLS) if folder else []
    if not numbers:
        return
    step = max(1, (len(numbers) - 1) / (_BALLS - 1)) if len(numbers) > 1 else 1
    chosen = dict.fromkeys(numbers[min(round(i * step), len(numbers) - 1)] for i in range(min(_BALLS, len(numbers))))
    layout.label(text=translated("{count} balls were measured").format(count=len(numbers)), translate=False)
    row = layout.row()
    for number in chosen:
        column = row.column(align=True)
        column.template_icon(icon_value=thumbnail_of(Path(files.picture(folder, files.BALLS, number))), scale=_SCALE)
        column.label(text=str(number), translate=False)


PARTS = (Light,)
