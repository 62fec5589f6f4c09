"""The home in the Debian root where the window's Blender finds what its stories need."""
import os
import shutil
import subprocess
from pathlib import Path

from tests.window import footage
from tools import root

ROOT = Path(__file__).resolve().parents[2]
RELEASE = os.environ.get("AA2_WINDOW", root.TESTED)
BPY = os.environ.get("AA2_BPY_PYTHON", str(ROOT / ".build/envs/bpy-4.5.15/bin/python"))
HOME = "home/ada/window"     # in the root
MAKE_SHOT = "from tests.demo.shot_cache import shot_folder; print(shot_folder('--percent', '40', '--samples', '8'))"


def furnish(home):
    """Put what the stories need where their Blender sees it: each its own copy of the shot, for they change it."""
    shutil.rmtree(home, ignore_errors=True)
    made = subprocess.run([BPY, "-c", MAKE_SHOT], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[-3000:]
    for name in ("shot", "screens/shot"):
        shutil.copytree(Path(made.stdout.splitlines()[-1]), home / name,
                        ignore=shutil.ignore_patterns("still.png", "complete", "plate"))
        shutil.copy(ROOT / "tests" / "demo" / "reference.png", home / name)
    footage.make(home / "shot" / "take")
    for path in Path(__file__).parent.glob("*.py"):
        shutil.copy(path, home)
    built = max((ROOT / "dist").glob(f"aa2_blender-*-{root.ZIPS[RELEASE].replace('-', '_')}.zip"), default=None,
                key=lambda path: path.stat().st_mtime)
    shutil.copy(os.environ.get("AA2_ZIP") or built, home / "aa2.zip")
    for name in ("out", "screens/out"):
        (home / name).mkdir()
