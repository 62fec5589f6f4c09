"""engine.lock: one engine at a time generates in a folder, even if somebody deletes the file while it is locked."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.contract import messages
from engine.contract.errors import JobError
from engine.job import lock
from tests.unit.test_run import asked, generate, written
from tests.unit.walker import write_job

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody delete an open file")
# Takes a folder's lock, and checks it whenever a line comes in.
HOLDER = """
import sys
from engine.contract.errors import JobError
from engine.job.lock import locked
with locked(sys.argv[1], lambda: None) as lock:
    print("held", flush=True)
    for line in sys.stdin:
        try:
            lock.look()
            print("still", flush=True)
        except JobError as error:
            print(error.code, error, flush=True)
            break
"""


class Holder:
    """Another process that has the lock, as an engine would."""

    def __init__(self, folder):
        self.process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)],
                                        cwd=Path(__file__).parents[2], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "held\n"

    def look(self):
        self.process.stdin.write("look\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def hold(monkeypatch):
    """hold(folder) -> a Holder of the folder's lock."""
    monkeypatch.setattr(lock, "PATIENCE_S", 0.3)
    started = []

    def hold(folder):
        started.append(Holder(folder))
        return started[-1]
    yield hold
    for holder in started:
        holder.end()


def nobody():
    """A check that never stops the wait."""


def test_a_deleted_lock_is_taken_anew_and_keeps_others_away_again(tmp_path, hold):
    holder = hold(tmp_path)
    assert holder.look() == "still"
    (tmp_path / "engine.lock").unlink()
    assert holder.look() == "still"
    with pytest.raises(JobError) as caught, lock.locked(str(tmp_path), nobody):
        pass
    assert caught.value.code == "job_busy" and f"process {holder.process.pid}" in caught.value.message


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_of_two_engines_the_one_whose_lock_was_deleted_stops(tmp_path, hold, how):
    first = hold(tmp_path)
    (tmp_path / "engine.lock").unlink()
    if how == "replaced":
        (tmp_path / "engine.lock").write_text("by somebody else")
    second = hold(tmp_path)
    said = first.look()
    assert said.startswith("job_busy") and f"process {second.process.pid}" in said and "deleted" in said
    assert second.look() == "still"


def test_a_running_job_survives_a_deleted_lock(tmp_path):
    for name in ("a", "b"):
        write_job(str(tmp_path / name), 6)
    generate(tmp_path / "b")
    looks = iter(range(10**6))

    def deleting():
        if next(looks) % 20 == 15:
            (tmp_path / "a" / "engine.lock").unlink(missing_ok=True)
        return False
    assert isinstance(asked(tmp_path / "a", stop_asked=deleting), messages.Finished)
    assert written(tmp_path / "a") == written(tmp_path / "b")


def test_a_running_job_writes_nothing_more_once_another_engine_began(tmp_path, hold):
    write_job(str(tmp_path), 8)
    others, before = [], {}

    def stolen():
        if not others and (tmp_path / "frames" / "0003.png").exists():
            (tmp_path / "engine.lock").unlink()
            others.append(hold(tmp_path))
            before.update(written(tmp_path))
        return False
    event = asked(tmp_path, stop_asked=stolen)
    assert isinstance(event, messages.Failed) and event.code == "job_busy" and event.hint
    assert f"process {others[0].process.pid}" in event.message and written(tmp_path) == before
    assert others[0].look() == "still"


def test_a_lock_that_is_replaced_while_it_is_taken_is_not_held(tmp_path, monkeypatch):
    """Between opening and locking, the name may move to another file."""
    take, times = lock._take, []

    def replacing(file):
        take(file)
        if not times:
            (tmp_path / "engine.lock").unlink()
        times.append(1)
    monkeypatch.setattr(lock, "_take", replacing)
    with lock.locked(str(tmp_path), nobody) as taken:
        assert len(times) == 2
        taken.look()
        assert len(times) == 2


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_drive_without_locks_is_refused_with_a_way_on(tmp_path, monkeypatch, caplog, number):
    def none(_file):
        raise OSError(number, os.strerror(number))
    monkeypatch.setattr(lock, "_take", none)
    monkeypatch.delenv(lock.WITHOUT, raising=False)
    before = set(tmp_path.iterdir())
    with pytest.raises(JobError) as caught, lock.locked(str(tmp_path), nobody):
        pass
    assert caught.value.code == "no_locks" and lock.WITHOUT in caught.value.remedy
    assert set(tmp_path.iterdir()) <= {*before, tmp_path / "engine.lock"}
    monkeypatch.setenv(lock.WITHOUT, "1")
    with lock.locked(str(tmp_path), nobody) as taken:
        taken.look()
    assert "second engine" in caplog.text
