"""A .blend and the options of `aa2 generate`, run in the bpy module with the zip installed; the command's exit code.

Started by `build.py generate` with a bpy's Python, the zip in AA2_ZIP and an empty folder in BLENDER_USER_RESOURCES.
"""
import importlib
import os
import sys
from pathlib import Path

MODULE = "bl_ext.user_default.aa2_blender"


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        blend, options = None, ["--help"]
    else:
        blend, options = Path(arguments[0]), arguments[1:]
    import bpy

    if blend and not blend.is_file():
        print(f"build.py generate: there is no file {blend}; name a .blend first.", file=sys.stderr)
        return 2
    answers = os.dup(1)
    os.dup2(2, 1)  # what Blender prints about installing and opening is not part of the answer
    bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default",
                                             enable_on_install=True)
    if blend:
        bpy.ops.wm.open_mainfile(filepath=str(blend.resolve()))
    sys.stdout.flush()
    os.dup2(answers, 1)
    return importlib.import_module(MODULE + ".cli").command(["generate", *options])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
