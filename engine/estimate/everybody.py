"""A picture -> everybody in it, and who of them is meant: one rule for references and for footage."""

from collections.abc import Sequence

import numpy as np

from .detector import find_people, levels, people_at
from .landmarks import Landmarks, look
from .lift import pixels_per_metre, standing_height
from .personhood import CORE, SEEN, is_body, is_person
from .region import Region

_PIECE = 0.3  # of the side of another person's square: anything smaller inside it is a part of that person (ours)

_ALSO = 0.5  # of the square of the one who is meant: windows down to this side are searched for others (ours)


def everybody(picture: np.ndarray, threads: int, *, doubtful: bool = False, main: bool = False,
              widest: int | None = None) -> list[Landmarks]:
    """(h, w, 3) uint8 -> Landmarks of each person, by personhood.is_person; the one who is meant comes first.

    Searches from large windows to small ones. main: ends where a window holds nobody who is half as large as the one
    who is meant. doubtful: each body counts, whatever detector and mirror say; only where the artist says that somebody
    is. widest: only levels of at most so many windows.
    """
    regions, people = [], []
    for windows in levels(picture):
        if widest and len(windows) > widest:
            break
        if main and people and windows[0].side < _ALSO * min(people[0].next_region.side, *picture.shape[:2]):
            break
        new = people_at(picture, windows, threads, known=regions)
        regions += new
        people = sorted(_with(people, new, picture, threads, doubtful=doubtful),
                        key=lambda found: -nearness(found, picture))
    return people


def people_near(picture: np.ndarray, threads: int, **where: Region) -> list[Landmarks]:
    """(h, w, 3) uint8 -> Landmarks of each person there. where: as for find_people."""
    return _with([], find_people(picture, threads, **where), picture, threads)


def nearness(found: Landmarks, picture: np.ndarray) -> float:
    """How large, and so how near, a person is; who is meant has the most. In pixels: the height that the person would
    have standing, times the part of the body's core that is seen in the picture. So one who sits behind, one who is
    small, and one of whom only an arm is in the picture, count less (ours)."""
    inside = ((found.pixels[CORE] >= 0) & (found.pixels[CORE] < picture.shape[1::-1])).all(axis=1)
    tall = pixels_per_metre(found) * standing_height(found.world)
    return tall * float((found.visibility[CORE] * inside).mean())


def box_of(found: Landmarks) -> tuple[float, float, float, float]:
    """left, top, right, bottom of the seen landmarks."""
    seen = found.visibility > SEEN
    points = found.pixels[seen] if seen.any() else found.pixels
    return (*points.min(axis=0), *points.max(axis=0))


def _with(known: Sequence[Landmarks], regions: Sequence[Region], picture: np.ndarray, threads: int, *,
          doubtful: bool = False) -> list[Landmarks]:
    """The people of `known` and those at the Regions."""
    people = [*known]
    for region in regions:
        found = look(picture, region, threads)
        found = found and (look(picture, found.next_region, threads) or found)
        if found and not any(_is_same(found, other) for other in people) and (
                is_body(found, picture) if doubtful else is_person(found, picture, threads)):
            people.append(found)
    return [one for one in people if not any(_is_piece(one, other) for other in people)]


def _is_same(found: Landmarks, other: Landmarks) -> bool:
    side = max(found.next_region.side, other.next_region.side)
    return np.abs(found.pixels[CORE] - other.pixels[CORE]).mean() < 0.08 * side


def _is_piece(found: Landmarks, other: Landmarks) -> bool:
    """Whether it is not a person, but a hand of or a pattern on somebody much larger."""
    left, top, right, bottom = box_of(other)
    x, y = found.next_region.centre
    return found.next_region.side < _PIECE * other.next_region.side and left < x < right and top < y < bottom
