"""Step 3, the driver: the rig that says how the character moves, its camera, and its body's shape."""
from ..asking import request_of
from ..gather.problem import GatherError
from ..gather.shot import Shot
from ..gather.strip import frames_of
from ..operators.driver import AA2_OT_load_bone_map, AA2_OT_save_bone_map
from ..properties import shot_scene
from .drawing import Part
from .performer import draw_performer


class Driver(Part):
    """What moves the character."""

    bl_label = "Driver"

    def tell(self, layout, context, scene):
        ours = scene.aa2
        layout.prop(ours, "driver", expand=True)
        if ours.driver == "PERFORMER":
            draw_performer(layout, scene)
        else:
            draw_rig(layout, scene)
        layout.prop(ours, "retarget")


def draw_rig(layout, scene):
    """The armature, its camera and their time."""
    ours = scene.aa2
    for name in ("armature", "driver_scene", "camera", "derive_offset"):
        layout.prop(ours, name)
    if not ours.derive_offset:
        layout.prop(ours, "frame_offset")
    frames = frames_told(scene)
    if frames:
        layout.label(text=frames, icon="TIME")


class Body(Part):
    """The character's silhouette, and which bone is which joint."""

    bl_label = "Body and Bones"
    bl_options = {"DEFAULT_CLOSED"}
    parent = Driver

    @classmethod
    def poll(cls, context):
        return shot_scene(context).aa2.driver == "ARMATURE"

    def tell(self, layout, context, scene):
        for name in ("mesh", "meshes", "clothing", "bone_map"):
            layout.prop(scene.aa2, name)
        row = layout.row(align=True)
        row.operator(AA2_OT_load_bone_map.bl_idname)
        row.operator(AA2_OT_save_bone_map.bl_idname)


def frames_told(scene):
    """Which frames of the rig's scene stand for the plate's; "" where the scene is one, or something is missing."""
    request = request_of(scene)
    try:
        shot = Shot(request)
        first, last = frames_of(shot.strip, request.frames)
    except GatherError:
        return ""
    if shot.driver == scene and not shot.offset:
        return ""
    return f"{first}-{last} is {first + shot.offset}-{last + shot.offset} of {shot.driver.name}"


PARTS = (Driver, Body)
