"""What a platform's binaries look like: their header, their machine and their Python."""
import platform
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from .telling import Stop


@dataclass(frozen=True)
class Platform:
    """What one zip is for: a platform as Blender, pip and the files themselves name it,
    and the Pythons of its Blenders."""

    name: str                  # Blender's name
    pip_tags: tuple[str, ...]  # what pip calls it, most wanted first
    machine: tuple[str, int]   # (file format, machine number in that format's header)
    pythons: tuple[str, ...] = ("3.11", "3.13")  # Blender 4.2 to 5.0, 5.1 to 5.2


_LINUX = (("manylinux_2_28_x86_64", "manylinux2014_x86_64"), ("ELF", 62))
# --platform -> what it is. Debian builds Blender 5.2 with a Python that blender.org does not use.
PLATFORMS = {
    "linux-x64": Platform("linux-x64", *_LINUX),
    "windows-x64": Platform("windows-x64", ("win_amd64",), ("PE", 0x8664)),
    "macos-arm64": Platform("macos-arm64", ("macosx_14_0_arm64",), ("Mach-O", 0x0100000C)),
    "linux-x64-python314": Platform("linux-x64", *_LINUX, pythons=("3.14",)),
}
BINARY_NAME = re.compile(r"\.(so|pyd|dll|dylib)(\.|$)")
PYTHON_TAG = re.compile(r"(?:cpython-|\.cp)(3\d+)")
WINDOWS_PYTHON = re.compile(rb"\0python(3\d+)\.dll\0", re.IGNORECASE)  # what a module asks Windows for


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
        python = _python_of(file, machine)
        if python and python != python_tag:
            raise Stop(f"{file} is for Python {python}, but {folder.name} holds {python_tag}; delete "
                       ".build/packages and start again.")
    if not count:
        raise Stop(f"{folder} holds no binary, but {wanted.name} needs one; delete .build/packages and start again.")
    return count


def check_wheel(folder: Path, wanted: Platform, python_tag: str) -> None:
    """Stops where the wheel unpacked in `folder` says in its own WHEEL file that it is for another Python or platform.

    macOS needs this: its modules have no special names, and nothing in them says which Python they are for.
    """
    system = {"ELF": "linux", "PE": "win", "Mach-O": "macosx"}[wanted.machine[0]]
    for file in folder.glob("*.dist-info/WHEEL"):
        for tag in re.findall(r"^Tag: (\S+)$", file.read_text(), re.MULTILINE):
            python, abi, place = tag.split("-")
            if system not in place or not (abi == "abi3" if python_tag == "any" else python == python_tag):
                raise Stop(f"{file.parent.name} is made for {tag}, but {wanted.name} needs {python_tag} here; delete "
                           ".build/packages and start again.")
        return
    raise Stop(f"{folder} has no WHEEL file that says what it is for; delete .build/packages and start again.")


def _python_of(file: Path, machine: tuple[str, int]) -> str | None:
    """cp311 or the like, from the name of a module or from the library it is linked with; None if any Python will
    do."""
    named = PYTHON_TAG.search(file.name)
    if named:
        return f"cp{named.group(1)}"
    linked = WINDOWS_PYTHON.search(file.read_bytes()) if machine[0] == "PE" else None
    return f"cp{linked.group(1).decode()}" if linked else None
