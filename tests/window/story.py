"""What an artist does with the demo shot, in a real Blender with a window and by the mouse; run by test_window.py:

    blender --window-geometry 0 0 1280 960 shot.blend --python story.py -- OUT

Writes OUT/NAME.png (the whole window at each stage) and OUT/told.json: what was clicked, where the editor's parts lay,
what became of the jobs, how long each step took, and how long each thing of ours kept the window waiting
(AA2_MEASURE=1). Exit code 1, and the reason in told.json, where something is not as it should be. The demo shot's own
numbers are tests/demo/shot.py's.
"""
import functools
import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from artist import MODULE, OUT, Wrong, keep_times, photograph, told
from first_shot import FirstShot
from other_shots import OtherShots

BEGAN, WHOLE_S = time.monotonic(), 520      # 270 on two busy cores


class Story(FirstShot, OtherShots):
    """The chapters, one after the other."""

    def steps(self):
        yield from self.first_shot()
        yield from self.other_shots()


def tick(steps):
    """The next thing the artist does."""
    try:
        if time.monotonic() - BEGAN > WHOLE_S:
            raise Wrong(f"Not done after {WHOLE_S} s; {[*told['steps_s']][-1:]} was the last step that was.")
        return next(steps)
    except StopIteration:
        code = 0
    except Exception as error:
        traceback.print_exc()
        photograph("wrong")
        told["error"], code = f"{type(error).__name__}: {error}", 1
    keep_times()
    (OUT / "told.json").write_text(json.dumps(told, indent=1))
    importlib.import_module(MODULE + ".queue.session").forget()
    sys.stdout.flush()
    os._exit(code)


# persistent: the timer outlives the opening of a file
bpy.app.timers.register(functools.partial(tick, Story().steps()), first_interval=3.0, persistent=True)
