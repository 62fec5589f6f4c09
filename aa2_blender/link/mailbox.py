"""Carries what the engine says from the reading thread to Blender's main thread, in order and in little memory.

If Blender has not taken enough, the reading thread waits, and the engine then waits while writing its next line.
Nothing is lost, except that only the newest progress is kept.
"""
import collections
import threading

# Bytes of waiting lines, including the size of each event in memory (ours: some 15,000 frames of a finished job, sent
# at once).
ROOM = 16 * 1024 * 1024
_OVERHEAD = 1000


class Mailbox:
    """One thread puts items in, another takes them."""

    def __init__(self, room: int = ROOM):
        self._room = room
        self._letters = collections.deque()  # of (item, weight, whether only the newest counts)
        self._weight = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item, size: int, newest_counts: bool = False) -> None:
        """Wait for room, then add the item; `size` in bytes. Of successive items with `newest_counts`, only the last is
        kept."""
        weight = size + _OVERHEAD
        with self._changed:
            if newest_counts and self._letters and self._letters[-1][2]:
                self._weight -= self._letters.pop()[1]
            self._changed.wait_for(lambda: self._closed or not self._letters or self._weight + weight <= self._room)
            if not self._closed:
                self._letters.append((item, weight, newest_counts))
                self._weight += weight

    def take(self):
        """The oldest item, or None; never waits."""
        with self._changed:
            if not self._letters:
                return None
            item, weight, _ = self._letters.popleft()
            self._weight -= weight
            self._changed.notify()
            return item

    def close(self) -> None:
        """From now on nothing is taken: waiting and new items are thrown away, so that the reading thread can end."""
        with self._changed:
            self._closed = True
            self._letters.clear()
            self._weight = 0
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._letters)
