"""Step 2, the character: the joints of its reference."""
from pathlib import Path

import bpy

from .. import session
from ..asking import job_folder
from ..joints import JointSearch
from ..preferences import engine_launch
from ..properties import shot_scene
from .button import StartButton


class AA2_OT_find_reference_joints(StartButton, bpy.types.Operator):
    """Looks for the character's joints in the reference, for you to correct"""

    bl_idname = "aa2.find_reference_joints"
    bl_label = "Find Joints"

    def act(self, context):
        scene = shot_scene(context)
        image = scene.aa2.reference_image
        name = bpy.path.abspath(image.filepath if image else scene.aa2.reference_path)
        if not Path(name).is_file():
            return self.refuse(f"Expected the reference as a picture file, got {name!r}. Choose a file on the disk.")
        return self.begin(JointSearch(Path(name).resolve(), scene.name, job_folder(scene), link=session.link,
                                      launch=engine_launch()))


CLASSES = (AA2_OT_find_reference_joints,)
