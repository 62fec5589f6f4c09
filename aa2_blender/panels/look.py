"""Step 6, the look: how the frames are made, where they lie, and what that will cost here."""

import bpy
from bpy.app.translations import pgettext_iface as translated

from ..cost import cost_of, forms, pack_folder, rate_of, tells_time, work
from ..embedded.engine.contract.errors import JobError
from ..gather.camera import size_of
from ..gather.light import balls_of
from ..gather.strip import find, frames_of
from ..settings import automatic
from ..settings.plates import holder, settings_of
from ..settings.preferences import engine_launch, weights_folder
from ..settings.request_of import Asked, job_folder
from ..settings.table import Crop
from ..settings.weights import crop, known_by
from ..tasks.task import duration
from .drawing import Part, draw_text


class Look(Part):
    """How the frames are made."""

    bl_label = "Look"

    def tell(self, layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> None:
        ours = settings_of(scene)
        layout.prop(ours, "engine")
        row = layout.row(align=True)
        row.prop(ours, "seed")
        row.prop(ours, "seed_lock", text="", icon="LOCKED" if ours.seed_lock else "UNLOCKED")
        automatic.draw(layout, ours, "steps")
        automatic.draw(layout, ours, "guidance")
        automatic.draw(layout, ours, "window")
        layout.prop(ours, "shape")
        draw_weights(layout, context, ours)
        column = layout.column(heading="Match the Plate", align=True)
        column.prop(ours, "grain")
        column.prop(ours, "blur")
        layout.prop(ours, "shadow")
        column = layout.column(align=True)
        for name in ("exposure", "warmth", "light"):
            column.prop(ours, name)
        for name in ("mask_grow", "mask_feather"):
            layout.prop(holder(scene, name), name)
        layout.prop(ours, "output")
        draw_text(layout, context, str(job_folder(scene)))


def draw_weights(layout: bpy.types.UILayout, context: bpy.types.Context, ours: bpy.types.PropertyGroup) -> None:
    """What follows from the chosen engine's weights: the size of a crop that is not automatic, and what only that
    engine knows."""
    pack = weights_folder(ours.engine)
    if ours.shape != Crop.AUTOMATIC:
        draw_text(layout, context, translated("{crop} pixels").format(crop=crop(ours.shape, pack)))
    for one in known_by(ours.engine).values():
        layout.prop(ours, one.name)
    if known_by(ours.engine) and forms(pack):
        draw_text(layout, context, translated("Forms in the folder: {forms}").format(forms=", ".join(forms(pack))))


def draw_cost(layout: bpy.types.UILayout, asked: Asked) -> None:
    """Time and memory of the shot, before they are spent: always two lines, so that nothing below moves."""
    column = layout.column(align=True)
    for text, icon in zip(cost_lines(asked), ("TIME", "BLANK1"), strict=True):
        column.label(text=text, icon=icon, translate=False)


def cost_lines(asked: Asked) -> tuple[str, str]:
    """The cost in words, and where it comes from; empty where the shot or the engine is not known."""
    request, scene = asked.request, asked.scene
    try:
        first, last = frames_of(find(scene, request.strip), request.frames)
        launch = engine_launch(request.settings.engine)
    except JobError:
        return "", ""
    frames, pack, rate = last - first + 1, pack_folder(launch), rate_of(launch)
    balls = balls_of(asked.light, frames, performed=request.performer)
    cost = cost_of(work(frames, size_of(scene), request.settings, pack, performed=request.performer, balls=balls,
                        lit=request.is_lit), rate)
    memory = translated("{memory:.1f} GB").format(memory=cost.memory_mb / 1000)
    if cost.device_mb:
        memory += translated(", {memory:.1f} GB of the graphics card").format(memory=cost.device_mb / 1000)
    if not tells_time(rate, pack):
        return translated("{frames} frames: {memory}").format(frames=frames, memory=memory), \
            translated("How long is known after the first run here")
    text = translated("{frames} frames: about {time}, {memory}").format(
        frames=frames, time=duration(cost.seconds), memory=memory)
    return text, translated("Measured on this machine") if cost.measured else translated("Not measured here yet")


PARTS = (Look,)
