"""The reference's character carried to the frames: on its body surface, or as a limb warp if it can have no surface.

Ours: the paper shows its networks only the reference picture. A surface that follows the joints says where each piece
of it goes.
"""
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..contract.skeleton import BODY_INDEX
from .crop import Crop
from .poses import Figure
from .surface import template as templates
from .surface.avatar import Avatar, build_avatar
from .surface.drawing import Maps, draw
from .surface.figures import is_mirrored, mirrored, without_gaps
from .surface.space import depth_factor
from .warp import Person, person, warp_limbs

_RECENT = 4               # frames: a window and the next share two
# The avatar of the last reference, by a digest of what it was built from: a job's surface is written before its frames
# are made, and building it takes seconds.
_LAST: dict[str, Avatar | None] = {}
_FIGURES_LOOKED_AT = 60   # of a shot, from which the worth of a metre of depth is measured


@dataclass(frozen=True)
class Character:
    """avatar: the reference's surface, None where its hips or shoulders are not seen; figures: the shot's, one for each
    frame, in job pixels, made fit to carry the surface. depth_worth: how many person units a metre of the shot's depth
    is. cut_out (H, W, 4) float32 0..1: the reference with its matte; it and its `person` serve the limb warp. recent:
    maps that the next window asks for again."""
    avatar: Avatar | None
    figures: tuple
    depth_worth: float
    cut_out: np.ndarray
    person: Person
    recent: dict = field(default_factory=dict, compare=False)

    def once(self, key: tuple[int, Crop], make: Callable[[], Maps | None]) -> Maps | None:
        """The result of make() for a key. It is made once and kept while the key is one of the last few."""
        if key not in self.recent:
            if len(self.recent) >= _RECENT:
                del self.recent[next(iter(self.recent))]
            self.recent[key] = make()
        return self.recent[key]


def carry(picture: np.ndarray, matte: np.ndarray, figure: Figure, figures: Sequence[Figure | None], *,
          cut_out: np.ndarray, limbs: Figure, refine: bool) -> Character:
    """The reference's Character for a shot. picture (h, w, 3), matte (h, w) float32 0..1 and figure: the reference and
    its Figure in it; figures: the shot's Figures, None in frames without one. cut_out (H, W, 4) and limbs: the same
    reference and Figure at the networks' size. refine: the matte comes from a pose model."""
    template = templates.load()
    avatar = _avatar_of(picture, matte, figure, template, refine)
    figures = _fit_to_carry(figures, template)
    return Character(avatar, figures, worth_of_depth(figures, template), cut_out,
                     person(limbs.body, limbs.hands, limbs.height_px))


def _avatar_of(picture: np.ndarray, matte: np.ndarray, figure: Figure, template: templates.Template,
               refine: bool) -> Avatar | None:
    """build_avatar, unless the last call was about the very same reference."""
    told = hashlib.sha256(repr((picture.shape, figure.height_px, refine)).encode())
    for values in (picture, matte, figure.body, *figure.hands):
        told.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
    key = told.hexdigest()
    if key not in _LAST:
        made = build_avatar(picture, matte, figure, template, refine=refine)
        _LAST.clear()
        _LAST[key] = made
    return _LAST[key]


def worth_of_depth(figures: Sequence[Figure | None], template: templates.Template) -> float:
    """Person units in a metre of depth: from the camera's focal length if pose.json has it, else from the rule that
    limbs keep their lengths."""
    seen = _looked_at(figures)
    known = [template.height * figure.focal / (figure.height_px * depth) for figure in seen
             if figure.focal and (depth := _hips_depth(figure)) > 0]
    if known:
        return float(np.median(known))
    return depth_factor(seen, template)


def frame_maps(character: Character | None, figure: Figure | None, size: Sequence[int],
               window: tuple[int, int, int, int] | None = None) -> Maps | None:
    """The surface in a frame of `size` (w, h), with the figure in that frame's pixels; None where the limb warp is used
    instead. window (left, top, w, h): the part that is wanted."""
    if character is None or character.avatar is None or figure is None:
        return None
    return draw(character.avatar, figure, size, character.depth_worth, window=window, turns=figure.turns)


def frame_picture(character: Character | None, maps: Maps | None, figure: Figure, size: Sequence[int]) -> np.ndarray:
    """(h, w, 4) float32 0..1, RGB premultiplied by coverage: the surface's `maps`, or the limb warp if they are
    None."""
    if maps is not None:
        return np.dstack([maps.colour, maps.coverage])
    if character is None:
        return np.zeros((size[1], size[0], 4), np.float32)
    return warp_limbs(character.cut_out, character.person, person(figure.body, figure.hands, figure.height_px), size)


def _fit_to_carry(figures: Sequence[Figure | None], template: templates.Template) -> tuple:
    """The figures with gaps filled, so that no joint pops when it is missing in some frames. If the rig is mirrored,
    left and right are swapped."""
    whole = without_gaps(figures)
    if is_mirrored(_looked_at(whole), template):
        return tuple(None if figure is None else mirrored(figure) for figure in whole)
    return whole


def _looked_at(figures: Sequence[Figure | None]) -> list:
    seen = [figure for figure in figures if figure is not None]
    return seen[::max(len(seen) // _FIGURES_LOOKED_AT, 1)]


def _hips_depth(figure: Figure) -> float:
    return float(figure.body[[BODY_INDEX["right_hip"], BODY_INDEX["left_hip"]], 2].mean())
