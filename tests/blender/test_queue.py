"""The queue: turns, pauses, what remains after a crash; nothing on the disk is overwritten."""
import json
import time
from pathlib import Path

import bpy
import pytest
import shots
import small_shot
from shots import placed


def advance(queue, until, seconds=20.0):
    """Advances the queue as the timer does, until the condition is true."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, [(row.folder, row.state, row.error) for row in queue.rows]
        queue.advance()
        time.sleep(0.01)


def drain(queue):
    advance(queue, lambda: not queue.busy())


def states(queue):
    return [row.state for row in queue.rows]


def kept(folder):
    """The content of queue.json: {version: state} in its order."""
    value = json.loads((Path(folder) / "queue.json").read_text())
    return {entry["folder"].rpartition("/")[2]: entry["state"] for entry in value["jobs"]}


def test_two_shots_take_turns_and_both_are_placed(shot, engine, queue, add, tmp_path):
    engine("paints")
    other = small_shot.make(tmp_path / "other", scene=bpy.data.scenes.new("Other"))
    rows = add(shot), add(other)
    advance(queue, lambda: not queue.gathering())
    assert states(queue)[0] in ("running", "done"), "the first begins while the second is gathered"
    assert states(queue)[1] in ("waiting", "running"), "and the second when it is its turn"
    drain(queue)
    assert states(queue) == ["done", "done"] and all(row.placed and row.made() == row.frames for row in rows)
    assert len(placed(shot)) == len(placed(other)) == 2


def test_versions_wait_beside_each_other_and_nothing_is_overwritten(shot, engine, queue, add):
    engine("paints")
    for seed in (1, 2, 3):
        add(shot, seed=seed)
    drain(queue)
    folders = [row.folder for row in queue.rows]
    assert [folder.name for folder in folders] == ["v001", "v002", "v003"]
    assert [json.loads((folder / "job.json").read_text())["settings"]["seed"] for folder in folders] == [1, 2, 3]
    assert len(placed(shot)) == 2, "one version is shown"
    assert {strip["aa2_version"] for strip in placed(shot).values()} == {"v003"}
    assert json.loads(next(iter(placed(shot).values()))["aa2_settings"])["seed"] == 3


def test_the_same_asked_twice_is_one_row_and_one_version(shot, engine, queue, add):
    engine("paints")
    add(shot)
    add(shot)
    drain(queue)
    assert len(queue.rows) == 1 and queue.rows[0].folder.name == "v001"
    assert [path.name for path in queue.rows[0].folder.parent.iterdir()] == ["v001"]


def test_a_moved_rig_makes_a_new_version(shot, engine, queue, add):
    engine("paints")
    add(shot)
    drain(queue)
    shot.aa2.armature.location.x += 0.1
    bpy.context.view_layer.update()
    add(shot)
    drain(queue)
    assert [row.folder.name for row in queue.rows] == ["v001", "v002"]


def test_turns_can_be_changed(shot, engine, queue, add):
    engine("slow")
    rows = [add(shot, seed=seed) for seed in (1, 2, 3)]
    advance(queue, lambda: rows[2].state == "waiting" and rows[0].task.engine_job)
    queue.move(rows[2], -1)
    queue.move(rows[0], -1)
    assert queue.rows == [rows[0], rows[2], rows[1]]
    assert list(kept(rows[0].folder.parents[1])) == ["v001", "v003", "v002"]


def test_pause_lets_the_next_go_and_resume_goes_on(shot, engine, queue, add):
    engine("slow")
    first, second = add(shot, seed=1), add(shot, seed=2)
    advance(queue, lambda: first.task.engine_job and first.task.engine_job.frames and second.state == "waiting")
    queue.pause(second)
    queue.pause(first)
    advance(queue, lambda: first.state == "paused")
    assert second.state == "paused"
    engine("paints")
    queue.resume(second)
    queue.resume(first)
    drain(queue)
    assert states(queue) == ["done", "done"] and first.made() == small_shot.FRAMES


def test_cancel_one_by_one(shot, engine, queue, add):
    engine("slow")
    rows = [add(shot, seed=seed) for seed in (1, 2, 3)]
    advance(queue, lambda: rows[1].state == "waiting" and rows[2].state == "gathering")
    queue.cancel(rows[2])
    assert rows[2] not in queue.rows and not (rows[1].folder.parent / "v003").exists()
    queue.cancel(rows[1])
    advance(queue, lambda: rows[0].task.engine_job and rows[0].task.engine_job.frames)
    queue.cancel(rows[0])
    drain(queue)
    assert states(queue) == ["cancelled", "cancelled"]
    queue.remove(rows[0])
    assert queue.rows == [rows[1]] and kept(rows[1].folder.parents[1]) == {"v002": "cancelled"}


def test_a_dead_engine_fails_one_row_and_the_next_goes_on(shot, engine, queue, add):
    engine("paints", "--one")
    first = add(shot, seed=1)
    add(shot, seed=2)
    advance(queue, lambda: first.state == "failed")
    assert first.error.code == "engine_died" and first.made() == 1
    engine("paints")
    drain(queue)
    queue.resume(first)
    drain(queue)
    assert states(queue) == ["done", "done"] and first.made() == small_shot.FRAMES


def test_what_a_crash_leaves_is_offered_again(shot, engine, queue, add, session, part):
    """The process has ended, and everything in memory is lost; the file is opened again."""
    engine("slow")
    running, waiting = add(shot, seed=1), add(shot, seed=2)
    advance(queue, lambda: running.task.engine_job and running.task.engine_job.frames and waiting.state == "waiting")
    root = running.folder.parents[1]
    assert kept(root) == {"v001": "running", "v002": "waiting"}
    session.forget()
    assert queue.rows == [] and kept(root) == {"v001": "running", "v002": "waiting"}
    session.restore()
    assert states(queue) == ["paused", "paused"] and not queue.busy(), "it waits for the artist"
    engine("paints")
    for row in list(queue.rows):
        queue.resume(row)
    drain(queue)
    assert states(queue) == ["done", "done"]
    session.forget()
    session.restore()
    assert queue.rows == [], "what is done and placed is done"


def test_finished_but_not_placed_is_offered_to_be_placed(shot, engine, queue, add, session, part):
    engine("paints")
    row = add(shot)
    drain(queue)
    row.placed = False
    queue.keep(row)
    for strip in placed(shot).values():
        shots.strips(shot.sequence_editor).remove(strip)
    session.forget()
    session.restore()
    assert states(queue) == ["done"] and not queue.rows[0].placed
    assert bpy.ops.aa2.queue_place(row=0) == {"FINISHED"}
    assert len(placed(shot)) == 2 and queue.rows[0].placed


def test_saved_closed_and_opened(shot, engine, queue, add, tmp_path):
    blend = str(tmp_path / "shot.blend")
    engine("slow")
    row = add(shot)
    advance(queue, lambda: row.task.engine_job and row.task.engine_job.frames)
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    bpy.ops.wm.read_homefile(use_empty=True)
    assert queue.rows == []
    bpy.ops.wm.open_mainfile(filepath=blend)
    assert states(queue) == ["paused"] and queue.rows[0].folder == row.folder


def test_undo_takes_no_row_away(shot, engine, queue, add):
    engine("paints")
    bpy.ops.ed.undo_push(message="before")
    row = add(shot)
    drain(queue)
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    assert queue.rows == [row] and row.state == "done"


@pytest.mark.parametrize("damage", ["", "[]", '{"jobs": [{"folder": "../..", "state": "waiting"}]}'])
def test_a_damaged_list_is_made_anew_from_the_folders(shot, engine, queue, add, session, damage):
    engine("paints", "--one")
    row = add(shot)
    advance(queue, lambda: row.state == "failed")
    (row.folder.parents[1] / "queue.json").write_text(damage)
    session.forget()
    session.restore()
    assert [(other.folder, other.state, other.made()) for other in queue.rows] == [(row.folder, "paused", 1)]


def test_a_list_that_cannot_be_written_stops_no_job(shot, engine, queue, add, part):
    engine("paints")
    root = part("settings.request_of").jobs_root(shot)
    (root / "queue.json").mkdir(parents=True)
    row = add(shot)
    drain(queue)
    assert row.state == "done"


def test_rows_of_scenes_that_are_not_here_are_left_alone(shot, engine, queue, add, session):
    engine("paints", "--one")
    row = add(shot)
    advance(queue, lambda: row.state == "failed")
    session.forget()
    shot.name = "renamed"
    session.restore()
    assert queue.rows == [] and kept(row.folder.parents[1]) == {"v001": "failed"}


def test_another_task_has_the_engine_for_itself(shot, engine, queue, add, session, part):
    engine("slow")
    busy = session.link.start(part("settings.preferences").engine_launch(),
                              part("embedded.engine.contract.messages").Run("x"), Path(shot.aa2.output).parent)
    row = add(shot)
    advance(queue, lambda: row.state == "waiting")
    for _turn in range(5):
        queue.advance()
    assert row.state == "waiting" and not busy.ended


def test_the_buttons_of_a_row(shot, engine, queue):
    engine("paints", "--one")
    with pytest.raises(RuntimeError, match="signal"):
        bpy.ops.aa2.generate()
    assert states(queue) == ["failed"]
    engine("paints")
    assert bpy.ops.aa2.queue_resume(row=0) == {"FINISHED"} and states(queue) == ["done"]
    assert bpy.ops.aa2.queue_remove(row=0) == {"FINISHED"} and queue.rows == []
    with pytest.raises(RuntimeError, match="row"):
        bpy.ops.aa2.queue_pause(row=0)


def test_an_open_seed_is_another_at_every_press(shot, engine, queue):
    engine("paints")
    shots.ours(shot).seed_lock = False
    bpy.ops.aa2.generate()
    bpy.ops.aa2.generate()
    seeds = [json.loads((row.folder / "job.json").read_text())["settings"]["seed"] for row in queue.rows]
    assert len(set(seeds)) == 2 and seeds[-1] == shots.ours(shot).seed
