"""A platform's name -> the extension's zip in dist/: staged, packed and validated by Blender's tool,
its binaries checked."""
import hashlib
import os
import shutil
import subprocess
import tempfile
import tomllib
import zipfile
from pathlib import Path

from . import environments, sbom, wheels
from .environments import BUILD, ROOT
from .platforms import PLATFORMS, Platform, machine_of
from .telling import Stop, say

DIST = ROOT / "dist"
MANIFEST = ROOT / "blender_manifest.toml"
LARGEST_ZIP = 200e6  # bytes; extension platforms refuse larger packages

OUR_TERMS = ("LICENSE", "THIRD_PARTY.md")
LEFT_OUT = ("__pycache__", "*.pyc", ".*")


def make(name: str) -> Path:
    """Builds and validates the zip for platform `name`; stops if it is over 200 MB or holds a foreign binary."""
    if name not in PLATFORMS:
        raise Stop(f"There is no platform {name!r}; choose one of {', '.join(PLATFORMS)} or all.")
    platform = PLATFORMS[name]
    python = environments.ensure(environments.DEMO_BLENDER)
    packages = wheels.ensure(name, platform, python)
    version = tomllib.loads(MANIFEST.read_text())["version"]
    target = DIST / f"aa2_blender-{version}-{name.replace('-', '_')}.zip"
    (BUILD / "stage").mkdir(parents=True, exist_ok=True)
    DIST.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=BUILD / "stage") as scratch:
        stage = _stage(Path(scratch) / "aa2_blender", platform, packages)
        _check_parts(stage, platform)
        _pack(stage, target, stamp=BUILD / "stage" / f"{name}.sha256", python=python)
    return target


def _pack(stage: Path, target: Path, *, stamp: Path, python: Path) -> None:
    """Packs and validates the staged folder, unless the zip was made from exactly this folder already."""
    digest = _digest(stage)
    if target.exists() and stamp.exists() and stamp.read_text() == digest:
        return say(f"{target.relative_to(ROOT)} is up to date")
    say(f"packing {target.relative_to(ROOT)}")
    made = stage.parent / target.name
    tool = blender_tool(python)
    blender(python, tool, "build", "--source-dir", stage, "--output-filepath", made)
    blender(python, tool, "validate", made)
    _check_complete(stage, made)
    _tell_sizes(made)
    os.replace(made, target)
    stamp.write_text(digest)


def _digest(stage: Path) -> str:
    """Of all staged files' names and contents, the fetched packages by their names and sizes."""
    digest = hashlib.sha256()
    for file in sorted(path for path in stage.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(stage)}\0{file.stat().st_size}\0".encode())
        if not file.is_relative_to(stage / "embedded" / "packages"):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _stage(stage: Path, platform: Platform, packages: Path) -> Path:
    """The zip's contents as the folder `stage`: add-on and terms at the root,
    the engine and its packages in embedded/."""
    ignore = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(ROOT / "aa2_blender", stage, ignore=ignore)
    shutil.copytree(ROOT / "engine", stage / "embedded" / "engine", ignore=ignore)
    shutil.copytree(packages, stage / "embedded" / "packages", copy_function=os.link,
                    ignore=shutil.ignore_patterns("made.txt"))
    # A package for the add-on's `from .embedded.engine.contract import ...`; the engine itself never sees this file.
    (stage / "embedded" / "__init__.py").write_text('"""The engine and its packages, for a process of its own."""\n')
    for name in OUR_TERMS:
        shutil.copy2(ROOT / name, stage)
    manifest = _manifest_for(platform)
    (stage / MANIFEST.name).write_text(manifest)
    sbom.write(stage, manifest=tomllib.loads(manifest), wheels=wheels.digests(platform))
    return stage


def _check_parts(stage: Path, platform: Platform) -> None:
    """Checks once more what goes into the zip: each part of the packages separately, and no binary anywhere else."""
    packages = stage / "embedded" / "packages"
    for part in sorted(packages.iterdir()):
        wheels.check(part, platform, part.name)
    for file in sorted(path for path in stage.rglob("*") if path.is_file() and not path.is_relative_to(packages)):
        if machine_of(file):
            raise Stop(f"{file.relative_to(stage)} is a binary outside of embedded/packages; take it out of the "
                       "sources.")


def _manifest_for(platform: Platform) -> str:
    """The manifest with the one platform whose binaries are inside, which Blender's builder does not look at."""
    text = MANIFEST.read_text()
    every = 'platforms = ["linux-x64", "windows-x64", "macos-arm64"]'
    if every not in text:
        raise Stop(f"{MANIFEST.name} should have the line `{every}`; put it back and start again.")
    return text.replace(every, f'platforms = ["{platform.name}"]')


def blender_tool(python: Path) -> Path:
    """Blender's own extension builder inside the bpy wheel; it runs without Blender."""
    found = sorted(python.parent.parent.glob("[Ll]ib*/**/bl_pkg/cli/blender_ext.py"))
    if not found:
        raise Stop(f"{python.parent.parent} has no blender_ext.py; delete that folder and start again.")
    return found[0]


def blender(python: Path, tool: Path, *arguments: str | Path) -> None:
    done = subprocess.run([str(python), str(tool), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Stop(f"Blender's `{arguments[0]}` turned the extension away: {(done.stderr + done.stdout).strip()}")


def _check_complete(stage: Path, made: Path) -> None:
    """Everything staged must be in the zip, the add-on at its root: Blender's builder leaves things out silently."""
    with zipfile.ZipFile(made) as archive:
        inside = set(archive.namelist())
    staged = {file.relative_to(stage).as_posix() for file in stage.rglob("*") if file.is_file()}
    if missing := sorted((staged | {"__init__.py"}) - inside):
        raise Stop(f"{made.name} lacks {len(missing)} of {len(staged)} files, such as {missing[0]}; look at [build] in "
                   f"{MANIFEST.name}.")


def _tell_sizes(target: Path) -> None:
    sizes: dict[str, int] = {}
    with zipfile.ZipFile(target) as archive:
        for entry in archive.infolist():
            parts = entry.filename.split("/")
            part = "/".join(parts[:3 if parts[1:2] == ["packages"] else 2]) if parts[0] == "embedded" else "add-on"
            sizes[part] = sizes.get(part, 0) + entry.compress_size
    for part, size in sorted(sizes.items(), key=lambda pair: -pair[1]):
        say(f"  {size / 1e6:7.2f} MB  {part}")
    whole = target.stat().st_size
    say(f"  {whole / 1e6:7.2f} MB  {target.name} in all")
    if whole > LARGEST_ZIP:
        raise Stop(f"{target.name} is {whole / 1e6:.0f} MB, but {LARGEST_ZIP / 1e6:.0f} MB is the most; prune it in "
                   "tools/package.py.")
