"""A pack of a Wan engine is read strictly: a key that is missing, renamed or of another shape is an error before the
first frame, where the loaders would only warn and go on with random numbers. And each form of the weights runs."""
import json
import logging
import shutil

import numpy as np
import pytest
import torch
from diffusers import WanAnimateTransformer3DModel, WanVACETransformer3DModel
from safetensors.torch import load_file, save_file

from engine.contract import files
from engine.contract.errors import JobError
from engine.engines.base import Options
from engine.engines.choose import kind_of
from engine.engines.wan import engine as wan_engine
from engine.engines.wan import memory
from engine.engines.wan.load import load_quantised
from engine.engines.wan.prompt import kept_path
from engine.job.run import run
from engine.packs.engine_manifest import write_engine
from engine.packs.store import read_pack
from tests.torch.tiny_wan import TEXT, write_pack, write_prompts
from tests.torch.wan_gguf import wans_own, write_gguf
from tests.torch.wan_shot import SMALL, change, frames, write_shot

WEIGHTS = "diffusion_pytorch_model.safetensors"


def generate(folder, pack):
    found = read_pack(pack)
    engine = kind_of(found.manifest.engine).of(found, Options())
    return run(str(folder), engine, emit=lambda event: None, find_joints=lambda picture: None), engine


def sealed_again(pack):
    """The manifest of a pack whose files were changed, as whoever packed it wrongly would have written it."""
    old = json.loads((pack / "pack.json").read_text())
    names = sorted(path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()
                   and (path.parent not in (pack, pack / "prompts") or path.suffix == ".gguf"))
    about = {name: old[name] for name in old if name not in ("format", "files", "sha256")}
    write_engine(pack, about, names)
    write_prompts(pack)
    return pack


def changed(pack, part, change_of):
    path = pack / part / WEIGHTS
    weights = load_file(path)
    change_of(weights)
    save_file(weights, path, metadata={"format": "pt"})
    return sealed_again(pack)


def without(weights):
    del weights[sorted(weights)[3]]


def renamed(weights):
    name = sorted(weights)[3]
    weights[name + "_old"] = weights.pop(name)


def reshaped(weights):
    name = next(name for name in sorted(weights) if weights[name].ndim > 1)
    weights[name] = weights[name][:-1].contiguous()


@pytest.mark.parametrize("change_of, said", [(without, "1 missing"), (renamed, "1 missing.*1 unknown"),
                                             (reshaped, "1 of another shape")])
@pytest.mark.parametrize("part", ["transformer", "vae"])
def test_keys_are_counted(tmp_path, part, change_of, said):
    pack = changed(write_pack(tmp_path / "pack", "wan-vace"), part, change_of)
    write_shot(tmp_path / "job", "wan-vace", 1, shape=SMALL)
    with pytest.raises(JobError, match=said) as failure:
        generate(tmp_path / "job", pack)
    assert failure.value.code == "pack_invalid" and part in failure.value.message
    assert files.numbers(str(tmp_path / "job"), files.FRAMES) == []


def test_a_part_of_another_kind_is_refused(tmp_path):
    pack = write_pack(tmp_path / "pack", "wan-vace")
    path = pack / "scheduler" / "scheduler_config.json"
    path.write_text(path.read_text().replace("UniPCMultistepScheduler", "DDIMScheduler"))
    write_shot(tmp_path / "job", "wan-vace", 1, shape=SMALL)
    with pytest.raises(JobError, match="DDIMScheduler") as failure:
        generate(tmp_path / "job", sealed_again(pack))
    assert failure.value.code == "pack_invalid"
    with pytest.raises(JobError, match="wan-animate"):
        kind_of("wan-animate").of(read_pack(pack), Options())


def test_what_prepares_a_models_input_is_a_part_as_well(tmp_path):
    pack = write_pack(tmp_path / "pack", "wan-animate")
    shutil.rmtree(pack / "image_processor")
    write_shot(tmp_path / "job", "wan-animate", 1, shape=SMALL)
    with pytest.raises(JobError, match="image_processor: cannot be loaded") as failure:
        generate(tmp_path / "job", sealed_again(pack))
    assert failure.value.code == "pack_invalid"
    pack = write_pack(tmp_path / "other", "wan-vace")
    write_text_encoder(pack)
    for path in (pack / "tokenizer").iterdir():
        path.write_bytes(b"{")
    write_shot(tmp_path / "job2", "wan-vace", 1, shape=SMALL, own={"prompt": "A dancer."})
    with pytest.raises(JobError, match="tokenizer: cannot be loaded") as failure:
        generate(tmp_path / "job2", pack)
    assert failure.value.code == "pack_invalid"


