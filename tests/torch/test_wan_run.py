"""Jobs on the Wan engines from their first frame to their last: short and long ones, gaps, fixed ranges, stops within a
step, and a resume that gives the same bytes. And what the engines make is what diffusers' own pipelines make."""
import contextlib
import dataclasses
import itertools

import numpy as np
import pytest
import torch

from engine.conditions.bundle import build_reference, build_window, plan_shot
from engine.conditions.styles import STYLES
from engine.contract import jobs
from engine.engines.base import Options, Sampling, Window
from engine.engines.choose import kind_of
from engine.engines.wan.segments import segment_noise, segment_of, unpacked
from engine.job.progress import Stopped
from engine.job.run import run
from engine.packs.store import read_pack
from tests.torch.tiny_wan import write_pack
from tests.torch.wan_shot import SMALL, change, frames, write_shot, written
from tests.unit.walker import walking_back

OVERLAPS = {"wan-vace": 5, "wan-animate": 1}


@pytest.fixture(scope="module", params=OVERLAPS)
def engine(request, tmp_path_factory):
    folder = write_pack(tmp_path_factory.mktemp(request.param), request.param, overlap=OVERLAPS[request.param])
    return kind_of(request.param).of(read_pack(folder), Options())


def generate(folder, engine, stop_asked=lambda: False):
    return run(str(folder), engine, emit=lambda event: None, find_joints=lambda picture: None, stop_asked=stop_asked)


class Quiet:
    """A watch that nobody listens to."""

    def stage(self, name):
        return contextlib.nullcontext()

    def check(self): ...

    def tell(self, *_): ...

    def stepped(self): ...


def window_of(folder, engine, count, **fields):
    """The conditions of a shot's first frames, as job/run.py gives them."""
    job = write_shot(folder, engine.name, count, **fields)
    facts = engine.facts(engine.pack.manifest, job.settings)
    shot = plan_shot(str(folder), job, rule=facts.region, face=True, style=STYLES[facts.pose_style],
                     shapes=facts.shapes)
    engine.open(job.settings, Quiet())
    return build_window(shot, build_reference(shot), range(1, count + 1)), build_reference(shot), job


@pytest.mark.parametrize("count", [1, 2, 5, 13, 21])
def test_every_frame_is_made_whatever_their_number(engine, tmp_path, count):
    write_shot(tmp_path, engine.name, count, shape=SMALL, people=walking_back(count), steps=1, window=max(count - 4, 9))
    assert generate(tmp_path, engine).made == count
    found = frames(tmp_path, count)
    assert all(frame[..., 3].max() == 1.0 for frame in found)
    colours = np.array([frame[..., :3][frame[..., 3] > 0.9].std() for frame in found])
    assert (colours > 0.01).all(), "no frame is empty or flat"


def test_spans_with_gaps(engine, tmp_path):
    """Nobody is in frames 3, 4 and 8: spans of 2, 3 and 1 frames."""
    write_shot(tmp_path, engine.name, 9, people={3: [], 4: [], 8: []}, shape=SMALL, steps=1)
    finished = generate(tmp_path, engine)
    assert (finished.made, finished.passed) == (6, 3)
    assert [frame[..., 3].max() > 0 for frame in frames(tmp_path, 9)] == [n not in (3, 4, 8) for n in range(1, 10)]


def test_what_is_handed_on_reaches_every_later_frame(engine, tmp_path):
    bundle, reference, _ = window_of(tmp_path, engine, 9)
    window = Window(1, 1 + OVERLAPS[engine.name], 10)
    given = np.random.default_rng(0).random((2, len(window.before), 64, 96, 3)).astype(np.float32)
    sampling = Sampling(2, 0, 1.0, {"variant": "float32"})
    one, other = (np.stack(list(engine.show(engine.make(window, bundle, reference, before=before, after=None,
                                                       sampling=sampling, watch=Quiet()).latents)))
                  for before in given)
    moved = np.abs(one - other).mean(axis=(1, 2, 3))
    assert len(moved) == len(window.made) and (moved > 1e-3).all(), moved


