"""What the panels show about look, queue, result and errors; the report and the log."""
import json
from pathlib import Path

import bpy
import pytest
import small_shot
from drawn import drawn
from shots import placed
from test_queue import advance


@pytest.fixture(autouse=True)
def without_other_rates(own_rates):
    """What the panels say of time does not depend on other tests."""


def test_every_panel_draws_an_empty_file_and_a_whole_shot(blank, part, tmp_path):
    panels = part("panels")
    for _scene in (blank, small_shot.make(tmp_path / "shot")):
        for one in panels.PARTS:
            drawn(one, blank)


def test_the_cost_is_said_before_the_press_and_measured_afterwards(blank, part, asked, engine, own_rates, tmp_path):
    look, shot = part("panels.look"), small_shot.make(tmp_path / "long", frames=16)
    engine("paints")
    before = look.cost_lines(asked(shot))
    assert before[0].startswith("16 frames: about ") and before[1] == "Not measured here yet"
    said = drawn(part("panels.generate").Generate, shot).all_of("label")
    assert said[-2:] == list(before)
    bpy.ops.aa2.generate()
    after = look.cost_lines(asked(shot))
    assert " GB" in after[0] and after[1] == "Measured on this machine"
    assert json.loads(Path(own_rates._path()).read_text())["rates"]
    shot.aa2.strip = "gone"
    assert look.cost_lines(asked(shot)) == ("", "")


def test_a_short_job_tells_no_rate(shot, part, asked, engine, own_rates):
    engine("paints")
    before = part("panels.look").cost_lines(asked(shot))
    bpy.ops.aa2.generate()
    assert part("panels.look").cost_lines(asked(shot)) == before and not Path(own_rates._path()).exists()


def test_other_networks_are_given_no_time_before_their_first_run(shot, part, asked, own_rates, monkeypatch, tmp_path):
    """What is reckoned is the embedded networks' time, which says nothing about larger ones."""
    look, launch = part("panels.look"), part("settings.preferences").engine_launch("compact")
    (tmp_path / "pack.json").write_text(json.dumps({
        "default_steps": 20, "window": 81, "overlap": 5, "needs": {"base_mb": 9000.0, "device_base_mb": 8000.0}}))
    monkeypatch.setattr(look, "pack_folder", lambda launch: tmp_path)
    assert look.cost_lines(asked(shot)) == ("4 frames: 9.1 GB, 8.0 GB of the graphics card",
                                            "How long is known after the first run here")
    own_rates._keep(launch, own_rates.Rate(denoise_s=1.0, runs=1))
    text, source = look.cost_lines(asked(shot))
    assert text.startswith("4 frames: about ") and source == "Measured on this machine"


def test_fix_range_begins_at_the_playhead_or_the_preview_range(made, shot, part):
    fix = part("panels.result").frames_to_fix
    shot.frame_set(3)
    assert fix(shot) == (3, 3) and "Playhead: 3" in drawn(part("panels.result").Fix, shot).all_of("label")
    shot.use_preview_range, shot.frame_preview_start, shot.frame_preview_end = True, 2, 3
    assert fix(shot) == (2, 3) and "Preview range: 2 to 3" in drawn(part("panels.result").Fix, shot).all_of("label")
    ours = part("settings.plates").settings_of(shot)
    ours.fix_own, ours.fix_first, ours.fix_last = True, 1, 2
    assert fix(shot) == (1, 2) and "fix_first" in drawn(part("panels.result").Fix, shot).all_of("prop")


def test_output_says_where_it_writes(made, shot, part):
    said = "".join(drawn(part("panels.result").Output, shot).all_of("label"))
    assert "".join(str(made / "output").split()) in "".join(said.split())


def test_a_damaged_file_of_rates_is_as_none(shot, part, asked, engine, own_rates):
    engine("paints")
    for damage in ("", "[]", '{"rates": {"a": {"strange": 1}}}', '{"rates": 3}'):
        Path(own_rates._path()).write_text(damage)
        own_rates._kept = None
        assert part("panels.look").cost_lines(asked(shot))[1] == "Not measured here yet"


