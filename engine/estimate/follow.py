"""The pictures of one shot -> the landmarks of the chosen performer in each picture that shows the performer.

The performer is followed from the frame of the choice in both directions: the last landmarks say which square to look
at next. Whoever is seen there must have the performer's place, size and clothes. If not, the performer is searched for,
and then followed back from there to where he was lost (ours: MediaPipe follows whoever is in the square).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .colours import likeness, signature
from .everybody import box_of, everybody, people_near
from .landmarks import Landmarks, look
from .personhood import SEEN, is_body, is_confirmed
from .region import Region

_SAME = 0.55  # the least likeness of the same clothes: between the values of one person and of two people (ours)
_SAME_FAR = 0.8  # the same, if he is searched for anywhere
_SAME_PART = 0.45  # of shirt and of trousers each, at least
# Of shirt and trousers: only from this likeness on does a frame update his known clothes, so that they do not drift to
# somebody else's
_LEARNT_FROM = 0.8
# Of shirt and of trousers, while somebody is beside him: his own stay at 0.97, or 0.8 if half hidden (measured)
_SAME_BESIDE = 0.75
_BESIDE_S = 1.5  # how long this applies after somebody was beside him
_LEARN = 0.1  # the part of a signature that each frame updates, so that it follows a change of light
_STEP = 0.35  # of the square's side: the most by which its centre may miss the expected place
_GROWTH = 1.5  # the most it may grow or shrink in a frame
# Of the square's side: farther from the place that his motion leads to, it may be somebody else, and only his clothes
# can say that it is not. In a frame and in a second (ours: a walker who is hidden by a sign, and another man before it)
_JUMP, _JUMP_S = 0.06, 1.0
_COVERED = 0.3  # of the performer's seen landmarks must lie in the artist's mask
# In sides of his square: somebody nearer than the first may be mistaken for him, nearer than the second may be soon
# (ours)
_CROSSING, _BESIDE = 0.6, 0.8
_NEVER = -10**9
_CLOSER, _DOUBTFUL = 24, 8  # frames that are tried if the usual ones show nobody
# Windows of a level that is searched in each of the usual frames. Smaller windows are searched in the first, second,
# fourth, eighth ... of them, because frames with nobody would take two seconds each (ours)
_QUICK = 10
_EVERYWHERE_S = 0.5  # how often he is searched for in the whole picture
# how often the detector looks at him and those near him; how often in a row it may fail to see him
_CHECK_S, _UNSURE = 0.2, 3
_NEARBY_S = 1.0  # for how long after he is lost each frame is searched near the place where he should be


@dataclass(frozen=True)
class Choice:
    """Who is followed: the person in `box` (left, top, right, bottom) pixels of frame `frame`; or the one whom
    `mask`(number) -> (h, w) bool or None covers best; or, without either, the largest."""

    frame: int = 1
    box: tuple[float, float, float, float] | None = None
    mask: Callable[[int], np.ndarray | None] | None = None


@dataclass(frozen=True)
class Track:
    """A performer at one frame: the landmarks, the clothes, and the centre's motion in pixels per frame, in the
    direction of following. known: an earlier run has stored this. unsure: how often in a row the detector did not see
    him. beside: for how many more frames somebody counts as beside him."""

    found: Landmarks
    wears: np.ndarray | None
    motion: np.ndarray
    known: bool = False
    unsure: int = 0
    beside: int = 0

    def awaited(self, frames: int = 1) -> Region:
        """The Region where he should be after so many frames."""
        centre = np.asarray(self.found.next_region.centre) + self.motion * min(frames, 10)
        return replace(self.found.next_region, centre=(float(centre[0]), float(centre[1])))

    def turned(self) -> "Track":
        """The same, followed in the other direction."""
        return replace(self, motion=-self.motion)


class Follower:
    """Follows one performer through one video. `read`(number) -> (h, w, 3) uint8. `keep`(number, Landmarks, known) is
    called once for each frame in which he is found, in any order; known: it came from recall. `recall`(number) -> the
    Landmarks that an earlier run stored, or None. `check`() may raise to stop. `looked`(number) is called after each
    frame is looked at. `crossed` collects the frames in which somebody else is close to him, and `doubted`
    those in which somebody was seen where he should be, who may be somebody else."""

    def __init__(self, *, read: Callable[[int], np.ndarray], keep: Callable[[int, Landmarks, bool], None],
                 choice: Choice, fps: float, threads: int,
                 recall: Callable[[int], Landmarks | None] = lambda number: None,
                 check: Callable[[], None] = lambda: None, looked: Callable[[int], None] = lambda number: None):
        self._read, self._keep, self._recall, self._choice = read, keep, recall, choice
        self.crossed, self.doubted = set(), set()
        self._fps, self._threads = fps, threads
        self._check, self._looked = check, looked
        self._wears = None  # the performer's clothes, known from an earlier shot

    def follow(self, numbers: Sequence[int]) -> None:
        """numbers: the frames of one shot, ascending."""
        start = self._first(numbers)
        if start is None:
            for number in numbers:
                self._looked(number)
            return
        at, track = start
        self._found(numbers[at], track)
        self._looked(numbers[at])
        last = self._onwards(numbers[at + 1:], track)
        self._onwards(numbers[:at][::-1], track.turned())
        self._wears = last.wears

    def _first(self, numbers: Sequence[int]) -> tuple[int, Track] | None:
        """(index, Track) of the frame in which the performer is first found. It starts at the frame of the choice, or
        at the shot's beginning. A few frames are tried first, then more; at last, where the artist says that somebody
        is, bodies that may be no person."""
        chosen = self._choice.frame in numbers and (self._choice.box or self._choice.mask)
        at = numbers.index(self._choice.frame) if chosen else 0
        step = max(1, round(self._fps * _EVERYWHERE_S))
        often = [*range(at, len(numbers), step), *range(at - step, -1, -step)]
        closer, few = _spread(len(numbers), _CLOSER), _spread(len(numbers), _DOUBTFUL)
        tries = [(i, {} if k & (k - 1) == 0 else {"widest": _QUICK}) for k, i in enumerate(often, 1)]
        searched = {i for i, how in tries if not how}
        tries += [(i, {}) for i in closer if i not in searched]
        tries += [(i, {"doubtful": True}) for i in few if self._choice.box or self._choice.mask]
        for i, how in tries:
            self._check()
            track = self._chosen(numbers[i], how)
            if track:
                return i, replace(track, unsure=_NEVER) if "doubtful" in how else track
        return None

    def _chosen(self, number: int, how: dict[str, Any]) -> Track | None:
        """how: for everybody."""
        box, wears = self._choice.box, self._wears
        mask = self._choice.mask and self._choice.mask(number)
        here = box if number == self._choice.frame else None
        if mask is not None and not mask.any() and not here and wears is None:
            return None
        picture = self._read(number)
        main = not (box or self._choice.mask) and wears is None
        people = self._tracks(picture, everybody(picture, self._threads, main=main, **how))
        if not people:
            return None
        if here:
            best = max(people, key=lambda track: _overlap(box_of(track.found), here))
            return best if _overlap(box_of(best.found), here) > 0.05 else None
        if mask is not None and mask.any():
            best = max(people, key=lambda track: _covered(track.found, mask))
            return best if _covered(best.found, mask) > _COVERED else None
        if wears is not None:
            alike = [track for track in people if (_alike(track, wears) or 0.0) >= _SAME_FAR]
            if box or self._choice.mask or alike:
                return max(alike, key=lambda track: _alike(track, wears) or 0.0, default=None)
        return people[0]

    def _people(self, picture: np.ndarray, **where: Region) -> list[Track]:
        return self._tracks(picture, people_near(picture, self._threads, **where))

    def _tracks(self, picture: np.ndarray, people: list[Landmarks]) -> list[Track]:
        """A Track without motion for each person."""
        return [Track(found, signature(picture, found), np.zeros(2)) for found in people]

    def _onwards(self, numbers: Sequence[int], track: Track) -> Track:
        """Follow along the numbers, and search for him when he is lost. Returns the last Track."""
        at = 0
        while True:
            track, at = self._unbroken(numbers, at, track)
            if at == len(numbers):
                return track
            again = self._search(numbers, at, track)
            if again is None:
                return track
            found_at, track = again
            self._found(numbers[found_at], track)
            self._unbroken(numbers[at:found_at][::-1], 0, track.turned())
            at = found_at + 1

    def _unbroken(self, numbers: Sequence[int], at: int, track: Track) -> tuple[Track, int]:
        """(last Track, index of the first frame in which he is not found)."""
        while at < len(numbers):
            self._check()
            following = self._next(numbers[at], track)
            following = following and self._checked(numbers[at], following)
            self._looked(numbers[at])
            if following is None:
                break
            track = following
            self._found(numbers[at], track)
            at += 1
        return track, at

    def _next(self, number: int, track: Track) -> Track | None:
        """The Track at the next frame, or None."""
        picture, awaited = self._read(number), track.awaited()
        kept = self._recall(number)
        known = kept is not None and _is_region(kept.region, awaited)
        found = kept if known else look(picture, awaited, self._threads)
        if found and is_body(found, picture, followed=True) and _is_near(found, track, 1):
            wears = signature(picture, found)
            if self._is_his(found, wears, track, 1):
                return replace(_moved(track, found, wears, 1), known=known)
            self.doubted.add(number)
        return None

    def _is_his(self, found: Landmarks, wears: np.ndarray | None, track: Track, gap: int) -> bool:
        """Whether somebody near the place of the track, so many frames later, is its performer: by the clothes; a jump
        against the motion before is a doubt that only the same clothes remove."""
        awaited, reach = track.awaited(gap), max(_JUMP, _JUMP_S / self._fps) * min(1.0 + 0.2 * (gap - 1), 3.0)
        jumps = np.hypot(*np.subtract(found.next_region.centre, awaited.centre)) > reach * awaited.side
        return _is_dressed(wears, track, _SAME_FAR, _SAME_BESIDE, seen=True) if jumps \
            else _is_dressed(wears, track, _SAME, _SAME_PART)

    def _search(self, numbers: Sequence[int], at: int, track: Track) -> tuple[int, Track] | None:
        """(index, Track) of the frame in which he is found again, or None. First it searches near the expected place,
        then anywhere."""
        everywhere = max(1, round(self._fps * _EVERYWHERE_S))
        for i in range(at, len(numbers)):
            self._check()
            gap = i - at + 1
            picture = self._read(numbers[i])
            fitting = []
            if gap <= self._fps * _NEARBY_S:
                near = [other for other in self._people(picture, near=track.awaited(gap))
                        if _is_near(other.found, track, gap)]
                fitting = [other for other in near if self._is_his(other.found, other.wears, track, gap)]
                self.doubted.update(numbers[i:i + 1] if near and not fitting else ())
            elif gap % everywhere == 0:
                fitting = [other for other in self._people(picture, like=track.found.region)
                           if _is_dressed(other.wears, track, _SAME_FAR, _SAME_PART)]
            self._looked(numbers[i])
            if fitting:
                best = max(fitting, key=lambda other: _fit(other, track, gap))
                return i, _moved(track, best.found, best.wears, gap)
        return None

    def _found(self, number: int, track: Track) -> None:
        self._keep(number, track.found, track.known)

    def _checked(self, number: int, track: Track) -> Track | None:
        """The Track, which the detector checks in some frames; None if it has not seen him for too long."""
        if number % max(1, round(self._fps * _CHECK_S)):
            return replace(track, beside=max(0, track.beside - 1))
        mine = track.found.next_region
        known, others = is_confirmed(track.found, self._read(number), self._threads)
        apart = min((_apart(other, mine) for other in others), default=np.inf)
        if apart < _CROSSING:
            self.crossed.add(number)
        beside = round(self._fps * _BESIDE_S) if apart < _BESIDE else max(0, track.beside - 1)
        unsure = 0 if known else track.unsure + 1
        return None if unsure > _UNSURE else replace(track, unsure=unsure, beside=beside)


def _is_region(one: Region, other: Region) -> bool:
    """Whether two Regions are the same apart from rounding."""
    return np.allclose((*one.centre, one.side, *one.up), (*other.centre, other.side, *other.up), rtol=1e-4, atol=1e-3)


def _apart(other: Region, mine: Region) -> float:
    """The distance to somebody else's Region, in sides of a square; infinite if it is not of about his size."""
    apart = np.hypot(*np.subtract(other.centre, mine.centre))
    return 2 * apart / (other.side + mine.side) if 0.5 < other.side / mine.side < 2 else np.inf


