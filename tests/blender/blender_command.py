"""Stands for the `blender` executable where there is only the module:

    python blender_command.py -b [FILE.blend] --command aa2 ARGS...

The extension is installed already; BLENDER_USER_RESOURCES names the folder. AA2_THREADS names the processor threads of
its engine, for tests in which several run at once.
"""
import importlib
import os
import sys

MODULE = "bl_ext.user_default.aa2_blender"


def main(words: list[str]) -> int:
    import bpy
    at = words.index("--command")
    bpy.ops.preferences.addon_enable(module=MODULE)
    bpy.context.preferences.addons[MODULE].preferences.threads = int(os.environ.get("AA2_THREADS", "0"))
    for file in (word for word in words[:at] if not word.startswith("-")):
        bpy.ops.wm.open_mainfile(filepath=file)
    return importlib.import_module(MODULE + ".cli").command(words[at + 2:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
