"""A folder for pictures on the way, which Blender can only write to files."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from ..embedded.engine.contract import files


@contextmanager
def workshop(folder: str) -> Iterator[str]:
    """The path of a new folder in `folder`, one of a job's; it is removed afterwards. What a killed process leaves
    there is in the job and nowhere else, and the engine removes it when it is old (contract/files.py)."""
    made = os.path.join(folder, files.own_name("rendering"))
    os.makedirs(made)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
