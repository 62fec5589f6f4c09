"""Step 4, objects: what the character touches or passes behind."""
from .drawing import Part


class Objects(Part):
    """What the character touches or passes behind."""

    bl_label = "Objects"

    def tell(self, layout, context, scene):
        for name in ("objects", "holdouts"):
            layout.prop(scene.aa2, name)


PARTS = (Objects,)
