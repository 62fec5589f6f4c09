"""A studio's OCIO configuration, whose display is not called sRGB and whose view is not called Standard."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import bpy
import pytest

HERE = Path(__file__).parent
OURS = Path(bpy.utils.resource_path("LOCAL")) / "datafiles" / "colormanagement"
GATHERED = """
import sys
from pathlib import Path
import bpy
sys.path.insert(0, {here!r})
bpy.ops.preferences.addon_enable(module="bl_ext.user_default.aa2_blender")
import numpy as np
from shots import coded, image_strip, read, set_size, write_sequence
from bl_ext.user_default.aa2_blender.gather import display, reference, strip
from bl_ext.user_default.aa2_blender.gather.request import ReferenceSource

folder = Path({folder!r})
scene = bpy.context.scene
set_size(scene, (64, 48))
plate = image_strip(scene, folder / "plate", write_sequence(folder / "plate", 2))
try:
    strip.write_plate(scene, plate, folder / "job", first=1, last=2, start=1, bits=8)
    reference.write(ReferenceSource(name=str(folder / "plate" / "0001.png")), scene, folder / "job")
except Exception as error:
    print("refused", type(error).__name__, error)
    sys.exit()
for name in ("source/0001.png", "reference.png"):
    away = np.abs(read(folder / "job" / name)[..., :3].astype(int) - coded(1).astype(int)).max()
    print("away", int(away))
print("names", *display.exact(), sep=" | ")
"""


def gathered_with(tmp_path, change):
    """What a Blender says that runs with a changed copy of its own configuration."""
    studio = tmp_path / "studio"
    shutil.copytree(OURS, studio)
    config = studio / "config.ocio"
    config.write_text(change(config.read_text(encoding="utf-8")), encoding="utf-8")
    (tmp_path / "job").mkdir()
    done = subprocess.run([sys.executable, "-c", GATHERED.format(here=str(HERE), folder=str(tmp_path))], text=True,
                          capture_output=True, timeout=120, env={**os.environ, "OCIO": str(config)})
    return done.stdout + done.stderr


def renamed(text):
    """The display sRGB is called Monitor, and the view Standard of every display Plain."""
    head, displays, rest = re.split(r"^(displays:\n(?:[ \t].*\n|\n)+)", text, maxsplit=1, flags=re.M)
    displays = displays.replace("  sRGB:", "  Monitor:").replace("name: Standard,", "name: Plain,")
    return head + displays + rest.replace("active_displays: [sRGB", "active_displays: [Monitor").replace(
        "active_views: [Standard", "active_views: [Plain")


def without_plain_views(text):
    """Nothing but views with a tone curve."""
    return re.sub(r"^    - !<View> \{name: (?:Plain|Raw),.*\n", "", renamed(text), flags=re.M)


def test_display_and_view_are_found_by_what_they_do(extension, tmp_path):
    said = gathered_with(tmp_path, renamed)
    assert said.count("away 0\n") + said.count("away 1\n") == 2, said
    assert "names | Monitor | Plain | sRGB" in said, said


def test_without_a_plain_view_the_message_says_what_to_do(extension, tmp_path):
    said = gathered_with(tmp_path, without_plain_views)
    assert "refused GatherError The OCIO configuration has no view" in said and "Monitor" in said, said
    assert "Add a view without a tone curve" in said, said


@pytest.mark.parametrize("name", ["sRGB", "Standard", "sRGB"])
def test_blenders_own_configuration_needs_no_try(blank, part, name):
    assert name in part("gather.display").exact()
