"""What holds for every shot on this machine: weights, threads, and another Python for engines that need torch."""
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import bpy
from bpy.app.translations import pgettext_iface as translated
from bpy.props import IntProperty, StringProperty

from ..cost import EMBEDDED_PACK, pack_folder
from ..embedded.engine.contract.errors import JobError
from ..embedded.engine.contract.jobs import COMPACT
from ..link.interpreter import Launch, launch
from . import automatic
from .table import ENGINES

ADD_ON = __name__.rsplit(".", 2)[0]      # the name that Blender has enabled
# Engines whose networks run in Blender's own Python with the embedded packages; all others need torch.
WITHOUT_TORCH = {COMPACT}
_THREADS, _MOST_THREADS = "Processor threads of the engine; the automatic value is one for each core", 256


def weights_setting(engine: str) -> str:
    """The name of the preference that holds the folder of an engine's weights."""
    return "pack" if engine == COMPACT else f"pack_{engine.replace('-', '_')}"


class AA2_AP_preferences(bpy.types.AddonPreferences):
    """Shown by Blender below the add-on's entry."""

    bl_idname = ADD_ON

    __annotations__ = {
        "pack": StringProperty(
            name="Weights", description="A folder of weights (empty: the embedded ones)", subtype="DIR_PATH"),
        **{weights_setting(name): StringProperty(
            name=f"Weights for {label}", description=f"The folder of weights of the engine {label}",
            subtype="DIR_PATH") for name, label, _tooltip in ENGINES if name != COMPACT},
        "threads": IntProperty(
            name="Threads", description=automatic.explained(_THREADS), min=0, max=_MOST_THREADS),
        **automatic.beside("threads", "Threads", _THREADS, _MOST_THREADS,
                           lambda _ours: min(os.cpu_count() or 1, _MOST_THREADS)),
        "python": StringProperty(
            name="Python", subtype="FILE_PATH",
            description="A Python with torch, for engines that need it")}

    def draw(self, _context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        column.label(text="The tab AA2 is in the sidebar (N) of the Video Sequencer and of the 3D View", icon="INFO")
        for text, icon in state_of_engine():
            column.label(text=text, icon=icon, translate=False)
        self.layout.use_property_split, self.layout.use_property_decorate = True, False
        for name, _label, _tooltip in ENGINES:
            self.layout.prop(self, weights_setting(name))
        automatic.draw(self.layout, self, "threads")
        self.layout.prop(self, "python")


def state_of_engine() -> list[tuple[str, str]]:
    """(sentence, icon) about the engine of this machine: whether it can be started, and where its weights are. It
    starts nothing and reads no weights."""
    try:
        embedded = engine_launch()
    except JobError as error:
        return [(f"{error.message} {error.remedy}", "ERROR")]
    pack, python = pack_folder(embedded), embedded.command[0]
    runs = translated("The engine runs in Blender's own Python, with the embedded runtime") \
        if python == sys.executable else translated("The engine runs in {python}").format(python=python)
    is_there = (pack / "pack.json").is_file()
    said = translated("Weights: {folder}") if is_there else translated("There are no weights in {folder}")
    return [(runs, "CHECKMARK"), (said.format(folder=pack), "CHECKMARK" if is_there else "ERROR")]


def of_this_machine() -> AA2_AP_preferences:
    return bpy.context.preferences.addons[ADD_ON].preferences


def engine_launch(engine: str = COMPACT, *, pack: str | None = None, threads: int | None = None,
                  python: str | None = None, arguments: Sequence[str] = ("serve",)) -> Launch:
    """How to start a job's engine with `arguments`: as given, else as the preferences say. Raises JobError if that is
    not possible."""
    ours, is_torch = of_this_machine(), engine not in WITHOUT_TORCH
    weights = getattr(ours, weights_setting(engine), "") if pack is None else pack
    if engine != COMPACT and not weights:
        raise JobError("pack_missing", f"No folder of weights is named for the engine {engine}.",
                       "Choose it in the add-on's preferences.")
    chosen = (ours.python if is_torch else "") if python is None else python
    if is_torch and not chosen:
        raise JobError("runtime_missing", f"The engine {engine} needs a Python with torch.",
                       "Name one in the add-on's preferences.")
    return launch(python=_absolute(chosen), spare=_absolute(ours.python), pack=_absolute(weights),
                  threads=ours.threads if threads is None else threads, copies=copies_folder(), arguments=arguments)


def weights_folder(engine: str = COMPACT, pack: str | None = None) -> Path:
    """The folder of an engine's weights: `pack`, else the preferences'; the embedded ones if none is named."""
    named = getattr(of_this_machine(), weights_setting(engine)) if pack is None else pack
    return Path(_absolute(named)) if named else EMBEDDED_PACK


def _absolute(path: str) -> str:
    return bpy.path.abspath(path) if path else ""


def copies_folder() -> str:
    """The folder from which the engine loads copies. Only Windows needs it, because loaded files cannot be replaced
    there. It is removed with the extension."""
    return bpy.utils.extension_path_user(ADD_ON, path="loaded", create=True) if os.name == "nt" else ""


def register() -> None:
    bpy.utils.register_class(AA2_AP_preferences)


def unregister() -> None:
    bpy.utils.unregister_class(AA2_AP_preferences)