def test_a_file_that_changed_is_found_before_it_is_opened(tmp_path):
    pack = write_pack(tmp_path / "pack", "wan-vace")
    path = pack / "transformer" / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    write_shot(tmp_path / "job", "wan-vace", 1, shape=SMALL)
    with pytest.raises(JobError) as failure:
        generate(tmp_path / "job", pack)
    assert failure.value.code == "pack_corrupt"


@pytest.mark.parametrize("form", ["bf16", "fp8", "gguf"])
def test_each_form_of_the_weights_runs_and_comes_near_to_the_exact_one(tmp_path, form, caplog):
    caplog.set_level(logging.INFO)
    pack = write_pack(tmp_path / "pack", "wan-vace")
    if form == "gguf":
        as_gguf(pack)
    taken = []
    for name in ("float32", form):
        write_shot(tmp_path / name, "wan-vace", 1, shape=SMALL, own={"variant": name})
        finished, engine = generate(tmp_path / name, pack)
        assert finished.made == 1
        taken.append(frames(tmp_path / name, 1))
    apart = change(*taken)[0]
    assert 0 < apart < 0.2, apart
    assert f"the weights as {form}" in caplog.text, "the plan is told"
    kinds = {parameter.dtype for parameter in engine.pipeline.transformer.parameters()}
    assert {"bf16": torch.bfloat16, "fp8": torch.float8_e4m3fn, "gguf": torch.uint8}[form] in kinds


def as_gguf(pack):
    """The transformer as a GGUF file in diffusers' names."""
    write_gguf(pack / "transformer-Q8_0.gguf", load_file(pack / "transformer" / WEIGHTS))
    manifest = json.loads((pack / "pack.json").read_text())
    manifest["variants"] = {"float32": {"files": [f"transformer/{WEIGHTS}"]},
                            "gguf": {"files": ["transformer-Q8_0.gguf"]}}
    (pack / "pack.json").write_text(json.dumps(manifest))
    sealed_again(pack)


@pytest.mark.parametrize("engine", ["wan-vace", "wan-animate"])
def test_a_quantised_file_may_have_wans_own_names(tmp_path, engine):
    pack = write_pack(tmp_path / "pack", engine)
    weights = load_file(pack / "transformer" / WEIGHTS)
    kind = WanVACETransformer3DModel if engine == "wan-vace" else WanAnimateTransformer3DModel
    taken = []
    for names in (lambda weights: weights, wans_own):
        write_gguf(pack / "transformer.gguf", names(weights))
        taken.append(load_quantised(pack, "transformer.gguf", kind, torch.float32).state_dict())
    assert wans_own(weights).keys() & weights.keys() < weights.keys()
    assert taken[0].keys() == taken[1].keys() == weights.keys()
    assert all(torch.equal(one, taken[1][name]) for name, one in taken[0].items())


@pytest.mark.parametrize("names", [dict, wans_own])
def test_keys_of_a_quantised_file_are_counted(tmp_path, names):
    pack = write_pack(tmp_path / "pack", "wan-vace")
    path = pack / "transformer.gguf"
    weights = names(load_file(pack / "transformer" / WEIGHTS))
    lost = next(name for name in weights if "blocks.0" in name and name.endswith("norm_q.weight"))
    write_gguf(path, {f"{name}_old" if name == lost else name: value for name, value in weights.items()})
    with pytest.raises(JobError, match=r" 1 missing: (vace_)?blocks\.0\.attn[12]\.norm_q\.weight\.") as failure:
        load_quantised(pack, path.name, WanVACETransformer3DModel, torch.float32)
    assert failure.value.code == "pack_invalid"
    for content in (path.read_bytes()[:300], b"<html>"):
        path.write_bytes(content)
        with pytest.raises(JobError, match=r"transformer.gguf: cannot be loaded") as failure:
            load_quantised(pack, path.name, WanVACETransformer3DModel, torch.float32)
        assert failure.value.code == "pack_invalid"


