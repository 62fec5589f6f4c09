"""How the skeleton is drawn for the weights that read it: a table of styles, by name. An engine's facts name its style.

Networks that were trained with the pictures of one pose detector read its lines and colours, and no others as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Colour = tuple[float, float, float]     # RGB 0..255
Width = Callable[[Sequence[int], float], float]


@dataclass(frozen=True)
class PoseStyle:
    """half_width and hand_half_width: (size (w, h) of the picture, standing height in its pixels) -> half of a line's
    width, which is also a dot's radius. toes: the colours of the right and the left one, None to leave both out.
    hands_alike: both hands have the same colours, and blue dots on their joints; otherwise the left one is paler, and
    there are no dots. least: joints with less confidence are left out; by_confidence: the others are dimmed by theirs.
    by_depth: near strokes lie on top of far ones; otherwise all limbs come first, then the dots, then the hands, as
    detectors draw them."""

    half_width: Width
    hand_half_width: Width
    toes: tuple[Colour, Colour] | None = None
    hands_alike: bool = True
    least: float = 0.05
    by_confidence: bool = False
    by_depth: bool = False


# The embedded networks', as they were trained: 4 px to each side for a person of 450 px (docs/method.md, "Pose and
# depth"). Near limbs lie on top (ours: OpenPose's order ignores depth). OpenPose has no toes; these are a pale red and
# a pale blue.
COMPACT = PoseStyle(lambda size, tall: 0.009 * tall, lambda size, tall: 0.0025 * tall,
                    toes=((255.0, 140.25, 140.25), (140.25, 186.15, 255.0)), hands_alike=False, by_confidence=True,
                    by_depth=True)
STYLES = {
    "compact": COMPACT,
    # DWPose's drawing as VACE's annotator makes it (ali-vilab/VACE @83f7d5a): joints from a confidence of 0.3, 4 px to
    # each side at 1024 pixels, then resized. DWPose has no toes.
    "vace": PoseStyle(lambda size, tall: 4 / 1024 * min(size), lambda size, tall: 1 / 1024 * min(size), least=0.3),
    # The Animate Anyone family's (MooreThreads/Moore-AnimateAnyone @a914ef3): DWPose's drawing at 512 pixels, joints
    # from a confidence of 0.3. It also has white dots on the face, of which no driver here knows enough.
    "dwpose": PoseStyle(lambda size, tall: 4 / 512 * min(size), lambda size, tall: 1 / 512 * min(size), least=0.3),
    # Wan2.2-Animate's own (Wan-Video/Wan2.2 @42bf4cf): thin lines, toes, joints from a confidence of 0.5.
    "wan": PoseStyle(lambda size, tall: max(min(size) // 200 - 1, 1), lambda size, tall: 0.5,
                     toes=((200.0, 200.0, 0.0), (100.0, 100.0, 0.0)), least=0.5),
}
