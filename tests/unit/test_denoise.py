"""Noise, schedule, sampler and windows by their numbers; a window that is denoised with the frames handed to it."""

import math
from itertools import pairwise

import numpy as np
import pytest

from engine.contract.errors import JobError
from engine.engines.compact.denoise.clip import Appearance, Conditions, Sampling, denoise_window, encode_reference
from engine.engines.compact.denoise.guidance import guided
from engine.engines.compact.denoise.samplers import ddim_step
from engine.engines.compact.denoise.schedule import COSINE, levels, named
from engine.engines.noise import frame_noise, window_noise
from engine.engines.windows import Window, plan, spans

KNOWN_NOISE = [0.5145284, -0.0404699, -0.1181158, -0.8153592]


def test_noise_is_normal_and_its_frame_decides():
    noise = frame_noise(7, 3, (64, 64, 8))
    assert noise.dtype == np.float32 and abs(noise.mean()) < 0.01 and abs(noise.std() - 1) < 0.01
    assert abs((np.abs(noise) < 1).mean() - math.erf(1 / math.sqrt(2))) < 0.01
    assert np.array_equal(window_noise(7, range(2, 5), (64, 64, 8))[1], noise)
    for other in (frame_noise(7, 4, (64, 64, 8)), frame_noise(8, 3, (64, 64, 8))):
        assert abs(np.corrcoef(other.ravel(), noise.ravel())[0, 1]) < 0.02


def test_noise_is_the_same_on_every_machine():
    """The numbers were made once and written down: numpy 1.24 and 2.5 have to agree."""
    assert frame_noise(1, 1, (4,)).tolist() == pytest.approx(KNOWN_NOISE, abs=1e-6)
    assert np.isfinite(frame_noise(2**63 - 1, 10**6, (4,))).all()


def test_the_schedule_goes_from_noise_to_picture():
    assert named("cosine") is COSINE
    assert (COSINE.alpha(0), COSINE.sigma(0)) == (1, 0) and COSINE.sigma(1) == 1 and abs(COSINE.alpha(1)) < 1e-12
    assert all(abs(COSINE.alpha(t) ** 2 + COSINE.sigma(t) ** 2 - 1) < 1e-12 for t in levels(7))
    assert levels(1) == [1, 0] and levels(4) == [1, 0.75, 0.5, 0.25, 0]
    with pytest.raises(JobError, match="expected 'cosine', got 'linear'"):
        named("linear")


def test_a_step_with_the_true_picture_follows_its_line():
    rng = np.random.default_rng(0)
    x0, noise = rng.normal(size=(2, 3, 4, 5)).astype(np.float32), rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    noisy = (COSINE.alpha(0.75) * x0 + COSINE.sigma(0.75) * noise).astype(np.float32)
    stepped = ddim_step(noisy, x0, 0.75, 0.25, COSINE)
    assert np.allclose(stepped, COSINE.alpha(0.25) * x0 + COSINE.sigma(0.25) * noise, atol=1e-5)
    assert ddim_step(noisy, x0, 1.0, 0.0, COSINE) is x0


def test_guidance():
    one, other = np.full(3, 2, np.float32), np.full(3, 1, np.float32)
    assert np.array_equal(guided(one, other, 1.0), one) and np.array_equal(guided(one, other, 3.0), np.full(3, 4))


@pytest.mark.parametrize("frames", [1, 2, 7, 8, 9, 14, 15, 16, 100])
@pytest.mark.parametrize("size, overlap", [(8, 2), (8, 0), (1, 0), (24, 4), (3, 2)])
def test_windows_make_every_frame_once(frames, size, overlap):
    windows = plan(range(5, 5 + frames), size, overlap)
    assert [n for window in windows for n in window.made] == list(range(5, 5 + frames))
    for previous, window in pairwise([None, *windows]):
        assert len(window.made) > 0 and len(window.frames) <= size
        assert list(window.before) == (list(previous.made)[-overlap:] if previous and overlap
                                       and len(previous.made) >= overlap
                                       else list(range(max(5, window.start - overlap), window.start))
                                       if previous else [])
    assert len(windows) == 1 + max(0, math.ceil((frames - size) / (size - overlap)))


