"""A temporary scene -> its picture or pictures on disk, by Blender's render operator."""

import bpy

from .problem import GatherError


def render(scene: bpy.types.Scene, what: str, *, animation: bool = False,
           idle: bpy.types.ViewLayer | None = None) -> None:
    """Renders the scene's frame, or all its frames, to its own output path; blocks. `what` is what is made, for the
    error message. `idle`: a view layer of the scene that is evaluated before and after the render in place of its
    first.

    The scene is the context's scene meanwhile. Given only its name, Blender renders a still of the window's frame
    instead.
    """
    context = {"scene": scene} if idle is None else {"scene": scene, "view_layer": idle}
    try:
        with bpy.context.temp_override(**context):
            bpy.ops.render.render(animation=animation, write_still=not animation)
    except RuntimeError as error:
        raise GatherError(f"Blender could not render {what}: {str(error).strip()}",
                          "Look at the disk's free space and at the folder's permissions.") from None
