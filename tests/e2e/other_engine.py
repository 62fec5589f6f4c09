"""A bpy's Python runs this: it opens a .blend, names a Python and weights in the preferences, chooses their engine, and
presses Generate. It prints as JSON how that ended, and saves the file.

    other_engine.py FILE.blend ENGINE WEIGHTS PYTHON REFERENCE
"""
import importlib
import json
import os
import sys

import bpy

MODULE = "bl_ext.user_default.aa2_blender"
blend, engine, weights, python, reference = sys.argv[1:]
bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default", enable_on_install=True)
bpy.ops.wm.open_mainfile(filepath=blend)
preferences = bpy.context.preferences.addons[MODULE].preferences
preferences.python = python
setattr(preferences, f"pack_{engine.replace('-', '_')}", weights)
ours = bpy.context.scene.aa2
ours.engine, ours.reference_path = engine, reference
asked = importlib.import_module(f"{MODULE}.settings.request_of").Asked(bpy.context.scene).request.settings
ended = bpy.ops.aa2.generate()
bpy.ops.wm.save_mainfile()
print(json.dumps({"ended": list(ended), "guidance": asked.guidance}), flush=True)
