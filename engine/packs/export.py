"""From trained weights to a pack: one fp16 weights file, and graphs for onnxruntime that point into it.

    python -m engine export WEIGHTS --to FOLDER --record training.json [--steps N] [--likeness L]

The graphs carry no weights of their own. Their initialisers are external data at the offsets that the safetensors
header gives, in half precision behind a Cast, so that both runtimes read the very same numbers.
"""

import argparse
import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from ..conditions.depth import CONVENTION
from ..contract import json_reader
from ..nets.model import Model, load_weights, save_weights
from ..nets.unet import REFERENCE_BLOCKS

WEIGHTS = "weights.safetensors"
OPSET = 17
WINDOW, OVERLAP = 8, 2


class Encode(nn.Module):
    """(n, H, W, 5) -> (n, H/4, W/4, c)."""

    def __init__(self, model: Model):
        super().__init__()
        self.encoder = model.encoder

    def forward(self, pictures: Tensor) -> Tensor:
        return last(self.encoder(first(pictures)))


class Decode(nn.Module):
    """(n, h, w, c) -> (n, 4h, 4w, 5)."""

    def __init__(self, model: Model):
        super().__init__()
        self.decoder = model.decoder

    def forward(self, latents: Tensor) -> Tensor:
        return last(self.decoder(first(latents)))


class Reference(nn.Module):
    """Latents (1, h, w, c) and skeleton (1, 4h, 4w, 3) of the reference -> its features, one output a block."""

    def __init__(self, model: Model):
        super().__init__()
        self.reference_net = model.reference_net

    def forward(self, latents: Tensor, skeleton: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.reference_net(first(latents), first(skeleton)))


class Pose(nn.Module):
    """Skeletons (F, H, W, 3) and depth (F, H, W, 1) -> (F, width, H/8, W/8)."""

    def __init__(self, model: Model):
        super().__init__()
        self.pose_guider = model.pose_guider

    def forward(self, skeleton: Tensor, depth: Tensor) -> Tensor:
        return self.pose_guider(first(skeleton), first(depth), 1)


class Objects(nn.Module):
    """Latents (F, h, w, c) and mask (F, 4h, 4w, 1) of the objects -> features and masks of three scales."""

    def __init__(self, model: Model):
        super().__init__()
        self.object_guider = model.object_guider

    def forward(self, latents: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.object_guider(first(latents), first(mask)))


class Denoise(nn.Module):
    """One prediction of x0 for a window; inputs as in runtimes/base.py, features as the graphs above give them."""

    def __init__(self, model: Model):
        super().__init__()
        self.denoising_net = model.denoising_net
        self.references = len(REFERENCE_BLOCKS[model.sizes.reference_blocks])

    def forward(self, noisy, levels, environment, masks, warp, coverage, pose, *features: Tensor) -> Tensor:
        reference, objects = features[:self.references], features[self.references:]
        return last(self.denoising_net(first(noisy), levels, first(environment), first(masks), first(warp),
                                       first(coverage), list(reference), pose, list(objects), 1))


def first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


def last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def graphs(model: Model) -> dict[str, tuple]:
    """Name -> (module, example inputs, input names, output names)."""
    c, f, h, w = model.sizes.latent_channels, 3, 24, 16
    latents, one = torch.randn(f, h, w, c), torch.randn(1, h, w, c)
    rgb, grey = torch.rand(f, 4 * h, 4 * w, 3), torch.rand(f, 4 * h, 4 * w, 1)
    with torch.no_grad():
        reference = Reference(model)(one, rgb[:1])
        pose = Pose(model)(rgb, grey)
        objects = Objects(model)(latents, grey)
    references = [f"reference_{name}" for name in REFERENCE_BLOCKS[model.sizes.reference_blocks]]
    scales = [f"{kind}_{k}" for k in range(3) for kind in ("objects", "object_mask")]
    return {
        "encode": (Encode(model), (torch.rand(f, 4 * h, 4 * w, 5),), ["pictures"], ["latents"]),
        "decode": (Decode(model), (latents,), ["latents"], ["pictures"]),
        "reference": (Reference(model), (one, rgb[:1]), ["latents", "skeleton"], references),
        "pose": (Pose(model), (rgb, grey), ["skeleton", "depth"], ["pose"]),
        "objects": (Objects(model), (latents, grey), ["latents", "mask"], scales),
        "denoise": (Denoise(model), (latents, torch.rand(f), latents, torch.rand(f, 4 * h, 4 * w, 2), latents, grey, pose,
                                     *reference, *objects),
                    ["noisy", "levels", "environment", "masks", "warp", "coverage", "pose", *references, *scales],
                    ["x0"]),
    }


