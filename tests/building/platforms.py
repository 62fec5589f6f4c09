"""What a platform's binaries look like: their magic, their machine and their Python."""
import platform
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from .telling import Stop


@dataclass(frozen=True)
class Platform:
    """One of Blender's platforms, as pip and as the files themselves name it."""

    name: str                  # Blender's name
    pip_tags: tuple[str, ...]  # what pip calls it, most wanted first
    machine: tuple[str, int]   # (file format, machine number in that format's header)


PLATFORMS = {
    "linux-x64": Platform("linux-x64", ("manylinux_2_28_x86_64", "manylinux2014_x86_64"), ("ELF", 62)),
    "windows-x64": Platform("windows-x64", ("win_amd64",), ("PE", 0x8664)),
    "macos-arm64": Platform("macos-arm64", ("macosx_14_0_arm64",), ("Mach-O", 0x0100000C)),
}
BINARY_NAME = re.compile(r"\.(so|pyd|dll|dylib)(\.|$)")
PYTHON_TAG = re.compile(r"(?:cpython-|\.cp)(3\d+)")


def here() -> str:
    """The name of the platform that this runs on."""
    name = {"linux": "linux", "win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine())
    return f"{name}-{machine}"


def machine_of(file: Path) -> tuple[str, int] | None:
    """(format, machine number) from the header of an ELF, PE or Mach-O file; None for anything else."""
    with file.open("rb") as stream:
        head = stream.read(64)
        if head[:4] == b"\x7fELF":
            return "ELF", struct.unpack_from("<H", head, 18)[0]
        if head[:4] == b"\xcf\xfa\xed\xfe":
            return "Mach-O", struct.unpack_from("<I", head, 4)[0]
        if head[:2] == b"MZ" and len(head) == 64:
            stream.seek(struct.unpack_from("<I", head, 60)[0])
            signature = stream.read(6)
            if signature[:4] == b"PE\0\0":
                return "PE", struct.unpack_from("<H", signature, 4)[0]
    return None


def check_binaries(folder: Path, wanted: Platform, python_tag: str) -> int:
    """How many binaries lie under `folder`; stops at one of another platform, or of another Python than `python_tag`.

    `python_tag`: "cp311", "cp313", or "any" for files that belong to no one version.
    """
    count = 0
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        machine = machine_of(file)
        if machine is None and not BINARY_NAME.search(file.name):
            continue
        count += 1
        if machine != wanted.machine:
            raise Stop(f"{file} is {machine}, but {wanted.name} needs {wanted.machine}; delete .build/packages and "
                       "start again.")
        tag = PYTHON_TAG.search(file.name)
        if tag and f"cp{tag.group(1)}" != python_tag:
            raise Stop(f"{file} is for Python {tag.group(1)}, but {folder.name} holds {python_tag}; delete "
                       ".build/packages and start again.")
    if not count:
        raise Stop(f"{folder} holds no binary, but {wanted.name} needs one; delete .build/packages and start again.")
    return count
