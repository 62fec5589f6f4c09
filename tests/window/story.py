"""What an artist does with the demo shot, in a real Blender with a window and a mouse. test_window.py runs this:

    blender --window-geometry 0 0 1280 960 shot.blend --python story.py -- OUT

Writes OUT/NAME.png (the whole window at each stage) and OUT/told.json: what was clicked, where the editor's parts were,
how the jobs ended, how long each step took, and how long each part of our code kept the window waiting (AA2_MEASURE=1).
If something is wrong, the exit code is 1 and told.json has the reason. The numbers of the demo shot come from
tests/demo/shot.py.
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
from moves import Moves
from other_shots import OtherShots

BEGAN, WHOLE_S = time.monotonic(), 700      # 400 on two busy cores


class Story(FirstShot, OtherShots, Moves):
    """The chapters, one after the other."""

    def steps(self):
        yield from self.first_shot()
        yield from self.other_shots()
        yield from self.moves()


def tick(steps):
    """Do the next thing that the artist does."""
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


# persistent: the timer must survive the opening of a file
bpy.app.timers.register(functools.partial(tick, Story().steps()), first_interval=3.0, persistent=True)
