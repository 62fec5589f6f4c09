"""Step 2, the character: its reference picture and the joints in it."""
from ..operators.character import AA2_OT_find_reference_joints
from .drawing import Part


class Character(Part):
    """Who is put into the shot."""

    bl_label = "Character"

    def tell(self, layout, context, scene):
        layout.prop(scene.aa2, "reference_path")
        layout.prop(scene.aa2, "reference_image")


class ReferenceJoints(Part):
    """The joints of the reference picture."""

    bl_label = "Reference Joints"
    bl_options = {"DEFAULT_CLOSED"}
    parent = Character

    def tell(self, layout, context, scene):
        layout.use_property_split = False
        layout.operator(AA2_OT_find_reference_joints.bl_idname, icon="VIEWZOOM")
        for joint in scene.aa2.reference_joints:
            row = layout.row(align=True)
            row.label(text=joint.name.replace("_", " "))
            row.prop(joint, "place", text="")
            row.prop(joint, "confidence", text="")
        if scene.aa2.reference_joints:
            layout.prop(scene.aa2, "reference_height")


PARTS = (Character, ReferenceJoints)
