"""The system packages that Blender's module and the demo need on Debian -> installed, or the line to run."""
import os
import shutil
import subprocess

from .telling import Stop, say

# The first row lets `import bpy` and Cycles run; the second Workbench, EEVEE and the compositor of 5.2.
BLENDER = ("libgomp1", "libx11-6", "libxext6", "libxi6", "libxfixes3", "libxrender1", "libxxf86vm1", "libxkbcommon0",
           "libsm6", "libice6", "libgl1",
           "libegl1", "libegl-mesa0", "libgl1-mesa-dri")
FILMS = ("ffmpeg",)
APT_S = 300


def ensure(packages: tuple[str, ...]) -> None:
    """Installs the missing `packages` if this runs as root on Debian; otherwise stops with the line to run.

    Without dpkg nothing can be looked up: the build continues, and Blender itself says what is missing.
    """
    if not shutil.which("dpkg-query"):
        return
    missing = [name for name in packages if not _installed(name)]
    if not missing:
        return
    line = "apt-get install -y --no-install-recommends " + " ".join(missing)
    if os.geteuid() != 0:
        raise Stop(f"System packages are missing; run `sudo {line}` and start again.")
    say("installing system packages: " + " ".join(missing))
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ("apt-get update", line):
        try:
            done = subprocess.run(command.split(), env=environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=APT_S)
        except subprocess.TimeoutExpired:
            raise Stop(f"`{command}` was not done after {APT_S} s; look at the network, then start again.") from None
        if done.returncode != 0:
            raise Stop(f"`{command}` failed ({_last_line(done.stderr)}); run it by hand and start again.")


def _installed(package: str) -> bool:
    answer = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True)
    return answer.stdout.strip() == "installed"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no message"
