"""onnxruntime and PyTorch give the same numbers from the same weights file, call by call and for other sizes."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from engine.conditions import surface_inputs
from engine.contract.jobs import Settings
from engine.door.answer import Host
from engine.engines.compact.engine import CompactEngine
from engine.engines.compact.nets.surface_heads import Heads
from engine.engines.compact.runtimes.ort import OrtRuntime
from engine.engines.compact.runtimes.pytorch import PytorchRuntime
from engine.engines.device import DeviceReport, report_of
from engine.estimate import people
from engine.job.run import run
from engine.layers import heads
from lab.export import write_pack
from lab.training.stage_surface import keep_coverage, keeps_coverage
from tests.unit.fake_runtime import person_in
from tests.unit.tiny import TINY, tiny_model
from tests.unit.walker import write_job

SIZES = replace(TINY, likeness=1.0)


@pytest.fixture(scope="module")
def pack(tiny_pack):
    return tiny_pack


@pytest.fixture(scope="module")
def runtimes(pack):
    return OrtRuntime(pack), PytorchRuntime(pack, SIZES.as_dict(), "cpu")


@pytest.mark.parametrize("name", ["onnxruntime", "pytorch"])
def test_hello_tells_the_device_of_what_is_open_and_not_of_what_is_installed(pack, monkeypatch, name):
    """This is onnxruntime-gpu, or torch with CUDA, on a machine with no working GPU: the networks run on the processor,
    so hello says `cpu`."""
    installed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: installed)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    host = Host.open(folder=pack, runtime=name, threads=1)
    assert host.hello().runtime == name and host.hello().device == "cpu"
    assert np.isfinite(host.engine.runtime.encode(np.zeros((1, 32, 32, 5), np.float32))).all()


class Session:
    """A session of onnxruntime that runs where `works` says, whatever was asked for; it warns nobody."""

    works = "CPUExecutionProvider"

    def __init__(self, path, options, providers):
        self.asked = providers

    def get_inputs(self):
        return [SimpleNamespace(name="latents")]

    def get_providers(self):
        return self.asked[self.asked.index(self.works):]

    def run(self, _outputs, inputs):
        return [np.zeros((1, 32, 32, 5), np.float32)]


@pytest.mark.parametrize("works, device", [("CUDAExecutionProvider", "cuda"), ("CPUExecutionProvider", "cpu")])
def test_the_device_is_that_of_the_session_whatever_was_compiled_in(pack, monkeypatch, caplog, works, device):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider",
                                                                         "CPUExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", type("One", (Session,), {"works": works}))
    runtime = OrtRuntime(pack, 1)
    assert runtime.describe().device == "none"
    runtime.decode(np.zeros((1, 8, 8, 8), np.float32))
    assert runtime.describe().device == device
    assert ("CUDAExecutionProvider does not work here" in caplog.text) == (device == "cpu")


@pytest.mark.parametrize("device, peak", [("cuda", 6000.0), ("cpu", None), ("mps", None)])
def test_a_card_tells_how_much_of_its_memory_was_taken(device, peak):
    """Where there is no card, torch would say 0."""
    package = SimpleNamespace(__version__="2", cuda=SimpleNamespace(max_memory_reserved=lambda: 6_000_000_000))
    assert report_of(package, device, ", in parts") == DeviceReport("pytorch", "2", f"{device}, in parts", peak)


def test_a_runtime_that_has_opened_nothing_names_no_device(pack):
    assert OrtRuntime(pack).describe().device == "none"


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("onnx", "onnxruntime", "safetensors", "cv2")))
import numpy as np
from engine.packs.store import open_pack
from engine.engines.compact.runtimes.choose import choose
runtime = choose(open_pack(sys.argv[1]))
assert np.isfinite(runtime.encode(np.zeros((1, 32, 32, 5), np.float32))).all()
print(runtime.describe().runtime, runtime.describe().device)
"""


