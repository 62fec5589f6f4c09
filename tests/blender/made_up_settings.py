"""test_settings_table.py runs this in a separate Blender. It installs the zip AA2_ZIP, whose table has two made-up
settings, gathers the small shot with them, and prints as JSON where they arrived."""
import contextlib
import importlib
import io
import json
import os
import sys
from pathlib import Path

MODULE = "bl_ext.user_default.aa2_blender"


def main(folder: Path) -> dict:
    import bpy
    bpy.ops.extensions.package_install_files(filepath=os.environ["AA2_ZIP"], repo="user_default",
                                             enable_on_install=True)
    parts = {name: importlib.import_module(f"{MODULE}.{name}")
             for name in ("cli", "cli.parser", "settings.request_of", "gather.job")}
    scene = importlib.import_module("small_shot").make(folder / "shot")
    properties = scene.aa2.bl_rna.properties
    found = {"properties": [[one.type, one.name, one.description, one.default, one.hard_min, one.hard_max]
                            for one in (properties["wind"], properties["haste"])]}
    given = vars(parts["cli.parser"].parser().parse_args(["generate", "--wind", "3", "--haste", "0.5"]))
    found["options"] = [given["wind"], given["haste"]]
    reference = scene.aa2.reference_path
    parts["cli"].generate(wind=3, haste=0.5, reference=str(folder / "no picture"), save="")
    found["chosen"] = [scene.aa2.wind, scene.aa2.haste]
    scene.aa2.reference_path = reference
    request = parts["settings.request_of"].request_of(scene)
    found["request"] = [request.settings.wind, request.haste]
    for _slice in parts["gather.job"].gather(request, folder / "job"):
        pass
    job = json.loads((folder / "job" / "job.json").read_text())
    found["job"] = [job["settings"]["wind"], job["haste"]]
    return found


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        answer = main(Path(sys.argv[1]))
    sys.__stdout__.write(json.dumps(answer) + "\n")
