"""The zip's checks: foreign binaries are found by their headers and names, and each failure says what to do."""
import argparse
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

import build
from tools import debian, environments, limits, package, pythons, repository, root, wheels
from tools.platforms import PLATFORMS, check_binaries, check_wheel, machine_of
from tools.telling import Missing, Stop

LINUX, WINDOWS, MACOS, LINUX_314 = PLATFORMS.values()


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
    ("mac.dylib", macho(0x0100000C), "Mach-O"), ("state.cpython-313-x86_64-linux-gnu.so", elf(62), "Python cp313"),
    ("state.cp310-win_amd64.pyd", elf(62), "Python cp310")])
def test_a_foreign_binary_stops_the_build(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Stop, match=said) as caught:
        check_binaries(tmp_path, LINUX, "cp311")
    assert name in str(caught.value) and "start again" in str(caught.value)


@pytest.mark.parametrize("linked, part, fits", [
    (b"python311.dll", "cp311", True), (b"python313.dll", "cp311", False), (b"python3.dll", "any", True),
    (b"python311.dll", "any", False), (b"PYTHON314.DLL", "cp313", False)])
def test_a_windows_module_tells_its_python_by_what_it_is_linked_with(tmp_path, linked, part, fits):
    (tmp_path / "state.pyd").write_bytes(pe(0x8664) + b"\0\0" + linked + b"\0")
    if fits:
        assert check_binaries(tmp_path, WINDOWS, part) == 1
    else:
        with pytest.raises(Stop, match="state.pyd is for Python cp31"):
            check_binaries(tmp_path, WINDOWS, part)


@pytest.mark.parametrize("tag, platform, part, fits", [
    ("cp311-cp311-macosx_14_0_arm64", MACOS, "cp311", True), ("cp313-cp313-macosx_14_0_arm64", MACOS, "cp311", False),
    ("cp311-cp311-win_amd64", MACOS, "cp311", False), ("cp37-abi3-win_amd64", WINDOWS, "any", True),
    ("cp311-cp311-win_amd64", WINDOWS, "any", False), ("cp314-cp314-manylinux_2_28_x86_64", LINUX_314, "cp314", True)])
