"""The engine as a separate process: what it sends, how it stops, and that it never outlives its parent."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.conditions.frames import as_bits, write_picture
from engine.contract import messages, version
from engine.contract.wire import Wire
from engine.packs import manifest as manifests
from tests.unit.test_run import generate, written
from tests.unit.walker import drawn_reference, write_job

pytest_plugins = ["tests.unit.drives"]      # mounted, read_only

ROOT = Path(__file__).parents[2]
SLOW = [str(ROOT / "tests" / "e2e" / "slow_engine.py")]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
PATIENCE_S = 60


class Process:
    """An engine, and the wire to it."""

    def __init__(self, arguments):
        self.child = subprocess.Popen([sys.executable, *arguments], env=ENVIRONMENT, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.wire = Wire(self.child.stdout, self.child.stdin)

    def ask(self, request):
        assert self.wire.send(messages.to_json(request))

    def next(self, *kinds):
        """The next event of these kinds. All others except heartbeats go to `self.passed`, but a failure that is not
        among them fails the test."""
        self.passed = []
        end = time.monotonic() + PATIENCE_S
        while (value := self.wire.receive()) is not None:
            event = messages.event(value)
            if isinstance(event, kinds):
                return event
            assert not isinstance(event, messages.Failed), f"the engine failed: {event}"
            assert time.monotonic() < end, f"none of {kinds} within {PATIENCE_S} s, but {self.passed}"
            if not isinstance(event, messages.Heartbeat):
                self.passed.append(event)
        raise AssertionError(f"the engine ended: {self.child.stderr.read().decode()}")

    def end(self):
        """Closes stdin; returns the exit code."""
        self.child.stdin.close()
        return self.child.wait(PATIENCE_S)


@pytest.fixture
def start():
    started = []

    def start(arguments):
        started.append(Process(arguments))
        return started[-1]
    yield start
    for process in started:
        process.child.kill()
        process.child.wait(PATIENCE_S)
        for stream in (process.child.stdin, process.child.stdout, process.child.stderr):
            stream.close()


ENDS = (messages.Finished, messages.Failed, messages.Cancelled)


def slow(start, *arguments):
    process = start([*SLOW, *arguments])
    assert isinstance(process.next(messages.Hello), messages.Hello)
    return process


def command(*arguments):
    return subprocess.run([sys.executable, "-m", "engine", *arguments], env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=PATIENCE_S, cwd=ROOT)


def test_the_real_networks_from_hello_to_frames(start, pack, tmp_path):
    write_job(str(tmp_path / "job ä"), 10)
    process = start(["-m", "engine", "serve", "--pack", str(pack), "--threads", "1"])
    hello = process.next(messages.Hello)
    assert process.passed == [] and hello.protocol == version.PROTOCOL and hello.engine == version.ENGINE
    assert hello.runtime == "onnxruntime" and hello.pack["name"] == "compact" and len(hello.pack["hash"]) == 64
    job = str(tmp_path / "job ä")
    process.ask(messages.Run(job))
    finished = process.next(*ENDS)
    assert isinstance(finished, messages.Finished) and finished.made == 10, finished
    first = written(tmp_path / "job ä")
    os.remove(Path(job, "frames", "0010.png"))
    process.ask(messages.Run(job))
    again = process.next(*ENDS)
    assert (again.made, again.reused) == (2, 8) and written(tmp_path / "job ä") == first
    process.ask(messages.Check(job))
    assert isinstance(process.next(*ENDS), messages.Finished)
    process.ask(messages.Preview(job))
    assert process.next(*ENDS).frames == 10
    assert len(list(Path(job, "preview").glob("*/*.png"))) == 60
    assert process.end() == 0


def test_joints_of_a_picture(start, pack, tmp_path):
    write_picture(str(tmp_path / "-picture.png"), as_bits(drawn_reference()))
    process = start(["-m", "engine", "serve", "--pack", str(pack)])
    process.next(messages.Hello)
    process.ask(messages.FindJoints(str(tmp_path / "-picture.png")))
    assert process.next(messages.Joints).picture.endswith("-picture.png")
    process.ask(messages.FindJoints(str(tmp_path / "none.png")))
    failed = process.next(messages.Failed)
    assert failed.code == "reference_missing" and failed.job.endswith("none.png")


def test_what_libraries_print_does_not_reach_the_wire(start, tmp_path):
    write_job(str(tmp_path), 1)
    process = slow(start, "0", "prints")
    process.ask(messages.Run(str(tmp_path)))
    assert isinstance(process.next(*ENDS), messages.Finished)
    process.child.stdin.close()
    assert b"a library that prints" in process.child.stderr.read()


def test_garbage_is_answered_and_work_goes_on(start, tmp_path):
    write_job(str(tmp_path), 2)
    process = slow(start, "0")
    for raw in (b"garbage\n", b"\xff\x00\n", b"[1, 2]\n", b'{"type": "dance"}\n', b'{"type": "run"}\n',
                b'{"type": "run", "job": ""}\n',
                b'{"type": "run", "job": "\\u0000"}\n', b'{"type": "run", "job": "\\ud800"}\n',
                b'{"type": ' + b"[" * 989 + b"]" * 989 + b"}\n",
                b"x" * 3_000_000 + b'{"type": "shutdown"}\n'):
        process.child.stdin.write(raw)
        process.child.stdin.flush()
        assert process.next(messages.Failed).code == "protocol_garbage"
    process.ask(messages.Run(str(tmp_path)))
    assert process.next(*ENDS).made == 2


def test_a_job_that_fails_is_followed_by_one_that_does_not(start, tmp_path):
    write_job(str(tmp_path / "good"), 2)
    process = slow(start, "0")
    process.ask(messages.Run(str(tmp_path / "nowhere")))
    assert process.next(*ENDS).code == "job_missing"
    for _ in range(3):
        process.ask(messages.Run(str(tmp_path / "good")))
        assert isinstance(process.next(*ENDS), messages.Finished)


def test_one_job_at_a_time_and_a_heartbeat_meanwhile(start, tmp_path):
    write_job(str(tmp_path), 8)
    process = slow(start, "0.4")
    process.ask(messages.Run(str(tmp_path)))
    process.next(messages.Progress)
    process.ask(messages.Run(str(tmp_path / "other")))
    busy = process.next(messages.Failed)
    assert busy.code == "engine_busy" and busy.job.endswith("other")
    assert process.next(messages.Heartbeat).busy
    assert isinstance(process.next(*ENDS), messages.Finished)
    assert not process.next(messages.Heartbeat).busy


@pytest.mark.parametrize("until", ["at once", "prepare", "first step", "first frame", "last step"])
def test_cancel_at_every_stage(start, tmp_path, until):
    write_job(str(tmp_path / "a"), 8)
    write_job(str(tmp_path / "b"), 8)
    process = slow(start, "0.1")
    process.ask(messages.Run(str(tmp_path / "a")))
    match until:
        case "prepare":
            process.next(messages.Progress)
        case "first step":
            while process.next(messages.Progress).step < 1:
                pass
        case "first frame":
            process.next(messages.Frame)
        case "last step":
            while (progress := process.next(messages.Progress)).step < progress.total or progress.stage != "denoise":
                pass
    process.ask(messages.Cancel())
    end = process.next(*ENDS)
    assert isinstance(end, messages.Cancelled) or until == "last step"
    if isinstance(end, messages.Cancelled):
        assert end.frames == len(list((tmp_path / "a" / "frames").glob("0*.png")))
    process.ask(messages.Cancel())
    process.ask(messages.Run(str(tmp_path / "a")))
    assert isinstance(process.next(*ENDS), messages.Finished)
    generate(tmp_path / "b")
    assert written(tmp_path / "a") == written(tmp_path / "b")


def test_killed_in_the_middle_it_goes_on_to_the_same_bits(start, tmp_path):
    write_job(str(tmp_path / "a"), 10)
    write_job(str(tmp_path / "b"), 10)
    process = slow(start, "0.1")
    process.ask(messages.Run(str(tmp_path / "a")))
    while process.next(messages.Frame).number < 5:
        pass
    process.child.send_signal(signal.SIGKILL)
    process.child.wait(PATIENCE_S)
    again = slow(start, "0")
    again.ask(messages.Run(str(tmp_path / "a")))
    finished = again.next(*ENDS)
    assert finished.reused >= 4 and finished.made + finished.reused == 10
    generate(tmp_path / "b")
    assert written(tmp_path / "a") == written(tmp_path / "b")


@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_when_stdin_closes(start, tmp_path, busy):
    write_job(str(tmp_path), 8)
    process = slow(start, "0.1")
    if busy:
        process.ask(messages.Run(str(tmp_path)))
        process.next(messages.Progress)
    assert process.end() == 0


def test_it_ends_when_stdin_closes_in_a_step_that_does_not_return(start, tmp_path):
    write_job(str(tmp_path), 8)
    process = slow(start, "0", "hangs")
    process.ask(messages.Run(str(tmp_path)))
    while process.next(messages.Progress).step < 1:
        pass
    process.next(messages.Heartbeat)
    process.next(messages.Heartbeat)
    assert process.end() == 1


def test_shutdown_and_an_interrupt(start):
    process = slow(start, "0")
    process.child.send_signal(signal.SIGINT)
    process.next(messages.Heartbeat)
    process.ask(messages.Shutdown())
    assert process.child.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("stdin", ["a pipe", "half a line"])
def test_shutdown_while_stdin_stays_open(start, stdin):
    """The reader is then waiting inside a read, in which case the interpreter's normal exit fails."""
    processes = [slow(start, "0") for _ in range(3)]
    for process in processes:
        process.child.stdin.write(b'{"type": "shutdown"}\n' + (b'{"type"' if stdin == "half a line" else b""))
        process.child.stdin.flush()
    for process in processes:
        assert process.child.wait(PATIENCE_S) == 0, process.child.stderr.read().decode()


PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:])
child.wait()
"""


def test_it_ends_when_its_parent_is_killed(tmp_path):
    """Its stdin stays open in this process, so only the watch over the parent can end it."""
    reading, writing = os.pipe()
    parent = subprocess.Popen([sys.executable, "-c", PARENT, sys.executable, *SLOW, "0"],
                              env=ENVIRONMENT, stdin=reading, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        wire = Wire(parent.stdout)
        assert wire.receive()["type"] == "hello"
        parent.kill()
        began = time.monotonic()
        while wire.receive() is not None:
            pass
        assert time.monotonic() - began < PATIENCE_S / 2
    finally:
        os.close(writing)
        parent.communicate()


@pytest.mark.parametrize("harm, code", [
    (lambda pack: (pack / "pack.json").unlink(), "pack_missing"),
    (lambda pack: (pack / "denoise.onnx").unlink(), "pack_missing"),
    (lambda pack: os.truncate(pack / "weights.safetensors", 1000), "pack_truncated"),
    (lambda pack: flip_a_bit(pack / "weights.safetensors"), "pack_corrupt"),
    (lambda pack: change_the_steps(pack / "pack.json"), "pack_corrupt"),
    (lambda pack: end_in_no_number(pack), "pack_invalid")])
def test_a_pack_that_is_not_right_is_said_before_the_end(start, pack, tmp_path, harm, code):
    own = tmp_path / "pack"
    shutil.copytree(pack, own)
    harm(own)
    process = start(["-m", "engine", "serve", "--pack", str(own)])
    failed = process.next(messages.Failed)
    assert failed.code == code and failed.job is None and failed.hint
    assert process.child.wait(PATIENCE_S) == 2
    write_job(str(tmp_path / "job"), 1)
    done = command("run", str(tmp_path / "job"), "--pack", str(own))
    assert done.returncode == 4 and code in done.stderr


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def change_the_steps(path):
    path.write_text(path.read_text().replace('"default_steps": 2', '"default_steps": 3'))


def end_in_no_number(pack):
    """The last weight is NaN, and the manifest is right."""
    data = bytearray((pack / "weights.safetensors").read_bytes())
    data[-2:] = b"\xff\xff"
    (pack / "weights.safetensors").write_bytes(data)
    value = json.loads((pack / "pack.json").read_text())
    told = {name: value[name] for name in value if name not in ("format", "files", "unread", "sha256")}
    manifests.write(pack, told, value["unread"])


def test_the_command_line(pack, tmp_path):
    write_job(str(tmp_path / "-job"), 2)
    job = str(tmp_path / "-job")
    done = command("run", job, "--pack", str(pack), "--threads", "1")
    assert done.returncode == 0 and done.stdout == "" and "Finished 2 frames" in done.stderr, done.stderr
    assert "denoise 2 of 2, 0 s left" in done.stderr
    assert command("check", job).returncode == 0
    assert command("preview", job).returncode == 0
    os.remove(Path(job, "source", "0002.png"))
    done = command("check", job)
    assert done.returncode == 1 and "source_missing" in done.stderr and "0002.png" in done.stderr
    assert command("dance").returncode == 2
    for arguments in (["--help"], ["run", "--help"]):
        done = command(*arguments)
        assert done.returncode == 0 and "JOB" in done.stdout
    last = json.loads(Path(job, "events.jsonl").read_text().splitlines()[-1])
    assert last["type"] == "failed"


def test_a_folder_that_may_only_be_read_gives_one_sentence(pack, tmp_path, read_only):
    write_job(str(tmp_path / "job"), 2)
    write_picture(str(tmp_path / "reference.png"), as_bits(drawn_reference()))
    job = str(read_only(tmp_path / "job"))
    for arguments in (["run", job, "--pack", str(pack)], ["preview", job], ["estimate", "-o", job],
                      ["estimate", "-o", job, "--reference", str(tmp_path / "reference.png")]):
        done = command(*arguments)
        assert done.returncode in (1, 2) and "Traceback" not in done.stderr and "Logging error" not in done.stderr, \
            done.stderr
        said = [line for line in done.stderr.splitlines() if not re.match(r"\w+ \d+ of \d+|Warning: ", line)]
        assert len(said) == 1 and said[0].startswith("job_not_writable: Cannot write"), done.stderr
    assert command("check", job).returncode == 0


def test_joints_on_the_command_line(tmp_path):
    write_picture(str(tmp_path / "picture.png"), as_bits(drawn_reference()))
    done = command("joints", str(tmp_path / "picture.png"))
    assert done.returncode == 0 and json.loads(done.stdout)["type"] == "joints"