def test_rows_have_their_state_their_error_and_their_remedy(shot, engine, queue, part):
    engine("paints", "--one")
    with pytest.raises(RuntimeError):
        bpy.ops.aa2.generate()
    layout, first = (drawn(one, shot) for one in (part("panels.queue").Queue, part("panels.generate").Generate))
    assert layout.all_of("label") == ["plate v001", "1 of 4"] and queue.rows[0].last_frame.name == "0001.png"
    assert layout.all_of("operator") == ["aa2.queue_resume", "aa2.queue_remove", "aa2.clear_finished"]
    assert any("ended by signal 6" in text for text in first.all_of("label"))
    assert {"aa2.copy_report", "aa2.generate"} <= set(first.all_of("operator"))


def test_a_row_that_failed_while_gathering_has_one_name_one_error_and_no_resume(shot, engine, queue, part, add):
    """Its folder is the shot's, there is no version to resume, and the first panel says why."""
    engine("paints")
    row = add(shot)
    bpy.data.objects.remove(shot.aa2.armature)
    advance(queue, lambda: not queue.busy())
    assert row.state == "failed" and not row.is_gathered
    layout, first = (drawn(one, shot) for one in (part("panels.queue").Queue, part("panels.generate").Generate))
    assert layout.all_of("label") == ["plate", "Failed"]
    assert layout.all_of("operator") == ["aa2.queue_remove", "aa2.clear_finished"]
    said = [text for text in (*layout.all_of("label"), *first.all_of("label")) if row.error.message in text]
    assert len(said) == 1
    assert bpy.ops.aa2.clear_finished() == {"FINISHED"} and queue.rows == []


def test_cancel_stops_and_remove_takes_out(shot, engine, queue, add):
    engine("slow")
    row = add(shot)
    advance(queue, lambda: row.state == "running" and row.task.engine_job.frames)
    bpy.ops.aa2.queue_cancel(row=0)
    advance(queue, lambda: row.state == "cancelled")
    assert queue.rows == [row] and not bpy.ops.aa2.clear_finished.poll(), "it can be resumed"
    bpy.ops.aa2.queue_cancel(row=0)
    assert queue.rows == [row], "what has ended is not cancelled"
    bpy.ops.aa2.queue_remove(row=0)
    assert queue.rows == []


def test_no_button_passes_the_check_of_another(made, shot, part, session):
    """Every poll of ours is the one of Button, which asks all the bases of a button what they need."""
    button, operators = part("operators.button").Button, part("operators")
    assert all(cls.poll.__func__ is button.poll.__func__ for cls in operators.CLASSES)
    task = part("tasks.output").Delivery(made, "png8", ("matte",), link=session.link,
                                         launch=part("settings.preferences").engine_launch())
    session._beside = task
    asks = (bpy.ops.aa2.add_passes, bpy.ops.aa2.write_output, bpy.ops.aa2.preview_frame, bpy.ops.aa2.choose_performer)
    assert not any(ask.poll() for ask in asks) and bpy.ops.aa2.generate.poll(), "a shot may wait for its turn"
    row = session.queue.add(part("tasks.gathering").Version(made, scene=shot.name, strip="plate"))
    assert session.current() is row.task and session.busy() and session._beside is task, "its progress goes on"
    session.queue.rows.clear()
    task.cancel()
    assert all(ask.poll() for ask in asks)


def test_a_running_row_shows_progress_and_its_newest_frame(shot, engine, queue, part, add):
    engine("slow")
    row = add(shot)
    advance(queue, lambda: row.state == "running" and row.task.engine_job.frames)
    layout, first = (drawn(one, shot) for one in (part("panels.queue").Queue, part("panels.generate").Generate))
    assert layout.all_of("progress") == ["1 of 4"]
    assert [text.partition(",")[0] for text in first.all_of("progress")] == ["Generating 1 of 4 frames"]
    assert layout.all_of("operator") == ["aa2.queue_pause", "aa2.queue_cancel", "aa2.clear_finished"]
    assert row.last_frame.name == "0001.png"


