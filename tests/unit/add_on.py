"""Imports the add-on's rooms without bpy: part("link.engine_job") is that module, as it is in the installed
extension."""

import importlib
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NAME = "add_on_without_blender"


def part(name: str):
    """A module of aa2_blender. The engine's contract is `part("embedded.engine.contract.errors")`, which is not the
    same module as the tests' own import of it."""
    for package, folder in ((_NAME, ROOT / "aa2_blender"), (f"{_NAME}.embedded", ROOT)):
        if package not in sys.modules:
            sys.modules[package] = types.ModuleType(package)
            sys.modules[package].__path__ = [str(folder)]
    return importlib.import_module(f"{_NAME}.{name}")
