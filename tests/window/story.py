"""What an artist does with the demo shot, in a real Blender with a window and a mouse. test_window.py runs this:

    blender --window-geometry 0 0 1280 960 shot.blend --python story.py -- OUT

Writes OUT/NAME.png (the whole window at each stage) and OUT/told.json: what was clicked, where the editor's parts were,
how the jobs ended, how long each step took, and how long each part of our code kept the window waiting (AA2_MEASURE=1).
If something is wrong, the exit code is 1 and told.json has the reason. The numbers of the demo shot come from
tests/demo/shot.py.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from artist import perform
from first_shot import FirstShot
from moves import Moves
from other_shots import OtherShots

WHOLE_S = 1200     # 400 on two busy cores, 700 with other tests beside


class Story(FirstShot, OtherShots, Moves):
    """The chapters, one after the other."""

    def steps(self):
        yield from self.first_shot()
        yield from self.other_shots()
        yield from self.moves()


perform(Story().steps(), WHOLE_S)
