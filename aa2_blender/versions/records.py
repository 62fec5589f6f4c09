"""A version's small files that only the add-on reads: one dataclass each, with the number of its format."""
import json
import logging
from pathlib import Path
from typing import TypeVar

from ..embedded.engine.contract import files, json_reader
from ..embedded.engine.contract.fields import build, plain, shown

T = TypeVar("T")
logger = logging.getLogger(__name__)


def write(path: Path | str, record: object, form: int) -> None:
    """Store a dataclass of checked fields as format `form`. Makes the folder; raises JobError."""
    files.write_whole(path, json.dumps({"version": form, **plain(record)}, indent=1).encode())


def read(path: Path | str, kind: type[T], form: int) -> T | None:
    """What write stored; None if there is nothing. What cannot be read is None, too, and the log says why."""
    try:
        value = json_reader.read(path)
        version = value.pop("version", None)
        if version != form or isinstance(version, bool):
            raise ValueError(f"expected format {form}, got {shown(version)}")
        return build(kind, value)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be read: %s", path, error)
        return None