def test_a_wheel_says_what_it_is_for(tmp_path, tag, platform, part, fits):
    (tmp_path / "x-1.dist-info").mkdir()
    (tmp_path / "x-1.dist-info" / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n")
    if fits:
        check_wheel(tmp_path, platform, part)
    else:
        with pytest.raises(Stop, match=f"{tag}.*start again"):
            check_wheel(tmp_path, platform, part)


def test_packages_without_a_wheel_s_word_stop_the_build(tmp_path):
    with pytest.raises(Stop, match="no WHEEL"):
        check_wheel(tmp_path, LINUX, "any")


def test_a_binary_among_our_own_sources_stops_the_build(tmp_path):
    (tmp_path / "embedded" / "packages").mkdir(parents=True)
    (tmp_path / "left.bin").write_bytes(elf(62))
    with pytest.raises(Stop, match="left.bin is a binary outside"):
        package._check_parts(tmp_path, LINUX)


def test_every_zip_s_wheels_are_pinned_by_sha256():
    for platform in PLATFORMS.values():
        for version in platform.pythons:
            python, requirement, digests = wheels.WHEELS[f"cp{version.replace('.', '')}"]
            assert python == version and "==" in requirement and len(digests[platform.name]) == 64
        assert len(wheels.WHEELS["any"][2][platform.name]) == 64


def test_pip_refuses_a_wheel_of_another_sha256(tmp_path, monkeypatch):
    """The wheel is written here; no network is used."""
    monkeypatch.setattr(wheels, "WHEELS", {"any": ("3.11", "thing==1", {"linux-x64": "0" * 64})})
    with zipfile.ZipFile(tmp_path / "thing-1-cp37-abi3-manylinux2014_x86_64.whl", "w") as archive:
        archive.writestr("thing-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1\n")
        archive.writestr("thing-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp37-abi3-manylinux2014_x86_64\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(Missing, match="(?s)thing==1 for linux-x64.*HASHES"):
        wheels._fetch("any", LINUX, Path(sys.executable), tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.whl"))


def test_a_zip_that_is_too_large_stops_the_build(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "LARGEST_ZIP", 100)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("embedded/packages/any/x.so", bytes(500))
    with pytest.raises(Stop, match="a.zip is 0 MB, but 0 MB is the most"):
        package._tell_sizes(tmp_path / "a.zip")


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
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
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


@pytest.mark.parametrize("user, has_dpkg, said", [(1000, True, "root's rights"), (0, False, "this is no Debian")])
def test_a_root_that_cannot_be_made_is_missing(tmp_path, monkeypatch, user, has_dpkg, said):
    monkeypatch.setattr(root, "BUILD", tmp_path)
    monkeypatch.setattr(root.os, "geteuid", lambda: user)
    monkeypatch.setattr(root.shutil, "which", lambda name: "/usr/bin/" + name if has_dpkg else None)
    with pytest.raises(Missing, match=said):
        root.ensure("trixie")


@pytest.mark.parametrize("words",
                         ["unshare: unshare failed: Operation not permitted", "mount: /proc: permission denied."])
def test_where_nobody_may_mount_a_root_is_missing(tmp_path, monkeypatch, words):
    monkeypatch.setattr(root.subprocess, "run",
                        lambda line, **_more: subprocess.CompletedProcess(line, 1, stdout=words))
    with pytest.raises(Missing, match=f"Nothing can be mounted here .*{words[:12]}"):
        root.run(tmp_path, ["true"], timeout=1)


def test_a_repository_s_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(Stop, match="holds other things, such as letter.txt"):
        repository.make(tmp_path, [])
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_every_release_has_a_zip():
    assert set(root.ZIPS) == set(root.RELEASES) and set(root.ZIPS.values()) <= set(PLATFORMS) \
        and root.TESTED in root.RELEASES


HANGS = """
import subprocess, sys
child = subprocess.Popen(["sleep", "1000"])
print(child.pid, flush=True)
child.wait()
"""


def test_a_command_past_its_limit_is_stopped_with_all_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LEAST_S", 0)
    script = tmp_path / "hangs.py"
    script.write_text(HANGS + f"open({str(tmp_path / 'never')!r}, 'w')")
    (tmp_path / "shell").write_text(f'exec "{sys.executable}" -X faulthandler hangs.py > pid 2> stacks')
    with pytest.raises(Stop, match="unit tests: not done after 4 s, and stopped"):
        limits.run(["sh", "shell"], "unit tests", seconds=4, cwd=tmp_path, env=dict(os.environ))
    assert "hangs.py" in (tmp_path / "stacks").read_text() and not (tmp_path / "never").exists()
    end = time.monotonic() + 5
    while is_running(int((tmp_path / "pid").read_text())):
        assert time.monotonic() < end, "what it started outlived it"
        time.sleep(0.05)


def test_a_command_within_its_limit_keeps_its_exit_code(tmp_path):
    assert limits.run(["sh", "-c", "exit 3"], "x", seconds=30, cwd=tmp_path, env=dict(os.environ)) == 3


def test_what_a_command_says_goes_to_its_file(tmp_path, capfd):
    limits.run(["sh", "-c", "echo said; echo wrong >&2"], "x", seconds=30, cwd=tmp_path, env=dict(os.environ),
               output=tmp_path / "said.txt")
    assert (tmp_path / "said.txt").read_text() == "said\nwrong\n" and capfd.readouterr() == ("", "")


def test_tiers_run_two_at_once_and_each_tells_how_it_ended(monkeypatch, capsys):
    """The first waits for the second, so they must run at the same time; one fails, one is missing."""
    first, second = threading.Event(), threading.Event()

    def run(tier, name, title, output=None):
        output.write_text(f"{name} said\n")
        if name == "slow":
            second.set()
            assert first.wait(20)
        else:
            assert second.wait(20)
            first.set()
        if name == "gone":
            raise Missing("it is not here")
        return 3 if name == "slow" else 0

    monkeypatch.setattr(build, "_pytest", run)
    found = {}
    for tier, name, ended in build._ended([("blender", "slow"), ("blender", "gone"), ("e2e", "good")], 2):
        try:
            found[name] = ended()
        except Missing as missing:
            found[name] = str(missing)
        assert tier == ("e2e" if name == "good" else "blender")
    assert found == {"slow": 3, "gone": "it is not here", "good": 0}
    assert sorted(capsys.readouterr().out.splitlines()) == ["gone said", "good said", "slow said"]


def test_all_that_runs_can_be_ended(tmp_path):
    ended = []
    thread = threading.Thread(target=lambda: ended.append(limits.run(
        ["sleep", "60"], "x", seconds=50, cwd=tmp_path, env=dict(os.environ))))
    thread.start()
    while not limits._running:
        time.sleep(0.01)
    limits.end_all()
    thread.join(20)
    assert ended == [-signal.SIGKILL] and not limits._running


def test_what_no_longer_fits_into_a_ci_run_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(limits, "STARTED", time.monotonic() - limits.CI_S + 10)
    with pytest.raises(Missing, match="e2e tests: not begun, because 75 minutes"):
        limits.run(["touch", "begun"], "e2e tests", seconds=600, cwd=tmp_path, env=dict(os.environ))
    assert not (tmp_path / "begun").exists()


def is_running(pid):
    """Whether a process runs. One that has ended may still wait for a parent that is not ours."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):     # gone, or gone while it is read
        return False


def test_a_farm_s_tool_that_cannot_be_had_is_a_loud_skip(monkeypatch, capsys):
    def missing(tier, name, title, output=None):
        raise Missing("farm could not be installed: no openjd-cli==0.8.0")

    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(build.limits, "look_for_room", lambda *_: None)
    monkeypatch.setattr(build, "_pytest", missing)
    assert build.run_tests(argparse.Namespace(tier="farm", window=None, bpy=None)) == 0
    said = capsys.readouterr().out
    assert "\nSKIPPED: farm tests with farm: farm could not be installed: no openjd-cli==0.8.0" in said
    assert build._must_run("bpy-5.0.1") and "farm" in build.TIERS


ENDED = "blender tests with bpy-5.0.1"
BROKEN = "def test_b():\n    assert 1 == 2\n"


@pytest.fixture
def tested(tmp_path, monkeypatch):
    """tested(codes, tests=...) -> run_tests' exit code, where pytest ends with one code after the other. At code 1, it
    really runs these tests; None: it was killed while it wrote its report."""
    def run_tests(codes, tests=BROKEN):
        def run(command, title, **more):
            report = Path(next(one for one in command if one.startswith("--junitxml=")).removeprefix("--junitxml="))
            assert not report.exists(), "what failed before must not be told again"
            if codes[0] == 1 and tests:
                (tmp_path / "test_a.py").write_text(tests)
                subprocess.run([sys.executable, "-m", "pytest", f"--junitxml={report}", "test_a.py"], cwd=tmp_path,
                               stdout=subprocess.DEVNULL)
            elif codes[0] == 1:
                report.parent.mkdir()
                report.write_text("<testsuites><testsuite")
            return codes.pop(0)
        monkeypatch.setattr(build.limits, "run", run)
        return build.run_tests(argparse.Namespace(tier="blender", window=None, bpy="5.0.1"))

    monkeypatch.setattr(build, "BUILD", tmp_path)
    monkeypatch.setattr(build.limits, "look_for_room", lambda *_: None)
    monkeypatch.setattr(build.environments, "ensure", lambda name: tmp_path)
    monkeypatch.setattr(build.package, "make", lambda platform: tmp_path / "a.zip")
    return run_tests


@pytest.mark.parametrize("codes, failed", [([-11, 0], []), ([-11, 1], [ENDED]), ([1, 0], [ENDED]),
                                           ([-11, -6], [f"{ENDED}: ended by SIGABRT"])])
def test_a_crash_of_blender_is_told_and_its_tests_run_once_more(codes, failed, tested, capsys):
    """A test that fails is no crash: it does not get a second try."""
    left = list(codes)
    assert tested(left) == bool(failed)
    said = "".join(capsys.readouterr())
    assert [line.split("FAILED: ")[1] for line in said.splitlines() if "FAILED" in line] == failed
    told = f"CRASHED, and was run once more: {ENDED}: ended by SIGSEGV"
    assert (told in said) == (codes[0] < 0)
    assert len(left) == (codes[0] > 0)


def test_failed_tests_are_shown_once_more_before_the_tiers_that_failed(tested, capsys):
    assert tested([1], BROKEN + "def test_c(): pass\n") == 1
    said = capsys.readouterr().err
    assert "failed: test_a.test_b\n" in said and "E       assert 1 == 2" in said and "test_c" not in said
    assert said.endswith(f"FAILED: {ENDED}\n")


def test_of_many_failed_tests_most_are_only_named(tested, capsys):
    assert tested([1], "".join(BROKEN.replace("b", str(k)) for k in range(30))) == 1
    said = capsys.readouterr().err
    assert said.count("E       assert 1 == 2") == build.reports.MOST_SHOWN
    assert all(f"failed: test_a.test_{k}\n" in said for k in range(30))


def test_a_report_that_was_cut_off_says_nothing(tested, capsys):
    assert tested([1], None) == 1 and capsys.readouterr().err.endswith(f"FAILED: {ENDED}\n")


def test_a_full_disk_is_said_before_the_first_test(tmp_path, monkeypatch):
    free = {"free": 5e9}
    monkeypatch.setattr(limits.shutil, "disk_usage", lambda folder: argparse.Namespace(**free))
    limits.look_for_room(tmp_path)
    free["free"] = 1.5e9
    with pytest.raises(Stop, match=r"4 GB of free disk space, and .* has 1\.5 GB"):
        limits.look_for_room(tmp_path)
