"""A real Blender with a window and a mouse: everything that an artist does, its pictures, and how long our code keeps
the window waiting."""
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.window import pictures
from tests.window.home import HOME, RELEASE
from tools import root
from tools.environments import BUILD

TAKEN = pictures.TAKEN if RELEASE == root.TESTED else pictures.TAKEN.with_name(f"pictures-{RELEASE}")
SIZE = (1280, 960)
WHOLE_S = 1240  # for Blender with the story, which has its own limit
# The target is 16 ms, a sixtieth of a second, and each number is printed. On two idle cores, everything except
# gathering meets it. On a machine that does other work at once (shared caches, a load of 8 seen here), the same has
# taken 18 ms of the processor and 150 ms by the clock. So only several times these values count as a failure.
ASKED_MS, BUSY_MS, WAITED_MS = 16, 60, 1000
# Gathering works a frame at a time, with progress and Escape. Shaders are compiled once per session, by the software
# that replaces a GPU.
GATHERING = {"gather", "compile shaders"}


@pytest.fixture(scope="module")
def told(blender):
    """What story.py reported about its run; its pictures are in TAKEN."""
    width, height = map(str, SIZE)
    done = blender(["xvfb-run", "-a", "-s", f"-screen 0 {width}x{height}x24", "blender",
                    "--python-exit-code", "1", "--window-geometry", "0", "0", width,
                    height, f"/{HOME}/shot/shot.blend", "--python", f"/{HOME}/story.py", "--",
                    f"/{HOME}/out"], timeout=WHOLE_S)
    shutil.rmtree(TAKEN, ignore_errors=True)
    shutil.copytree(BUILD / "window" / RELEASE / HOME / "out", TAKEN)
    report = TAKEN / "told.json"
    assert report.exists(), f"Blender ended with {done.returncode} and told nothing:\n{done.stdout[-3000:]}"
    return json.loads(report.read_text())


def test_every_step_did_what_an_artist_expects(told):
    print("\n".join(told["clicked"]), told["happened"], told["steps_s"], sep="\n")
    assert not told["error"], f"{told['error']} (look at {TAKEN / 'wrong.png'})"
    pressed = " ".join(told["clicked"])
    for button in ("pin_plate", "use_armature", "edit_reference_joints", "preview_conditions",
                   "show_condition", "preview_frame", "generate", "queue_cancel",
                   "queue_resume", "queue_move", "queue_pause", "queue_remove",
                   "clear_finished", "place_again", "compare", "fix_range", "vary_seed",
                   "choose_performer", "write_output", "add_passes", "show_version"):
        assert f"aa2.{button}" in pressed
    happened = told["happened"]
    assert happened["frames"] == 48 and 8 <= happened["frames_at_cancel"] < 48
    assert happened["reused"] >= happened["frames_at_cancel"] - 8
    assert happened["fixed"] == 4 and happened["output"]


@pytest.mark.skipif(RELEASE != root.TESTED, reason=f"the committed pictures are of {root.TESTED}'s Blender")
@pytest.mark.parametrize("name", [*pictures.SHOWN, *pictures.SAME])
def test_it_looks_as_it_did(told, name):
    places = told["pictures"].get(name)
    assert places, f"there is no picture {name!r}: {told['error']}"
    committed = Image.open(pictures.IMAGES / f"{pictures.SAME.get(name, name)}.png")
    found = pictures.faults(name, pictures.prepared(name, TAKEN, places), committed, places)
    assert not found, (f"{name}: {'; '.join(found)}. Look at {TAKEN / name}.png; where it is right, run "
                       "`python tests/window/pictures.py` and commit what it writes.")


def test_the_character_is_seen_and_hidden(told):
    """The viewer of the result and that of Compare show the same plate, with and without somebody in it."""
    x, y, width, height = told["pictures"]["result"]["viewer"]
    shown, hidden = (np.asarray(Image.open(TAKEN / f"{name}.png").convert("RGB").crop(
        (x, y, x + width, y + height)), float) for name in ("result", "compare"))
    changed = (np.abs(shown - hidden).max(axis=2) > 24).mean()
    assert 0.01 < changed < 0.3, f"{changed:.3f} of the viewer changed"


def test_nothing_of_ours_keeps_the_window_waiting(told):
    rows = sorted(told["longest_cpu_ms"].items(), key=lambda row: -row[1])
    for kind, busy in rows:
        over = "  OVER" if kind not in GATHERING and max(busy, told["longest_ms"][kind]) > ASKED_MS else ""
        print(f"{kind}: the processor's part {busy:.2f} ms at most, by the clock {told['longest_ms'][kind]:.2f} "
              f"ms{over}")
    kinds = {kind for kind, _busy in rows}
    assert {"timer", "gather", "lay strips", "press AA2_OT_generate"} <= kinds and any("draw" in kind for kind in kinds)
    slow = [kind for kind, busy in rows if kind not in GATHERING
            and (busy > BUSY_MS or told["longest_ms"][kind] > WAITED_MS)]
    assert not slow, f"over {BUSY_MS} ms of the processor's or {WAITED_MS} ms of the clock's time: {slow}"


@pytest.mark.parametrize("what", ["aa2.generate", "aa2.place_again", "aa2.vary_seed"])
def test_a_missing_button_would_be_seen(told, what):
    """A picture in which the panel's colour is painted over the button must be reported."""
    places = told["pictures"]["result"]
    left, _top, width, _height = places["sidebar"]
    picture = Image.open(TAKEN / "result.png").convert("RGB")
    x, y = told["buttons"][what]    # its middle, from the top
    without = picture.copy()
    without.paste(picture.getpixel((left + 12, y)), (x - width // 4, y - 9, x + width // 4, y + 10))
    small = [one.resize((pictures.WHOLE_WIDTH, 600), Image.LANCZOS) for one in (without, picture)]
    assert pictures.faults("result", *small, places)


def test_a_farm_finds_what_the_artist_made(told, blender):
    """The saved shot is generated without a window, with the same settings: no frame is made again."""
    assert not told["error"]
    done = blender(["blender", "-b", f"/{HOME}/shot/shot.blend", "--command", "aa2", "generate", "--scene", "Edit",
                    "--save", f"/{HOME}/shot/farm.blend"], timeout=300)
    assert done.returncode == 0, done.stdout[-3000:]
    summary = json.loads(next(line for line in done.stdout.splitlines() if line.startswith('{"state"')))
    assert summary["state"] == "done" and (summary["frames"], summary["reused"]) == (48, 48)
    assert len(summary["strips"]) == 2
