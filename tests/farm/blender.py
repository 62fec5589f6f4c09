"""Stands for Blender's program, in the bpy module: `blender.py -b [FILE] --command aa2 WORDS`, and the exit code of the
command. BLENDER_USER_RESOURCES has the installed extension (make_shots.py)."""
import importlib
import sys

MODULE = "bl_ext.user_default.aa2_blender"


def main(arguments: list[str]) -> int:
    place = arguments.index("--command")
    files = [word for word in arguments[:place] if not word.startswith("-")]
    if "-b" not in arguments[:place] or arguments[place + 1] != "aa2" or len(files) > 1:
        print(f"expected -b [FILE] --command aa2 ..., got {arguments}", file=sys.stderr)
        return 2
    import bpy
    addon_utils = importlib.import_module("addon_utils")   # Blender's own, there once bpy is imported
    addon_utils.enable(MODULE, default_set=True)
    bpy.context.preferences.addons[MODULE].preferences.threads = 1      # several engines run at once
    if files:
        bpy.ops.wm.open_mainfile(filepath=files[0])
    return importlib.import_module(MODULE + ".cli").command(arguments[place + 2:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
