"""A job folder becomes frames: pixels, numbers, odd sizes and names, nobody, a performer, little memory."""

import logging
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from engine.conditions.frames import read_picture, write_picture
from engine.contract import files, jobs, messages
from engine.door.answer import Host, Tail, answer
from engine.job.run import run
from tests.unit.fake_runtime import STEPS, FakeRuntime, fake_engine, person_in
from tests.unit.walker import write_job


class Teller(list):
    """Stores every event."""

    def of(self, kind):
        return [event for event in self if isinstance(event, kind)]


def generate(folder, *, engine=None, runtime=None, find_joints=person_in, stop_asked=lambda: False, pack=None):
    told = Teller()
    finished = run(str(folder), engine or fake_engine(runtime, pack), emit=told.append,
                   find_joints=find_joints, stop_asked=stop_asked)
    return finished, told


def asked(folder, host=None, stop_asked=lambda: False, request=None):
    """Sends the request (to run) as the engine's process would; returns the last event."""
    told, tail = Teller(), Tail()
    logging.getLogger().addHandler(tail)
    answer(request or messages.Run(str(folder)), host or Host(fake_engine(), person_in),
           emit=told.append, stop_asked=stop_asked, tail=tail)
    logging.getLogger().removeHandler(tail)
    return told[-1]


def layers(folder, number):
    return tuple(read_picture(files.picture(str(folder), kind, number)) for kind in (files.FRAMES, files.SHADOW))


def written(folder):
    """The bytes of every frame and shadow; a file that was being written when its writer was killed is neither."""
    return {path.relative_to(folder): path.read_bytes() for kind in ("frames", "shadow")
            for path in sorted(Path(folder, kind).glob("[!.]*.png"))}


@pytest.mark.parametrize("bits", [8, 16])
def test_frames_lie_over_the_plate(tmp_path, bits):
    write_job(str(tmp_path), 6, bits=bits)
    finished, told = generate(tmp_path)
    assert (finished.frames, finished.made, finished.reused, finished.passed) == (6, 6, 0, 0)
    assert [event.number for event in told.of(messages.Frame)] == [1, 2, 3, 4, 5, 6]
    most = (1 << bits) - 1
    for number in range(1, 7):
        character, shadow = layers(tmp_path, number)
        assert character.shape == (240, 320, 4) and shadow.shape == (240, 320, 3)
        assert character.dtype == (np.uint8 if bits == 8 else np.uint16)
        middle = 80 + 20 * (number - 1)
        assert character[130, middle, 3] == most
        assert character[10, 10, 3] == 0 and (shadow == most).all()


def test_progress_counts_to_its_total_and_tells_a_time(tmp_path):
    write_job(str(tmp_path), 6)
    finished, told = generate(tmp_path)
    steps = [event for event in told.of(messages.Progress) if event.stage == "denoise"]
    assert [event.step for event in steps] == list(range(2 * STEPS + 1)) and steps[-1].total == 2 * STEPS
    assert steps[-1].eta_s == 0 and all(event.eta_s is not None for event in steps[1:])
    assert {"read", "encode", "denoise", "decode", "compose", "write"} <= set(finished.stages)


@pytest.mark.parametrize("size", [(1919, 1081), (100, 2000), (17, 16)])
def test_odd_sizes(tmp_path, size):
    write_job(str(tmp_path), 1, size=size)
    finished, _ = generate(tmp_path)
    character, shadow = layers(tmp_path, 1)
    assert character.shape == (size[1], size[0], 4) and shadow.shape == (size[1], size[0], 3)
    assert finished.made + finished.passed == 1


@pytest.mark.parametrize("name", ["with space", "änderung 影", "-leading dash"])
def test_folder_names(tmp_path, monkeypatch, name):
    write_job(str(tmp_path / name), 1)
    monkeypatch.chdir(tmp_path)
    assert generate(name)[0].made == 1


