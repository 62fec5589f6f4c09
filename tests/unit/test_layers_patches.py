"""What a video model painted in a window, brought to the plate: a matte in every frame of the window or in none."""
import numpy as np

from engine.layers.patches import settled

FRAMES, HIGH, WIDE = 3, 128, 96


def window(seed=2):
    """(patches, plates, regions, masks): a dark person over the plate, everything a little too bright."""
    rng = np.random.default_rng(seed)
    plate = rng.uniform(0.35, 0.75, (8, 6, 3)).repeat(16, axis=0).repeat(16, axis=1).astype(np.float32)
    plates = np.repeat(plate[None], FRAMES, axis=0)
    regions, masks = (np.zeros((FRAMES, HIGH, WIDE, 1), np.float32) for _ in range(2))
    regions[:, 16:112, 32:64], masks[:, 32:96, 40:56] = 1.0, 1.0
    patches = plates + rng.normal(0, 0.003, plates.shape).astype(np.float32)
    patches = np.where(masks > 0, np.float32(0.1), patches)
    return patches + np.float32(0.06), plates, regions, masks


def settle(patches, plates, regions, masks, is_known=True):
    return settled(patches, plates=plates, regions=regions, masks=masks, is_known=is_known)


def test_a_known_background_gives_a_matte_in_the_plates_colours():
    patches, plates, regions, masks = window()
    found, has_matte = settle(patches, plates, regions, masks)
    who = masks[..., 0] > 0
    assert has_matte and found.shape == (FRAMES, HIGH, WIDE, 5)
    assert np.abs(found[..., :3][~who] - plates[~who]).mean() < 0.005, "the drift is taken back"
    assert found[..., 3][who].mean() > 0.95 and found[..., 3][~who].mean() < 0.05


def test_without_a_known_background_it_stays_a_patch():
    found, has_matte = settle(*window(), is_known=False)
    assert not has_matte and found.shape == (FRAMES, HIGH, WIDE, 3)


def test_one_frame_without_a_matte_leaves_the_whole_window_without():
    """Otherwise the layer would flicker between a matte and a patch."""
    patches, plates, regions, masks = window()
    patches[1] += np.random.default_rng(0).normal(0, 0.3, patches[1].shape).astype(np.float32)
    found, has_matte = settle(patches, plates, regions, masks)
    assert not has_matte and found.shape[-1] == 3 and found.shape[0] == FRAMES
