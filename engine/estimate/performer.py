"""An estimate request -> a job folder with source/, pose.json, mask/ and, if asked for, clean/ of one performer."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..conditions.frames import write_picture
from ..contract import files, jobs
from ..contract.messages import Estimate, Finished, Warned
from ..job.lock import locked
from ..job.memory import peak_mb
from ..job.progress import Watch
from .appearance import Looks, make_folder
from .clean import write_clean
from .face import find_face
from .follow import Choice, Follower
from .hands import find_hands, steady_hands
from .intake import expected, take_in
from .landmarks import Landmarks
from .lift import pixels_per_metre, standing_height
from .limb_depth import from_model, licence_warning
from .mask_file import open_mask
from .motion import Body, steady
from .pose_file import write_pose
from .silhouette import silhouette
from .source import Source

# pieces of work per frame, in proportion to the time of each stage (ours)
READ, FOLLOW, DEPTH, MASK, CLEAN = 2, 6, 30, 2, 3
SMALL_PX = 60  # standing height; below it, joints are unsure (measured on street scenes)
_FORM = 1  # the format of what Looks stores; it is increased when that changes


def estimate(request: Estimate, *, emit: Callable[[object], None], stop_asked: Callable[[], bool] = lambda: False,
             threads: int = 0) -> Finished:
    """request: contract.messages.Estimate. Results of an earlier estimate of the same performer are used again. Raises
    JobError or progress.Stopped; finished results then stay for the next time."""
    make_folder(request.job)
    watch = Watch(request.job, emit, stop_asked)
    with locked(request.job, watch.check) as lock:
        watch.also(lock.look)
        return _Estimate(request, emit, watch, threads).finished()


class _Estimate:
    """One estimate: the request, what is known about the shot, and counts."""

    def __init__(self, request: Estimate, emit: Callable[[object], None], watch: Watch, threads: int):
        self.request, self.emit, self.watch, self.threads = request, emit, watch, threads
        self.folder, self.reused, self._looked = request.job, 0, set()

    def finished(self) -> Finished:
        request, watch = self.request, self.watch
        weight = READ + FOLLOW + MASK + CLEAN * request.clean + DEPTH * bool(request.depth_model)
        watch.begin("read", max(expected(self.folder, request.video), 1) * weight)
        watch.work_begins()
        with watch.stage("read"):
            self.shot = shot = take_in(self.folder, request.video, watch=watch, say=self.warn, pieces=READ)
            self.given = open_mask(request.mask, shot, self.folder)
        watch.total = shot.frames * weight
        self.looks = Looks(self.folder, self._key())
        with Source(self.folder, shot.frames, shot.size) as self.source:
            with watch.stage("follow"):
                follower = self._follow()
            with watch.stage("steady"):
                bodies = steady(self.looks.points(shot.frames), shot.shots(), fps=shot.fps, size=shot.size)
                bodies = {n: body for n, body in bodies.items() if body.body[:, 3].max() > 0}
                hands = self._hands(bodies)
            if request.depth_model:
                forbidden = licence_warning(request.depth_model)
                if forbidden:
                    self.warn("depth_model_licence", forbidden)
                with watch.stage("depth"):
                    bodies = from_model(request.depth_model, bodies, self.source, self.folder,
                                        shots=shot.shots(), fps=shot.fps,
                                        watch=watch, threads=self.threads, pieces=DEPTH)
        with watch.stage("mask"):
            self._write_masks(bodies)
        if request.clean:
            with watch.stage("clean"):
                write_clean(self.folder, shot, watch=watch, say=self.warn, pieces=CLEAN)
                if request.video:
                    jobs.write(self.folder, replace(jobs.read(self.folder), clean_pictures=True))
        write_pose(self.folder, shot.frames, bodies, hands)
        self._warn_of_people(bodies, follower)
        made, stages = len(bodies), {name: round(seconds, 3) for name, seconds in watch.stages.items()}
        reused = min(self.reused, made)
        return Finished(self.folder, shot.frames, made - reused, reused, shot.frames - made,
                        round(watch.seconds, 3), stages, peak_mb())

    def warn(self, code: str, message: str, frames: Sequence[int] = ()) -> None:
        self.emit(Warned(self.folder, code, message, tuple(frames)))

    def _key(self) -> dict[str, Any]:
        """Everything that the looks depend on."""
        request = self.request
        return {"form": _FORM, "source": self.shot.source, "frame": request.frame,
                "box": request.box and list(request.box), "mask": request.mask}

    def _follow(self) -> Follower:
        """Fills looks. Returns the Follower, who knows where other people come close."""
        choice = Choice(self.request.frame, self.request.box, self.given)
        follower = Follower(read=self.source.read, keep=self._keep, recall=self.looks.recall,
                            choice=choice, fps=self.shot.fps, threads=self.threads, check=self.watch.check,
                            looked=self._advance)
        for numbers in self.shot.shots():
            follower.follow(list(numbers))
        return follower

    def _advance(self, number: int) -> None:
        """Counts each frame once, because a frame may be looked at several times, and from both sides."""
        if number not in self._looked:
            self._looked.add(number)
            self.watch.advance("follow", FOLLOW)

    def _keep(self, number: int, found: Landmarks, known: bool) -> None:
        """known: an earlier run has stored it already."""
        self.reused += known
        if not known:
            self.looks.keep(number, found)
        if self.request.hands and not (known and self.looks.recall_parts(number)):
            height = pixels_per_metre(found) * standing_height(found.world)
            picture = self.source.read(number)
            self.looks.keep_parts(number, find_face(picture, found, height, self.threads),
                                  find_hands(picture, found, height, self.threads))

    def _hands(self, bodies: dict[int, Body]) -> dict[int, list[np.ndarray | None]]:
        if not self.request.hands:
            return {}
        found = {number: (self.looks.recall_parts(number) or (None, {}))[1] for number in bodies}
        return steady_hands(found, bodies, shots=self.shot.shots(), fps=self.shot.fps, size=self.shot.size)

    def _write_masks(self, bodies: dict[int, Body]) -> None:
        nobody = np.zeros(self.shot.size[::-1], bool)
        for number in range(1, self.shot.frames + 1):
            self.watch.check()
            body, use = bodies.get(number), self.request.mask_use if self.given else "choose"
            mask = nobody
            if body is not None and use != "override":
                mask = silhouette(number, body, self.looks.recall, self.shot.size)
            if self.given is not None and use != "choose":
                mask = mask | self.given(number)
            write_picture(files.picture(self.folder, files.MASK, number), mask.astype(np.uint8) * 255)
            self.watch.advance("mask", MASK)

    def _warn_of_people(self, bodies: dict[int, Body], follower: Follower) -> None:
        lost = [number for number in range(1, self.shot.frames + 1) if number not in bodies]
        if not bodies:
            return self.warn("nobody_found",
                             "No person was found in the video. People less than about 30 pixels tall, and people "
                             "who are mostly hidden, cannot be found. A box around the performer helps.",
                             lost)
        if lost:
            self.warn("performer_lost",
                      f"The performer is not found in {len(lost)} of {self.shot.frames} frames; these "
                      "frames show the plate unchanged.", lost)
        small = [number for number, body in sorted(bodies.items()) if body.height_px < SMALL_PX]
        if small:
            self.warn("performer_small",
                      f"In {len(small)} frames the performer is less than {SMALL_PX} pixels tall; the joints are "
                      "uncertain there.", small)
        doubted, crossed = sorted(follower.doubted - set(bodies)), sorted(follower.crossed)
        if doubted:
            self.warn("performer_doubtful",
                      "Somebody is seen in these frames who may be another person, because the place jumps or the "
                      "clothes differ. They show the plate unchanged. A mask of the performer includes them.", doubted)
        if crossed:
            self.warn("people_crossing",
                      "Somebody else comes close to the performer near these frames. Check that the right "
                      "person is followed.", crossed)
