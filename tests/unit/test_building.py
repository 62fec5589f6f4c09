"""The zip's checks: foreign binaries are found by their headers and names, and each failure says what to do."""
import struct
import subprocess
import sys

import pytest

from tests.building import debian, environments, package, pythons
from tests.building.platforms import PLATFORMS, check_binaries, machine_of
from tests.building.telling import Missing, Stop

LINUX, WINDOWS, MACOS = PLATFORMS.values()


def elf(machine):
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine) + bytes(44)


def pe(machine):
    return b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + b"PE\0\0" + struct.pack("<H", machine)


def macho(machine):
    return struct.pack("<II", 0xFEEDFACF, machine) + bytes(56)


@pytest.mark.parametrize("data, platform", [(elf(62), LINUX), (pe(0x8664), WINDOWS), (macho(0x0100000C), MACOS)])
def test_machines_are_read_from_headers(tmp_path, data, platform):
    file = tmp_path / "module.so"
    file.write_bytes(data)
    assert machine_of(file) == platform.machine
    assert check_binaries(tmp_path, platform, "any") == 1


@pytest.mark.parametrize("name, data, said", [
    ("other.so", elf(183), "ELF"), ("other.pyd", pe(0x8664), "PE"), ("empty.so.1", b"", "None"),
    ("mac.dylib", macho(0x0100000C), "Mach-O"), ("state.cpython-313-x86_64-linux-gnu.so", elf(62), "Python 313"),
    ("state.cp310-win_amd64.pyd", elf(62), "Python 310")])
def test_a_foreign_binary_stops_the_build(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Stop, match=said) as caught:
        check_binaries(tmp_path, LINUX, "cp311")
    assert name in str(caught.value) and "start again" in str(caught.value)


def test_a_folder_without_binaries_stops_the_build(tmp_path):
    (tmp_path / "text.py").write_text("pass")
    with pytest.raises(Stop, match="no binary"):
        check_binaries(tmp_path, LINUX, "any")


def test_each_manifest_names_one_platform():
    for platform in PLATFORMS.values():
        text = package._manifest_for(platform)
        assert f'platforms = ["{platform.name}"]' in text and text.count("platforms") == 1


def test_unknown_names_are_said():
    with pytest.raises(Stop, match="linux-x64, windows-x64, macos-arm64"):
        package.make("amiga")
    with pytest.raises(Stop, match="bpy-4.5.15"):
        environments.ensure("bpy-1.0")


def test_this_python_is_found_and_a_future_one_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    here = "%d.%d" % sys.version_info[:2]
    found = pythons.find(here, tmp_path / "uv")
    assert subprocess.run([found, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True,
                          text=True).stdout.strip() == here
    monkeypatch.setattr(pythons, "_fetch_with_uv", lambda version, scratch: None)
    with pytest.raises(Missing, match="Python 3.99"):
        pythons.find("3.99", tmp_path / "uv")


def test_what_is_missing_is_named_in_one_line_for_users_who_are_not_root(monkeypatch):
    monkeypatch.setattr(debian, "_installed", lambda name: name != "libsm6")
    monkeypatch.setattr(debian.shutil, "which", lambda name: "/usr/bin/" + name)
    monkeypatch.setattr(debian.os, "geteuid", lambda: 1000)
    with pytest.raises(Stop, match="sudo apt-get install -y --no-install-recommends libsm6`"):
        debian.ensure(debian.BLENDER)


def test_every_requirement_is_pinned_exactly():
    for _python, requirements in environments.ENVIRONMENTS.values():
        assert all("==" in requirement for requirement in requirements)