def export_graph(name: str, graph: tuple, folder: Path) -> None:
    """Writes NAME.onnx without weights; every size but the channels is free."""
    module, examples, inputs, outputs = graph
    free = {key: {axis: f"{key}_{axis}" for axis in range(value.dim()) if axis not in channel_axes(key, value)}
            for key, value in zip(inputs, examples)}
    path = folder / f"{name}.onnx"
    with torch.no_grad():
        torch.onnx.export(module.eval(), examples, str(path), input_names=inputs, output_names=outputs, dynamic_axes=free,
                          opset_version=OPSET, do_constant_folding=False, dynamo=False)
    graph = onnx.load(path)
    point_into_weights(graph, folder / WEIGHTS)
    onnx.save(graph, path)
    onnx.checker.check_model(str(path))


def channel_axes(name: str, value: Tensor) -> tuple[int, ...]:
    """Axes of fixed size: channels, which come last in pictures and tokens, second in what the guiders give."""
    if value.dim() < 3:
        return ()
    channels_second = name == "pose" or name.startswith("object")
    return (1,) if channels_second else (value.dim() - 1,)


def point_into_weights(graph: onnx.ModelProto, weights: Path) -> None:
    """Replaces every initialiser that is a weight by external data in `weights`, cast back to single precision."""
    offsets, casts = tensor_offsets(weights), []
    for tensor in graph.graph.initializer:
        if tensor.name not in offsets:
            continue
        begin, end = offsets[tensor.name]
        name, half = tensor.name, f"{tensor.name}.half"
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
        tensor.name, tensor.data_type, tensor.data_location = half, TensorProto.FLOAT16, TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", str(begin)), ("length", str(end - begin))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
        casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT, name=f"cast.{name}"))
    nodes = casts + list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    inside = [t.name for t in graph.graph.initializer if not t.external_data and len(t.raw_data) > 4096]
    if inside:
        raise ValueError(f"weights left inside the graph, not found in {weights.name}: {inside[:3]}")


def tensor_offsets(weights: Path) -> dict[str, tuple[int, int]]:
    """Tensor name -> (begin, end) in bytes from the start of the safetensors file."""
    with weights.open("rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json_reader.parse(file.read(size))
    return {name: (8 + size + entry["data_offsets"][0], 8 + size + entry["data_offsets"][1])
            for name, entry in header.items() if name != "__metadata__"}


def write_pack(model: Model, folder: Path, record: dict, steps: int) -> None:
    """Weights, graphs and pack.json; `record` says what the weights were trained on, how long, at what revision."""
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(model.state_dict(), folder / WEIGHTS)
    model = load_weights(model.sizes, folder / WEIGHTS)
    for name, graph in graphs(model).items():
        export_graph(name, graph, folder)
    files = {path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
             for path in sorted(folder.iterdir()) if path.suffix in (".onnx", ".safetensors")}
    manifest = {"format": 1, "name": "compact", "license": "GPL-3.0-or-later", "sizes": model.sizes.as_dict(),
                "parametrisation": "x0", "schedule": "cosine", "depth_convention": CONVENTION, "window": WINDOW,
                "overlap": OVERLAP, "default_steps": steps, "files": files, "training": record}
    (folder / "pack.json").write_text(json.dumps(manifest, indent=1) + "\n")


def main(arguments: list[str]) -> int:
    from ..nets.sizes import COMPACT
    parser = argparse.ArgumentParser(prog="engine export", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True, help="JSON file: what the weights were trained on")
    parser.add_argument("--steps", type=int, default=1, help="default denoising steps")
    parser.add_argument("--likeness", type=float, default=0.0, help="how much more the limb warp counts than it learnt (nets/sizes.py)")
    options = parser.parse_args(arguments)
    model = load_weights(replace(COMPACT, likeness=options.likeness), options.weights)
    write_pack(model, options.to, json_reader.read(options.record), options.steps)
    return 0
