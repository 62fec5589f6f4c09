"""Which files of a pack were found right, kept beside them: many gigabytes are hashed once, not at each start.

A stamp counts while the file has the size and the time of its last change that it had then. It finds what happens to
files by accident; whoever can forge one can also write the manifest.
"""

import json
import logging
import os
import time
from pathlib import Path

from ..contract import json_reader
from ..contract.errors import JobError
from ..contract.files import write_whole

NAME = "pack.checked.json"
FORMAT = 1
_SETTLED_S = 3.0    # a file that changed so recently may change again within one tick of the file system's clock (ours)
log = logging.getLogger(__name__)


class Stamps:
    """The stamps of one folder. If it cannot be written, the files are hashed at each start."""

    def __init__(self, folder: Path):
        self._path = folder / NAME
        self._found: dict[str, list] = {}
        try:
            told = json_reader.read(self._path)
            if told["version"] == FORMAT:
                self._found = dict(told["files"])
        except (OSError, ValueError, KeyError, TypeError):
            return      # there are none, or they are damaged: the files are hashed

    def has(self, name: str, status: os.stat_result, sha256: str) -> bool:
        """Whether the file was found to have this checksum, and has not changed since. status: of the file now."""
        return self._found.get(name) == [status.st_size, status.st_mtime_ns, sha256]

    def add(self, name: str, status: os.stat_result, sha256: str) -> None:
        """Keep that a file has this checksum. status: from before it was hashed."""
        if time.time() - status.st_mtime < _SETTLED_S:
            return
        self._found[name] = [status.st_size, status.st_mtime_ns, sha256]
        try:
            write_whole(self._path, json.dumps({"version": FORMAT, "files": self._found}, indent=1).encode())
        except JobError as error:
            log.info("%s", error)