def test_windows_need_room():
    with pytest.raises(ValueError, match="overlap"):
        plan(range(1, 9), 4, 4)


def test_spans_are_where_somebody_is():
    assert spans([True, True, False, True]) == [range(1, 3), range(4, 5)]
    assert spans([False, False]) == [] and spans([]) == [] and spans([True]) == [range(1, 2)]


class Counting:
    """A runtime that predicts the environment, or what the reference says, and stores its inputs."""

    def __init__(self):
        self.asked, self.encoded, self.warps = [], 0, []

    def reference(self, picture, skeleton):
        return picture.mean()

    def encode(self, pictures):
        self.encoded += 1
        return pictures[:, ::4, ::4, :1].repeat(8, axis=-1)

    def denoise(self, noisy, levels, environment, masks, warp, coverage, reference, pose, objects, maps=None):
        self.asked.append((noisy.copy(), levels.copy()))
        self.warps.append(warp)
        return environment + np.float32(reference), None


def conditions(frames):
    latents = np.random.default_rng(1).normal(size=(frames, 4, 4, 8)).astype(np.float32)
    pictures = np.zeros((frames, 16, 16, 1), np.float32)
    return Conditions(latents, pictures.repeat(2, axis=-1), latents, pictures, None, None)


def test_frames_handed_on_ride_along_clean():
    runtime, told, before = Counting(), conditions(5), np.full((2, 4, 4, 8), 9, np.float32)
    stepped = []
    made, _ = denoise_window(runtime, Window(3, 5, 8), told, Appearance(0.0), Sampling(COSINE, 4, seed=1),
                             before=before, after_step=lambda: stepped.append(1))
    assert np.array_equal(made, told.environment[2:]) and len(stepped) == len(runtime.asked) == 4
    for (noisy, asked), t in zip(runtime.asked, levels(4), strict=False):
        assert np.array_equal(noisy[:2], before) and np.allclose(asked, [0, 0, t, t, t])
    assert np.array_equal(runtime.asked[0][0][2:], window_noise(1, range(5, 8), (4, 4, 8)))


def test_one_step_needs_no_noise_of_its_own():
    runtime, told = Counting(), conditions(2)
    made, _ = denoise_window(runtime, Window(1, 1, 3), told, Appearance(0.0), Sampling(COSINE, 1, 0), before=None)
    assert np.array_equal(made, told.environment)


def test_guidance_asks_twice():
    runtime, told = Counting(), conditions(2)
    appearance = encode_reference(runtime, np.ones((16, 16, 3), np.float32),
                                  np.zeros((16, 16, 3), np.float32), guidance=3.0)
    assert appearance.features == 1.0 and appearance.without == 0.5
    made, _ = denoise_window(runtime, Window(1, 1, 3), told, appearance, Sampling(COSINE, 1, 0, 3.0), before=None)
    assert len(runtime.asked) == 2 and np.allclose(made, told.environment + 2.0, atol=1e-5)
    assert np.array_equal(runtime.warps[0], told.warp)
    assert runtime.warps[1].shape == told.warp.shape and np.all(runtime.warps[1] == 0.5)


def test_the_empty_picture_of_guidance_is_encoded_once_a_shot():
    runtime, told = Counting(), conditions(2)
    appearance = encode_reference(runtime, np.ones((16, 16, 3), np.float32),
                                  np.zeros((16, 16, 3), np.float32), guidance=2.0)
    for window in (Window(1, 1, 3), Window(3, 3, 5)):
        denoise_window(runtime, window, told, appearance, Sampling(COSINE, 4, 0, 2.0), before=None)
    assert len(runtime.asked) == 16 and runtime.encoded == 1


def test_missing_latents_are_a_fault():
    with pytest.raises(ValueError, match="expected 2 frames of latents, got 0"):
        denoise_window(Counting(), Window(3, 5, 8), conditions(5), Appearance(0.0), Sampling(COSINE, 1, 0), before=None)
