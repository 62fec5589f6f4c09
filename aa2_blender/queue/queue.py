"""The shots that wait for the engine. They are gathered one after another and generated one after another, and each is
stored on disk.

A row is a version's folder and what will be done with it. Rows are stored in this process and in queue.json beside the
shots (queue_file.py), never in the .blend file, so that neither undo nor a crash removes one.
"""
import logging
from dataclasses import dataclass, field
from pathlib import Path

from ..embedded.engine.contract import files, jobs
from ..embedded.engine.contract.errors import JobError
from ..tasks.gathering import Gathering, Version
from ..tasks.generation import Generation
from ..tasks.task import Progress, Task, TaskState
from . import queue_file
from .queue_file import RowState

ACTIVE = (RowState.GATHERING, RowState.RUNNING)
# The states of rows that an earlier Blender left: what was running then, now waits for the artist.
LEFT: dict[RowState, RowState] = dict.fromkeys((*ACTIVE, RowState.WAITING), RowState.PAUSED)
logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Row:
    """One shot in the queue.

    `scene` and `strip` name the plate, `plate` is its mark; `folder` is the version's (the shot's while gathering);
    `task` is its present or last work, None for a row of an earlier Blender. `frames` of the shot; 0 while gathering.
    `placed`: the result is in the scene.
    """

    scene: str
    strip: str
    folder: Path
    state: RowState = RowState.GATHERING
    task: Task | None = None
    frames: int = 0
    placed: bool = False
    plate: str = ""
    refused: JobError | None = None  # why no engine could be started for this row
    _pausing: bool = field(default=False, repr=False)

    @property
    def error(self) -> JobError | None:
        return self.refused or (self.task.error if self.task else None)

    @property
    def at_work(self) -> Task:
        """The task; only for code that runs while there is one."""
        assert self.task is not None
        return self.task

    @property
    def progress(self) -> Progress:
        return self.task.progress if self.task and self.state in ACTIVE else Progress(self.state.capitalize())

    @property
    def is_gathered(self) -> bool:
        """Whether there is a version to generate, so that the row can be resumed."""
        return self.frames > 0

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do: it is done, or failed before there was anything to resume."""
        return self.state is RowState.DONE or self.state is RowState.FAILED and not self.is_gathered

    @property
    def name(self) -> str:
        """The plate, and the version if there is one."""
        return f"{self.strip} {self.folder.name}" if self.is_gathered else self.strip

    @property
    def last_frame(self) -> Path | None:
        """The newest finished frame, used as a thumbnail."""
        job = self.task.engine_job if self.task else None
        made = job.frames if job and job.frames else files.numbers(self.folder, files.FRAMES) if self.frames else ()
        return Path(files.picture(self.folder, files.FRAMES, made[-1])) if made else None

    def made(self) -> int:
        """How many frames are on the disk."""
        return len(files.numbers(self.folder, files.FRAMES)) if self.frames else 0


class Queue:
    """Rows in the order of their turns. All calls come from Blender's main thread; `advance` does one slice of work.

    `link` and `launch(name)` are the way to an engine; `began(task)` is called with every task that begins.
    """

    def __init__(self, link, launch, began=lambda task: None):
        self.rows: list[Row] = []
        self._link, self._launch, self._began = link, launch, began

    def add(self, version: Version) -> Row:
        """Add a version to make. It is generated when the rows above are done."""
        row = Row(version.scene, version.strip, version.shot, task=Gathering(version), plate=version.plate)
        self._began(row.task)
        self.rows.append(row)
        return row

    def reserved(self) -> tuple[Path, ...]:
        """The versions that rows wait for: no other shot may be gathered over them."""
        return tuple(row.folder for row in self.rows if row.state is not RowState.GATHERING)

    def at_work(self) -> Row | None:
        """The row whose task runs now. Gathering comes first, because the artist waits for it."""
        return self._first(RowState.GATHERING) or self._first(RowState.RUNNING)

    def gathering(self) -> bool:
        return self._first(RowState.GATHERING) is not None

    def busy(self) -> bool:
        return any(row.state in (*ACTIVE, RowState.WAITING) for row in self.rows)

    def advance(self) -> bool:
        """Do one slice of gathering and check the engine once; True while there is more to do."""
        row = self._first(RowState.GATHERING)
        if row:
            self._gather(row)
        row = self._first(RowState.RUNNING) or self._next()
        if row:
            self._run(row)
        return self.busy()

    def move(self, row: Row, by: int) -> None:
        """`by`: -1 moves the row one place up, 1 one place down."""
        place = self.rows.index(row) + by
        if 0 <= place < len(self.rows):
            self.rows.remove(row)
            self.rows.insert(place, row)
            self.keep(row)

    def pause(self, row: Row) -> None:
        """Stop a running job at the next step. Its finished frames stay, and the next row begins."""
        if row.state is RowState.RUNNING:
            row._pausing = True
            row.at_work.cancel()
        elif row.state is RowState.WAITING:
            self._turn(row, RowState.PAUSED)

    def resume(self, row: Row) -> None:
        """Continue where the row stopped. A shot that was never gathered completely must be generated again."""
        if row.state in (*ACTIVE, RowState.WAITING):
            return
        if not (row.folder / files.JOB).is_file():
            raise JobError("job_missing", f"{row.folder.parent.name} was never gathered completely.",
                           "Press Generate again.")
        row.task, row.refused, row.placed = None, None, False
        row.frames = jobs.read(row.folder).frames
        self._turn(row, RowState.WAITING)

    def cancel(self, row: Row) -> None:
        """Stop a row that is at work or waits. Finished frames stay on the disk, and the row can be resumed."""
        if row.state in ACTIVE:
            row.at_work.cancel()
        if row.state is RowState.GATHERING:
            row.at_work.run()
            self._gathered(row)
        elif row.state in (RowState.WAITING, RowState.PAUSED):
            self._turn(row, RowState.CANCELLED)

    def remove(self, row: Row) -> None:
        """Take an ended row out of the list; nothing is removed from the disk."""
        self.cancel(row)
        if row.state not in ACTIVE:
            if row in self.rows:
                self.rows.remove(row)
            queue_file.forget(row.folder)

    def clear(self) -> None:
        """Take all finished rows out of the list."""
        for row in list(self.rows):
            if row.is_finished:
                self.remove(row)

    def restore(self, root: Path, scenes) -> None:
        """Add the rows that queue.json of a folder of jobs lists for `scenes` (names) and that are not done. Called
        after loading."""
        there = {row.folder for row in self.rows}
        for kept in queue_file.read(root):
            if kept.folder in there or kept.scene not in scenes:
                continue
            row = Row(kept.scene, kept.strip, kept.folder, LEFT.get(kept.state, kept.state), frames=kept.frames,
                      placed=kept.placed, plate=kept.plate)
            if row.made() == row.frames and row.state is not RowState.DONE:
                row.state = RowState.DONE
            if not (row.state is RowState.DONE and row.placed):
                self.rows.append(row)

    def keep(self, *rows: Row) -> None:
        """Write the rows' folders, order and states to queue.json. If the disk cannot be written to, only the list is
        lost."""
        for root in {row.folder.parent.parent for row in rows}:
            kept = [queue_file.Kept(row.folder, row.scene, row.strip, row.state, row.frames, row.placed,
                                    row.plate)
                    for row in self.rows if row.state is not RowState.GATHERING and row.folder.parent.parent == root]
            try:
                queue_file.write(root, kept)
            except JobError as error:
                logger.warning("queue.json: %s", error)

    def _first(self, state) -> Row | None:
        return next((row for row in self.rows if row.state == state), None)

    def _next(self) -> Row | None:
        """Begin the next waiting row and return it; None while the engine does something else."""
        row = self._first(RowState.WAITING)
        if row is None or self._link.job and not self._link.job.ended:
            return None
        try:
            launch = self._launch(jobs.read(row.folder).settings.engine)
        except JobError as error:
            row.task, row.refused = None, error
            self._turn(row, RowState.FAILED)
            return None
        version = Version(row.folder, scene=row.scene, strip=row.strip, plate=row.plate)
        row.task = Generation(version, link=self._link, launch=launch)
        self._began(row.task)
        self._turn(row, RowState.RUNNING)
        return row

    def _gather(self, row) -> None:
        if not row.task.advance():
            self._gathered(row)

    def _gathered(self, row) -> None:
        """Gathering has ended: the row now waits for its turn, or leaves the queue."""
        if row.task.state is TaskState.CANCELLED:
            self.rows.remove(row)
            return
        if row.task.state is TaskState.FAILED:
            row.state = RowState.FAILED
            return
        row.folder = row.task.folder
        row.frames = jobs.read(row.folder).frames
        for other in [other for other in self.rows if other is not row and other.folder == row.folder]:
            if other.state in (*ACTIVE, RowState.WAITING):  # the same was requested twice
                self.rows.remove(row)
                return
            self.rows.remove(other)
        self._turn(row, RowState.WAITING)

    def _run(self, row) -> None:
        if row.task.advance():
            return
        row.placed = bool(row.task.placed)
        is_paused = row._pausing and row.task.state is TaskState.CANCELLED
        row._pausing = False
        self._turn(row, RowState.PAUSED if is_paused else RowState(row.task.state))

    def _turn(self, row, state) -> None:
        row.state = state
        self.keep(row)