def test_block_by_block_gives_the_same_pictures(tmp_path, monkeypatch):
    pack = write_pack(tmp_path / "pack", "wan-vace")
    taken = []
    for lying in (memory.Lying.WHOLE, memory.Lying.BLOCKS):
        monkeypatch.setattr(memory, "chosen", lambda ways, free, lying=lying: next(
            plan for plan in ways if plan.lying is lying))
        write_shot(tmp_path / lying.name, "wan-vace", 1, shape=SMALL)
        _, engine = generate(tmp_path / lying.name, pack)
        assert engine.describe().device == ("cpu" if lying is memory.Lying.WHOLE else f"cpu, {lying.value}")
        taken.append(frames(tmp_path / lying.name, 1))
    assert np.array_equal(*taken)


def test_it_takes_as_many_threads_as_it_is_given(tmp_path):
    before = torch.get_num_threads()
    engine = kind_of("wan-vace").of(read_pack(write_pack(tmp_path / "pack", "wan-vace")), Options(threads=before + 1))
    write_shot(tmp_path / "job", "wan-vace", 1, shape=SMALL)
    try:
        run(str(tmp_path / "job"), engine, emit=lambda event: None, find_joints=lambda picture: None)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_running_out_of_the_devices_memory_goes_on_with_the_next_smaller_plan(tmp_path, monkeypatch):
    pack = write_pack(tmp_path / "pack", "wan-vace")
    write_shot(tmp_path / "job", "wan-vace", 1, shape=SMALL)
    engine = kind_of("wan-vace").of(read_pack(pack), Options())

    def full(*given, **named):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    sample, lain = engine._sample, []
    monkeypatch.setattr(engine, "_sample", full)
    monkeypatch.setattr(wan_engine, "_lay", lambda pipeline, lying, device: lain.append(lying))
    for following in (memory.Lying.PARTS, memory.Lying.BLOCKS):
        with pytest.raises(JobError, match="2.00 GiB") as failure:
            run(str(tmp_path / "job"), engine, emit=lambda event: None, find_joints=lambda picture: None)
        assert failure.value.code == "out_of_memory" and following.value in failure.value.remedy
        assert engine.pipeline is None, "what is too large is closed"
    monkeypatch.setattr(engine, "_sample", sample)
    assert run(str(tmp_path / "job"), engine, emit=lambda event: None, find_joints=lambda picture: None).made == 1
    assert lain == list(memory.Lying), "each run goes on with the next smaller plan"


def test_a_prompt_is_encoded_once_and_kept_beside_the_weights(tmp_path):
    pack = write_pack(tmp_path / "pack", "wan-vace")
    write_shot(tmp_path / "job", "wan-vace", 1, shape=SMALL, own={"prompt": "A dancer."})
    with pytest.raises(JobError, match=r"text_encoder/ and tokenizer/ are not there.*A dancer") as failure:
        generate(tmp_path / "job", pack)
    assert failure.value.code == "pack_missing"
    write_text_encoder(pack)
    assert generate(tmp_path / "job", pack)[0].made == 1
    assert load_file(kept_path(pack, "A dancer.", read_pack(pack).hash))["embedding"].shape == (1, 512, TEXT)
    (pack / "text_encoder").rename(tmp_path / "away")
    write_shot(tmp_path / "job2", "wan-vace", 1, shape=SMALL, own={"prompt": "A dancer."})
    assert generate(tmp_path / "job2", pack)[0].made == 1, "the encoder is not needed again"
    assert np.array_equal(frames(tmp_path / "job", 1), frames(tmp_path / "job2", 1))


def write_text_encoder(pack):
    """A tiny encoder, and a tokenizer with a few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel
    words = {"<pad>": 0, "</s>": 1, "<unk>": 2, "A": 3, "dancer": 4, ".": 5}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>",
                            unk_token="<unk>").save_pretrained(pack / "tokenizer")
    torch.manual_seed(5)
    config = UMT5Config(vocab_size=8, d_model=TEXT, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    UMT5EncoderModel(config).save_pretrained(pack / "text_encoder")
    path = pack / "text_encoder" / "config.json"    # as published: only the shared embedding is stored all the same
    path.write_text(json.dumps({**json.loads(path.read_text()), "tie_word_embeddings": False}))
