"""The parts of a long shot, each made by itself -> the frames of the whole shot, without seams (ours).

A part begins with a run-in, and ends up near to what a sequential run makes, not always at it. So every seam is
measured: the frames before it exist twice, as the part before made them, and as the run-in did (seam.py). If they
differ too much, the windows after the seam are made again from the true ones, until they agree with the part's own. The
parts' frames are then the job's frames.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from ..contract import files, jobs, json_reader, version
from ..contract.errors import JobError
from ..contract.messages import Finished
from ..engines.base import Made, Window
from .keys import frame_keys, window_keys
from .parts import Part
from .resume import load_latents
from .run import Generation
from .seam import Making, difference

# Grey levels of 255 on average over the character, as it is shown: what a seam may differ by (ours; half of what grain
# does).
MOST_SEEN = 0.3
# How long a part that another machine has just finished may stay unseen on a network drive (ours; a listing ends it).
PATIENCE_S = 2.0
FORMAT = 1
_OTHER = {"plan": "another plan", "weights": "other weights", "engine": "another engine"}
_AGAIN = "Make it again with: python -m engine run JOB --part {}."


@dataclass(frozen=True)
class Seam:
    """frame: the first of the later part; difference: of the frames before it, in grey levels, as both parts have them;
    repaired: windows that were made again; left: the difference where the part's own frames begin, or at its end if all
    were made again."""

    frame: int
    difference: float
    repaired: int
    left: float


def write_part(generation: Generation, part: Part) -> None:
    """Write part.json, which says that a part is finished and what it was made of."""
    told = {"version": FORMAT, **_made_of(generation, part)}
    files.write_whole(files.path(generation.out, files.PART), json.dumps(told).encode(), synced=True)


class Assembly(Generation):
    """The whole shot, whose windows come from parts/. prepare raises JobError that names the first part that is missing
    or was made of something else."""

    def hash_inputs(self) -> None:
        self._by_end = {window.stop: window for windows in self.spans for window in windows}
        self._keys: dict[int, dict[Window, str]] = {}
        for part in self.parts:
            self._check_part(part)
            plan = replace(self.plan, spans=part.spans)
            self._keys[part.number] = window_keys(plan, self.engine.pack.hash, self.watch.check)
        self._repaired: dict[Window, str] = {}
        self.frame_keys = dict(self._keys_of_frames())

    def assemble(self) -> None:
        """Bring all frames into the job's own folders, and write the seams to seams.json."""
        path = files.path(self.folder, files.SEAMS)
        windows = [window for windows in self.spans for window in windows]
        if os.path.exists(path) and all(self.finished_frames.has(window.made, self.frame_keys[window])
                                        for window in windows):
            for window in windows:
                self._reuse(window)
            return
        seams: list[Seam] = []
        before: Making | None = None
        for part in self.parts:
            before = self._join(part, before, seams)
        told = {"version": FORMAT, "most": MOST_SEEN, "seams": [asdict(seam) for seam in seams]}
        files.write_whole(path, json.dumps(told, indent=1).encode())

    def _check_part(self, part: Part) -> None:
        where = files.part_folder(self.folder, part.number)
        try:
            told = self._told_of(where)
        except (OSError, ValueError):
            raise JobError("part_missing", f"Part {part.number} of {len(self.parts)} is not finished: {where} holds no "
                                           f"{files.PART}.", _AGAIN.format(part.number)) from None
        for name, wanted in _made_of(self, part).items():
            if told.get(name) != wanted:
                raise JobError("part_differs", f"Part {part.number} of {len(self.parts)} was made with "
                                               f"{_OTHER[name]} than the job has now ({where}).",
                               _AGAIN.format(part.number))

    def _told_of(self, where: str) -> dict[str, object]:
        """What part.json says. A network drive may say for a while that a file is not there which another machine has
        written, until the folder is listed again."""
        path, deadline = files.path(where, files.PART), time.monotonic() + PATIENCE_S
        while not os.path.isfile(path) and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                os.listdir(where)
            self.watch.check()
            time.sleep(PATIENCE_S / 4)
        return json_reader.read(path)

    def _keys_of_frames(self) -> Iterator[tuple[Window, str]]:
        """The key of each window's frames in the whole shot: what its part made of it, and every earlier part of the
        same run of frames, because a repair continues from there."""
        earlier: list[str] = []
        for part in self.parts:
            keys = self._keys[part.number]
            own = frame_keys(replace(self.plan, spans=part.spans), keys, self.watch.check)
            for whole, made in self._pairs(part):
                if not whole.before:
                    earlier = []                                    # another run of frames
                self._repaired[whole] = jobs.chained_key(keys[made], earlier)
                yield whole, jobs.frame_key(self.job, own[made], earlier) if earlier else own[made]
            earlier = [*earlier, *(keys[window] for window in part.windows[-1:])]

    def _pairs(self, part: Part) -> list[tuple[Window, Window]]:
        """(the window as the whole shot has it, as the part made it). They differ in a part's first one, if it has no
        run-in."""
        return [(self._by_end[window.stop], window) for window in part.windows]

    def _join(self, part: Part, before: Making | None, seams: list[Seam]) -> Making | None:
        """Take a part's frames, and repair its seam; returns its last window. before: the last one of what comes before
        it, None at the shot's start."""
        keys, pairs, found = self._keys[part.number], self._pairs(part), None
        pending = bool(before and pairs and pairs[0][0].before)
        if before and pending and part.leading:
            theirs = self._stored(part, part.leading[-1], keys)
            found = Seam(pairs[0][0].start, self._difference(before, theirs), 0, 0.0)
            pending = found.difference > MOST_SEEN
        for whole, made in pairs:
            stored = self._stored(part, made, keys)
            pending = pending and bool(whole.before)
            if not pending or before is None:
                before = stored
                self._take(part, whole)
                continue
            again = Making(whole, self._made_again(whole, before.made.handed_on))
            left = self._difference(again, stored)
            if found is None:                                       # without a run-in, the frames after it tell
                found = Seam(whole.start, difference(self, whole.made, again, stored), 0, left)
            found = replace(found, repaired=found.repaired + 1, left=left)
            before, pending = again, left > MOST_SEEN
        if found:
            seams.append(found if found.repaired else replace(found, left=found.difference))
        return before

    def _made_again(self, window: Window, before: np.ndarray) -> Made:
        """A window that continues from the true latents before it, with its frames."""
        key = self._repaired[window]
        latents = load_latents(self.folder, window, key)
        if latents is None:
            return self._make_window(window, key, before)
        self._compose_again(window, latents)
        return latents

    def _stored(self, part: Part, window: Window, keys: dict[Window, str]) -> Making:
        found = load_latents(files.part_folder(self.folder, part.number), window, keys[window])
        if found is None:
            raise JobError("part_differs", f"Part {part.number} of {len(self.parts)} lacks the latents of its frames "
                                           f"{window.start} to {window.stop - 1}.", _AGAIN.format(part.number))
        return Making(window, found)

    def _difference(self, one: Making, other: Making) -> float:
        """How much the last frames that both make differ, as many as a window continues from (seam.py)."""
        numbers = sorted(set(one.window.made).intersection(other.window.made))
        return difference(self, numbers[-max(self.plan.facts.overlap, 1):], one, other)

    def _take(self, part: Part, window: Window) -> None:
        """Copy the frames of a window from the part's folder."""
        where = files.part_folder(self.folder, part.number)
        self._remove_other_takes()
        self.finished_frames.forget(window.made)
        with self.watch.stage("write"):
            for number in window.made:
                self.finished_frames.write(number, {kind: _read(files.picture(where, kind, number), part)
                                                    for kind in (files.FRAMES, files.SHADOW)})
        self.finished_frames.add(window.made, self.frame_keys[window])
        self.made += len(window.made)
        self._tell(window.made)
        self.watch.advance("assemble", self.sampling.steps)


def run_part(generation: Generation, find_joints: Callable) -> Finished:
    """Make one part in its own folder; what an earlier run of it made stays. generation: of that part, not prepared."""
    generation.prepare(find_joints)
    for windows in generation.spans:
        generation.make_span(windows)
    finished = generation.finished()
    write_part(generation, generation.part)
    return finished


def _made_of(generation: Generation, part: Part) -> dict[str, object]:
    """What a part is checked by, by the names in part.json."""
    windows = [[window.first, window.start, window.stop] for windows in part.spans for window in windows]
    return {"plan": windows, "weights": generation.engine.pack.hash, "engine": version.ENGINE}


def _read(path: str, part: Part) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise JobError("part_missing", f"{path} of part {part.number} cannot be read: {error.strerror}.",
                       _AGAIN.format(part.number)) from None
