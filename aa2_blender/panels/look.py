"""Step 5, the look: how the frames are made, and where they lie."""
from ..asking import job_folder
from .drawing import Part, draw_text


class Look(Part):
    """How the frames are made."""

    bl_label = "Quality and Output"
    bl_options = {"DEFAULT_CLOSED"}

    def tell(self, layout, context, scene):
        for name in ("seed", "steps", "window", "shape", "grain", "shadow", "output"):
            layout.prop(scene.aa2, name)
        draw_text(layout, context, str(job_folder(scene)))


PARTS = (Look,)
