"""An endless, seeded, synthetic world of people in rooms, with every layer and joint of every frame known exactly."""

from .clip import Clip, Reference, draw_clip, draw_reference
from .seeds import held_out

__all__ = ["Clip", "Reference", "draw_clip", "draw_reference", "held_out"]
