"""A Debian release -> a folder with its Blender, a screen without a monitor and a hand to click, made once and reused.

Commands run in it as on a machine of their own, in a mount and process namespace. When the command ends, the namespace
disappears, with everything that was mounted or started in it.
"""
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from . import debian
from .environments import BUILD
from .telling import Missing, Stop, say

PACKAGES = ("ca-certificates", "blender", "xvfb", "xauth", "libgl1-mesa-dri", "libegl1", "libegl-mesa0", "libgbm1",
            "libglx-mesa0", "python3-numpy", "x11-apps", "imagemagick", "xdotool")
# Release -> what is to be installed. Sid's Blender imports these three, but its packages do not depend on them.
RELEASES = {"trixie": PACKAGES, "sid": (*PACKAGES, "python3-cattr", "python3-requests", "python3-zstandard")}
MAKING_S = 420     # 78 s where the network is quick
TESTED = "trixie"   # the one whose pictures are committed; sid changes every day
ZIPS = {"trixie": "linux-x64", "sid": "linux-x64-python314"}    # which zip is for its Python
# $1 is the root, the rest the command. A process namespace needs a /proc of its own; /dev and /sys are the machine's.
# The shell stays as process 1, because Xvfb does not signal to a parent with that number that it is ready.
ENTER = ('mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" && '
         'root=$1 && shift && { chroot "$root" "$@"; exit $?; }')


def ensure(release: str) -> Path:
    """The root of `release`; raises Missing if this machine cannot have it or does not permit running anything in
    it."""
    root = BUILD / "window" / release
    stamp = root / "made.sha256"
    wanted = hashlib.sha256(" ".join((release, *RELEASES[release])).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        run(root, ["true"], timeout=60)
        return root
    if os.geteuid() != 0:
        raise Missing(f"A root with {release}'s Blender needs root's rights; run it with sudo.")
    if not shutil.which("dpkg-query"):
        raise Missing(f"A root with {release}'s Blender is made by Debian's mmdebstrap, and this is no Debian.")
    try:
        debian.ensure(("mmdebstrap",))
    except Stop as stop:
        raise Missing(str(stop)) from None
    say(f"making {root} with {release}'s Blender (about 1.4 GB)")
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    # A mirror that lags behind is good enough here.
    try:
        done = subprocess.run(["mmdebstrap", "--variant=minbase", "--aptopt=APT::Install-Recommends \"false\"",
                               "--aptopt=Acquire::Check-Valid-Until \"false\"",
                               "--include=" + ",".join(RELEASES[release]), release,
                               str(root)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=MAKING_S)
    except subprocess.TimeoutExpired:
        shutil.rmtree(root, ignore_errors=True)
        raise Missing(f"{root} was not made within {MAKING_S} s; look at the network, then start again.") from None
    if done.returncode != 0:
        shutil.rmtree(root, ignore_errors=True)
        told = [line for line in done.stderr.splitlines() if line.startswith("E: ")] or ["it gave no reason"]
        raise Missing(f"mmdebstrap could not make {root} ({told[0].removeprefix('E: ')}); look at the network and the "
                      "free disk, then start again.")
    run(root, ["true"], timeout=60)
    stamp.write_text(wanted)
    say(f"{root} is ready")
    return root


def run(root: Path, command: list[str], *, timeout: float, **environment: str) -> subprocess.CompletedProcess:
    """Runs a command in the root as its only user, home /home/ada; stdout and stderr come back together as text.

    Raises Missing if this machine does not permit mounting, subprocess.TimeoutExpired after `timeout` seconds. Then,
    too, nothing that the command started is left.
    """
    told = [f"{name}={value}"
            for name, value in {"HOME": "/home/ada", "LIBGL_ALWAYS_SOFTWARE": "1", **environment}.items()]
    line = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", str(root),
            "env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG=C.UTF-8", *told, *command]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0 and done.stdout.startswith(("unshare: ", "mount: ")):
        raise Missing(f"Nothing can be mounted here ({done.stdout.strip().splitlines()[0]}); run it on a machine of "
                      "your own.")
    return done
