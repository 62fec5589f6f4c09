"""A runtime without networks: it paints a disc of the reference's mean colour into the region, so that a test can
predict the pixels.

Its latents are the pictures averaged over 4 x 4 pixels, with three channels of noise beside them. A frame depends a
little on the noise and on the frames before it. So a wrong seed, a wrong window or a wrong resume changes the pixels.
"""

import time

import numpy as np

from engine.conditions.depth import CONVENTION
from engine.contract.skeleton import BODY_INDEX
from engine.engines.compact.engine import CompactEngine
from engine.engines.device import DeviceReport
from engine.estimate.people import Person
from engine.packs.manifest import Manifest
from engine.packs.store import Pack
from tests.unit.walker import HEIGHT_PX, figure

WINDOW, OVERLAP, STEPS = 4, 2, 2


class FakeRuntime:
    """`steps` counts the calls of denoise; the first call takes `step_s`, the others `later_s`. `follows`: how much of
    a colour comes from the frames before."""

    follows = 0.1

    def __init__(self, step_s=0.0, later_s=None):
        self.step_s = step_s
        self.later_s = step_s if later_s is None else later_s
        self.steps = 0

    def encode(self, pictures):
        n, height, width, channels = pictures.shape
        assert channels == 5 and pictures.dtype == np.float32
        pooled = pictures.reshape(n, height // 4, 4, width // 4, 4, 5).mean(axis=(2, 4))
        return np.concatenate([pooled, np.zeros((*pooled.shape[:3], 3), np.float32)], axis=-1)

    def decode(self, latents):
        return latents[..., :5].repeat(4, axis=1).repeat(4, axis=2)

    def reference(self, picture, skeleton):
        return picture.mean(axis=(0, 1))

    def pose(self, skeleton, depth):
        return skeleton.mean(axis=(1, 2))

    def objects(self, latents, mask):
        return mask

    def denoise(self, noisy, levels, environment, masks, warp, coverage, reference, pose, objects, maps=None):
        time.sleep(self.later_s if self.steps else self.step_s)
        self.steps += 1
        assert noisy.shape == environment.shape == warp.shape and levels.shape == noisy.shape[:1]
        region = masks[:, ::4, ::4, :1]
        x0 = environment.copy()
        painted = np.concatenate([reference + 0 * region, region, np.ones_like(region)], axis=-1)
        x0[..., :5] = region * painted + (1 - region) * environment[..., :5]
        x0[..., :3] += 0.02 * region * np.clip(noisy[..., :3], -2, 2) * levels[:, None, None, None]
        given = noisy[levels == 0]
        if len(given):
            x0[..., :3] = (1 - self.follows) * x0[..., :3] + self.follows * region * given[-1, ..., :3].mean()
        return x0.astype(np.float32), None

    def describe(self):
        return DeviceReport("fake", "1", "cpu")


def whole_person_in(picture):
    """The walker's figure in any picture; the mask is the whole picture. It replaces the real search in a picture."""
    return Person(figure().astype(np.float32), HEIGHT_PX, np.ones(picture.shape[:2], np.float32))


def person_in(picture):
    """The same person without a hip: then the limb warp is used instead of the surface, whose fitting takes half a
    second per run."""
    person = whole_person_in(picture)
    person.body[BODY_INDEX["left_hip"]] = 0
    return person


def fake_engine(runtime=None, pack=None):
    """The embedded engine on a FakeRuntime (None: a new one)."""
    return CompactEngine(pack or fake_pack(), runtime or FakeRuntime())


def fake_pack(pack_hash="0" * 64):
    manifest = Manifest(format=1, name="fake", license="none", sizes={}, parametrisation="x0", schedule="cosine",
                        depth_convention=CONVENTION, window=WINDOW, overlap=OVERLAP, default_steps=STEPS, files={},
                        unread=(), training={})
    return Pack(None, manifest, pack_hash)
