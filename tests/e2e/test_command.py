"""The command line, end to end: a saved .blend in; exit code, summary, frames and a saved .blend with strips out."""
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import BPY, HERE, ROOT, make_shot
from PIL import Image


def look(blender, blend):
    done = blender(HERE / "look.py", blend)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_shot_is_generated_placed_saved_and_resumed(blender, generate, shot):
    code, summary, told = generate(shot, "--seed", 7)
    assert code == 0, told
    assert summary["state"] == "done" and summary["made"] == 4 and summary["error"] is None
    assert Path(summary["saved"]) == shot and "Gathering the plate 4 of 4 frames" in told and "Generating" in told
    strips = look(blender, shot)
    assert set(strips) == {"plate", *summary["strips"]} and len(summary["strips"]) == 2
    character = next(strip for name, strip in strips.items() if name.startswith("character"))
    assert (character["start"], character["frames"], character["blend"]) == (1, 4, "ALPHA_OVER")
    for name in character["files"]:
        picture = Image.open(Path(character["folder"]) / name)
        assert picture.mode == "RGBA" and picture.size == (64, 48)
    code, again, told = generate(shot)
    assert code == 0 and (again["made"], again["reused"]) == (0, 4), told
    assert json.loads((Path(again["job"]) / "job.json").read_text())["settings"]["seed"] == 7
    assert set(look(blender, shot)) == set(strips)


def test_another_seed_makes_all_frames_again(generate, shot):
    assert generate(shot)[1]["made"] == 4
    assert generate(shot, "--seed", 8)[1]["made"] == 4


def test_save_elsewhere_leaves_the_file_as_it_was(generate, shot, tmp_path):
    before = shot.read_bytes()
    code, summary, _told = generate(shot, "--save", tmp_path / "other.blend")
    assert code == 0 and summary["saved"] == str(tmp_path / "other.blend") and shot.read_bytes() == before


def test_a_shot_of_one_frame_and_odd_size(blender, generate, tmp_path):
    code, summary, told = generate(make_shot(blender, tmp_path, 1, 101, 57))
    assert code == 0 and summary["frames"] == 1, told


@pytest.mark.parametrize("options, said", [
    (["--rig", "nobody"], "nobody"),
    (["--strip", "gone"], "gone"),
    (["--reference", "/nowhere/é.png"], "/nowhere/é.png"),
    (["--driver-scene", "none such"], "none such"),
    (["--objects", "no table"], "no table"),
])
def test_what_is_missing_is_named_and_nothing_is_saved(generate, shot, options, said):
    before = shot.read_bytes()
    code, summary, told = generate(shot, *options)
    assert code == 3 and said in summary["error"]["message"] and said in told
    assert shot.read_bytes() == before


def test_a_wrong_command_line(generate, shot):
    code, summary, told = generate(shot, "--steps", "many")
    assert code == 2 and summary is None and "--steps" in told


def test_help_lists_the_exit_codes(blender):
    done = blender(ROOT / "tools" / "generate.py", "--help")
    assert done.returncode == 0
    assert "exit codes" in done.stdout + done.stderr and "130" in done.stdout + done.stderr


def damage(pack, folder, how):
    shutil.copytree(pack, folder)
    weights = folder / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    if how == "pack_truncated":
        weights.write_bytes(data[:-1000])
    elif how == "pack_corrupt":
        data[len(data) // 2] ^= 1
        weights.write_bytes(data)
    else:
        weights.unlink()
    return folder


@pytest.mark.parametrize("how", ["pack_missing", "pack_truncated", "pack_corrupt"])
def test_damaged_weights_are_told_apart(generate, shot, pack, tmp_path, how):
    code, summary, _told = generate(shot, "--pack", damage(pack, tmp_path / "damaged", how))
    assert code == 4 and summary["error"]["code"] == how and summary["error"]["hint"]


def test_engine_that_dies_leaves_its_finished_frames(generate, shot, fake, blender):
    code, summary, _told = generate(shot, "--engine-python", fake("paints", "--one"))
    assert code == 4 and summary["error"]["code"] == "engine_died" and summary["frames"] == 1
    assert len(summary["strips"]) == 2
    assert set(look(blender, shot)) == {"plate", *summary["strips"]}


def test_job_folder_that_cannot_be_written(generate, shot, tmp_path):
    (tmp_path / "file").write_text("")
    code, summary, _told = generate(shot, "--output", tmp_path / "file")
    assert code != 0 and summary["error"]["code"] == "job_not_writable"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal_keeps_the_finished_frames(surroundings, shot, fake, number):
    command = [BPY, ROOT / "tools" / "generate.py", shot, "--engine-python", fake("slow")]
    running = subprocess.Popen(command, env=surroundings, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while "Generating" not in (line := running.stderr.readline()):
        assert line, "it ended by itself"
    running.send_signal(number)
    answer, _told = running.communicate(timeout=60)
    summary = json.loads(answer)
    assert running.returncode == 130 and summary["state"] == "cancelled" and summary["frames"] >= 1


@pytest.fixture
def full_disk(tmp_path):
    """A disk of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_full_disk_is_said_and_the_next_run_works(generate, shot, full_disk):
    code, summary, _told = generate(shot, "--output", full_disk)
    assert code in (3, 4) and summary["error"]["code"] == "disk_full", summary
    assert generate(shot)[0] == 0
