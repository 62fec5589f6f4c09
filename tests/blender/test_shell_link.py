"""In whatever way an engine misbehaves, the job ends with the reason, and the next job works. Real processes, real
link."""
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

ENGINES = Path(__file__).resolve().parents[1] / "engines"
QUICK = {"hello": 30.0, "silence": 1.5, "cancel": 0.5, "terminate": 0.5}


@pytest.fixture
def jobs(extension):
    from importlib import import_module
    return import_module(extension.__name__ + ".link.engine_job")


@pytest.fixture
def link(jobs):
    one = jobs.Link(jobs.Patience(**QUICK))
    yield one
    one.close()


@pytest.fixture
def start(extension, link, tmp_path):
    """start("polite") begins a job with that engine and returns the job."""
    from importlib import import_module
    interpreter = import_module(extension.__name__ + ".link.interpreter")
    messages = import_module(extension.__name__ + ".embedded.engine.contract.messages")

    def begin(engine, folder=tmp_path):
        script = ENGINES / f"{engine}.py"
        assert script.exists()
        launch = interpreter.Launch((sys.executable, str(script)), tuple(os.environ.items()))
        return link.start(launch, messages.Run(str(folder)), folder)
    return begin


def until(condition, link, seconds=15.0, pause=0.01):
    """Calls pump() as Blender's timer does, every `pause` seconds; fails if the condition does not become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still {link.job.state} after {seconds} s"
        link.pump()
        time.sleep(pause)


def ended(link, job, state, **more):
    until(lambda: job.ended, link, **more)
    assert job.state == state, job.error
    return job


def test_a_good_engine_makes_two_jobs_in_one_process(link, start):
    first = ended(link, start("polite"), "done")
    assert first.frames == [1, 2, 3] and first.answer.made == 3 and first.progress.step == 3
    process = link._process
    second = ended(link, start("polite"), "done")
    assert second.frames == [1, 2, 3] and link._process is process


def test_dies_at_start_tells_its_last_words(link, start):
    job = ended(link, start("dies_at_start"), "failed")
    assert job.error.code == "engine_died" and "libsomething.so.1" in job.error.message
    assert "exit code 1" in job.error.message
    ended(link, start("polite"), "done")


def test_an_engine_that_does_not_exist(extension, link, start, tmp_path):
    from importlib import import_module
    interpreter = import_module(extension.__name__ + ".link.interpreter")
    errors = import_module(extension.__name__ + ".embedded.engine.contract.errors")
    messages = import_module(extension.__name__ + ".embedded.engine.contract.messages")
    for _ in range(2):
        with pytest.raises(errors.JobError) as caught:
            link.start(interpreter.Launch((str(tmp_path / "no-python"),), ()), messages.Run(str(tmp_path)),
                       tmp_path)
        assert caught.value.code == "engine_died" and "no-python" in caught.value.message
        link.pump()
        link.cancel()
    ended(link, start("polite"), "done")


def test_refusal_at_start_arrives_with_its_hint(link, start):
    job = ended(link, start("refuses_at_start"), "failed")
    assert (job.error.code, job.error.remedy) == ("pack_missing", "Choose another folder.")


def test_killed_midway_keeps_its_frames(link, start):
    job = ended(link, start("dies_midway"), "failed")
    assert job.error.code == "engine_died" and "signal 9" in job.error.message and "memory" in job.error.remedy
    assert job.frames == [1] and job.error.message.endswith("signal 9."), \
        "an engine that wrote nothing has no last lines"
    ended(link, start("polite"), "done")


def test_garbage_is_reported_with_its_bytes(link, start):
    job = ended(link, start("babbles"), "failed")
    assert job.error.code == "protocol_garbage" and r"\xff\xfeWARNING" in job.error.message
    ended(link, start("polite"), "done")


@pytest.mark.parametrize("engine", ["silent", "mute"])
def test_silence_ends_the_job(link, start, engine):
    usual = link.patience
    link.patience = replace(usual, hello=1.5)
    job = start(engine)
    process = link._process
    ended(link, job, "failed")
    assert job.error.code == "engine_silent"
    assert process._child.wait(5) != 0
    link.patience = usual
    ended(link, start("polite"), "done")


def test_another_protocol_is_refused(link, start):
    job = ended(link, start("other_protocol"), "failed")
    assert job.error.code == "protocol_mismatch" and "99" in job.error.message


def test_no_pump_takes_longer_than_five_milliseconds_in_a_flood(link, start):
    job = start("floods")
    until(lambda: job.ended, link, 60)
    assert job.state == "done"
    # One pump stops after 4 ms at the next event; on a busy machine, other processes may run in between.
    assert job.longest_pump_s < 0.1


def test_only_one_job_at_a_time(link, start):
    start("slow")
    with pytest.raises(Exception) as caught:
        start("polite")
    assert caught.value.code == "engine_busy"


def test_cancel_before_hello(link, start):
    job = start("mute")
    link.cancel()
    assert job.state == "cancelled"
    ended(link, start("polite"), "done")


def test_cancel_is_answered_and_the_engine_stays_warm(link, start):
    job = start("slow")
    until(lambda: job.frames, link)
    process = link._process
    link.cancel()
    link.cancel()
    ended(link, job, "cancelled")
    assert job.frames and link._process is process and process.alive()


def test_cancel_ends_an_engine_that_does_not_answer(link, start):
    job = start("stubborn")
    until(lambda: job.frames, link)
    child = link._process._child
    link.cancel()
    ended(link, job, "cancelled")
    assert child.wait(5) == -9 and job.frames
    ended(link, start("polite"), "done")


def test_cancel_ends_an_engine_that_never_stops_talking(link, start):
    job = start("torrent")
    until(lambda: job.frames, link)
    child = link._process._child
    link.cancel()
    ended(link, job, "cancelled", pause=0.2)  # a busy Blender: there are always more messages than one pump takes
    assert child.wait(5) != 0
    ended(link, start("polite"), "done")


def test_close_leaves_no_process(link, start):
    job = start("slow")
    until(lambda: job.frames, link)
    child = link._process._child
    link.close()
    assert child.poll() is not None and job.state == "cancelled"
