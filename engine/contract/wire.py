"""One JSON object per line over two binary streams; the engine and the add-on use the same class."""

import io
import json
import threading
from typing import Any, BinaryIO

from . import json_reader
from .errors import JobError

# A line longer than this is garbage, whoever sends it (the longest correct one is a `warning`: see
# messages.MOST_NAMED).
LONGEST_LINE = 1024 * 1024
# Lists and objects in a line: `people` has one for each box, all other messages have few (ours).
_MOST_CONTAINERS = 10_000


class Garbage(JobError):
    """A line that is not a JSON object. `raw` has its bytes; of a line that is too long, only the first
    LONGEST_LINE."""

    def __init__(self, raw: bytes, reason: str):
        super().__init__("protocol_garbage", f"Expected a JSON object a line, got {raw[:200]!r} ({reason}).")
        self.raw = raw


class Wire:
    """Reads from one binary stream and writes to another; many threads may write, one reads.

    `reader` and `writer` are binary file objects; either may be None if only one direction is used. `size` is the
    length of the last received line in bytes.
    """

    def __init__(self, reader: BinaryIO | None = None, writer: BinaryIO | None = None):
        self._reader = io.BytesIO() if reader is None else reader
        self._writer = io.BytesIO() if writer is None else writer
        self._writing = threading.Lock()
        self.size = 0

    def receive(self) -> dict[str, Any] | None:
        """The next JSON object, blocking; None at the end of the stream. Raises Garbage, after which the next call
        reads the next line. Raises OSError or ValueError if the stream itself is broken or closed."""
        while True:
            raw = self._reader.readline(LONGEST_LINE)
            self.size = len(raw)
            if not raw:
                return None
            if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                self._pass_over_line()
                raise Garbage(raw, f"longer than {LONGEST_LINE} bytes")
            if raw.strip():
                return _parse(raw)

    def _pass_over_line(self) -> None:
        """Skip the rest of a line that is too long: it is not a line of its own, whatever it looks like."""
        while (more := self._reader.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
            continue

    def send(self, value: dict[str, Any]) -> bool:
        """Write one JSON object; returns False if the other end is gone. A value that JSON does not allow (NaN) is the
        caller's fault and raises ValueError; messages.to_json finds it first."""
        line = json.dumps(value, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        with self._writing:
            try:
                self._writer.write(line)
                self._writer.flush()
            except (OSError, ValueError):
                return False
        return True


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        return json_reader.parse(raw, LONGEST_LINE, _MOST_CONTAINERS)
    except json_reader.Unreadable as error:
        raise Garbage(raw, str(error)) from None