def test_pytorch_needs_nothing_that_packs_are_made_with(pack):
    """An artist's Python has torch but not onnx: no message says to install the extension again."""
    done = subprocess.run([sys.executable, "-c", WITHOUT, str(pack)], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["pytorch", "cuda" if torch.cuda.is_available() else "cpu"], done.stderr


@pytest.fixture(scope="module")
def surface_runtimes(tmp_path_factory):
    """Both runtimes with networks that read the body surface."""
    sizes, folder = replace(SIZES, surface=True), tmp_path_factory.mktemp("pack")
    write_pack(tiny_model(sizes), folder, {"note": "random weights, for tests"}, steps=1)
    return OrtRuntime(folder), PytorchRuntime(folder, sizes.as_dict(), "cpu")


def test_parity_of_what_is_said_of_the_surface(surface_runtimes):
    rng = np.random.default_rng(2)

    def rand(*shape):
        return rng.random(shape, dtype=np.float32)
    skeleton, grey, latents, masks = rand(3, 64, 96, 3), rand(3, 64, 96, 1), rand(3, 16, 24, 8), rand(3, 64, 96, 2)
    maps = rand(3, 64, 96, surface_inputs.CHANNELS)
    made = []
    for runtime in surface_runtimes:
        told = runtime.reference(skeleton[0], skeleton[0]), runtime.pose(skeleton, grey), runtime.objects(latents, grey)
        made.append(runtime.denoise(latents, np.ones(3, np.float32), latents, masks, latents, grey, *told, maps=maps))
    for ours, theirs in zip(*made, strict=True):
        assert ours.shape == theirs.shape and np.abs(ours - theirs).max() < 1e-3
    assert made[0][1].shape == (3, 8, 12, heads.CHANNELS) and np.abs(made[0][1]).max() > 1e-3


def test_networks_that_keep_the_coverage_move_no_outline_and_light_as_before():
    model, alike = (tiny_model(replace(SIZES, surface=True)) for _ in range(2))
    keep_coverage(alike)
    features = torch.rand(2, model.denoising_net.heads.in_channels, 8, 12)
    with torch.no_grad():
        before, after = (Heads.of(one.denoising_net.heads(features)) for one in (model, alike))
    assert before.edge.abs().max() > 1e-3 and not after.edge.any()
    assert not keeps_coverage(model) and keeps_coverage(alike)
    assert all(torch.equal(getattr(before, name), getattr(after, name)) for name in ("light", "turn", "gate"))


@pytest.mark.parametrize("frames, width, height", [(1, 64, 64), (4, 64, 96), (7, 96, 64)])
def test_parity_of_every_call(runtimes, frames, width, height):
    rng = np.random.default_rng(frames)

    def rand(*shape):
        return rng.random(shape, dtype=np.float32)
    pictures, skeleton, grey = rand(frames, height, width, 5), rand(frames, height, width, 3), \
        rand(frames, height, width, 1)
    masks, noisy = rand(frames, height, width, 2), rand(frames, height // 4, width // 4, 8)
    made = []
    for runtime in runtimes:
        latents = runtime.encode(pictures)
        objects = runtime.objects(latents, (grey > 0.5).astype(np.float32))
        x0, _ = runtime.denoise(noisy, np.linspace(0, 1, frames, dtype=np.float32), latents, masks, latents, grey,
                             runtime.reference(skeleton[0], skeleton[0]), runtime.pose(skeleton, grey), objects)
        made.append((latents, x0, runtime.decode(x0)))
    for ours, theirs in zip(*made, strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() < 1e-3


class Listening:
    """A runtime that stores everything that it decodes."""

    def __init__(self, runtime):
        self._runtime, self.decoded = runtime, []

    def __getattr__(self, name):
        return getattr(self._runtime, name)

    def decode(self, latents):
        self.decoded.append(self._runtime.decode(latents))
        return self.decoded[-1]


@pytest.mark.parametrize("size, frames, guidance", [((320, 240), 4, 1.5), ((256, 256), 11, 1.0)])
def test_parity_of_a_whole_clip(pack, tmp_path, size, frames, guidance):
    """Compares the decoded pixels 0..1: one window and two, two steps, with and without guidance, crops of two shapes.
    (The layers are made from these with thresholds, and one pixel may fall on either side.)"""
    made = []
    for name in ("onnxruntime", "pytorch"):
        write_job(str(tmp_path / name), frames, size=size, settings=Settings(guidance=guidance))
        host = Host.open(folder=pack, runtime=name, threads=1)
        runtime = Listening(host.engine.runtime)
        run(str(tmp_path / name), CompactEngine(host.engine.pack, runtime), emit=lambda event: None,
            find_joints=person_in)
        made.append(np.concatenate(runtime.decoded))
    assert made[0].shape == made[1].shape and len(made[0]) == frames and made[0].std() > 0.05
    assert np.abs(made[0] - made[1]).max() < 1e-3


def test_graphs_hold_no_weights_of_their_own(pack):
    for path in pack.glob("*.onnx"):
        onnx.checker.check_model(str(path))
        for tensor in onnx.load(path, load_external_data=False).graph.initializer:
            assert tensor.data_location == onnx.TensorProto.EXTERNAL or len(tensor.raw_data) <= 4096


def test_weights_with_a_missing_key_are_named(pack, tmp_path):
    from safetensors.torch import load_file, save_file

    from engine.engines.compact.nets.model import load_weights
    weights = load_file(pack / "weights.safetensors")
    weights.pop("encoder.conv_in.bias")
    save_file(weights, tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="encoder.conv_in.bias"):
        load_weights(TINY, tmp_path / "weights.safetensors")


def test_weights_with_a_key_too_many_are_named(pack, tmp_path):
    from safetensors.torch import load_file, save_file

    from engine.engines.compact.nets.model import load_weights
    save_file({**load_file(pack / "weights.safetensors"), "of.another.net": torch.zeros(1)},
              tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="of.another.net"):
        load_weights(TINY, tmp_path / "weights.safetensors")


def test_weights_that_are_not_numbers_are_named(pack, tmp_path):
    from safetensors.torch import load_file, save_file

    from engine.engines.compact.nets.model import load_weights
    weights = load_file(pack / "weights.safetensors")
    weights["decoder.conv_in.bias"][0] = float("nan")
    save_file(weights, tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="decoder.conv_in.bias"):
        load_weights(TINY, tmp_path / "weights.safetensors")


def test_threads_hold_for_who_looks_for_joints_too(pack, monkeypatch):
    looked = []
    monkeypatch.setattr(people, "find_joints", lambda picture, threads: looked.append(threads))
    for threads in (1, None, 1):
        Host.open(folder=pack, threads=threads).find_joints(np.full((40, 40, 4), len(looked), np.uint8))
    assert looked == [1, 0, 1]
