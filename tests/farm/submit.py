"""A bpy's Python runs this: it evaluates settings of a job type in the file, as Flamenco's add-on does when somebody
submits it, and prints them as JSON.

    submit.py FILE.blend EXPRESSIONS.json PACK
"""
import importlib
import json
import sys
from pathlib import Path

import bpy

importlib.import_module("addon_utils").enable("bl_ext.user_default.aa2_blender", default_set=True)
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
bpy.context.preferences.addons["bl_ext.user_default.aa2_blender"].preferences.pack = sys.argv[3]
scene = bpy.data.scenes["Edit"]
scene.aa2.farm_all, scene.aa2.farm_frames, scene.aa2.farm_run_in, scene.aa2.farm_each = True, 36, 1, 2
found = {}
for key, expression in json.loads(Path(sys.argv[2]).read_text()).items():
    with bpy.context.temp_override(scene=scene):
        found[key] = eval(expression, {}, {"bpy": bpy, "C": bpy.context, "Path": Path})
print(json.dumps(found))
