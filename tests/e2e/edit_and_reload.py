"""A bpy's Python runs this: it enables the linked extension, edits its checkout, reloads, and prints what it saw as
JSON.

edit_and_reload.py CHECKOUT: a copy of this checkout, to which the links in extensions/user_default lead.
"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import bpy

MODULE = "bl_ext.user_default.aa2_blender"
checkout, said = Path(sys.argv[1]), []
version = checkout / "engine" / "contract" / "version.py"


def look():
    """The add-on's version, the version that the engine's process has, and a button's tooltip."""
    launch = importlib.import_module(MODULE + ".link.interpreter").launch()
    ask = [
        launch.command[0],
        "-s",
        "-P",
        "-c",
        "import engine.contract.version as v, cv2, onnxruntime; print(v.ENGINE)",
    ]
    child = subprocess.run(ask, env=dict(launch.environment), capture_output=True, text=True)
    said.append(
        {
            "known": importlib.import_module(MODULE + ".embedded.engine.contract.version").ENGINE,
            "child": child.stdout.strip(),
            "error": child.stderr,
            "tooltip": bpy.ops.aa2.use_active_strip.get_rna_type().description,
            "registered": hasattr(bpy.types.Scene, "aa2"),
            "panels": sum(name.startswith("AA2_PT_") for name in dir(bpy.types)),
        }
    )


bpy.ops.extensions.repo_refresh_all()
bpy.ops.preferences.addon_enable(module=MODULE)
look()
written = said[0]["tooltip"]
edited = next(
    file
    for file in sorted((checkout / "aa2_blender" / "operators").glob("*.py"))
    if written in file.read_text(encoding="utf-8")
)
edited.write_text(edited.read_text(encoding="utf-8").replace(written, "An edited tooltip"), encoding="utf-8")
version.write_text(version.read_text(encoding="utf-8") + '\nENGINE = "9.8.7"\n', encoding="utf-8")
bpy.utils.load_scripts(
    reload_scripts=True
)  # the operator Reload Scripts starts this with a timer, which the bpy module never calls
look()
print(json.dumps(said), flush=True)
os._exit(0)  # after this, the bpy module may hang when it ends, even with no add-on enabled