def test_handed_on_as_float(engine, tmp_path):
    bundle, reference, _ = window_of(tmp_path, engine, 5)
    made = engine.make(Window(1, 1, 6), bundle, reference, before=None, after=None,
                       sampling=Sampling(2, 0, 1.0, {"variant": "float32"}), watch=Quiet())
    shown = np.stack(list(engine.show(made.latents.copy())))
    assert np.array_equal(engine.seen(made.handed_on), shown[-OVERLAPS[engine.name]:])
    levels = made.handed_on * 255
    assert np.abs(levels - np.rint(levels)).max() > 0.1, "no 8-bit pictures"


def test_stopped_at_every_step_and_resumed_gives_the_same_bytes(engine, tmp_path, monkeypatch):
    whole = tmp_path / "whole"
    write_shot(whole, engine.name, 6, window=5, shape=SMALL)
    assert generate(whole, engine).made == 6
    stepped = engine._stepped
    for step in range(1, 5):        # two windows of two steps
        folder, counted, stopped = tmp_path / f"{step}", itertools.count(1), []
        write_shot(folder, engine.name, 6, window=5, shape=SMALL)

        def counting(*given, step=step, counted=counted, stopped=stopped):
            stopped += [1] * (next(counted) == step)
            return stepped(*given)
        monkeypatch.setattr(engine, "_stepped", counting)
        with pytest.raises(Stopped):
            generate(folder, engine, lambda stopped=stopped: bool(stopped))
        assert len(stopped) == 1 and next(counted) == step + 1
        monkeypatch.setattr(engine, "_stepped", stepped)
        generate(folder, engine)
        assert written(folder) == written(whole), f"stopped after step {step}"


def test_a_stop_is_heard_within_a_step(engine, tmp_path, monkeypatch):
    """Asked for while the first block of the transformer runs, it is heard before the second, and no step is done."""
    write_shot(tmp_path, engine.name, 5)
    engine.open(jobs.read(str(tmp_path)).settings, Quiet())
    asked, steps = [], []
    monkeypatch.setattr(engine, "_stepped", lambda *given: steps.append(1))
    hook = engine.pipeline.transformer.blocks[0].register_forward_pre_hook(lambda *_: asked.append(1))
    try:
        with pytest.raises(Stopped):
            generate(tmp_path, engine, lambda: bool(asked))
    finally:
        hook.remove()
    assert len(asked) == 1 and not steps


def test_a_fixed_range_joins_what_is_kept_on_both_sides(engine, tmp_path):
    job = write_shot(tmp_path, engine.name, 9, shape=SMALL)
    generate(tmp_path, engine)
    for seed, (first, last) in enumerate([(4, 6), (1, 2), (9, 9)], start=1):
        before, whole = written(tmp_path), frames(tmp_path, 9)
        settings = dataclasses.replace(job.settings, seed=seed)
        jobs.write(str(tmp_path), dataclasses.replace(job, settings=settings, fix=jobs.FixRange(first, last)))
        assert generate(tmp_path, engine).made == last - first + 1
        after = written(tmp_path)
        differing = {int(name.stem) for name in after if after[name] != before[name]}
        assert differing == set(range(first, last + 1))
        assert (change(whole, frames(tmp_path, 9))[first - 1:last] > 1e-3).all()


def test_what_is_kept_after_a_range_counts(engine, tmp_path):
    bundle, reference, _ = window_of(tmp_path, engine, 9)
    window = Window(1, 3, 7, 10)
    before = np.full((2, 64, 96, 3), 0.5, np.float32)
    made = [np.stack(list(engine.show(engine.make(
        window, bundle, reference, before=before, after=np.full((3, 64, 96, 3), level, np.float32),
        sampling=Sampling(2, 0, 1.0, {"variant": "float32"}), watch=Quiet()).latents))) for level in (0.1, 0.9)]
    assert len(made[0]) == 4 and (np.abs(made[0] - made[1]).mean(axis=(1, 2, 3)) > 1e-3).all()


