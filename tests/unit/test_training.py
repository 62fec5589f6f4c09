"""Pools and windows of clips, ablations and trials, and the messages about what is wrong."""

import json
import shutil
import time
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.engines.compact.nets.model import fork_weights, load_weights, save_weights
from engine.engines.compact.nets.sizes import Sizes
from lab.training import (
    ablations,
    command,
    loop,
    pool,
    pooled_clip,
    scaling,
    stage_image,
    stage_motion,
    stage_surface,
    windows,
)
from lab.training.loop import Batches, Run
from lab.training.options import feed
from lab.training.samples import SampleMaker, Window
from tests.unit.tiny import TINY, tiny_model


def test_a_clip_survives_the_disk_and_is_not_drawn_twice(clips):
    path = sorted(clips.glob("*.npz"))[0]
    before = path.stat().st_mtime_ns
    pool.fill(clips, count=1, frames=2)
    assert path.stat().st_mtime_ns == before
    drawn, stored = pool.draw(0, 2), pooled_clip.read(path)
    for name, value in vars(drawn).items():
        assert np.array_equal(value, getattr(stored, name)), name


def test_held_out_identities_are_not_drawn(tmp_path):
    pool.fill(tmp_path, count=1, frames=1, first_seed=63)
    assert not list(tmp_path.glob("*.npz"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    windows.fill(folder, count=6, frames=3)
    return folder


def test_windows_are_written_whole_and_only_so_many_are_kept(tmp_path):
    windows.fill(tmp_path, count=3, frames=1, first_seed=61, keep=2)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["0000062-0.npz", "0000062-1.npz"], "63 is held out"
    with np.load(tmp_path / "0000062-0.npz") as stored:
        assert set(stored.files) == {field.name for field in fields(Window)}


def test_a_bank_gives_frames_in_a_row_and_takes_new_windows_in(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(windows, "FEWEST", 2)
    monkeypatch.setattr(windows, "LOOK_EVERY", 0.02)
    shutil.copytree(prepared, tmp_path / "w")
    bank = windows.Bank(tmp_path / "w", "cpu", 6)
    batch = bank.batch(np.random.default_rng(0), 4, 2, TINY)
    assert batch["target"].shape[:3] == (4, 2, 5) and batch["reference"].shape[:2] == (4, 5)
    for name, tensor in batch.items():
        assert tensor.dtype == torch.float32 and tensor.isfinite().all(), name
    (tmp_path / "w" / "0000005-9.npz").write_bytes(b"torn")
    shutil.copy(prepared / "0000000-0.npz", tmp_path / "new")
    (tmp_path / "new").rename(tmp_path / "w" / "0000006-0.npz")

    def shown() -> set[str]:
        return {path.name for ring in bank.rings.values() for path in list(ring.paths)}

    until = time.monotonic() + 10
    while "0000006-0.npz" not in shown() and time.monotonic() < until:
        time.sleep(0.02)
    assert "0000006-0.npz" in shown() and "0000005-9.npz" not in shown()
    assert all(len(ring.paths) <= ring.paths.maxlen for ring in bank.rings.values())


def test_a_shelf_draws_another_window_where_one_is_gone_or_damaged(prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "w")
    paths = sorted((tmp_path / "w").glob("*.npz"))
    shape = windows._stored(paths[0])["reference"].shape
    paths = [path for path in paths if windows._stored(path)["reference"].shape == shape]
    shelf = windows._Shelf("cpu", len(paths))
    for path in paths:
        shelf.put({}, path)
    paths[0].unlink()
    for path in paths[1:-1]:
        path.write_bytes(path.read_bytes()[:-900])
    whole = windows._stored(paths[-1])["target"].tobytes()
    drawn = shelf.drawn(np.random.default_rng(6), 8, 2)["target"].numpy()
    assert len(paths) > 2 and len(drawn) == 8 and shelf.count == 1
    assert all(one.tobytes() in whole for one in drawn)
    paths[-1].unlink()
    with pytest.raises(ValueError, match="every window of one shape is gone"):
        shelf.drawn(np.random.default_rng(6), 8, 2)


def test_a_ring_and_a_shelf_give_the_same_windows(prepared):
    shape, paths = None, []
    for path in sorted(prepared.glob("*.npz")):
        window = windows._stored(path)
        shape = shape or window["reference"].shape
        if window["reference"].shape == shape:
            paths.append((window, path))
    ring, shelf = (kind("cpu", len(paths) - 1) for kind in (windows._Ring, windows._Shelf))
    for window, path in paths:
        ring.put(window, path)
        shelf.put(window, path)
    assert len(paths) > 2 and ring.count == shelf.count == len(paths) - 1, "the oldest is gone"
    held, read = (kept.drawn(np.random.default_rng(5), 3, 2) for kept in (ring, shelf))
    assert held.keys() == read.keys() and all(held[name].shape == read[name].shape for name in held)
    targets = {bytes(window["target"].tobytes()) for window, _path in paths[1:]}
    whole = shelf.drawn(np.random.default_rng(6), 4, 3)["target"]
    assert {bytes(target.numpy().tobytes()) for target in whole} <= targets


def test_a_file_without_all_of_a_window_is_passed_over_although_only_its_shape_is_read(prepared, tmp_path, caplog):
    with np.load(next(prepared.glob("*.npz"))) as stored:
        whole = dict(stored)
    np.savez(tmp_path / "0000001-0.npz", **whole)
    np.savez(tmp_path / "0000002-0.npz", **{name: value for name, value in whole.items() if name != "maps"})
    read = [windows._read(path, windows._Shelf.needed) for path in sorted(tmp_path.glob("*.npz"))]
    assert list(read[0]) == ["reference"] and read[1] is None and "0000002-0.npz" in caplog.text


def test_a_stage_learns_from_windows(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(windows, "FEWEST", 2)
    run = Run(tmp_path, replace(stage_motion.RECIPE, batch=2, frames=2), None, "cpu", TINY)
    options = SimpleNamespace(windows=prepared, bank=12, share=0.5)
    loop.train(run, feed(run, options, 0), loop.Budget(steps=2), stage_motion.loss_of, stage_motion.picture_of, 0)
    assert run.step == 2 and (tmp_path / "weights.safetensors").exists()


def broken(clips, folder, **changes):
    """A copy of the pool in which one clip of every shape is different."""
    shutil.copytree(clips, folder)
    for path in sorted(folder.glob("*.npz"))[:6]:
        clip = pooled_clip.read(path)
        pooled_clip.write(path,
                          replace(clip, **{name: change(getattr(clip, name)) for name, change in changes.items()}))
    return folder


@pytest.mark.parametrize("changes, message", [
    (dict(body=lambda x: x[:1]), "body: expected shape"), (dict(layers=lambda x: x[..., :4]), "layers: expected shape"),
    (dict(layers=lambda x: x[:1]), "a frame may be missing"), (dict(hands=lambda x: x * np.nan), "hands: holds values"),
    (dict(layers=lambda x: x * (np.arange(10) != pooled_clip.MATTE).astype(np.uint8)), "mask is empty")])
def test_a_clip_that_is_wrong_is_passed_over_and_named(clips, tmp_path, caplog, changes, message):
    maker = SampleMaker(broken(clips, tmp_path / "pool", **changes), (192, 352))
    for seed in range(6):
        assert maker.make(np.random.default_rng(seed), 2).matte[:, 0].any()
    told = [record.message for record in caplog.records]
    assert told and all(message in line and ".npz" in line for line in told) and len(told) == len(set(told))


@pytest.mark.parametrize("content", [b"", b"PK\3\4 rest", b"no archive at all" * 100, None])
def test_a_file_that_is_no_clip_is_passed_over(clips, tmp_path, caplog, content):
    folder = shutil.copytree(clips, tmp_path / "pool")
    for path in sorted(folder.glob("*.npz"))[:6]:
        path.write_bytes(path.read_bytes()[:-5000] if content is None else content)
    maker = SampleMaker(folder, (192, 352))
    for seed in range(6):
        maker.make(np.random.default_rng(seed), 1)
    assert caplog.records and "no clip" in caplog.text


def test_a_pool_of_nothing_but_broken_clips_is_an_error(clips, tmp_path):
    folder = shutil.copytree(clips, tmp_path / "pool")
    for path in folder.glob("*.npz"):
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="20 clips in a row"):
        SampleMaker(folder, (192, 352)).make(np.random.default_rng(0), 1)


def test_too_small_a_pool_is_said(tmp_path):
    with pytest.raises(ValueError, match="found 0"):
        SampleMaker(tmp_path, (256, 256))


def test_the_command_says_what_is_wrong_and_ends(clips, tmp_path, capsys):
    assert command.main(["image", "--pool", str(tmp_path / "none"), "--run", str(tmp_path / "run"),
                         "--steps", "1"]) == 1
    assert "--start" in capsys.readouterr().err
    assert command.main(["autoencoder", "--pool", str(tmp_path / "none"), "--run", str(tmp_path / "run"),
                         "--steps", "1"]) == 1
    assert "found 0" in capsys.readouterr().err


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_half_precision_is_used_where_the_gradient_over_time_is_right(frames):
    conv, seen = torch.nn.Conv3d(32, 16, 3, padding=1), torch.randn(1, 32, frames, 8, 8)
    conv(seen).square().mean().backward()
    true = conv.weight.grad.clone()
    conv.zero_grad()
    _litter = torch.full((len(true.flatten()) * 4,), 1e30)
    del _litter     # the memory that is handed out next
    with torch.autocast("cpu", torch.bfloat16, enabled=loop.in_half("cpu", frames)):
        made = conv(seen)
    made.float().square().mean().backward()
    assert (conv.weight.grad - true).abs().max() < 0.02 * true.abs().max()


@pytest.mark.parametrize("row", ablations.ROWS)
def test_every_ablation_forks_from_one_checkpoint_and_resumes(row, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(ablations, "RECIPE", replace(ablations.RECIPE, batch=1, frames=2))
    start = tmp_path / "start.safetensors"
    save_weights(tiny_model().state_dict(), start)
    options = SimpleNamespace(pool=clips, windows=None, start=start, device="cpu", workers=0, batch=None, share=0.5)
    ablations.train_row(row, 0, 1, tmp_path / row, options, TINY)
    sizes = Sizes.from_dict(json.loads((tmp_path / row / "sizes.json").read_text()))
    assert sizes == replace(TINY, **ablations.ROWS[row])
    made, parent = load_weights(sizes, tmp_path / row / "weights.safetensors"), load_weights(TINY, start)
    changed = [name for name, value in made.state_dict().items() if not torch.equal(value, parent.state_dict()[name])]
    assert changed and not any(name.startswith(("encoder.", "decoder.")) for name in changed)
    off = {"without_environment": "denoising_net.environment_in", "without_pose_modulation": "pose_guider.over_time",
           "without_blending": "object_guider", "without_ours": "denoising_net.warp_in"}.get(row)
    assert off is None or not any(name.startswith(off) for name in changed)
    written = (tmp_path / row / "weights.safetensors").read_bytes()
    ablations.train_row(row, 0, 1, tmp_path / row, options, TINY)
    assert (tmp_path / row / "weights.safetensors").read_bytes() == written


def test_forks_of_a_net_with_a_surface_learn_with_its_loss_or_from_limbs(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(ablations, "RECIPE", replace(ablations.RECIPE, batch=1, frames=2))
    monkeypatch.setattr(windows, "FEWEST", 1)
    limbs, sizes = tmp_path / "limbs", replace(TINY, surface=True)
    windows.fill(limbs, count=6, frames=3, surface=False)
    for path in limbs.glob("*.npz"):
        laid, same = windows._stored(path), windows._stored(prepared / path.name)
        assert not (laid["maps"] != 128).any() and (laid["plate"] == same["plate"]).all()
        assert not same["warp"].any() or (laid["warp"] != same["warp"]).any()
    start = tmp_path / "start.safetensors"
    save_weights(tiny_model(sizes).state_dict(), start)
    start.with_name("sizes.json").write_text(json.dumps(sizes.as_dict()))
    assert ablations.sizes_beside(start) == sizes
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "pack.json").write_text(json.dumps({"sizes": replace(sizes, likeness=2.0).as_dict()}))
    assert ablations.sizes_beside(tmp_path / "pack" / "weights.safetensors") == sizes, "likeness is for use alone"
    options = SimpleNamespace(windows=prepared, limb_windows=limbs, bank=12, start=start, device="cpu", batch=None,
                              share=0.5)
    learnt = {}
    for row in ("full", "without_surface"):
        ablations.train_row(row, 0, 1, tmp_path / row, options, sizes)
        learnt[row] = Sizes.from_dict(json.loads((tmp_path / row / "sizes.json").read_text()))
    assert learnt == {"full": sizes, "without_surface": replace(sizes, surface=False)}
    made, parent = load_weights(sizes, tmp_path / "full" / "weights.safetensors"), load_weights(sizes, start)
    assert not torch.equal(made.denoising_net.heads.weight, parent.denoising_net.heads.weight)
    assert not stage_surface.keeps_coverage(made)
    stage_surface.keep_coverage(parent)
    save_weights(parent.state_dict(), start)
    ablations.train_row("full", 0, 1, tmp_path / "covered", options, sizes)
    assert stage_surface.keeps_coverage(load_weights(sizes, tmp_path / "covered" / "weights.safetensors"))


@pytest.mark.parametrize("surface, rows, what", [(True, ["without_ours"], "--limb-windows"),
                                                 (False, ["without_surface"], "no surface to leave out")])
def test_a_row_without_a_surface_needs_one_to_leave_out_and_limbs(surface, rows, what, tmp_path, capsys):
    (tmp_path / "sizes.json").write_text(json.dumps(replace(TINY, surface=surface).as_dict()))
    with pytest.raises(SystemExit):
        ablations.main(["--windows", "w", "--run", str(tmp_path), "--start", str(tmp_path / "w.safetensors"),
                        "--steps", "1", "--rows", *rows])
    assert what in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--surface", "--sizes", "wider"]])
def test_sizes_are_tried_from_one_autoencoder_and_kept_at_each_mark(clips, tmp_path, monkeypatch, more):
    monkeypatch.setattr(scaling, "COMPACT", TINY)
    monkeypatch.setattr(scaling, "WIDTHS",
                        {"tiny": TINY.widths, "wider": (TINY.widths[0], *(2 * w for w in TINY.widths[1:]))})
    monkeypatch.setattr(scaling, "TIMED_STEPS", 1)
    monkeypatch.setattr(scaling.stage_surface, "RECIPE", replace(scaling.stage_surface.RECIPE, frames=2))
    start = tmp_path / "start.safetensors"
    save_weights(tiny_model().state_dict(), start)
    run = tmp_path / "run"
    asked = ["--pool", str(clips), "--run", str(run), "--start", str(start), "--batch", "1", "--workers",
             "0", "--threads", "1", "--marks", "1e-6", "2e-6", *more]
    assert scaling.main(asked) == 0
    parent = load_weights(TINY, start).state_dict()
    for name, widths in list(scaling.WIDTHS.items())[1 if more else 0:]:
        for mark in ("1e-06", "2e-06"):
            sizes = Sizes.from_dict(json.loads((run / f"{name}-{mark}" / "sizes.json").read_text()))
            made = load_weights(sizes, run / f"{name}-{mark}" / "weights.safetensors").state_dict()
            assert sizes.widths == widths and sizes.surface == bool(more)
            assert all(torch.equal(made[key], value) for key, value in parent.items()
                       if key.startswith(("encoder.", "decoder.")))
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    assert scaling.main(asked) == 0 and {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_the_mean_of_weights(tmp_path, capsys):
    paths = [tmp_path / f"{k}.safetensors" for k in range(2)]
    for k, path in enumerate(paths):
        torch.manual_seed(k)
        save_weights({name: torch.randn_like(value) for name, value in tiny_model().state_dict().items()}, path)
    a, b = (load_weights(TINY, path).state_dict() for path in paths)
    assert command.main(["mean", str(paths[0]), "0.75", str(paths[1]), "0.25", "--to",
                         str(tmp_path / "out.safetensors")]) == 0
    made = load_weights(TINY, tmp_path / "out.safetensors").state_dict()
    assert all(torch.allclose(made[name], 0.75 * a[name] + 0.25 * b[name], atol=2e-3) for name in a)
    assert command.main(["mean", str(paths[0]), "0.75", "--to", str(tmp_path / "out.safetensors")]) == 1
    assert "sum of 1" in capsys.readouterr().err
    save_weights(tiny_model(replace(TINY, blending="off")).state_dict(), paths[1])
    assert command.main(["mean", str(paths[0]), "0.5", str(paths[1]), "0.5", "--to",
                         str(tmp_path / "out.safetensors")]) == 1
    assert "other networks" in capsys.readouterr().err


def test_a_fork_needs_every_weight_that_it_has(tmp_path):
    start = tmp_path / "start.safetensors"
    save_weights(tiny_model(replace(TINY, blending="off")).state_dict(), start)
    with pytest.raises(ValueError, match="blending.*cannot be forked|cannot be forked.*blending"):
        fork_weights(replace(TINY, blending="off"), TINY, start)


def test_the_table_of_ablations_gives_every_row_the_same_steps(clips, tmp_path, monkeypatch):
    trained = []

    def train_row(row, seed, steps, folder, options, parent):
        trained.append((row, seed, steps))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sizes.json").write_text("{}")
        return 40.0
    monkeypatch.setattr(ablations, "train_row", train_row)
    monkeypatch.setattr(ablations, "prepare_torch", lambda threads: None)
    command = ["--pool", str(clips), "--run", str(tmp_path / "run"), "--start", "w", "--rows", "full",
               "box_mask", "--minutes", "2"]
    assert ablations.main(command) == 0
    assert trained == [("full", 0, 20), *((row, seed, 60) for seed in (0, 1) for row in ("full", "box_mask"))]
    trained.clear()
    (tmp_path / "run" / "box_mask-1" / "sizes.json").unlink()
    assert ablations.main(command) == 0 and trained == [("box_mask", 1, 60)]


def test_averaged_weights_start_another_run(clips, tmp_path):
    run = Run(tmp_path / "a", stage_image.RECIPE, None, "cpu", TINY)
    run.save()
    other = Run(tmp_path / "b", stage_image.RECIPE, tmp_path / "a" / "weights.safetensors", "cpu", TINY)
    for name, value in run.average.state_dict().items():
        assert torch.allclose(value, other.model.state_dict()[name], atol=2e-3), name


def test_the_autoencoder_starts_at_the_principal_components(clips):
    """Before any training, pictures are reproduced at 24 dB or better, and a flat shadow exactly."""
    from engine.engines.compact.nets.model import Model
    from engine.engines.compact.nets.sizes import COMPACT
    from engine.engines.compact.nets.vae import start_from_components
    model = Model(COMPACT).eval()
    pictures = torch.cat([Batches(clips, replace(stage_image.RECIPE, batch=2), 0)[k]["target"][:, 0] for k in (0, 2)])
    start_from_components(model.encoder, model.decoder, pictures)
    with torch.no_grad():
        made = model.decoder(model.encoder(pictures))
        assert -10 * torch.log10(((made - pictures)[:, :3] ** 2).mean()) > 24
        pictures[:, 4] = 0.4
        assert (model.decoder(model.encoder(pictures))[:, 4] - 0.4).abs().mean() < 0.02
