"""Weights in the layout in which the family publishes them -> ours, and what is refused."""

import pytest
import torch

from engine.contract.errors import JobError
from engine.engines.sd15.nets.motion import positions
from engine.engines.sd15.public_weights import FILES, MOTION_FILE, public_names, read_public
from tests.torch.sd15_tiny import SHALLOW, random_model


@pytest.fixture(scope="module")
def model():
    return random_model()


@pytest.fixture
def folder(model, tmp_path):
    write_public(tmp_path, model)
    return tmp_path


def write_public(folder, model):
    """A model's weights in the four files of the family."""
    weights = model.state_dict()
    for file, names in public_names(model.sizes).items():
        stored = {public: weights[ours] for public, ours in names.items() if ours is not None}
        for public, ours in names.items():
            if ours is None:
                width = stored[public.removesuffix("pos_encoder.pe") + "to_q.weight"].shape[1]
                stored[public] = positions(model.sizes.longest, width, torch.device("cpu"))[None]
        torch.save(stored, folder / file)


def changed(path, change):
    stored = torch.load(path, weights_only=True)
    change(stored)
    torch.save(stored, path)


def test_the_familys_files_have_as_many_names_as_published():
    counts = {file: len(names) for file, names in public_names().items()}
    assert counts == {"reference_unet.pth": 682, "denoising_unet.pth": 686, "motion_module.pth": 588,
                      "pose_guider.pth": 16}


@pytest.mark.parametrize(("file", "name"), [
    ("denoising_unet.pth", "down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_out.0.weight"),
    ("reference_unet.pth", "mid_block.resnets.1.time_emb_proj.bias"),
    ("pose_guider.pth", "blocks.5.weight"),
    ("motion_module.pth", "mid_block.motion_modules.0.temporal_transformer.norm.weight"),
    ("motion_module.pth", "up_blocks.3.motion_modules.2.temporal_transformer.transformer_blocks.0.ff_norm.bias"),
    ("motion_module.pth", "down_blocks.3.motion_modules.1.temporal_transformer.transformer_blocks.0.norms.1.weight"),
    ("motion_module.pth",
     "up_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.1.pos_encoder.pe"),
])
def test_names_as_the_familys_classes_give_them(file, name):
    assert name in public_names()[file]


def test_every_weight_arrives_where_it_belongs(model, folder):
    found = read_public(folder, SHALLOW)
    assert found.keys() == model.state_dict().keys()
    assert all(torch.equal(found[name], weight) for name, weight in model.state_dict().items())


def test_a_missing_motion_module_is_named(folder):
    (folder / MOTION_FILE).unlink()
    with pytest.raises(JobError, match=r"motion_module\.pth does not exist") as raised:
        read_public(folder, SHALLOW)
    assert raised.value.code == "pack_missing"


@pytest.mark.parametrize("file", FILES)
def test_a_missing_and_a_renamed_weight_are_named(folder, file):
    name = next(iter(torch.load(folder / file, weights_only=True)))
    changed(folder / file, lambda stored: stored.update(renamed=stored.pop(name)))
    with pytest.raises(JobError) as raised:
        read_public(folder, SHALLOW)
    assert file in raised.value.message and name in raised.value.message and "renamed" in raised.value.message


def test_other_positions_are_refused(folder):
    changed(folder / MOTION_FILE, lambda stored: stored.update(
        {name: value[:, :24] for name, value in stored.items() if name.endswith("pe")}))
    with pytest.raises(JobError, match="positions of 32 frames"):
        read_public(folder, SHALLOW)


def test_a_weight_of_another_shape_is_named(folder):
    changed(folder / "pose_guider.pth", lambda stored: stored.update({"blocks.0.weight": torch.zeros(2, 2)}))
    with pytest.raises(JobError, match=r"blocks\.0\.weight: expected the shape"):
        read_public(folder, SHALLOW)


def test_numbers_that_are_none_are_refused(folder):
    changed(folder / "pose_guider.pth", lambda stored: stored["conv_in.bias"].fill_(float("nan")))
    with pytest.raises(JobError, match=r"conv_in\.bias is not made of finite numbers"):
        read_public(folder, SHALLOW)


class Runs:
    def __reduce__(self):
        return print, ("this was run",)


@pytest.mark.parametrize("stored", [Runs(), b"", {"state_dict": {}}], ids=["code", "empty", "nested"])
def test_a_file_that_holds_something_else_is_refused(folder, stored, capsys):
    path = folder / "pose_guider.pth"
    path.write_bytes(stored) if isinstance(stored, bytes) else torch.save(stored, path)
    with pytest.raises(JobError, match=r"pose_guider\.pth"):
        read_public(folder, SHALLOW)
    assert "this was run" not in capsys.readouterr().out
