"""What holds for every shot on this machine: weights, threads, and another Python for the engine."""
import os
from collections.abc import Sequence
from pathlib import Path

import bpy
from bpy.app.translations import pgettext_iface as translated
from bpy.props import IntProperty, StringProperty

from ..cost import EMBEDDED_PACK, pack_folder
from ..embedded.engine.contract.errors import JobError
from ..link.interpreter import Launch, launch
from . import automatic

ADD_ON = __name__.rsplit(".", 2)[0]      # the name that Blender has enabled
_THREADS, _MOST_THREADS = "Processor threads of the engine; the automatic value is one for each core", 256


class AA2_AP_preferences(bpy.types.AddonPreferences):
    """Shown by Blender below the add-on's entry."""

    bl_idname = ADD_ON

    __annotations__ = {
        "pack": StringProperty(
            name="Weights", description="A folder of weights (empty: the embedded ones)", subtype="DIR_PATH"),
        "threads": IntProperty(
            name="Threads", description=automatic.explained(_THREADS), min=0, max=_MOST_THREADS),
        **automatic.beside("threads", "Threads", _THREADS, _MOST_THREADS, lambda: min(os.cpu_count() or 1,
                                                                                     _MOST_THREADS)),
        "python": StringProperty(
            name="Python", subtype="FILE_PATH",
            description="A Python with torch that runs the networks (empty: Blender's own and the embedded runtime)")}

    def draw(self, _context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        column.label(text="The tab AA2 is in the sidebar (N) of the Video Sequencer and of the 3D View", icon="INFO")
        for text, icon in state_of_engine():
            column.label(text=text, icon=icon, translate=False)
        self.layout.use_property_split, self.layout.use_property_decorate = True, False
        self.layout.prop(self, "pack")
        automatic.draw(self.layout, self, "threads")
        self.layout.prop(self, "python")


def state_of_engine() -> list[tuple[str, str]]:
    """(sentence, icon) about the engine of this machine: whether it can be started, and where its weights are. It
    starts nothing and reads no weights."""
    try:
        pack = pack_folder(engine_launch())
    except JobError as error:
        return [(f"{error.message} {error.remedy}", "ERROR")]
    own = of_this_machine().python
    runs = translated("The engine runs in {python}").format(python=own) if own else \
        translated("The engine runs in Blender's own Python, with the embedded runtime")
    is_there = (pack / "pack.json").is_file()
    said = translated("Weights: {folder}") if is_there else translated("There are no weights in {folder}")
    return [(runs, "CHECKMARK"), (said.format(folder=pack), "CHECKMARK" if is_there else "ERROR")]


def of_this_machine() -> AA2_AP_preferences:
    return bpy.context.preferences.addons[ADD_ON].preferences


def engine_launch(*, pack: str | None = None, threads: int | None = None, python: str | None = None,
                  arguments: Sequence[str] = ("serve",)) -> Launch:
    """How to start the engine with `arguments`: as given, else as the preferences say. Raises JobError if that is not
    possible."""
    ours = of_this_machine()

    def path(given: str | None, preferred: str) -> str:
        name = preferred if given is None else given
        return bpy.path.abspath(name) if name else ""
    return launch(python=path(python, ours.python), pack=path(pack, ours.pack),
                  threads=ours.threads if threads is None else threads, copies=copies_folder(), arguments=arguments)


def weights_folder() -> Path:
    """The folder of the weights that would be used; the embedded ones if no engine can be started."""
    try:
        return pack_folder(engine_launch())
    except JobError:
        return EMBEDDED_PACK


def copies_folder() -> str:
    """The folder from which the engine loads copies. Only Windows needs it, because loaded files cannot be replaced
    there. It is removed with the extension."""
    return bpy.utils.extension_path_user(ADD_ON, path="loaded", create=True) if os.name == "nt" else ""


def register() -> None:
    bpy.utils.register_class(AA2_AP_preferences)


def unregister() -> None:
    bpy.utils.unregister_class(AA2_AP_preferences)
