"""Renders clips from the checkout: a bpy's Python finds the engine's contract where the zip has it."""
import importlib
import os
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def prepare() -> None:
    """Makes the clips' rooms importable, and Cycles quiet."""
    import bpy  # noqa: F401  it brings mathutils and bmesh
    sys.stdout = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)            # Cycles prints every step there
    embedded = types.ModuleType("aa2_blender.embedded")
    embedded.__path__ = [str(ROOT)]
    sys.modules["aa2_blender.embedded"] = embedded


def main(arguments: list[str]) -> int:
    """Ends the process with the command's exit code: Blender's own end takes long and may crash."""
    prepare()
    code = importlib.import_module("lab.clips.command").main(arguments)
    sys.stderr.flush()
    os._exit(code)
