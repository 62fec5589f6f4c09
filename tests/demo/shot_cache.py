"""The demo shot on disk, in .build/demo_shot/: made once for each state of the scripts that make it."""
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".build" / "demo_shot"
SHARED = HERE.parent.parent / "lab" / "clips"     # shared with Blender's world of clips
SCRIPTS = (*(HERE / name for name in ("shot.py", "film.py", "room.py", "walk.py")),
           *(SHARED / name for name in ("materials.py", "puppet.py", "shapes.py")))


def shot_folder(*more):
    """The folder with shot.blend, plate.mp4 and plate/. If these scripts have not made one yet, it is rendered first.

    `more` goes to shot.py (a test asks for a small one: "--percent", "20").
    """
    folder = CACHE / key(more)
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, HERE / "shot.py", folder, *more], check=True, stdout=subprocess.DEVNULL)
        (folder / "complete").touch()
    return folder


def key(more):
    digest = hashlib.sha256(" ".join(more).encode())
    for script in SCRIPTS:
        digest.update(script.read_bytes())
    return digest.hexdigest()[:16]
