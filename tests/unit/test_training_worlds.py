"""Clips of both worlds: training uses a job folder with its truth like the pool's own clips, in the requested share."""

import json
import shutil

import numpy as np
import pytest

from lab.training import clip_folder, pool, pooled_clip, samples, windows
from lab.training.clip_folder import read_clip
from lab.training.pooled_clip import BLENDER, BrokenClip
from lab.training.samples import SampleMaker, to_and_fro
from tests.unit.tiny import TINY

SHAPE = pooled_clip.SHAPES[0]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two job folders as Blender's world makes them, of the seeds 0 and 6, and one that is held out; two frames
    each."""
    folder = tmp_path_factory.mktemp("clips")
    for seed, shape in ((0, SHAPE), (6, SHAPE), (63, (256, 256))):
        clip_folder.write_clip(folder / f"{seed:08d}", seed, frames=2, variant="insertion", masked=True, shape=shape)
    return folder


@pytest.fixture(scope="module")
def both(folders, tmp_path_factory):
    """A pool with two clips of the fast world, of the same shape, and the two clips that are added."""
    folder = tmp_path_factory.mktemp("pool")
    pool.fill(folder, count=2, frames=2, first_seed=12, stride=6)
    assert pool.main([str(folder), "--blender", str(folders)]) == 0
    return folder


def test_a_job_folder_is_the_clip_that_a_pool_has(folders):
    drawn, found = pool.draw(0, 2), read_clip(folders / "00000000")
    for name, value in vars(drawn).items():
        got = getattr(found, name)
        assert got.dtype.kind == np.asarray(value).dtype.kind, name
        # job folders say where objects are, but not how much of a pixel they cover
        if name == "layers":
            assert ((value[..., pooled_clip.OBJECTS] > 127) != (got[..., pooled_clip.OBJECTS] > 127)).mean() < 0.004, \
                "along their edges"
            value, got = (np.delete(x, pooled_clip.OBJECTS, axis=-1) for x in (value, got))
        assert np.allclose(value, got, atol=1e-3), name


def test_what_is_held_out_is_never_brought_in(folders, both):
    assert sorted(path.name for path in both.iterdir()) == ["0000012.npz", "0000018.npz",
                                                            "600000000.npz", "600000006.npz"]
    with pytest.raises(BrokenClip, match="held out"):
        read_clip(folders / "00000063")


@pytest.mark.parametrize("share, from_blender", [(0.0, 0), (1.0, 30), (0.5, 15)])
def test_the_share_of_blenders_world_is_kept(share, from_blender, both, monkeypatch):
    seen = []
    monkeypatch.setattr(samples, "read", lambda path, frames: seen.append(int(path.stem) >= BLENDER)
                        or pooled_clip.read(path, 1))
    maker = SampleMaker(both, SHAPE, share)
    for seed in range(30):
        maker._read_any(np.random.default_rng(seed), 1)
    assert abs(sum(seen) - from_blender) <= (7 if from_blender == 15 else 0)


def test_a_shorter_clip_is_shown_to_and_fro(both):
    maker = SampleMaker(both, SHAPE, 1.0)
    window = maker.make(np.random.default_rng(1), 5)
    shown = window.target.astype(int)
    assert np.array_equal(shown[0], shown[2]) and np.array_equal(shown[1], shown[3]) and (shown[0] != shown[1]).any()
    assert to_and_fro(np.random.default_rng(0), 4, 8).tolist() == [0, 1, 2, 3, 2, 1, 0, 1]
    assert to_and_fro(np.random.default_rng(0), 1, 3).tolist() == [0, 0, 0]
    starts = {tuple(to_and_fro(np.random.default_rng(seed), 5, 3)) for seed in range(40)}
    assert starts == {(0, 1, 2), (1, 2, 3), (2, 3, 4)}


def test_a_bank_has_both_worlds(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(windows, "FEWEST", 1)
    windows.fill(tmp_path, count=6, frames=3, first_seed=12)  # no person from the folders
    assert windows.main([str(tmp_path), "--blender", str(folders), "--frames", "3"]) == 0
    assert len(list(tmp_path.glob("6*.npz"))) == 2 * windows.A_RENDERED_CLIP
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    windows.fill_from(tmp_path, folders, 3)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}, "made twice"
    bank = windows.Bank(tmp_path, "cpu", 12, share=1.0)
    assert bank.rings[SHAPE].count == 6 and bank.blender[SHAPE].count == 6, "a shelf's capacity, of 6 and of 8"
    fast = {bytes(windows._stored(path)["reference"].tobytes()) for path in bank.rings[SHAPE].paths}
    rng = np.random.default_rng(0)
    drawn = [bank.batch(rng, 2, 2, TINY) for _ in range(8)]
    upright = [batch for batch in drawn if batch["target"].shape[-2:] == (SHAPE[1], SHAPE[0])]
    for batch in upright:
        pictures = (batch["reference"][:, :3] * 255).round().byte()
        assert not fast & {bytes(picture.numpy().tobytes()) for picture in pictures}
    assert upright and len(upright) < len(drawn), "other shapes have no clip of Blender's yet, and go on without"


@pytest.mark.parametrize("damage, message", [
    (lambda folder: (folder / "target" / "0002.png").unlink(), "does not exist"),
    (lambda folder: (folder / "matte" / "0001.png").write_bytes(b"torn"), "no whole picture"),
    (lambda folder: (folder / "pose.json").write_text("{"), "no clip"),
    (lambda folder: (folder / "clip.json").unlink(), "no clip"),
    (lambda folder: [empty(path) for path in (folder / "matte").iterdir()],
     "no character")])
def test_a_clip_that_cannot_be_learnt_from_is_passed_over(damage, message, folders, tmp_path, caplog):
    clips = shutil.copytree(folders, tmp_path / "clips")
    damage(clips / "00000000")
    with pytest.raises(BrokenClip, match=message):
        read_clip(clips / "00000000")
    pool.bring_in(tmp_path / "pool", clips,
                  lambda number, clip: pooled_clip.write(tmp_path / "pool" / f"{number}.npz", clip))
    assert [path.stem for path in (tmp_path / "pool").iterdir()] == ["600000006"]


def empty(path):
    from engine.conditions.frames import read_grey, write_picture
    write_picture(path, 0 * read_grey(path))


def test_a_folder_without_clips_is_said(tmp_path):
    (tmp_path / "00000063").mkdir()
    (tmp_path / "00000063" / "clip.json").write_text(json.dumps({"held_out": True, "seed": 63}))
    with pytest.raises(ValueError, match="no finished clip to learn from; render some"):
        pool.bring_in(tmp_path / "pool", tmp_path, None)
