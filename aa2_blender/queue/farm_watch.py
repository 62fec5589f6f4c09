"""How far render farms are with the versions that were handed over to them, read on a thread of its own: the drive that
the farm writes to may answer slowly."""
import threading
from collections.abc import Sequence
from pathlib import Path

from ..versions.farm import FarmProgress, progress_of

LOOKED_EVERY_S = 5.0  # how often the queue looks (ours: a part takes minutes, and a network drive shows it late anyway)


class FarmWatch:
    """Looks at folders in the background and keeps what it found last. All calls come from Blender's main thread, and
    only wait() blocks."""

    def __init__(self) -> None:
        self._found: dict[Path, FarmProgress] = {}
        self._thread: threading.Thread | None = None

    def look(self, folders: Sequence[Path]) -> None:
        """Begin to look at these folders; what is found is there at a later call of `of`. Does nothing while an
        earlier look still runs."""
        if folders and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._read, args=(folders,), daemon=True, name="aa2 farms")
            self._thread.start()

    def of(self, folder: Path) -> FarmProgress | None:
        """What was found last; None before the first look has ended."""
        return self._found.get(folder)

    def wait(self) -> None:
        """Block until the present look has ended."""
        if self._thread is not None:
            self._thread.join()

    def _read(self, folders: Sequence[Path]) -> None:
        self._found = {folder: progress_of(folder) for folder in folders}
