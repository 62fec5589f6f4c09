"""Step 1, the shot: which strip is the plate."""
from ..operators.shot import AA2_OT_use_active_strip
from .drawing import Part


class Shot(Part):
    """The plate the character is put over."""

    bl_label = "Shot"

    def tell(self, layout, context, scene):
        ours = scene.aa2
        if scene != context.scene:
            layout.label(text=scene.name, icon="SCENE_DATA")
        row = layout.row(align=True)
        if scene.sequence_editor:
            name = "strips_all" if hasattr(scene.sequence_editor, "strips_all") else "sequences_all"
            row.prop_search(ours, "strip", scene.sequence_editor, name, icon="SEQUENCE")
        else:
            row.prop(ours, "strip")
        row.operator(AA2_OT_use_active_strip.bl_idname, text="", icon="EYEDROPPER")
        layout.prop(ours, "clean_plate")


PARTS = (Shot,)
