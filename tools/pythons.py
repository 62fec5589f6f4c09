"""A Python version such as "3.13" -> the path of an interpreter: on PATH, in pyenv, or fetched by uv."""
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from .telling import Missing, say

FETCH_S = 300
PROBE = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])"


def find(version: str, scratch: Path) -> str:
    """The first working interpreter of `version` that can make environments; `scratch` holds uv when it is needed.

    Raises Missing with what to do when there is none.
    """
    for candidate in _candidates(version):
        if _works(candidate, version):
            return candidate
    fetched = _fetch_with_uv(version, scratch)
    if fetched and _works(fetched, version):
        return fetched
    raise Missing(f"No Python {version} with venv was found on PATH or in pyenv, and uv could not fetch one; install "
                  f"it (on Debian: python{version} and python{version}-venv) and start again.")


def _candidates(version: str):
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        yield getattr(sys, "_base_executable", sys.executable)
    name = f"python{version}"
    if shutil.which(name):
        yield shutil.which(name)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for folder in sorted((root / "versions").glob(version + ".*"), reverse=True):
        yield str(folder / "bin" / name)


def _works(python: str, version: str) -> bool:
    try:
        answer = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, timeout=60)
    except OSError:
        return False
    return answer.stdout.strip() == version


def _fetch_with_uv(version: str, scratch: Path) -> str | None:
    uv = shutil.which("uv") or _install_uv(scratch)
    if not uv:
        return None
    say(f"fetching Python {version} with uv")
    try:
        subprocess.run([uv, "python", "install", version], capture_output=True, timeout=FETCH_S)
    except subprocess.TimeoutExpired:
        return None
    found = subprocess.run([uv, "python", "find", version], capture_output=True, text=True)
    return found.stdout.strip() or None


def _install_uv(scratch: Path) -> str | None:
    try:
        venv.create(scratch, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    programs = scratch / ("Scripts" if os.name == "nt" else "bin")
    try:
        subprocess.run([programs / "python", "-m", "pip", "install", "-q", "uv"], capture_output=True, timeout=FETCH_S)
    except subprocess.TimeoutExpired:
        return None
    return shutil.which("uv", path=str(programs))