def _spread(count: int, most: int) -> list[int]:
    """At most so many indices, evenly over a list of this length."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(most, count))})


def _moved(track: Track, found: Landmarks, wears: np.ndarray | None, frames: int) -> Track:
    motion = np.subtract(found.next_region.centre, track.found.next_region.centre) / frames
    learnt, alike = track.wears, wears is not None and track.wears is not None and likeness(wears, track.wears)
    if wears is not None and (not alike or alike[1] >= _LEARNT_FROM):
        learnt = wears if learnt is None else np.where(wears.any(axis=1, keepdims=True)
                                                       & learnt.any(axis=1, keepdims=True),
                                                       (1 - _LEARN) * learnt + _LEARN * wears,
                                                       np.maximum(wears, learnt))
    motion = 0.5 * track.motion + 0.5 * motion if frames == 1 else motion
    return Track(found, learnt, motion, unsure=track.unsure if frames == 1 else 0, beside=track.beside)


def _is_near(found: Landmarks, track: Track, frames: int) -> bool:
    awaited = track.awaited(frames)
    apart = np.hypot(*np.subtract(found.next_region.centre, awaited.centre))
    growth = found.next_region.side / awaited.side
    reach, times = _STEP * min(1.0 + 0.2 * (frames - 1), 3.0), _GROWTH if frames == 1 else _GROWTH * 1.3
    return apart < reach * awaited.side and 1 / times < growth < times


def _is_dressed(wears: np.ndarray | None, track: Track, least: float, part: float, *, seen: bool = False) -> bool:
    """Whether the clothes may be the track's: their likeness is at least `least`, and that of shirt and of trousers at
    least `part`. If no clothes are seen, they may be, unless they have to be `seen`."""
    alike = None if wears is None or track.wears is None else likeness(wears, track.wears)
    return not seen if alike is None else alike[0] >= least and alike[1] >= (_SAME_BESIDE if track.beside else part)


def _alike(track: Track, wears: np.ndarray) -> float | None:
    """0..1, or None."""
    alike = None if track.wears is None else likeness(track.wears, wears)
    return alike and alike[0]


def _fit(other: Track, track: Track, gap: int) -> float:
    """How well a person continues a track: clothes count first, then the place (ours)."""
    alike = None if track.wears is None else _alike(other, track.wears)
    awaited = track.awaited(gap)
    apart = np.hypot(*np.subtract(other.found.next_region.centre, awaited.centre)) / awaited.side
    return (_SAME if alike is None else alike) - 0.3 * apart / (1.0 + 0.1 * gap)


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.clip(high - low, 0, None)))
    areas = sum(max(0.0, b[2] - b[0]) * max(0.0, b[3] - b[1]) for b in (one, other))
    return shared / max(areas - shared, 1e-9)


def _covered(found: Landmarks, mask: np.ndarray) -> float:
    """The part of the seen landmarks that lies in a mask (h, w)."""
    height, width = mask.shape
    seen = found.pixels[found.visibility > SEEN].astype(int)
    inside = seen[((seen >= 0) & (seen < (width, height))).all(axis=1)]
    return float(mask[inside[:, 1], inside[:, 0]].sum()) / max(len(seen), 1)
