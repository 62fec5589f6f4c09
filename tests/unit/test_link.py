"""The link to the engine without Blender: it needs little memory and small logs in a flood of messages, and its
patience runs only while Blender checks."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.unit.add_on import ROOT, part
from tests.unit.waiting_blender import QUICK, jobs, launch, messages

Mailbox, LookClock = part("link.mailbox").Mailbox, part("link.patience").LookClock
EngineProcess = part("link.process").EngineProcess
job_log = part("embedded.engine.contract.job_log")


@pytest.fixture
def link():
    one = jobs.Link(jobs.Patience(**QUICK))
    yield one
    one.close()


def ended(link, job, seconds=30.0):
    end = time.monotonic() + seconds
    while not job.ended:
        assert time.monotonic() < end, f"still {job.state} after {seconds} s"
        link.pump()
        time.sleep(0.01)
    return job


def until(link, is_so, seconds=30.0):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        link.pump()
        time.sleep(0.01)


def taken(mailbox):
    return list(iter(mailbox.take, None))


def test_of_progress_the_newest_is_kept_and_of_all_else_everything():
    mailbox = Mailbox()
    for number in range(1000):
        mailbox.put(("progress", number), 100, newest_counts=True)
    mailbox.put(("frame", 1), 100)
    for number in (1, 2):
        mailbox.put(("progress", number), 100, newest_counts=True)
    mailbox.put(("end", 0), 100)
    assert taken(mailbox) == [("progress", 999), ("frame", 1), ("progress", 2), ("end", 0)]


def test_who_puts_waits_for_room_and_nothing_is_lost():
    mailbox, put = Mailbox(room=10_000), []

    def fill():
        for number in range(100):
            mailbox.put(number, 0)
            put.append(number)
    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    end = time.monotonic() + 30
    while len(put) < 10 and time.monotonic() < end:
        time.sleep(0.01)
    thread.join(0.3)
    assert thread.is_alive() and len(put) == len(mailbox) == 10
    found = []
    while len(found) < 100:
        found += taken(mailbox)
    thread.join(5)
    assert found == list(range(100)) and not thread.is_alive()
    mailbox.put("larger than all the room", 10**9)
    assert taken(mailbox) == ["larger than all the room"]


def test_nobody_waits_for_a_closed_mailbox():
    mailbox = Mailbox(room=1)
    mailbox.put(1, 0)
    thread = threading.Thread(target=mailbox.put, args=(2, 0), daemon=True)
    thread.start()
    mailbox.close()
    thread.join(5)
    assert not thread.is_alive() and mailbox.take() is None


def test_only_looks_let_time_pass():
    clock = LookClock()
    assert [clock.look(now) for now in (100.0, 100.25, 100.5, 700.5, 700.75, 690.0)] == [0.0, 0.25, 0.5, 1.5, 1.75,
                                                                                         1.75]


def test_a_flood_while_blender_is_busy_is_bounded_and_loses_nothing(link, tmp_path, monkeypatch):
    """Nothing is taken for a while; the engine has to wait."""
    monkeypatch.setattr(part("link.process"), "Mailbox", lambda: Mailbox(room=1_000_000))
    job = link.start(launch("spills", "6"), messages.Run(str(tmp_path)), tmp_path)
    process = link._process
    while job.state != "running":
        link.pump()
    heard, end = -1, time.monotonic() + 60
    while (heard != process.heard or heard <= 500) and time.monotonic() < end:
        heard = process.heard
        time.sleep(0.5)
    assert 500 < process.heard < 6000 and process.mailbox._weight <= 1_000_000
    ended(link, job, 60)
    assert job.state == "done" and job.frames == list(range(1, 6001, 2))
    assert [warning.message for warning in job.warnings] == [str(number) for number in range(jobs.MOST_WARNINGS)]
    assert job.progress.step == 6000
    log = (tmp_path / "engine.log").read_bytes()
    assert len(log) <= job_log.LARGEST + 2**20 and b"small" in log and log.endswith(b"\nthe last line\n")
    assert process.last_words().endswith("the last line") and len(process.last_words()) < 4000


def test_an_engine_that_forgot_the_job_ends_it(link, tmp_path):
    job = link.start(launch("idles"), messages.Run(str(tmp_path)), tmp_path)
    child = link._process._child
    assert ended(link, job).state == "failed" and job.error.code == "engine_silent"
    said = re.search(r"said for (\d+) seconds that it does nothing, but not how the job ended", job.error.message)
    assert said and int(said[1]) >= 2, "a busy machine may look later"
    assert child.wait(5) != 0


def test_heartbeats_are_no_hello(tmp_path):
    link = jobs.Link(jobs.Patience(hello=1.0))
    job = ended(link, link.start(launch("beats_first"), messages.Run(str(tmp_path)), tmp_path))
    said = re.search(r"has said no hello for (\d+) seconds", job.error.message)
    assert job.error.code == "engine_silent" and said and int(said[1]) >= 1
    link.close()


def test_an_engine_that_asks_for_patience_gets_it(link, tmp_path):
    """Without what its hello says, it would be given up after 2 s."""
    job = ended(link, link.start(launch("thinks", "3"), messages.Run(str(tmp_path)), tmp_path))
    assert job.state == "done", job.error
    assert link.patience.silence == QUICK["silence"], "the next engine gets the usual patience"


def test_an_engine_that_asks_for_time_to_stop_gets_it(link, tmp_path):
    job = link.start(launch("thinks", "1.5", "--on"), messages.Run(str(tmp_path)), tmp_path)
    until(link, lambda: job.state == "running")
    link.cancel()
    assert ended(link, job).state == "cancelled" and link._process.alive(), "it was not ended by force"


def test_a_paused_blender_does_not_call_a_good_engine_silent():
    """The engine works for longer than Blender's patience. Meanwhile Blender is stopped for even longer, as when a
    laptop is closed."""
    blender = subprocess.Popen([sys.executable, "-m", "tests.unit.waiting_blender", "works", "7"], cwd=ROOT,
                               stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        assert blender.stdout.readline() == "begun\n"
        time.sleep(1.0)
        blender.send_signal(signal.SIGSTOP)
        time.sleep(3.0)
        blender.send_signal(signal.SIGCONT)
        assert blender.stdout.readline() == "done None\n"
    finally:
        blender.kill()
        blender.communicate()


def test_a_request_that_cannot_be_sent_fails_and_the_link_is_free(link, tmp_path):
    job = ended(link, link.start(launch("polite"), messages.Run("a\0b"), tmp_path))
    assert job.state == "failed" and "the path of a file or folder" in job.error.message
    assert ended(link, link.start(launch("polite"), messages.Run(str(tmp_path)), tmp_path)).state == "done"


def test_a_reading_thread_that_dies_of_a_fault_ends_the_job(link, tmp_path, monkeypatch):
    """It also ends the engine, because nobody hears it any more."""
    monkeypatch.setattr(part("link.process"), "Said", lambda event: {}["no such event"])
    job = link.start(launch("polite"), messages.Run(str(tmp_path)), tmp_path)
    child = link._process._child
    assert ended(link, job).state == "failed" and "A fault in the add-on: KeyError" in job.error.message
    assert child.wait(5) != 0
