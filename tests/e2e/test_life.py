"""The engine's process does not outlive the Blender that started it."""
import subprocess
import time

import pytest
from conftest import BPY, HERE


def is_running(pid):
    """Whether a process exists and is not a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid, seconds):
    end = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not is_running(pid)


@pytest.fixture
def start(surroundings, tmp_path, pack):
    """start() is a Blender whose engine has answered; returns (process, engine's process id)."""
    started = []

    def begin(*more):
        one = subprocess.Popen([BPY, HERE / "start_and_wait.py", tmp_path, pack, *more], env=surroundings, text=True,
                               stdout=subprocess.PIPE)
        started.append(one)
        words = next(line for line in one.stdout if line.split()[:1] and line.split()[0].isdigit()).split()
        assert words[1] == "job_missing"
        return one, int(words[0])
    yield begin
    for one in started:
        one.kill()
        one.wait()


def test_engine_dies_with_a_killed_blender(start):
    blender, pid = start()
    assert is_running(pid)
    blender.kill()
    blender.wait()
    assert gone(pid, 8), "the engine outlived its Blender"


def test_engine_ends_with_a_blender_that_quits(start):
    blender, pid = start("--quit")
    assert blender.wait(30) == 0
    assert gone(pid, 8)


def test_blender_s_colour_settings_do_not_follow(start):
    _blender, pid = start()
    with open(f"/proc/{pid}/environ", "rb") as file:
        names = {entry.partition(b"=")[0].decode() for entry in file.read().split(b"\0")}
    assert "OCIO" not in names and {"PYTHONPATH", "PATH"} <= names