@pytest.mark.parametrize("code, operator", [
    ("pack_missing", "preferences.addon_show"), ("disk_full", "aa2.choose_jobs_folder"),
    ("engine_died", "aa2.copy_report"), ("job_not_writable", "aa2.choose_jobs_folder"), ("size_invalid", None)])
def test_remedies_are_buttons_where_there_is_one(shot, part, code, operator):
    error = part("embedded.engine.contract.errors").JobError(code, "It is wrong.", "Do this.")
    found = part("panels.remedies").button_of(error)
    assert (found and found[0]) == operator


def test_missing_plate_offers_the_active_strip(blank, part):
    assert "aa2.use_active_strip" in drawn(part("panels.generate").Generate, blank).all_of("operator")


def test_the_shown_version_is_told(made, shot, part):
    layout = drawn(part("panels.result").Result, shot)
    assert "v001" in layout.all_of("label") and "seed 0, weights 0, engine 0.1.0" in layout.all_of("label")


def test_a_lost_folder_is_said_with_its_button(made, shot, part, tmp_path):
    made.rename(tmp_path / "gone")
    layout = drawn(part("panels.result").Result, shot)
    assert "aa2.relink" in layout.all_of("operator") and any("are not there" in text for text in layout.all_of("label"))


def test_the_report_tells_all_and_no_path(made, shot, part, session, tmp_path):
    error = part("embedded.engine.contract.errors").JobError(
        "internal", f"{made}/frames/0001.png and /home/somebody/secret place/x.png: no.",
        r"See C:\Users\somebody\y.blend")
    (made / "engine.log").write_text('File "/usr/lib/secret/z.py", line 3\nlast line\n')
    share = "\\\\fileserver\\secret\\w.exr and file:///home/some%20body/secret/v.exr: no"
    with open(made / "events.jsonl", "a") as events:
        events.write(json.dumps({"type": "failed", "job": str(made), "code": "internal", "message": share}) + "\n")
    text = part("report").report(made, error)
    assert f"Blender {bpy.app.version_string}" in text and "internal: JOB/frames/0001.png" in text
    assert "last line" in text and '"seed": 0' in text and "4 frames are made" in text
    for private in ("somebody", "some%20body", "secret", "fileserver", str(tmp_path), "usr/lib"):
        assert private not in text, text
    assert all(name in text for name in ("z.py", "x.png", "w.exr", "v.exr", "job: JOB, code: internal"))


def test_copy_report_and_show_log(made, shot, session):
    (made / "engine.log").write_text("one\ntwo\n")
    assert bpy.ops.aa2.show_log() == {"FINISHED"}
    assert bpy.data.texts["AA2 Log"].as_string() == "one\ntwo"
    assert bpy.ops.aa2.copy_report() == {"FINISHED"}


def test_without_a_job_there_is_nothing_to_report(shot, session):
    session.forget()
    with pytest.raises(RuntimeError, match="no job"):
        bpy.ops.aa2.copy_report()
    with pytest.raises(RuntimeError, match="no log"):
        bpy.ops.aa2.show_log()


def test_another_folder_for_jobs(shot, tmp_path):
    assert bpy.ops.aa2.choose_jobs_folder(directory=str(tmp_path)) == {"FINISHED"}
    assert shot.aa2.output == str(tmp_path)
    with pytest.raises(RuntimeError, match="Expected a folder"):
        bpy.ops.aa2.choose_jobs_folder(directory=str(tmp_path / "none"))


