"""What the engine says, from the thread that reads it to Blender's own, in its order and in little memory.

The reading thread waits where Blender has not taken enough, and the engine then waits inside its next line; nothing is
lost, but that of progress only the newest is kept.
"""
import collections
import threading

# Bytes of lines that wait, an event's own size in memory included (ours: some 15,000 frames of a finished job, told at
# once).
ROOM = 16 * 1024 * 1024
_OVERHEAD = 1000


class Mailbox:
    """One thread puts, another takes."""

    def __init__(self, room: int = ROOM):
        self._room = room
        self._letters = collections.deque()  # of (item, weight, whether only the newest counts)
        self._weight = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item, size: int, newest_counts: bool = False) -> None:
        """Waits for room; `size` in bytes. Of items that follow one another only the last is kept where
        `newest_counts`."""
        weight = size + _OVERHEAD
        with self._changed:
            if newest_counts and self._letters and self._letters[-1][2]:
                self._weight -= self._letters.pop()[1]
            self._changed.wait_for(lambda: self._closed or not self._letters or self._weight + weight <= self._room)
            if not self._closed:
                self._letters.append((item, weight, newest_counts))
                self._weight += weight

    def take(self):
        """The oldest item, None where there is none; never waits."""
        with self._changed:
            if not self._letters:
                return None
            item, weight, _ = self._letters.popleft()
            self._weight -= weight
            self._changed.notify()
            return item

    def close(self) -> None:
        """Nobody takes any more: what waits and what comes is thrown away, so that the reading thread comes to its
        end."""
        with self._changed:
            self._closed = True
            self._letters.clear()
            self._weight = 0
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._letters)
