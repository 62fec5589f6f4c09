"""A bpy's Python runs this: what happens to an engine when its extension is disabled, installed again or removed.

    keep_and_replace.py JOB PACK disable | upgrade | remove

It starts an engine on the job through the installed extension. While the engine works, it does the one thing to the
extension. Then it prints JSON: the first engine's process id, whether the extension is enabled, how a run after an
upgrade ended, and which files are left.
"""
import importlib
import json
import os
import sys
import time
from pathlib import Path

import bpy

MODULE = "bl_ext.user_default.aa2_blender"
JOB, PACK, WHAT = Path(sys.argv[1]), sys.argv[2], sys.argv[3]


def install():
    bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default",
                                             enable_on_install=True)


def start():
    """Starts an engine and waits until it generates; returns (its process id, its job)."""
    session, preferences, messages = (importlib.import_module(f"{MODULE}.{name}") for name in
                                    ("queue.session", "settings.preferences", "embedded.engine.contract.messages"))
    launch = preferences.engine_launch(pack=PACK, threads=1)
    job = session.link.start(launch, messages.Run(str(JOB)), JOB)
    while not (job.ended or len(job.frames) > 8):   # more than one window
        session.link.pump()
        time.sleep(0.01)
    return session.link._process._child.pid, job


def end(job):
    session = importlib.import_module(f"{MODULE}.queue.session")
    while not job.ended:
        session.link.pump()
        time.sleep(0.01)
    return job


install()
pid, job = start()
told = {"pid": pid, "was_at_work": not job.ended}
if WHAT == "disable":
    bpy.ops.preferences.addon_disable(module=MODULE)
elif WHAT == "upgrade":
    install()
    done = end(start()[1])
    told.update(state=done.state, error=str(done.error), reused=getattr(done.answer, "reused", None))
    importlib.import_module(f"{MODULE}.queue.session").forget()
else:
    repo = next(i for i, repo in enumerate(bpy.context.preferences.extensions.repos) if repo.module == "user_default")
    bpy.ops.extensions.package_uninstall(repo_index=repo, pkg_id="aa2_blender")
told["enabled"] = MODULE in bpy.context.preferences.addons
user = Path(os.environ["BLENDER_USER_RESOURCES"]) / "extensions"
told["left"] = sorted(str(path.relative_to(user)) for path in user.glob("**/aa2_blender*"))
print(json.dumps(told), flush=True)
os._exit(0)
