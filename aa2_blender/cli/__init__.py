"""Shots without a window: `blender -b SHOT.blend --command aa2 COMMAND ...`, and generate() from Python."""
import bpy

from .door import command
from .generating import generate

__all__ = ["command", "generate"]
_handle = None


def register() -> None:
    global _handle
    _handle = bpy.utils.register_cli_command("aa2", command)


def unregister() -> None:
    bpy.utils.unregister_cli_command(_handle)
