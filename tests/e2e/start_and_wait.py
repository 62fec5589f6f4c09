"""A bpy's Python runs this: it starts the engine through the installed extension, prints its process id, and waits."""
import importlib
import os
import sys
import time
from pathlib import Path

import bpy

bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default", enable_on_install=True)
module = "bl_ext.user_default.aa2_blender."
session, preferences, messages = (importlib.import_module(module + name) for name in
                                ("queue.session", "settings.preferences", "embedded.engine.contract.messages"))
folder = Path(sys.argv[1])
job = session.link.start(preferences.engine_launch(pack=sys.argv[2], threads=1), messages.Check(str(folder)), folder)
while not job.ended:
    session.link.pump()
    time.sleep(0.01)
print(session.link._process._child.pid, job.error.code if job.error else "done", flush=True)
if "--quit" not in sys.argv:
    time.sleep(60)
