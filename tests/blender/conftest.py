"""Blender as a module with the extension installed from its zip, once for all tests of one Blender release.

`build.py test` names the zip (AA2_ZIP) and an empty folder for Blender (BLENDER_USER_RESOURCES). If you start pytest by
hand, the newest zip in dist/ and a folder of pytest's are used: `.build/envs/bpy-4.5.15/bin/python -m pytest
tests/blender/test_shell_*.py`.
"""
import importlib
import os
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ROOT / "tests" / "engines"
MODULE = "bl_ext.user_default.aa2_blender"
os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="aa2-resources-"))
# The source files lie beside the tests, but only the installed extension may be imported.
sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != ROOT]

bpy = importlib.import_module("bpy")


def _zip() -> str:
    built = sorted((ROOT / "dist").glob("aa2_blender-*-linux_x64.zip"), key=lambda path: path.stat().st_mtime)
    if not (os.environ.get("AA2_ZIP") or built):
        pytest.exit("There is no zip to install; run `python build.py zip` first.", returncode=2)
    return os.environ.get("AA2_ZIP") or str(built[-1])


@pytest.fixture(scope="session")
def extension():
    """The installed, enabled extension as a module; its rooms are its attributes (`extension.link.engine_job`)."""
    bpy.ops.extensions.package_install_files(filepath=_zip(), repo="user_default", enable_on_install=True)
    assert MODULE in bpy.context.preferences.addons, "the extension was not enabled"
    return importlib.import_module(MODULE)


@pytest.fixture
def blank(extension):
    """The scene of an empty file, with the extension enabled."""
    bpy.ops.wm.read_homefile(use_empty=True)
    return bpy.context.scene


@pytest.fixture
def engine(extension, tmp_path, monkeypatch):
    """engine("paints", "--one") makes that engine of tests/engines the embedded one, which Blender's own Python
    runs."""
    interpreter = importlib.import_module(extension.__name__ + ".link.interpreter")

    def use(name, *arguments):
        folder = tmp_path / f"embedded {name} {' '.join(arguments)}"
        (folder / "engine").mkdir(parents=True, exist_ok=True)
        (folder / "engine" / "__init__.py").write_text("")
        (folder / "engine" / "__main__.py").write_text(
            f"import runpy, sys\nsys.argv[1:] = {list(arguments)}\nsys.path.insert(0, {str(ENGINES)!r})\n"
            f"runpy.run_path({str(ENGINES / name) + '.py'!r}, run_name='__main__')\n")
        for packages in ("any", f"cp{sys.version_info[0]}{sys.version_info[1]}"):
            (folder / "packages" / packages).mkdir(parents=True, exist_ok=True)
        monkeypatch.setattr(interpreter, "EMBEDDED", folder)
    yield use
    importlib.import_module(extension.__name__ + ".queue.session").forget()


@pytest.fixture
def preferred_python(extension, tmp_path, monkeypatch):
    """preferred_python("paints") names a Python in the preferences; whatever it is told to run, it is that engine. The
    embedded engine counts as one that needs torch, so that it runs there."""
    preferences = bpy.context.preferences.addons[extension.__name__].preferences
    room = importlib.import_module(extension.__name__ + ".settings.preferences")

    def use(name, *arguments):
        script = tmp_path / f"python for {name}"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ENGINES / name}.py" {" ".join(arguments)}\n')
        script.chmod(0o755)
        preferences.python = str(script)
        monkeypatch.setattr(room, "WITHOUT_TORCH", set())
    yield use
    preferences.python = ""
    importlib.import_module(extension.__name__ + ".queue.session").forget()


@pytest.fixture
def session(extension):
    return importlib.import_module(extension.__name__ + ".queue.session")


@pytest.fixture
def part(extension):
    """part("versions.folders") is a module of the extension."""
    return lambda name: importlib.import_module(f"{extension.__name__}.{name}")


@pytest.fixture
def asked(part):
    """asked(scene) is what the artist asks for in a scene now, looked up anew."""
    return lambda scene: part("settings.request_of").Asked(scene)


@pytest.fixture
def own_rates(part, monkeypatch, tmp_path):
    """The rates of this machine, without what runs of other tests have measured."""
    cost = part("cost")
    monkeypatch.setattr(cost, "_path", lambda: str(tmp_path / "rates.json"))
    monkeypatch.setattr(cost, "_kept", None)
    return cost


@pytest.fixture
def shot(blank, tmp_path):
    """The small shot's scene; many test files have their own shot instead."""
    return importlib.import_module("small_shot").make(tmp_path / "a shot é")


@pytest.fixture
def made(shot, engine):
    """The folder of one version that is generated and placed."""
    engine("paints")
    bpy.ops.aa2.generate()
    return importlib.import_module("shots").folder_of(shot)


@pytest.fixture
def queue(session):
    return session.queue


@pytest.fixture
def add(part, session):
    """add(scene, seed=3) does what pressing Generate does in a window: it adds a row and does no work yet."""
    def press(scene, **settings):
        for name, value in settings.items():
            setattr(scene.aa2, name, value)
        asking = part("settings.request_of")
        request = asking.request_of(scene)
        return session.queue.add(part("tasks.gathering").Gathered(request, asking.job_folder(scene),
                                                                  session.queue.reserved))
    return press
