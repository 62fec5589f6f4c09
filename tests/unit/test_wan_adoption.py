"""A downloaded folder of weights becomes a pack: by its pipeline, with every file and form. Other folders are
refused."""
import json

import numpy as np
import pytest
from safetensors.numpy import save

from engine.__main__ import main
from engine.contract.errors import JobError
from engine.contract.jobs import Settings
from engine.engines.choose import kind_of
from engine.engines.wan.adoption import KINDS, adopt
from engine.engines.wan.engine import parts_of
from engine.packs.store import check_files, read_pack

FILES = ("transformer/config.json", "transformer/w-1-of-2.safetensors", "transformer/w-2-of-2.safetensors",
         "vae/config.json", "vae/w.safetensors", "scheduler/scheduler_config.json", "text_encoder/w.safetensors",
         "tokenizer/spiece.model", "image_encoder/w.safetensors", "assets/picture.png", "transformer/notes.md")

CONFIG = json.dumps({"num_layers": 40, "num_attention_heads": 40, "attention_head_dim": 128, "base_dim": 96}).encode()


def weights(name, kind=np.float32):
    """A million numbers."""
    return save({name: np.zeros((1000, 1000), kind)})


def downloaded(folder, pipeline="WanVACEPipeline", files=FILES):
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(CONFIG if name.endswith("config.json") else weights(name) if name.endswith(
            ".safetensors") else name.encode())
    (folder / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    return folder


def quiet(line):
    pass


@pytest.mark.parametrize("pipeline", KINDS)
def test_a_folder_becomes_a_pack_of_its_engine(tmp_path, pipeline):
    adopt(downloaded(tmp_path, pipeline), "mine", quiet)
    pack = read_pack(tmp_path)
    check_files(pack, look=lambda done, total: None)
    manifest = pack.manifest
    has_image_encoder = pipeline == "WanAnimatePipeline"
    assert set(manifest.files) == {name for name in FILES if not name.endswith((".png", ".md"))
                                   and (has_image_encoder or "image_encoder" not in name)}
    assert list(manifest.variants) == ["bf16", "fp8"] and manifest.name == "mine"
    needs = manifest.variants["bf16"].needs
    assert manifest.needs == needs and needs.base_mb > 1000
    assert needs.device(81) >= needs.device(5) > 1000 and needs.host(81, 1.0) > needs.host(5, 1.0)
    facts = kind_of(manifest.engine).facts(manifest, Settings(engine=manifest.engine))
    assert facts.window == manifest.window and facts.shapes[0] == (480, 832)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_memory_is_reckoned_from_the_numbers_and_not_from_their_width_on_the_disk(tmp_path, kind):
    """The published transformers have 32 bits, or 32 in some layers and 16 in others; all run at 16."""
    downloaded(tmp_path)
    (tmp_path / "transformer/w-1-of-2.safetensors").write_bytes(weights("a", kind))
    parts = parts_of(tmp_path, FILES)
    assert parts.transformer_mb == 4.0, "two files of a million numbers at 16 bits"
    assert parts.others_mb == {"vae": 4.0, "image_encoder": 4.0}, "these work at 32 bits; the text encoder is elsewhere"


def test_a_file_that_is_no_weights_is_told(tmp_path):
    downloaded(tmp_path)
    (tmp_path / "transformer/w-2-of-2.safetensors").write_bytes(b"<html>")
    with pytest.raises(JobError, match=r"w-2-of-2.safetensors: expected a header") as failure:
        adopt(tmp_path, "mine", quiet)
    assert failure.value.code == "pack_corrupt" and not (tmp_path / "pack.json").exists()


def test_quantised_files_are_forms_of_their_own(tmp_path):
    downloaded(tmp_path, files=("transformer/config.json", "vae/config.json", "vae/w.safetensors",
                                "Wan-VACE_Q4.K_M.gguf"))
    adopt(tmp_path, "mine", quiet)
    manifest = read_pack(tmp_path).manifest
    assert list(manifest.variants) == ["wan-vace-q4-k-m"]
    assert "Wan-VACE_Q4.K_M.gguf" in manifest.files_of("wan-vace-q4-k-m")


@pytest.mark.parametrize("pipeline, files, code", [
    ("StableDiffusionPipeline", FILES, "pack_invalid"), ("WanVACEPipeline", ("vae/w.safetensors",), "pack_missing"),
    (None, FILES, "pack_missing")])
def test_other_folders_are_refused(tmp_path, pipeline, files, code):
    downloaded(tmp_path, pipeline or "WanVACEPipeline", files)
    if pipeline is None:
        (tmp_path / "model_index.json").unlink()
    with pytest.raises(JobError) as failure:
        adopt(tmp_path, "mine", quiet)
    assert failure.value.code == code and not (tmp_path / "pack.json").exists()


def test_the_command_line(tmp_path, capsys):
    downloaded(tmp_path)
    assert main(["adopt", str(tmp_path), "--name", "mine"]) == 0
    assert capsys.readouterr().out == "wan-vace: bf16, fp8\n"
    assert main(["adopt", str(tmp_path)]) == 1 and "already" in capsys.readouterr().err