def test_a_measured_rate_foretells_the_run_it_was_measured_on(part, extension):
    cost, messages = part("cost"), part("embedded.engine.contract.messages")
    work = cost.Work(frames=48, megapixels=0.5, steps=2, window=8, overlap=2)
    assert work.denoised == 48 + 7 * 2, "eight windows, all but the first with two frames of the one before"
    stages = {"prepare": 0.5, "encode": 6.0, "decode": 4.0, "denoise": 12.0, "read": 1.0, "compose": 2.0, "write": 1.0}
    done = messages.Finished("x", 48, 48, 0, 0, 26.5, stages, 1000.0)
    first = cost.learnt(cost.reckoned(2), work, done)
    told = cost.cost_of(work, first)
    assert told.seconds == pytest.approx(26.5, abs=1.0) and told.memory_mb == pytest.approx(1000.0) and told.measured
    twice = cost.cost_of(cost.Work(96, 0.5, 2, 8, 2), first)
    assert twice.seconds == pytest.approx(52.5, abs=2.0)
    slower = messages.Finished("x", 48, 48, 0, 0, 53.0, {name: 2 * seconds for name, seconds in stages.items()}, None)
    assert first.denoise_s < cost.learnt(first, work, slower).denoise_s < 2 * first.denoise_s


def test_guidance_costs_a_second_pass_and_a_partial_run_tells_the_same_rate(part):
    cost, messages = part("cost"), part("embedded.engine.contract.messages")
    settings = part("embedded.engine.contract.jobs").Settings
    plain, guided = (cost.work(24, (960, 540), settings(guidance=g, steps=10), cost.EMBEDDED_PACK)
                     for g in (1.0, 2.0))
    rate = cost.reckoned(2)
    assert guided.passes == 2 * plain.passes \
        and cost.cost_of(guided, rate).seconds > cost.cost_of(plain, rate).seconds
    half = messages.Finished("x", 24, 12, 12, 0, 9.0, {"denoise": 6.0}, None)
    whole = messages.Finished("x", 24, 24, 0, 0, 18.0, {"denoise": 12.0}, None)
    assert cost.learnt(rate, plain, half).denoise_s == pytest.approx(cost.learnt(rate, plain, whole).denoise_s)


def test_memory_is_reckoned_as_the_weights_say(part, tmp_path):
    cost, settings = part("cost"), part("embedded.engine.contract.jobs").Settings

    def told(settings, pack, frames=24):
        return cost.cost_of(cost.work(frames, (1000, 500), settings, pack), cost.reckoned(2))
    embedded = told(settings(window=8), cost.EMBEDDED_PACK)
    assert (embedded.memory_mb, embedded.device_mb) == (325 + 22 * 8 + 15 * 0.5, 0)
    (tmp_path / "pack.json").write_text(json.dumps({
        "default_steps": 20, "window": 81, "overlap": 5, "guidance": 5.0, "needs": {"base_mb": 9000.0},
        "variants": {"half": {"files": [],
                              "needs": {"base_mb": 4000, "device_base_mb": 8000, "device_frame_mb": 50}}}}))
    assert told(settings(guidance=None), tmp_path).memory_mb == 9000 + 22 * 24 + 15 * 0.5
    assert cost.work(24, (8, 8), settings(guidance=None), tmp_path).passes == 2
    own = settings(engine="wan-vace", engines={"wan-vace": {"variant": "half"}})
    assert told(own, tmp_path).device_mb == 8000 + 50 * 24 and told(own, tmp_path).memory_mb < 5000
    assert told(own, tmp_path, frames=200).device_mb == 8000 + 50 * 81


def test_strips_are_not_added_while_blender_renders_or_plays(made, shot, part, monkeypatch):
    room = part("place.strip")
    monkeypatch.setattr(room, "why_not_now", lambda scene: "Strips cannot be added while Blender renders.")
    before = sorted(placed(shot))
    with pytest.raises(RuntimeError, match="while Blender renders.*place again"):
        bpy.ops.aa2.place_again()
    assert sorted(placed(shot)) == before
