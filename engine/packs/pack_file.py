"""What pack.json has in every format: its name, its seal, and the size and checksum of each file."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..contract.fields import whole
from ..contract.files import write_whole

NAME = "pack.json"
SEAL = "sha256"       # the field with the checksum of all other fields


@dataclass(frozen=True)
class File:
    sha256: str
    bytes: int


def as_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("an object")
    return value


def file_of(name: str, entry: Any) -> File:
    right = isinstance(entry, dict) and set(entry) == {"sha256", "bytes"} and isinstance(entry["sha256"], str)
    if not right or len(entry["sha256"]) != 64:
        raise ValueError(f"{{sha256, bytes}} for {name!r}")
    return File(entry["sha256"], whole(0, 2**53)(entry["bytes"]))


def seal(fields: dict) -> str:
    """The checksum (hex) of a manifest's fields; it does not depend on their layout in the file."""
    plain = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def write_sealed(folder: Path, fields: dict[str, Any]) -> None:
    """Write the fields with their seal as the folder's pack.json."""
    write_whole(folder / NAME, (json.dumps({**fields, SEAL: seal(fields)}, indent=1) + "\n").encode())
