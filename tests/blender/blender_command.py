"""Stands for the `blender` executable where there is only the module:

    python blender_command.py -b [FILE.blend] --command aa2 ARGS...

The extension is installed already; BLENDER_USER_RESOURCES names the folder.
"""
import importlib
import sys

MODULE = "bl_ext.user_default.aa2_blender"


def main(words: list[str]) -> int:
    import bpy
    at = words.index("--command")
    bpy.ops.preferences.addon_enable(module=MODULE)
    for file in (word for word in words[:at] if not word.startswith("-")):
        bpy.ops.wm.open_mainfile(filepath=file)
    return importlib.import_module(MODULE + ".cli").command(words[at + 2:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
