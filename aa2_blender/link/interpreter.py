"""Where the extension lies and what the artist prefers, in; the engine's command line and environment, out."""
import importlib.util
import os
import site
import sys
from dataclasses import dataclass
from pathlib import Path

from ..embedded.engine.contract.errors import JobError

# Not resolved: where the extension is made of links (`build.py link`), its files lead into the checkout, which has no embedded/.
EMBEDDED = Path(__file__).absolute().parent.parent / "embedded"
# Blender's own settings that would follow into a child: 5.1 and later leak OCIO, and a PYTHONHOME of Blender's is right
# only for Blender's own Python.
NOT_FOR_ANOTHER_PYTHON = ("PYTHONHOME", "PYTHONPATH")


@dataclass(frozen=True)
class Launch:
    """How to start an engine: what goes to Popen."""

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]


def launch(*, python: str = "", pack: str = "", threads: int = 0, embedded: Path = EMBEDDED, copies: str = "") -> Launch:
    """The launch of the embedded engine.

    `python`: an interpreter of the artist's own (with torch), empty for Blender's Python and the embedded packages;
    `pack`: a folder of weights, empty for the embedded ones; `threads`: 0 for one a core; `copies`: a folder where the engine
    keeps what it loads, so that the extension's own files stay free to be replaced; empty to load those.
    """
    if python and not os.access(python, os.X_OK):
        raise JobError("runtime_missing", f"The preferences name the Python {python!r}, which cannot be run.",
                       "Correct it in the add-on's preferences, or leave it empty for the embedded engine.")
    paths = [embedded] if python else [embedded, *_packages(embedded), *_blender_numpy()]
    command = [python or sys.executable, "-s", "-P", "-m", "engine", "serve"]
    command += ["--pack", pack] if pack else []
    command += ["--threads", str(threads)] if threads else []
    environment = _environment(paths, foreign=bool(python))
    if copies and not python:
        environment["AA2_COPIES"] = copies
    return Launch(tuple(command), tuple(sorted(environment.items())))


def _packages(embedded: Path) -> list[Path]:
    """The embedded packages for this Python."""
    folder = embedded / "packages"
    own = folder / f"cp{sys.version_info[0]}{sys.version_info[1]}"
    if not own.is_dir():
        there = ", ".join(sorted(path.name for path in folder.glob("cp*"))) or "none"
        raise JobError("runtime_missing", f"This Blender runs Python {sys.version_info[0]}.{sys.version_info[1]}, but the "
                       f"embedded engine has packages for: {there}.",
                       "Name a Python that has numpy, OpenCV and onnxruntime in the add-on's preferences.")
    return [folder / "any", own]


def _blender_numpy() -> list[Path]:
    """The folder of Blender's numpy, where a bare child of this interpreter would not look; else nothing."""
    spec = importlib.util.find_spec("numpy")
    home = Path(spec.origin).resolve().parent.parent
    seen = {Path(path).resolve() for path in site.getsitepackages()}
    return [] if home in seen else [home]


def _environment(paths: list[Path], foreign: bool) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items()
            if name != "OCIO" and not (foreign and name in NOT_FOR_ANOTHER_PYTHON)}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