def test_it_makes_what_diffusers_own_pipeline_makes(engine, tmp_path):
    """The same pictures, masks, references and noise, through the pipeline's own call and its own decoding."""
    bundle, reference, job = window_of(tmp_path, engine, 5, own={"surface": False})
    bundle = dataclasses.replace(bundle, plate=in_8_bits(bundle.plate), skeleton=in_8_bits(bundle.skeleton))
    window = Window(1, 1, 6)
    ours = np.stack(list(engine.show(engine.make(window, bundle, reference, before=None, after=None,
                                                 sampling=Sampling(2, 0, 1.0, job.settings.own),
                                                 watch=Quiet()).latents)))
    theirs = (by_vace if engine.name == "wan-vace" else by_animate)(engine, bundle, reference, segment_of(window))
    assert ours.shape == theirs.shape == (5, 64, 96, 3)
    assert np.abs(ours - theirs).max() < 1e-4 < ours.std()


def in_8_bits(pictures):
    """What a picture file can hold, because that is what the pipelines take."""
    return np.rint(pictures * 255).astype(np.float32) / np.float32(255)


def as_pil(pictures):
    from PIL import Image
    return [Image.fromarray(np.rint(np.broadcast_to(one, (*one.shape[:2], 3)) * 255).astype(np.uint8))
            for one in pictures]


def by_vace(engine, bundle, reference, segment):
    from diffusers import WanVACEPipeline

    from engine.engines.wan.vace import control, pictures_of
    references = pictures_of(bundle, segment, reference, surface=False)
    pipeline = WanVACEPipeline(**engine.pipeline.components)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.from_numpy(segment_noise(0, segment, (16, 8, 12), len(references)))
    return pipeline(video=as_pil(control(bundle, surface=False)), mask=as_pil(bundle.region), height=64, width=96,
                    reference_images=references, num_frames=5, num_inference_steps=2, guidance_scale=1.0,
                    latents=noise, **engine._prompts(Sampling(2, 0), Quiet())).frames[0]


def by_animate(engine, bundle, reference, segment):
    from diffusers import WanAnimatePipeline
    pipeline = WanAnimatePipeline(**engine.pipeline.components)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.from_numpy(segment_noise(0, segment, (16, 8, 12), 1))
    return pipeline(image=as_pil([reference.picture])[0], pose_video=as_pil(bundle.skeleton),
                    face_video=as_pil(bundle.face / 255), mask_video=as_pil(bundle.region),
                    background_video=as_pil(bundle.plate * (1 - bundle.region)), mode="replace", height=64, width=96,
                    segment_frame_length=5, prev_segment_conditioning_frames=1, num_inference_steps=2,
                    guidance_scale=1.0, latents=noise, **engine._prompts(Sampling(2, 0), Quiet())).frames[0]


def test_latents_say_which_of_their_frames_were_made():
    for window in (Window(1, 1, 2), Window(1, 1, 3), Window(1, 6, 10), Window(3, 4, 6, 9), Window(1, 1, 10)):
        for least in (1, 5):
            segment = segment_of(window, least)
            assert segment.count % 4 == 1 and segment.count - max(len(window.frames), least) < 4
            kept = np.zeros((segment.latents, 2, 2, 7))
            kept[..., 3:] = segment.marks[:, None, None]
            assert unpacked(kept)[1].tolist() == list(range(segment.before, segment.before + segment.made))


def test_noise_follows_the_frames_and_not_the_window():
    one, other = segment_of(Window(1, 1, 14)), segment_of(Window(5, 9, 14))
    noise = [segment_noise(7, segment, (2, 3, 3), 1) for segment in (one, other)]
    assert np.array_equal(noise[0][:, :, 0], noise[1][:, :, 0]), "of the reference"
    assert one.firsts == [1, 2, 6, 10] and other.firsts == [5, 6, 10]
    assert np.array_equal(noise[0][:, :, 3:], noise[1][:, :, 2:]) and abs(float(noise[0].std()) - 1) < 0.3
