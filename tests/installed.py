"""What tests need that run the extension's zip in processes of their own."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def surroundings(resources: Path) -> dict[str, str]:
    """The environment of a fresh Blender that keeps its files in `resources`. If you start pytest by hand, the newest
    zip is used."""
    built = sorted((ROOT / "dist").glob("aa2_blender-*-linux_x64.zip"), key=lambda path: path.stat().st_mtime)
    told = {"AA2_ZIP": str(built[-1])} if built else {}
    environment = {**told, "BLENDER_USER_RESOURCES": str(resources), **os.environ}
    assert Path(environment["AA2_ZIP"]).exists(), "run `python build.py zip` first"
    environment.pop("PYTHONPATH", None)
    return environment


def tiny_pack(folder: Path) -> Path:
    """Writes a pack of the real networks at tiny size with random weights; returns its folder."""
    from lab.export import write_pack
    from tests.unit.tiny import tiny_model
    write_pack(tiny_model(), folder, {"note": "random weights, for tests"}, steps=2)
    return folder
