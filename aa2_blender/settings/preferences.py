"""What holds for every shot on this machine: weights, threads, and another Python for the engine."""
import os

import bpy
from bpy.props import IntProperty, StringProperty

from ..link.interpreter import Launch, launch

ADD_ON = __name__.rsplit(".", 2)[0]      # the name that Blender has enabled


class AA2_AP_preferences(bpy.types.AddonPreferences):
    """Shown by Blender below the add-on's entry."""

    bl_idname = ADD_ON

    __annotations__ = {
        "pack": StringProperty(
            name="Weights", description="A folder of weights (empty: the embedded ones)", subtype="DIR_PATH"),
        "threads": IntProperty(
            name="Threads", description="Processor threads of the engine (0: one a core)", min=0, max=256),
        "python": StringProperty(
            name="Python", subtype="FILE_PATH",
            description="A Python with torch that runs the networks (empty: Blender's own and the embedded runtime)")}

    def draw(self, _context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        for name in ("pack", "threads", "python"):
            self.layout.prop(self, name)


def of_this_machine() -> AA2_AP_preferences:
    return bpy.context.preferences.addons[ADD_ON].preferences


def engine_launch(*, pack: str | None = None, threads: int | None = None, python: str | None = None) -> Launch:
    """How to start the engine: as given, else as the preferences say. Raises JobError if that is not possible."""
    ours = of_this_machine()

    def path(given: str | None, preferred: str) -> str:
        name = preferred if given is None else given
        return bpy.path.abspath(name) if name else ""
    return launch(python=path(python, ours.python), pack=path(pack, ours.pack),
                  threads=ours.threads if threads is None else threads, copies=copies_folder())


def copies_folder() -> str:
    """The folder from which the engine loads copies. Only Windows needs it, because loaded files cannot be replaced
    there. It is removed with the extension."""
    return bpy.utils.extension_path_user(ADD_ON, path="loaded", create=True) if os.name == "nt" else ""


def register() -> None:
    bpy.utils.register_class(AA2_AP_preferences)


def unregister() -> None:
    bpy.utils.unregister_class(AA2_AP_preferences)
