"""Packs of sd15-aa2: converted from public files, and refused before the first frame if anything is wrong."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.contract import jobs
from engine.contract.errors import JobError
from engine.engines.base import Options, Want
from engine.engines.choose import kind_of
from engine.engines.sd15.conversion import convert
from engine.engines.sd15.encoders import IMAGE_ENCODER, VAE, Encoders
from engine.engines.sd15.engine import Sd15Engine
from engine.engines.sd15.networks import read_weights
from engine.packs.engine_manifest import write_engine
from engine.packs.store import read_pack
from tests.torch.sd15_pack import SHAPES, make_pack, random_encoders
from tests.torch.sd15_tiny import SHALLOW, WHOLE, random_model
from tests.torch.test_sd15_public_weights import write_public

WEIGHTS = "diffusion_pytorch_model.safetensors"
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = jobs.Settings(engine="sd15-aa2")


class Watch:
    """Stores what an engine tells while it loads."""

    def __init__(self):
        self.told = []

    def tell(self, stage, step, total):
        self.told.append((stage, step, total))

    def check(self):
        pass


@pytest.fixture
def folder(tmp_path):
    return make_pack(tmp_path / "pack")


def rewritten(folder, file, change):
    """A pack whose file is changed on purpose: its manifest fits it."""
    stored = load_file(folder / file)
    change(stored)
    save_file(stored, folder / file)
    manifest = read_pack(folder).manifest
    about = {"engine": manifest.engine, "name": manifest.name, "license": manifest.license, "window": manifest.window,
             "overlap": manifest.overlap, "default_steps": manifest.default_steps, "own": manifest.own,
             "shapes": [f"{width}x{height}" for width, height in manifest.shapes]}
    write_engine(folder, about, manifest.files)
    return folder


def opened(folder):
    engine, watch = Sd15Engine.of(read_pack(folder), Options("cpu", 1)), Watch()
    engine.open(SETTINGS, watch)
    return engine, watch


def test_public_files_become_a_pack(tmp_path):
    model = random_model()
    write_public(tmp_path, model)
    for net, name in zip((random_encoders().vae, random_encoders().clip), (VAE, IMAGE_ENCODER), strict=True):
        net.save_pretrained(tmp_path / name)
    convert(tmp_path, tmp_path / VAE, tmp_path / IMAGE_ENCODER, tmp_path / "pack", sizes=SHALLOW, shapes=SHAPES)
    pack = read_pack(tmp_path / "pack")
    assert kind_of(pack.manifest.engine) is Sd15Engine
    found, given = read_weights(pack.folder, pack.manifest.files), model.state_dict()
    assert found.keys() == given.keys()
    assert Sd15Engine.facts(pack.manifest, SETTINGS).pose_style == "dwpose", "what the family was trained with"
    assert all((found[name].float() - weight).abs().max() < 2e-3 for name, weight in given.items())
    assert str(tmp_path) not in "".join(path.read_text() for path in pack.folder.rglob("*.json"))


def test_encoders_are_read_as_they_are_published(tmp_path):
    """sd-vae-ft-mse names its attention as diffusers did in 2022, and the image encoder is a file of torch.save, which
    also counts its positions."""
    given = random_encoders()
    given.vae.save_pretrained(tmp_path / VAE)
    stored = load_file(tmp_path / VAE / WEIGHTS)
    for name in [name for name in stored if "attentions" in name]:
        earlier = name
        for now, before in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
            earlier = earlier.replace(now, before)
        stored[earlier] = stored.pop(name)
    save_file(stored, tmp_path / VAE / WEIGHTS, metadata={"format": "pt"})
    given.clip.save_pretrained(tmp_path / IMAGE_ENCODER)
    (tmp_path / IMAGE_ENCODER / "model.safetensors").unlink()
    torch.save({**given.clip.state_dict(), "vision_model.embeddings.position_ids": torch.arange(5)[None]},
               tmp_path / IMAGE_ENCODER / "pytorch_model.bin")
    found = Encoders.opened(tmp_path / VAE, tmp_path / IMAGE_ENCODER).state_dict()
    assert any("query" in name for name in stored) and found.keys() == given.state_dict().keys()
    assert all(torch.equal(found[name], weight) for name, weight in given.state_dict().items())


def test_nothing_heavy_is_imported_before_it_opens():
    code = "import sys, engine.engines.sd15.engine; sys.exit(bool({'torch', 'diffusers'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_nothing_is_open_before_it_is_asked_for(folder):
    engine = Sd15Engine.of(read_pack(folder), Options("cpu", 1))
    assert engine.describe().device == "none"
    watch = Watch()
    engine.open(SETTINGS, watch)
    assert engine.describe().device == "cpu" and watch.told and watch.told[-1][0] == "load"


@pytest.mark.parametrize(("file", "change", "named"), [
    ("denoising_net.safetensors", lambda stored: stored.pop("denoising_net.conv_out.bias"), "conv_out.bias"),
    ("motion_modules.safetensors", lambda stored: stored.update(other=stored.popitem()[1]), "other"),
    (f"{VAE}/diffusion_pytorch_model.safetensors", lambda stored: stored.pop("decoder.conv_in.bias"), "decoder.conv"),
    (f"{IMAGE_ENCODER}/model.safetensors", lambda stored: stored.pop("visual_projection.weight"), "visual_projection"),
])
def test_a_missing_or_renamed_weight_is_an_error_of_the_pack(folder, file, change, named):
    with pytest.raises(JobError) as raised:
        opened(rewritten(folder, file, change))
    assert raised.value.code == "pack_invalid" and named in raised.value.message


def test_a_pack_without_motion_modules_is_refused(folder):
    (folder / "motion_modules.safetensors").unlink()
    with pytest.raises(JobError, match=r"motion_modules\.safetensors"):
        opened(folder)


def test_what_is_known_before_anything_is_open(tmp_path):
    manifest = read_pack(make_pack(tmp_path / "family")).manifest
    facts = Sd15Engine.facts(manifest, SETTINGS)
    assert facts.shapes == SHAPES and not facts.has_matte and not facts.wants
    assert facts.holds_after and facts.guidance == 1.5
    manifest = read_pack(make_pack(tmp_path / "whole", WHOLE)).manifest
    assert Sd15Engine.facts(manifest, SETTINGS).wants == {Want.DEPTH, Want.OBJECTS}


@pytest.mark.parametrize("changed, said", [({"pose_style": "mine"}, "pose_style: expected one of compact, vace"),
                                           ({"sizes": 3}, "sizes"), ({"more": 1}, "expected sizes and pose_style")])
def test_a_pack_that_says_something_else_is_refused(folder, changed, said):
    manifest = read_pack(folder).manifest
    with pytest.raises(JobError, match=said) as raised:
        Sd15Engine.facts(dataclasses.replace(manifest, own=manifest.own | changed), SETTINGS)
    assert raised.value.code == "pack_invalid"


@pytest.mark.parametrize("settings", [jobs.Settings(engine="sd15-aa2", window=SHALLOW.longest + 1),
                                      jobs.Settings(engine="sd15-aa2", engines={"sd15-aa2": {"prompt": "a"}})])
def test_settings_that_it_does_not_take(folder, settings):
    with pytest.raises(JobError) as raised:
        Sd15Engine.facts(read_pack(folder).manifest, settings)
    assert raised.value.code == "settings_invalid"


def test_a_device_that_is_not_there(folder):
    with pytest.raises(JobError, match="expected one of cuda, mps, cpu"):
        Sd15Engine.of(read_pack(folder), Options("tpu", 1)).open(SETTINGS, Watch())
