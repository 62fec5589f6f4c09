"""The place of the extension and the artist's preferences in; the engine's command line and environment, out.

Only this module decides which process answers which request (Launch.of).
"""
import importlib.util
import os
import site
import sys
from dataclasses import dataclass
from pathlib import Path

from ..embedded.engine.contract import messages
from ..embedded.engine.contract.errors import JobError

# Not resolved: if the extension consists of links (`build.py link`), its files lead into the checkout, which has no
# embedded/.
EMBEDDED = Path(__file__).absolute().parent.parent / "embedded"
# Blender's own variables that a child would inherit: 5.1 and later leak OCIO, and Blender's PYTHONHOME is right only
# for Blender's own Python.
NOT_FOR_ANOTHER_PYTHON = ("PYTHONHOME", "PYTHONPATH")


@dataclass(frozen=True)
class Launch:
    """How to start an engine: the arguments of Popen. If this launch is of a Python that the artist names, `embedded`
    is the launch of Blender's own Python with the embedded packages. It is None if this launch answers everything."""

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    embedded: "Launch | None" = None

    def of(self, request) -> "Launch":
        """The launch of the process that answers a request. An artist's own Python is there to run the networks. It has
        torch, but it may lack what finds people in pictures or draws conditions. So it gets only `run`."""
        return self if self.embedded is None or isinstance(request, messages.Run | messages.Assemble) else self.embedded


def launch(*, python: str = "", spare: str = "", pack: str = "", threads: int = 0, embedded: Path | None = None,
           copies: str = "") -> Launch:
    """The launch of the embedded engine.

    `python`: an artist's own interpreter (with torch) for the networks, empty for Blender's Python and the embedded
    packages; `spare`: one that is taken only where there are no embedded packages for Blender's Python; `pack`: a
    folder of weights, empty for the embedded ones; `threads`: 0 for one per core; `embedded`: the folder of the engine
    and its packages, None for EMBEDDED; `copies`: a folder to which the engine copies what it loads, so that the
    extension's own files can be replaced; empty to load the originals.
    """
    folder = embedded or EMBEDDED
    words = ("-s", "-P", "-m", "engine", "serve", *(("--pack", pack) if pack else ()),
             *(("--threads", str(threads)) if threads else ()))
    if not python:
        try:
            return _own(folder, words, copies)
        except JobError:
            if not spare:
                raise
            python = spare
    if not os.access(python, os.X_OK):
        raise JobError("runtime_missing", f"The preferences name the Python {python!r}, which cannot be run.",
                       "Correct it in the add-on's preferences, or leave it empty for the embedded engine.")
    try:
        own = _own(folder, words, copies)
    except JobError:  # there are no packages for this Blender's Python, so the artist's Python has to do everything
        own = None
    return Launch((python, *words), _environment([folder], foreign=True), own)


def _own(folder: Path, words, copies) -> Launch:
    """The launch of Blender's own Python."""
    environment = dict(_environment([folder, *_packages(folder), *_blender_numpy()], foreign=False))
    if copies:
        environment["AA2_COPIES"] = copies
    return Launch((sys.executable, *words), tuple(sorted(environment.items())))


def _packages(embedded: Path) -> list[Path]:
    """The embedded packages for this Python."""
    folder = embedded / "packages"
    own = folder / f"cp{sys.version_info[0]}{sys.version_info[1]}"
    if not own.is_dir():
        there = ", ".join(sorted(path.name for path in folder.glob("cp*"))) or "none"
        raise JobError("runtime_missing",
                       f"This Blender runs Python {sys.version_info[0]}.{sys.version_info[1]}, but the "
                       f"embedded engine has packages for: {there}.",
                       "Name a Python that has numpy, OpenCV and onnxruntime in the add-on's preferences.")
    return [folder / "any", own]


def _blender_numpy() -> list[Path]:
    """The folder of Blender's numpy, if a bare child of this interpreter would not look there; else nothing."""
    spec = importlib.util.find_spec("numpy")
    if spec is None or spec.origin is None:
        return []
    home = Path(spec.origin).resolve().parent.parent
    seen = {Path(path).resolve() for path in site.getsitepackages()}
    return [] if home in seen else [home]


def _environment(paths: list[Path], foreign: bool) -> tuple[tuple[str, str], ...]:
    kept = {name: value for name, value in os.environ.items()
            if name != "OCIO" and not (foreign and name in NOT_FOR_ANOTHER_PYTHON)}
    given = {"PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return tuple(sorted({**kept, **given}.items()))
