"""The checkout and an extensions folder of Blender -> the extension there as links: Blender reloads what is edited."""

import os
import shutil
import sys
from pathlib import Path

from . import environments, wheels
from .environments import ROOT
from .platforms import PLATFORMS, here
from .telling import Stop, say

NAME = "aa2_blender"
MANIFEST = "blender_manifest.toml"
FETCHING = "fetch"  # the environment whose pip brings the engine's packages; needs no Blender


def make(extensions: Path | None) -> Path:
    """The extension's folder of links in `extensions` (None: the newest Blender's own)."""
    name = here()
    if name not in PLATFORMS:
        raise Stop(f"There are no packages for {name}; the engine runs on {', '.join(PLATFORMS)}.")
    extensions = extensions or users_own()
    packages = wheels.ensure(name, PLATFORMS[name], environments.ensure(FETCHING))
    return link(ROOT, extensions / NAME, packages)


def link(checkout: Path, folder: Path, packages: Path) -> Path:
    """Makes `folder` of links into the checkout. Raises Stop if something else is there or no link can be made."""
    if folder.is_symlink() or folder.exists() and not (folder / "__init__.py").is_symlink():
        raise Stop(
            f"{folder} is there and was not made by `build.py link`; remove the extension in Blender's preferences and "
            "start again."
        )
    targets = _add_on(checkout) | {
        MANIFEST: checkout / MANIFEST, "embedded/engine": checkout / "engine", "embedded/packages": packages
    }
    _fill(folder, targets)
    say(
        f"{len(targets)} links in {folder}; in Blender: Preferences > Add-ons, switch AA2 on; after an edit: F3, "
        "Reload Scripts"
    )
    return folder


def for_checker(checkout: Path, folder: Path) -> Path:
    """Makes `folder` of links to the add-on, with the engine where the zip has it: relative imports lead there."""
    _fill(folder, _add_on(checkout) | {"embedded/engine": checkout / "engine"})
    return folder


def _add_on(checkout: Path) -> dict[str, Path]:
    return {
        path.name: path
        for path in sorted((checkout / NAME).iterdir())
        if not path.name.startswith((".", "__pycache__"))
    }


def _fill(folder: Path, targets: dict[str, Path]) -> None:
    """Makes the folder anew of links, {place in it: what it leads to}. Raises Stop if no link can be made."""
    shutil.rmtree(folder, ignore_errors=True)  # the links, not what they lead to
    try:
        (folder / "embedded").mkdir(parents=True)
        (folder / "embedded" / "__init__.py").touch()
        for place, target in targets.items():
            (folder / place).symlink_to(target.resolve(), target_is_directory=target.is_dir())
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Stop(
            f"{folder} could not be made of links ({error}); choose a folder where you may write, and on Windows "
            "switch on Developer Mode, which allows links."
        ) from None


def users_own() -> Path:
    """The folder user_default of the newest Blender that this user has started. Raises Stop where there is none."""
    if told := os.environ.get("BLENDER_USER_EXTENSIONS"):
        return Path(told) / "user_default"
    if told := os.environ.get("BLENDER_USER_RESOURCES"):
        return Path(told) / "extensions" / "user_default"
    settings = _settings()
    versions = [
        path for path in settings.glob("*.*") if path.is_dir() and all(part.isdigit() for part in path.name.split("."))
    ]
    if not versions:
        raise Stop(
            f"{settings} holds no Blender's settings; start Blender once, or name its folder extensions/user_default."
        )
    newest = max(versions, key=lambda path: [int(part) for part in path.name.split(".")])
    return newest / "extensions" / "user_default"


def _settings() -> Path:
    """Where Blender keeps one folder for each release, according to its manual."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", "")) / "Blender Foundation" / "Blender"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Blender"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "blender"
