"""Zips -> a folder that Blender adds as a repository by its address: the zips and an index.json; no program has to
run."""
import json
import shutil
from pathlib import Path

from . import environments, package
from .telling import Stop, say

INDEX = "index.json"


def make(folder: Path, zips: list[Path]) -> Path:
    """Lays the zips into `folder` (made where it is missing) and lets Blender's own tool write the index; its path.

    Zips for a special Python are left out: they have the same platform as another zip, and an index cannot tell the two
    apart.
    """
    folder.mkdir(parents=True, exist_ok=True)
    foreign = [path.name for path in folder.iterdir() if path.name != INDEX
               and not path.name.startswith("aa2_blender-")]
    if foreign:
        raise Stop(f"{folder} holds other things, such as {foreign[0]}; name an empty folder or that of an older "
                   "repository.")
    for old in folder.iterdir():
        old.unlink()
    for path in zips:
        shutil.copy2(path, folder)
    python = environments.ensure(environments.DEMO_BLENDER)
    package.blender(python, package.blender_tool(python), "server-generate", "--repo-dir", folder)
    listed = json.loads((folder / INDEX).read_text())["data"]
    if len(listed) != len(zips):
        raise Stop(f"Blender's tool listed {len(listed)} of {len(zips)} zips in {folder / INDEX}; look at their "
                   "manifests.")
    for one in listed:
        say(f"  {one['archive_size'] / 1e6:7.2f} MB  {', '.join(one['platforms'])}  {one['archive_url']}")
    return folder / INDEX
