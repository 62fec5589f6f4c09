"""The tab's first panel in stock workspaces at 1280x800 and at 150 % scale, and what the first strip costs somebody
new."""
import json
import shutil

import pytest

from tests.window.home import HOME, RELEASE
from tools.environments import BUILD

SIZE = ("1280", "800")
WHOLE_S = 540   # for Blender with the story, which has its own limit
TAKEN = BUILD / "window" / f"screens-{RELEASE}"
SCREENS = ("video-editing", "video-editing-preview", "layout", "animation", "shading", "layout-large",
           "video-editing-large")
BUTTONS = ("bpy.ops.aa2.pin_plate()", ".aa2.reference_path", ".aa2.armature", "bpy.ops.aa2.generate()")
CLICKS = 4      # the plate, the picture, the rig, Generate


@pytest.fixture(scope="module")
def told(installation):
    """What screens.py reported about its run; its pictures are in TAKEN, with this report."""
    run, installed_s = installation
    done = run(["xvfb-run", "-a", "-s", f"-screen 0 {'x'.join(SIZE)}x24", "blender", "--python-exit-code", "1",
                "--window-geometry", "0", "0", *SIZE, f"/{HOME}/screens/shot/shot.blend", "--python",
                f"/{HOME}/screens.py", "--", f"/{HOME}/screens/out"], timeout=WHOLE_S)
    shutil.rmtree(TAKEN, ignore_errors=True)
    shutil.copytree(BUILD / "window" / RELEASE / HOME / "screens/out", TAKEN)
    report = TAKEN / "told.json"
    assert report.exists(), f"Blender ended with {done.returncode} and told nothing:\n{done.stdout[-3000:]}"
    value = json.loads(report.read_text())
    value["happened"]["seconds_of_installing"] = round(installed_s, 1)
    report.write_text(json.dumps(value, indent=1))
    return value


@pytest.mark.parametrize("name", SCREENS)
def test_the_first_panel_is_seen_without_scrolling(told, name):
    """All its buttons, and the two lines below Generate."""
    screen = told["pictures"].get(name)
    assert screen, f"there is no picture {name!r}: {told['error']}"
    _left, _top, _width, height = screen["sidebar"]
    places = {button: down for button in BUTTONS for found, down in screen["buttons"].items() if found.endswith(button)}
    assert list(places) == list(BUTTONS), f"look at {TAKEN / name}-whole.png: {screen['buttons']}"
    assert sorted(places.values()) == list(places.values()), "a line each, in this order"
    assert places["bpy.ops.aa2.generate()"] + screen["below"] <= height


def test_the_first_strip_takes_four_clicks(told):
    print(told["happened"])
    assert not told["error"], f"{told['error']} (look at {TAKEN / 'wrong.png'})"
    assert told["happened"]["clicks"] == CLICKS, told["clicked"]
    assert (TAKEN / "first-strip.png").exists()
