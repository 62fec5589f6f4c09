"""The folder of a pack, of this format or an earlier one -> the same pack with a manifest of this format.

    python -m engine manifest FOLDER

The weights and graphs are read and do not change. They must agree with the existing manifest.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

from ..contract.errors import JobError
from . import manifest as manifests
from .contents import unread_weights
from .manifest import Manifest
from .pack_file import File
from .store import check_file, open_pack

_MADE_ANEW = ("format", "files", "unread")


def renew(folder: Path) -> str:
    """Write pack.json; returns the pack's new hash. If it raises JobError, nothing was written."""
    path = folder / manifests.NAME
    before, _ = manifests.load(path)
    try:
        for name in manifests.FILES:
            check_file(folder / name, File(**before["files"][name]))
        names = [field.name for field in dataclasses.fields(Manifest) if field.name not in _MADE_ANEW]
        fields = {name: before[name] for name in names}
        manifests.write(folder, fields, unread_weights(folder))
    except (KeyError, TypeError) as error:
        raise JobError("pack_invalid", f"{path}: expected an earlier manifest of the same files: {error}.",
                       "Export the weights again.") from None
    except ValueError as error:
        raise JobError("pack_invalid", f"{folder}: {error}.", "Export the weights again.") from None
    return open_pack(folder).hash


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="engine manifest", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    try:
        print(renew(parser.parse_args(arguments).folder))
    except JobError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    return 0