def test_the_same_job_gives_the_same_bits_and_another_seed_others(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_job(str(tmp_path / name), 5, settings=jobs.Settings(seed=seed))
        generate(tmp_path / name)
    assert written(tmp_path / "a") == written(tmp_path / "b") != written(tmp_path / "c")


def test_the_window_in_memory_follows_the_setting(tmp_path):
    write_job(str(tmp_path), 5, settings=jobs.Settings(window=1, steps=1))
    runtime = FakeRuntime()
    assert generate(tmp_path, runtime=runtime)[0].made == 5
    assert runtime.steps == 5


def test_frames_with_nobody_pass_through(tmp_path):
    write_job(str(tmp_path), 7, people={1: [], 4: []})
    finished, told = generate(tmp_path)
    assert (finished.made, finished.passed) == (5, 2)
    (warning,) = [one for one in told.of(messages.Warned) if one.code == "frames_passed"]
    assert warning.code == "frames_passed" and warning.frames == (1, 4)
    for number in (1, 4):
        character, shadow = layers(tmp_path, number)
        assert not character.any() and (shadow == 255).all()


def test_nobody_at_all(tmp_path):
    write_job(str(tmp_path), 3, people={1: [], 2: [], 3: []})
    runtime = FakeRuntime()
    finished, told = generate(tmp_path, runtime=runtime)
    assert finished.passed == 3 and runtime.steps == 0 and len(told.of(messages.Warned)) == 1


def test_objects_nearer_than_the_character_hide_it(tmp_path):
    stored = np.zeros((240, 320), np.uint16)
    stored[150:] = 65535
    write_job(str(tmp_path), 1, objects=stored)
    generate(tmp_path)
    alpha = layers(tmp_path, 1)[0][..., 3]
    assert alpha[110:145].max() == 255 and alpha[152:].max() == 0


def test_a_performer_is_covered_by_a_patch_with_its_own_shadow(tmp_path):
    write_job(str(tmp_path), 1, clean_plate=False)
    generate(tmp_path)
    character, shadow = layers(tmp_path, 1)
    assert character[..., 3].max() == 255 and (shadow == 255).all()


@pytest.mark.parametrize("clean_plate, clean_pictures", [(True, False), (False, False), (False, True)])
def test_the_plate_stays_in_front_where_the_artist_says_so(tmp_path, clean_plate, clean_pictures):
    write_job(str(tmp_path), 1, clean_plate=clean_plate, clean_pictures=clean_pictures)
    for kind in (files.CLEAN,) if clean_pictures else ():
        write_picture(files.picture(str(tmp_path), kind, 1), np.full((240, 320, 3), (0, 200, 0), np.uint8))
    generate(tmp_path)
    before = layers(tmp_path, 1)
    middle = int(np.nonzero(before[0][..., 3].max(axis=0))[0].mean())
    front = np.zeros((240, 320), np.uint8)
    front[:, middle:] = 255
    front[:, middle - 4:middle] = 128
    write_picture(files.picture(str(tmp_path), files.FRONT, 1), front)
    generate(tmp_path)
    character, shadow = layers(tmp_path, 1)
    there, edge, beside = np.s_[:, middle:], np.s_[:, middle - 4:middle], np.s_[:, :middle - 4]
    assert before[0][there][..., 3].max() == 255 and character[there][..., 3].max() == 0
    assert (shadow[there] == 255).all()
    assert before[0][edge][..., 3].max() == 255 and character[edge][..., 3].max() == 127
    assert np.array_equal(character[beside], before[0][beside]) and np.array_equal(shadow[beside], before[1][beside])


class Nobody(FakeRuntime):
    """A runtime that decodes no character anywhere."""

    def decode(self, latents):
        return super().decode(latents) * (1, 1, 1, 0, 1)


def test_a_performer_is_covered_by_what_clean_pictures_show(tmp_path):
    write_job(str(tmp_path), 1, clean_plate=False, clean_pictures=True)
    write_picture(files.picture(str(tmp_path), files.CLEAN, 1), np.full((240, 320, 3), (0, 200, 0), np.uint8))
    generate(tmp_path, runtime=Nobody())
    character, shadow = layers(tmp_path, 1)
    covered = character[character[..., 3] == 255][:, :3]
    assert len(covered) > 500 and (covered == (0, 200, 0)).all() and (shadow == 255).all()


def test_a_reference_without_a_person_is_said(tmp_path):
    write_job(str(tmp_path), 1)
    _, told = generate(tmp_path, find_joints=lambda picture: None)
    assert [event.code for event in told.of(messages.Warned)] == ["reference_joints_unknown"]


def test_memory_does_not_grow_with_the_shot(tmp_path):
    def peak(count):
        write_job(str(tmp_path / str(count)), count, size=(160, 120))
        tracemalloc.start()
        generate(tmp_path / str(count))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most
    peak(8)
    assert peak(80) < 1.1 * peak(16)
