"""One JSON object a line over two binary streams: the same class at the engine's end and at the add-on's."""

import json
import threading

from .errors import JobError

# A line longer than this is garbage, whoever sends it (the longest honest one, `warning`, names each frame of a shot).
LONGEST_LINE = 16 * 1024 * 1024


class Garbage(JobError):
    """A line that is no JSON object; `raw` holds its bytes."""

    def __init__(self, raw, reason):
        super().__init__("protocol_garbage", f"Expected a JSON object a line, got {raw[:200]!r} ({reason}).")
        self.raw = raw


class Wire:
    """Reads from one binary stream and writes to another; many threads may write, one reads.

    `reader` and `writer` are binary file objects; either may be None where only one way is used.
    """

    def __init__(self, reader=None, writer=None):
        self._reader = reader
        self._writer = writer
        self._writing = threading.Lock()

    def receive(self):
        """The next JSON object, blocking; None at the end of the stream. Raises Garbage, after which reading goes on."""
        while True:
            raw = self._reader.readline(LONGEST_LINE)
            if not raw:
                return None
            if raw.strip():
                return _parse(raw)

    def send(self, value):
        """Write one JSON object; returns False where the other end is gone. What is no JSON (NaN) is the caller's fault: a
        ValueError; events.to_json finds it first."""
        line = json.dumps(value, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        with self._writing:
            try:
                self._writer.write(line)
                self._writer.flush()
            except (OSError, ValueError):
                return False
        return True


def _parse(raw):
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Garbage(raw, str(error)) from None
    if not isinstance(value, dict):
        raise Garbage(raw, f"a {type(value).__name__}")
    return value
