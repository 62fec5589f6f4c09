"""What an artist does to a plate after its first shot: results, versions and settings follow it."""
from importlib import import_module
from pathlib import Path

import bpy
from artist import BOTTOM, MODULE, SETTLED_S, Artist
from other_shots import TAKE

LATER = 5               # frames; seven would meet the next plate


class Moves(Artist):
    """Each step is a generator of the seconds to wait."""

    def moves(self):
        yield from self.go(self.two_settings, self.move_the_plate, self.rename_the_plate, self.save_elsewhere)

    def two_settings(self):
        """Each plate has its own settings."""
        for plate, driver in ((TAKE, "PERFORMER"), ("Room", "ARMATURE")):
            yield from self.pick(plate)
            self.expect(f"driver of {plate}", self.settings.driver, driver)

    def move_the_plate(self):
        """The plate is moved as an artist moves it; Place Again lays the character where it is now."""
        begins = self.strips()["Room"].frame_final_start
        yield from self.hand.click(self.middle_of("Room"), "the strip Room in the timeline")
        yield from self.hand.keys("g", *str(LATER), "Return", words=f"g {LATER} Return, over the timeline")
        self.expect("the plate's first frame", self.strips()["Room"].frame_final_start, begins + LATER)
        yield from self.only("Result")
        yield from self.press("aa2.place_again")
        self.expect("first frames of the character", {self.strips()[name].frame_final_start for name in self.ours()},
                    {begins + LATER})
        yield from self.take("moved", BOTTOM)

    def rename_the_plate(self):
        """The versions of a renamed plate are still its own."""
        before = sorted(self.ours())
        self.strips()["Room"].name = "sh010"
        yield SETTLED_S
        yield from self.press("aa2.place_again")
        self.expect("strips after Place Again", sorted(self.ours()), before)

    def save_elsewhere(self):
        """The file is saved in another folder: the frames are still found."""
        folder = Path(bpy.data.filepath).parent / "elsewhere"
        folder.mkdir(exist_ok=True)
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
        yield SETTLED_S
        self.expect("lost folders", import_module(f"{MODULE}.place.strip").lost(self.edit), [])
        yield from self.press("aa2.place_again")
        self.expect("strips after Place Again", len(self.ours()), 2)
